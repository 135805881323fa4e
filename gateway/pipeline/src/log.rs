//! The log agent: each sequenced record into the journal.
//!
//! A thread of its own, never the one that decides: files block. Invariants: records are written in the order
//! they were applied, a frame a duty cycle; what is said to be durable is written, and where the policy asks
//! for it on the disk; a write that fails is tried again with the same bytes, and until it succeeds the core
//! is told that the journal is in trouble. It must never drop a record.

use crate::durability::{Durability, DurableWriter};
use portcullis_domain::{CommandKind, Duration, Head, Seq, Timestamp};
use portcullis_journal::{Append, JournalWriter, Storage};
use portcullis_runtime::{Agent, HistogramReader, HistogramWriter, RecordConsumer};
use std::io;

/// Records put into one frame.
const RECORD_BUDGET: usize = 1_024;

/// After how long a write that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_ns(5_000_000);

/// How long waiting for the next segment counts as work. One that is not made by then is not made in time to wait
/// for: whoever stops must come to an end.
const WAITS_AT_MOST: Duration = Duration::from_ns(10_000_000_000);

/// The kind of a note of the core's digest among the records: no command has it.
const NOTE_KIND: u8 = u8::MAX;

/// How long records that nobody waits for are gathered before they are synced: prices come all the time, and an
/// order that came while they were on their way to the disk would wait for theirs before its own.
const GATHER_MAX: Duration = Duration::from_ns(1_000_000);

/// A note among the records that the log is given: after record `seq`, which it follows at once, the core's
/// digest stood there.
#[must_use]
pub(crate) fn digest_note(seq: u64, digest: u64) -> Head {
    let mut head = Head::blank(NOTE_KIND);
    head.seq = seq;
    head.word = digest;
    head
}

/// The agent.
pub struct Log<S: Storage> {
    writer: JournalWriter<S>,
    records: RecordConsumer,
    durable: DurableWriter,
    /// When a write that failed is tried again.
    retry: Option<Timestamp>,
    /// When the frame in hand was begun, while it is only gathered.
    gathering: Option<Timestamp>,
    /// Since when the frame waits for its segment.
    waits_since: Option<Timestamp>,
    in_trouble: bool,
    /// Whoever is to be told of trouble and its end, in words.
    tell: Box<dyn FnMut(&str) + Send>,
    /// From the beginning of a duty cycle to its frame's being as durable as it must be.
    kept: HistogramWriter,
}

impl<S: Storage> Log<S> {
    /// The agent; `tell` is called with what people must know of the journal's trouble.
    #[must_use]
    pub fn new(
        writer: JournalWriter<S>,
        records: RecordConsumer,
        durable: DurableWriter,
        tell: Box<dyn FnMut(&str) + Send>,
    ) -> Self {
        Self {
            writer,
            records,
            durable,
            retry: None,
            gathering: None,
            waits_since: None,
            in_trouble: false,
            tell,
            kept: HistogramWriter::default(),
        }
    }

    /// From the beginning of a duty cycle to its records' being as durable as they must be, for other
    /// threads to read.
    #[must_use]
    pub fn kept_times(&self) -> HistogramReader {
        self.kept.reader()
    }

