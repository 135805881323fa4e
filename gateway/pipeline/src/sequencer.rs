//! The sequencer: where order and time come into being.
//!
//! One thread owns it. It takes from control, engine reports, cancels and orders, each by a budget a
//! cycle, stamps each record and passes it on. Invariants: sequence numbers have no gaps; times
//! never go back, and are those at which bytes arrived, so that a stall does not look like a burst;
//! risk-reducing traffic and reports are never behind orders; while the way to the venue is half full
//! no client's message is taken, so that reports never stand behind one that risk has no room for; while
//! the way to the log is, no order is;
//! a slice of sliced work is let in while nothing else waits, so that an order stands behind one at the
//! most, and at a floor rate where there is always something.

mod journal_watch;

use crate::durability::DurabilityWatch;
use crate::recovery::first_commands;
use crate::signals::RiskSignals;
use journal_watch::JournalWatch;
use portcullis_domain::{Command, Duration, Head, Seq, Timestamp};
use portcullis_risk_core::RiskCore;
use portcullis_runtime::{Agent, RecordConsumer, RecordProducer};

/// Records taken from each input in one duty cycle.
const CONTROL_BUDGET: usize = 16;
const REPORT_BUDGET: usize = 64;
const PRIORITY_BUDGET: usize = 32;
const ORDER_BUDGET: usize = 32;

/// A tick comes at least this often, so that windows and sliced work go on without traffic.
const TICK_EVERY_NS: u64 = 10_000_000;

/// Sliced work goes on at least this often, however much else there is.
const SLICE_EVERY_NS: u64 = 50_000;

/// The rings that the sequencer is at an end of.
#[derive(Debug)]
pub struct SequencerRings {
    /// Control commands.
    pub control: RecordConsumer,
    /// The engine's reports and links.
    pub reports: RecordConsumer,
    /// Commands that follow from effects: reference prices from trades.
    pub feedback: RecordConsumer,
    /// Cancels and session events.
    pub priority: RecordConsumer,
    /// Orders and replaces.
    pub orders: RecordConsumer,
    /// To risk.
    pub sequenced: RecordProducer,
}

/// The agent.
#[derive(Debug)]
pub struct Sequencer {
    control: RecordConsumer,
    reports: RecordConsumer,
    feedback: RecordConsumer,
    priority: RecordConsumer,
    orders: RecordConsumer,
    order: Order,
    ticked: Timestamp,
    /// Units put into the ring to risk when the last tick was in it.
    ticked_at: u64,
    signals: RiskSignals,
    journal: Option<JournalWatch>,
    /// What must stand in the log before all else, the first last.
    first: Vec<Head>,
}

/// Where a log goes on.
#[derive(Clone, Debug)]
pub struct Resumption {
    /// Its last record.
    pub seq: Seq,
    /// The time of that.
    timestamp: Timestamp,
    /// What must come before all else: what the end of the former gateway meant.
    first: Vec<Command>,
}

impl Resumption {
    /// Behind the record that a core came to.
    #[must_use]
    pub fn behind(seq: Seq, core: &RiskCore) -> Self {
        Self {
            seq,
            timestamp: core.now(),
            first: first_commands(core),
        }
    }

    /// The last of the commands that come before all else.
    #[must_use]
    pub fn begins_behind(&self) -> Seq {
        Seq::new(self.seq.raw() + self.first.len() as u64)
    }
}

/// The order that records are given, and the ring they then stand in.
#[derive(Debug)]
struct Order {
    sequenced: RecordProducer,
    seq: Seq,
    last: Timestamp,
}

impl Order {
    /// Moves what `input` has, up to a budget; returns how many records.
    #[inline]
    fn drain(&mut self, input: &mut RecordConsumer, budget: usize) -> usize {
        if input.is_empty() {
            return 0;
        }
        self.move_records(input, budget)
    }

    fn move_records(&mut self, input: &mut RecordConsumer, budget: usize) -> usize {
        let most = self.room(budget);
        let mut taken = 0;
        while taken < most {
            let moved = input.take_units_where(|head, raw| {
                let stamp = self.next_stamp(head);
                let moved = self.sequenced.write_stamped(head, stamp, raw);
                assert!(moved, "room was looked for");
                true
            });
            if !moved {
                break;
            }
            taken += 1;
        }
        if taken > 0 {
            self.sequenced.publish();
            input.release();
        }
        taken
    }

    /// How many records of the longest kind have room beside one more, up to `most`. Nearly always that many,
    /// which is one question.
    #[inline]
    fn room(&self, most: usize) -> usize {
        if self.sequenced.has_room_for(most + 1) {
            return most;
        }
        most.min(self.sequenced.room().saturating_sub(1))
    }

    /// The next number, and the time of this head.
    #[inline(always)]
    fn next_stamp(&mut self, head: &Head) -> (u64, u64) {
        self.seq = self.seq.next();
        self.last = self.last.later(Timestamp::from_ns(head.timestamp_ns));
        (self.seq.raw(), self.last.ns())
    }

