//! When the journal is in trouble, and when it is over.
//!
//! Owned by the sequencer. Invariants: trouble is told once, and its end once; it ends only when all that was
//! sequenced before it was told is durable, and the log can be written and has room. A journal that is only
//! slow is in trouble when a record is not durable after `stall`: found between one and two of them. The gate
//! is called degraded while records do not become durable, and only behind the record that told the core: a
//! journal that is short of room is written, and nothing leaves it before.

use crate::durability::DurabilityWatch;
use portcullis_domain::{Duration, Seq, Timestamp};

#[derive(Debug)]
pub(super) struct JournalWatch {
    watch: DurabilityWatch,
    stall: Duration,
    /// A record whose being durable is waited for, and since when.
    probe: Seq,
    since: Timestamp,
    /// The record that told the core of trouble, while that lasts.
    down: Option<Seq>,
    degraded: bool,
}

impl JournalWatch {
    pub(super) const fn new(watch: DurabilityWatch, stall: Duration) -> Self {
        Self {
            watch,
            stall,
            probe: Seq::ZERO,
            since: Timestamp::ZERO,
            down: None,
            degraded: false,
        }
    }

    /// Looks at the journal after the last record: whether the core is to be told that it is up, or down.
    pub(super) fn look(&mut self, last: Seq, now: Timestamp) -> Option<bool> {
        let reached = self.watch.reached();
        // A clock that was set back would not be late for as long as that was.
        self.since = self.since.min(now);
        if reached >= self.probe.raw() {
            self.probe = last;
            self.since = now;
        }
        let late = now.since(self.since) >= self.stall && reached < self.probe.raw();
        let failing = self.watch.is_failing() || late;
        let trouble = failing || self.watch.is_short();
        let Some(told) = self.down else {
            return trouble.then_some(false);
        };
        self.degrade(failing);
        (!trouble && reached >= told.raw()).then_some(true)
    }

    /// The core was told by this record.
    pub(super) fn told(&mut self, up: bool, seq: Seq, now: Timestamp) {
        self.down = (!up).then_some(seq);
        if up {
            self.degrade(false);
            return;
        }
        let failing = self.watch.is_failing() || now.since(self.since) >= self.stall;
        self.degrade(failing);
    }

    fn degrade(&mut self, degraded: bool) {
        if self.degraded != degraded {
            self.degraded = degraded;
            self.watch.tell_degraded(degraded);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durability::{Durability, Passage, durability};

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_ns(ms * 1_000_000)
    }

    #[test]
    fn a_slow_journal_is_in_trouble_until_all_is_durable() {
        let mut ends = durability(Durability::Journaled, Seq::ZERO);
        let mut watch = JournalWatch::new(ends.watch, Duration::from_ns(100_000_000));
        assert_eq!(watch.look(Seq::new(5), at(0)), None);
        assert_eq!(
            watch.look(Seq::new(9), at(99)),
            None,
            "record 5 is waited for"
        );
        assert_eq!(watch.look(Seq::new(9), at(100)), Some(false));
        watch.told(false, Seq::new(10), at(100));
        assert_eq!(ends.gate.passage(10), Passage::Degraded);
        ends.log.reach(Seq::new(9));
        assert_eq!(watch.look(Seq::new(20), at(101)), None);
        assert_eq!(
            ends.gate.passage(10),
            Passage::Shut,
            "records become durable again"
        );
        ends.log.reach(Seq::new(10));
        assert_eq!(watch.look(Seq::new(20), at(102)), Some(true));
        watch.told(true, Seq::new(21), at(102));
        assert_eq!(ends.gate.passage(21), Passage::Shut);
        ends.log.reach(Seq::new(21));
        assert_eq!(watch.look(Seq::new(30), at(150)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_hide_a_stuck_journal() {
        let ends = durability(Durability::Journaled, Seq::ZERO);
        let mut watch = JournalWatch::new(ends.watch, Duration::from_ns(100_000_000));
        assert_eq!(watch.look(Seq::new(5), at(3_600_000)), None);
        assert_eq!(watch.look(Seq::new(5), at(0)), None);
        assert_eq!(watch.look(Seq::new(5), at(100)), Some(false));
    }

    #[test]
    fn a_journal_that_cannot_be_written_is_in_trouble_at_once() {
        let mut ends = durability(Durability::Journaled, Seq::ZERO);
        let mut watch = JournalWatch::new(ends.watch, Duration::from_ns(100_000_000));
        ends.log.tell_failing(true);
        assert_eq!(watch.look(Seq::new(1), at(0)), Some(false));
        watch.told(false, Seq::new(2), at(0));
        assert_eq!(ends.gate.passage(2), Passage::Degraded);
        assert_eq!(watch.look(Seq::new(2), at(9)), None);
        ends.log.tell_failing(false);
        ends.log.reach(Seq::new(2));
        assert_eq!(watch.look(Seq::new(2), at(9)), Some(true));
    }

    #[test]
    fn one_that_is_short_of_room_is_in_trouble_and_its_gate_is_not_degraded() {
        let mut ends = durability(Durability::Journaled, Seq::ZERO);
        let mut watch = JournalWatch::new(ends.watch, Duration::from_ns(100_000_000));
        ends.log.tell_short(true);
        assert_eq!(watch.look(Seq::new(1), at(0)), Some(false));
        watch.told(false, Seq::new(2), at(0));
        assert_eq!(
            ends.gate.passage(2),
            Passage::Shut,
            "it is written, in a moment"
        );
        ends.log.reach(Seq::new(2));
        assert_eq!(watch.look(Seq::new(2), at(9)), None);
        ends.log.tell_short(false);
        assert_eq!(watch.look(Seq::new(2), at(9)), Some(true));
    }
}
