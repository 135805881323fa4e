//! The sequencer: where order and time come into being.
//!
//! One thread owns it. It takes from control, engine reports, cancels and orders, each by a budget a
//! cycle, stamps each record and passes it on. Invariants: sequence numbers have no gaps; times
//! never go back, and are those at which bytes arrived, so that a stall does not look like a burst;
//! risk-reducing traffic and reports are never behind orders.

use portcullis_domain::{Command, Record, Seq, Timestamp};
use portcullis_runtime::{Agent, RecordConsumer, RecordProducer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Records taken from each input in one duty cycle.
const CONTROL_BUDGET: usize = 16;
const REPORT_BUDGET: usize = 64;
const PRIORITY_BUDGET: usize = 32;
const ORDER_BUDGET: usize = 32;

/// A tick comes at least this often, so that windows and sliced work go on without traffic.
const TICK_EVERY_NS: u64 = 10_000_000;

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
    rings: SequencerRings,
    seq: Seq,
    last: Timestamp,
    ticked: Timestamp,
    /// Set by risk while sliced work waits.
    work_pending: Arc<AtomicBool>,
}

impl Sequencer {
    /// A sequencer whose first record will be number 1.
    #[must_use]
    pub const fn new(rings: SequencerRings, work_pending: Arc<AtomicBool>) -> Self {
        Self {
            rings,
            seq: Seq::ZERO,
            last: Timestamp::ZERO,
            ticked: Timestamp::ZERO,
            work_pending,
        }
    }

    fn drain(
        &mut self,
        input: impl Fn(&mut SequencerRings) -> &mut RecordConsumer,
        budget: usize,
    ) -> usize {
        for taken in 0..budget {
            if !self.rings.sequenced.has_room_for(2) {
                return taken;
            }
            let Some(record) = input(&mut self.rings).pop() else {
                return taken;
            };
            self.stamp(record);
        }
        budget
    }

    fn stamp(&mut self, mut record: Record) {
        self.seq = self.seq.next();
        self.last = self
            .last
            .later(Timestamp::from_ns(record.head.timestamp_ns));
        record.head.seq = self.seq.raw();
        record.head.timestamp_ns = self.last.ns();
        assert!(self.rings.sequenced.push(&record), "room was looked for");
    }

    fn tick(&mut self, now: Timestamp) -> usize {
        let due = now.since(self.ticked).ns() >= TICK_EVERY_NS;
        let pending = self.work_pending.load(Ordering::Relaxed);
        if !(due || pending) || !self.rings.sequenced.has_room_for(2) {
            return 0;
        }
        self.ticked = now;
        let mut head = Command::Tick.encode();
        head.timestamp_ns = now.ns();
        self.stamp(Record::bare(head));
        usize::from(pending)
    }
}

impl Agent for Sequencer {
    fn name(&self) -> &'static str {
        "sequencer"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        let mut work = self.drain(|rings| &mut rings.control, CONTROL_BUDGET);
        work += self.drain(|rings| &mut rings.reports, REPORT_BUDGET);
        work += self.drain(|rings| &mut rings.feedback, REPORT_BUDGET);
        work += self.drain(|rings| &mut rings.priority, PRIORITY_BUDGET);
        work += self.drain(|rings| &mut rings.orders, ORDER_BUDGET);
        work + self.tick(now)
    }

    fn is_drained(&self) -> bool {
        let rings = &self.rings;
        rings.control.is_empty()
            && rings.reports.is_empty()
            && rings.feedback.is_empty()
            && rings.priority.is_empty()
            && rings.orders.is_empty()
    }
}