    /// Lets in a command of the sequencer's own, for which there is room.
    fn let_in(&mut self, command: &Head) {
        let stamp = self.next_stamp(command);
        let moved = self.sequenced.write_stamped(command, stamp, &[]);
        assert!(moved, "room was looked for");
    }
}

impl Sequencer {
    /// A sequencer whose first record will be number 1.
    #[must_use]
    pub fn new(rings: SequencerRings, signals: RiskSignals) -> Self {
        Self {
            control: rings.control,
            reports: rings.reports,
            feedback: rings.feedback,
            priority: rings.priority,
            orders: rings.orders,
            order: Order {
                sequenced: rings.sequenced,
                seq: Seq::ZERO,
                last: Timestamp::ZERO,
            },
            ticked: Timestamp::ZERO,
            ticked_at: 0,
            signals,
            journal: None,
            first: Vec::new(),
        }
    }

    /// A sequencer that goes on where a log ends.
    #[must_use]
    pub fn resuming(mut self, from: &Resumption) -> Self {
        self.order.seq = from.seq;
        self.order.last = from.timestamp;
        self.first = from.first.iter().rev().map(Command::encode).collect();
        self
    }

    /// A sequencer that tells the core when the journal is in trouble: it cannot be written, has no room,
    /// or what was sequenced this long ago is still not durable.
    #[must_use]
    pub fn watching(mut self, watch: DurabilityWatch, stall: Duration) -> Self {
        self.journal = Some(JournalWatch::new(watch, stall));
        self
    }

    /// What must come before all else; `false` while some of it has no room.
    fn begin(&mut self, now: Timestamp) -> bool {
        while let Some(mut head) = self.first.pop() {
            if !self.order.sequenced.has_room_for(2) {
                self.first.push(head);
                break;
            }
            head.timestamp_ns = now.ns();
            self.order.let_in(&head);
        }
        self.order.sequenced.publish();
        self.first.is_empty()
    }

    /// Tells the core of the journal's trouble, and of its end.
    fn watch_journal(&mut self, now: Timestamp) -> usize {
        let Some(journal) = &mut self.journal else {
            return 0;
        };
        let Some(up) = journal.look(self.order.seq, now) else {
            return 0;
        };
        if !self.order.sequenced.has_room_for(2) {
            return 0;
        }
        let mut head = Command::JournalLink { up }.encode();
        head.timestamp_ns = now.ns();
        self.order.let_in(&head);
        self.order.sequenced.publish();
        journal.told(up, self.order.seq, now);
        1
    }

    /// One tick at a time: risk has seen the last one, or another would only queue behind it. One that
    /// brings a slice comes when risk has seen all there was and nothing more came, or it is its turn.
    fn tick(&mut self, now: Timestamp, quiet: bool) -> usize {
        let since_ns = now.since(self.ticked).ns();
        let due = since_ns >= TICK_EVERY_NS;
        let pending = self.signals.work_pending();
        if !(due || pending) {
            return 0;
        }
        let ring = &mut self.order.sequenced;
        let (taken, pushed) = (ring.taken(), ring.pushed());
        let seen = taken >= self.ticked_at;
        let turn = quiet && taken == pushed || since_ns >= SLICE_EVERY_NS;
        if !seen || !turn || !ring.has_room_for(2) {
            return 0;
        }
        self.ticked = now;
        let mut head = Command::Tick.encode();
        head.timestamp_ns = now.ns();
        self.order.let_in(&head);
        let ring = &mut self.order.sequenced;
        ring.publish();
        self.ticked_at = ring.pushed();
        usize::from(pending)
    }
}

impl Agent for Sequencer {
    fn name(&self) -> &'static str {
        "sequencer"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        if !self.first.is_empty() && !self.begin(now) {
            return 1;
        }
        let mut work = self.watch_journal(now);
        let order = &mut self.order;
        work += order.drain(&mut self.control, CONTROL_BUDGET);
        // Before the reports that more of it follows from, or the ring fills up and risk waits for
        // room in it while this waits for room to risk.
        work += order.drain(&mut self.feedback, REPORT_BUDGET);
        work += order.drain(&mut self.reports, REPORT_BUDGET);
        if !self.signals.venue_crowded() {
            work += order.drain(&mut self.priority, PRIORITY_BUDGET);
            if !self.signals.log_crowded() {
                work += order.drain(&mut self.orders, ORDER_BUDGET);
            }
        }
        work + self.tick(now, work == 0)
    }

    /// A record takes it less than two readings of the clock.
    fn is_brief(&self) -> bool {
        true
    }

    fn is_drained(&self) -> bool {
        self.control.is_empty()
            && self.reports.is_empty()
            && self.feedback.is_empty()
            && self.priority.is_empty()
            && self.orders.is_empty()
            && self.first.is_empty()
    }
}

#[cfg(test)]
mod tests;
