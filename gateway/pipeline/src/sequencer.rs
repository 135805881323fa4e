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
use portcullis_domain::{Command, Head, Seq, Timestamp};
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
    fn drain(&mut self, input: &mut RecordConsumer, budget: usize) -> usize {
        if input.is_empty() {
            return 0;
        }
        let mut taken = 0;
        while taken < budget && self.sequenced.has_room_for(2) {
            let Some((head, raw)) = input.take() else {
                break;
            };
            self.stamp(head, raw);
            taken += 1;
        }
        if taken > 0 {
            self.sequenced.publish();
            input.release();
        }
        taken
    }

    fn stamp(&mut self, mut head: Head, raw: &[u8]) {
        self.seq = self.seq.next();
        self.last = self.last.later(Timestamp::from_ns(head.timestamp_ns));
        head.seq = self.seq.raw();
        head.timestamp_ns = self.last.ns();
        let moved = self.sequenced.write(head, raw);
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
        }
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
        self.order.stamp(head, &[]);
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
        let order = &mut self.order;
        let mut work = order.drain(&mut self.control, CONTROL_BUDGET);
        // Before the reports that more of it follows from, or the ring fills up and risk waits for
        // room in it while this waits for room to risk.
        work += order.drain(&mut self.feedback, REPORT_BUDGET);
        work += order.drain(&mut self.reports, REPORT_BUDGET);
        if !self.signals.venue_crowded() {
            work += order.drain(&mut self.priority, PRIORITY_BUDGET);
            work += order.drain(&mut self.orders, ORDER_BUDGET);
        }
        work + self.tick(now, work == 0)
    }

    fn is_drained(&self) -> bool {
        self.control.is_empty()
            && self.reports.is_empty()
            && self.feedback.is_empty()
            && self.priority.is_empty()
            && self.orders.is_empty()
    }
}

#[cfg(test)]
mod tests;