    /// The last word of a gateway that stops: all that is written is on the disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn sync(&mut self) -> io::Result<Seq> {
        self.writer.sync()
    }

    /// Moves records into the frame; returns how many.
    fn gather(&mut self) -> usize {
        let mut taken = 0;
        while taken < RECORD_BUDGET
            && let Some((head, raw)) = self.records.front()
        {
            if head.kind == NOTE_KIND {
                break;
            }
            if self.writer.append(*head, raw) == Append::Full {
                break;
            }
            if head.kind == CommandKind::FlipLimits as u8 {
                self.writer.note_limits(head.word);
            }
            self.records.advance();
            taken += 1;
        }
        self.take_note();
        if taken > 0 {
            self.records.release();
        }
        taken
    }

    /// Takes the note behind the last record of the frame, if there is one.
    fn take_note(&mut self) {
        let Some((head, _)) = self.records.front() else {
            return;
        };
        if head.kind != NOTE_KIND {
            return;
        }
        let follows = self.writer.gathered() > 0 && head.seq + 1 == self.writer.next_seq();
        if follows {
            self.writer.note_digest(Seq::new(head.seq), head.word);
        }
        self.records.advance();
        self.records.release();
    }

    /// Whether the frame in hand may grow on: each is synced before the next is begun, and nobody waits for this one.
    fn gathers(&mut self, now: Timestamp) -> bool {
        let may_wait = self.durable.policy() == Durability::Synced
            && !self.in_trouble
            && self.writer.takes_more()
            && !self.durable.is_wanted_behind(self.writer.written());
        if !may_wait {
            return false;
        }
        let since = *self.gathering.get_or_insert(now);
        // A clock that was set back makes nobody wait for longer.
        now >= since && now.since(since) < GATHER_MAX
    }

    /// Writes the frame, and syncs it where the policy asks for that.
    fn keep(&mut self, now: Timestamp) -> io::Result<()> {
        self.writer.write(now)?;
        let reached = match self.durable.policy() {
            Durability::Synced => self.writer.sync()?,
            Durability::Memory | Durability::Journaled | Durability::Replicated => {
                self.writer.written()
            }
        };
        self.durable.reach(reached);
        Ok(())
    }

    /// Whether a frame that waits for its segment is work that goes on.
    fn is_worth_waiting(&mut self, now: Timestamp) -> bool {
        let since = *self.waits_since.get_or_insert(now);
        // A clock that was set back does not make it longer.
        if now < since {
            self.waits_since = Some(now);
        }
        now.since(since) <= WAITS_AT_MOST
    }

    fn note_outcome(&mut self, kept: io::Result<()>, now: Timestamp) {
        let short = self.writer.is_short();
        let trouble = match &kept {
            // The next segment is being made: if that takes long, the sequencer finds the journal slow.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => Some(error.to_string()),
            Ok(()) if short => {
                Some("no further segment can be made; what is left is kept for cancels".to_owned())
            }
            Ok(()) => None,
        };
        let failing = trouble.is_some() && kept.is_err();
        self.retry = failing.then(|| now.saturating_add(RETRY_AFTER));
        self.durable.tell_failing(failing);
        self.durable.tell_short(short);
        let in_trouble = trouble.is_some();
        if in_trouble != self.in_trouble {
            let words = trouble.unwrap_or_else(|| "it can be written again".to_owned());
            (self.tell)(&words);
        }
        self.in_trouble = in_trouble;
    }
}

