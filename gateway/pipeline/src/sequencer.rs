//! The sequencer: where order and time come into being.
//!
//! One thread owns it. It takes from control, engine reports, cancels and orders, each by a budget a
//! cycle, stamps each record and passes it on. Invariants: sequence numbers have no gaps; times
//! never go back, and are those at which bytes arrived, so that a stall does not look like a burst;
//! risk-reducing traffic and reports are never behind orders; while the way to the venue is half full
//! no client's message is taken, so that reports never stand behind one that risk has no room for;
//! a slice of sliced work is let in while nothing else waits, so that an order stands behind one at the
//! most, and at a floor rate where there is always something.

use crate::signals::RiskSignals;
use portcullis_domain::{Command, Record, Seq, Timestamp};
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
    rings: SequencerRings,
    seq: Seq,
    last: Timestamp,
    ticked: Timestamp,
    /// Units put into the ring to risk when the last tick was in it.
    ticked_at: u64,
    signals: RiskSignals,
}

impl Sequencer {
    /// A sequencer whose first record will be number 1.
    #[must_use]
    pub const fn new(rings: SequencerRings, signals: RiskSignals) -> Self {
        Self {
            rings,
            seq: Seq::ZERO,
            last: Timestamp::ZERO,
            ticked: Timestamp::ZERO,
            ticked_at: 0,
            signals,
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

    /// One tick at a time: risk has seen the last one, or another would only queue behind it. One that
    /// brings a slice comes when risk has seen all there was and nothing more came, or it is its turn.
    fn tick(&mut self, now: Timestamp, quiet: bool) -> usize {
        let since_ns = now.since(self.ticked).ns();
        let due = since_ns >= TICK_EVERY_NS;
        let pending = self.signals.work_pending();
        if !(due || pending) {
            return 0;
        }
        let (taken, pushed) = (self.rings.sequenced.taken(), self.rings.sequenced.pushed());
        let seen = taken >= self.ticked_at;
        let turn = quiet && taken == pushed || since_ns >= SLICE_EVERY_NS;
        if !seen || !turn || !self.rings.sequenced.has_room_for(2) {
            return 0;
        }
        self.ticked = now;
        let mut head = Command::Tick.encode();
        head.timestamp_ns = now.ns();
        self.stamp(Record::bare(head));
        self.ticked_at = self.rings.sequenced.pushed();
        usize::from(pending)
    }
}

impl Agent for Sequencer {
    fn name(&self) -> &'static str {
        "sequencer"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        let mut work = self.drain(|rings| &mut rings.control, CONTROL_BUDGET);
        // Before the reports that more of it follows from, or the ring fills up and risk waits for
        // room in it while this waits for room to risk.
        work += self.drain(|rings| &mut rings.feedback, REPORT_BUDGET);
        work += self.drain(|rings| &mut rings.reports, REPORT_BUDGET);
        if !self.signals.venue_crowded() {
            work += self.drain(|rings| &mut rings.priority, PRIORITY_BUDGET);
            work += self.drain(|rings| &mut rings.orders, ORDER_BUDGET);
        }
        work + self.tick(now, work == 0)
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

#[cfg(test)]
mod tests;
