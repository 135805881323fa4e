//! A single call of the risk core with the same orders and limits: the least that deciding takes.
//!
//! On a thread of its own, on the core of the agents. Invariants: between two readings of the clock
//! stands one call with one order, as the risk agent makes it; the final state is as sent, or there are no figures.

use crate::market::{Crowd, Market};
use crate::rig::agree;
use portcullis_bench_harness::Latency;
use portcullis_domain::{Command, Head, Record, ReportKind, SessionId, UserRef, VenueReport};
use portcullis_pipeline::risk::Fetch;
use portcullis_risk_core::{Effect, EffectSink, OutboundAction, RiskCore};
use std::slice::from_ref;
use std::time::Instant;

/// Virtual time between two records, and orders between two moves of a price.
const GAP_NS: u64 = 1_000;
const MOVE_EVERY: u64 = 64;

/// What the core said of one order.
#[derive(Debug, Default)]
struct Said {
    approved: u64,
    refused: u64,
}

impl EffectSink for Said {
    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Approved(order) => {
                let enters = matches!(order.get().action, OutboundAction::Enter { .. });
                self.approved += u64::from(enters);
            }
            Effect::Refused(_) => self.refused += 1,
            Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => {}
        }
    }
}

/// A core of its own that is called with one order at a time.
#[derive(Debug)]
pub struct Single {
    core: RiskCore,
    market: Market,
    seq: u64,
    /// Orders so far.
    orders: u64,
    said: Said,
}

impl Single {
    /// One that has been told all that comes before the first order.
    ///
    /// # Errors
    /// The core cannot be made.
    pub fn new(crowd: Crowd) -> Result<Self, String> {
        let mut single = Self {
            core: crowd.core()?,
            market: Market::new(crowd),
            seq: 0,
            orders: 0,
            said: Said::default(),
        };
        for command in single.market.opening() {
            single.apply(&command);
        }
        Ok(single)
    }

    /// Times each of `orders` calls; as many come before, untimed.
    pub fn time(&mut self, orders: u64, latency: &mut Latency) {
        for _ in 0..orders {
            self.call();
        }
        for _ in 0..orders {
            let took_ns = self.call();
            latency.record(took_ns);
        }
    }

    /// Holds the final state against what was sent.
    ///
    /// # Errors
    /// It is another one.
    pub fn finish(self) -> Result<(), String> {
        let Said { approved, refused } = self.said;
        if approved + refused != self.orders {
            return Err(format!(
                "{approved} approved and {refused} refused of {}",
                self.orders
            ));
        }
        agree(&self.core, approved, refused)
    }

    /// The next order, which the engine cancels afterwards; how long deciding took.
    fn call(&mut self) -> u64 {
        if self.orders.is_multiple_of(MOVE_EVERY) {
            let command = self.market.next_reference();
            self.apply(&command);
        }
        let record = self.record(self.market.order(self.orders));
        self.orders += 1;
        let approved = self.said.approved;
        let begun = Instant::now();
        self.core
            .apply_batch(from_ref(&record), &mut Fetch, &mut self.said);
        let took_ns = begun.elapsed().as_nanos() as u64;
        if self.said.approved > approved {
            self.apply(&Command::Report(VenueReport {
                session: SessionId::new(record.head.session),
                user_ref: UserRef::new(record.head.number),
                kind: ReportKind::Canceled,
                note: 0,
            }));
        }
        took_ns
    }

    fn record(&mut self, mut head: Head) -> Record {
        self.seq += 1;
        head.seq = self.seq;
        head.timestamp_ns = self.seq * GAP_NS;
        Record::bare(head)
    }

    fn apply(&mut self, command: &Command) {
        let record = self.record(command.encode());
        self.core
            .apply_batch(from_ref(&record), &mut Fetch, &mut self.said);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_calls_leave_the_state_that_was_sent() {
        let crowd = Crowd {
            accounts: 1_000,
            active: 200,
            rows_spare: 0,
        };
        let mut single = Single::new(crowd).expect("limits that load");
        let mut latency = Latency::new();
        single.time(2_000, &mut latency);
        single.time(2_000, &mut latency);
        assert_eq!((single.orders, latency.len()), (8_000, 4_000));
        single.finish().expect("the state is as sent");
    }
}