impl<S: Storage> Agent for Log<S> {
    fn name(&self) -> &'static str {
        "log"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        // A clock that was set back does not make the pause longer.
        let pauses = |retry: Timestamp| now < retry && retry.since(now) <= RETRY_AFTER;
        if self.retry.is_some_and(pauses) {
            return 0;
        }
        let taken = self.gather();
        if taken == 0 && self.writer.gathered() == 0 && !self.in_trouble {
            return 0;
        }
        if self.gathers(now) {
            return taken;
        }
        self.gathering = None;
        let kept = self.keep(now);
        let waits = matches!(&kept, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if !waits {
            self.waits_since = None;
        }
        self.note_outcome(kept, now);
        taken.max(usize::from(waits && self.is_worth_waiting(now)))
    }

    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        // A turn that only gathered has kept nothing yet.
        if self.gathering.is_none() {
            self.kept.record(ended.since(began).ns(), 1);
        }
    }

    fn is_drained(&self) -> bool {
        self.records.is_empty() && self.writer.gathered() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durability::{DurabilityEnds, Gate, Passage, durability};
    use portcullis_domain::{Command, Record};
    use portcullis_journal::{
        Identity, InlineSource, JournalStart, MemoryDisk, Opening, Term, WriterOptions,
    };
    use portcullis_runtime::{RecordProducer, record_ring};

    const SEGMENT_BYTES: u64 = 1 << 16;

    struct Rig {
        log: Log<MemoryDisk>,
        records: RecordProducer,
        gate: Gate,
        seq: u64,
    }

    fn rig(policy: Durability) -> Rig {
        let disk = MemoryDisk::new();
        let lock = disk.lock().expect("nobody else has it");
        let source = Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES));
        let opening = Opening {
            identity: Identity {
                journal: 7,
                prelude: 0,
                rules: 1,
                build: String::new(),
            },
            term: Term::new(1),
            limits: 0,
            now: Timestamp::ZERO,
        };
        let options = WriterOptions::for_segments_of(SEGMENT_BYTES);
        let start = JournalStart::first(7);
        let writer = JournalWriter::create(disk, lock, source, options, opening, start);
        let (records, consumer) = record_ring(1_024);
        let DurabilityEnds { log, gate, .. } = durability(policy, Seq::ZERO);
        let writer = writer.expect("the disk takes it");
        Rig {
            log: Log::new(writer, consumer, log, Box::new(|_| {})),
            records,
            gate,
            seq: 0,
        }
    }

    impl Rig {
        fn record(&mut self) {
            self.seq += 1;
            let mut head = Command::Tick.encode();
            head.seq = self.seq;
            assert!(self.records.push(&Record::bare(head)));
        }

        fn turn(&mut self, us: u64) -> u64 {
            self.log.do_work(Timestamp::from_ns(us * 1_000));
            self.gate.kept().raw()
        }
    }

    #[test]
    fn what_nobody_waits_for_is_synced_together_and_soon() {
        let mut rig = rig(Durability::Synced);
        rig.record();
        assert_eq!(rig.turn(10), 0);
        rig.record();
        assert_eq!(rig.turn(500), 0);
        assert_eq!(rig.turn(1_009), 0);
        assert_eq!(rig.turn(1_010), 2, "a millisecond after the first");
        rig.record();
        assert_eq!(rig.turn(1_011), 2, "the next one begins anew");
        assert_eq!(rig.turn(1_000), 3, "a clock that was set back");
    }

    #[test]
    fn what_is_waited_for_is_synced_at_once_with_all_before_it() {
        let mut rig = rig(Durability::Synced);
        let kept = rig.log.kept_times();
        let ends = |rig: &mut Rig| {
            let (began, ended) = (Timestamp::from_ns(1), Timestamp::from_ns(2));
            rig.log.on_work_done(began, ended);
            kept.counts().len()
        };
        rig.record();
        assert_eq!(rig.turn(10), 0);
        assert_eq!(ends(&mut rig), 0, "only gathered");
        rig.record();
        assert_eq!(rig.gate.passage(2), Passage::Shut);
        assert_eq!(rig.turn(11), 2);
        assert_eq!(ends(&mut rig), 1);
        assert_eq!(rig.gate.passage(2), Passage::Open);
        rig.record();
        assert_eq!(rig.turn(12), 2, "nobody has asked for this one");
        assert!(!rig.log.is_drained());
    }

    #[test]
    fn a_frame_that_is_full_or_noted_waits_for_nobody() {
        let mut rig = rig(Durability::Synced);
        rig.record();
        assert!(rig.records.push(&Record::bare(digest_note(1, 9))));
        assert_eq!(rig.turn(10), 1);
        // A frame holds 1,021 units of records here, and the longest record has 4.
        for _ in 0..1_018 {
            rig.record();
        }
        assert_eq!(rig.turn(11), 1_019);
    }

    #[test]
    fn what_is_not_synced_is_written_at_once() {
        for policy in [
            Durability::Memory,
            Durability::Journaled,
            Durability::Replicated,
        ] {
            let mut rig = rig(policy);
            rig.record();
            assert_eq!(rig.turn(10), 1, "{policy:?}");
        }
    }
}
