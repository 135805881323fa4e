//! A single call of the risk core with the same orders and limits: the least that deciding takes.
//!
//! On a thread of its own, on the core of the agents. Invariants: between two readings of the clock
//! stands one call with one order; the final state is as sent, or there are no figures.

use crate::market::{Crowd, Market};
use crate::rig::agree;
use portcullis_bench_harness::Latency;
use portcullis_domain::{Command, Head, Record, ReportKind, SessionId, UserRef, VenueReport};
use portcullis_risk_core::{Effect, EffectSink, OutboundAction, RiskCore};
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

/// The core and its place in virtual time.
struct Single {
    core: RiskCore,
    seq: u64,
    said: Said,
}

impl Single {
    fn record(&mut self, mut head: Head) -> Record {
        self.seq += 1;
        head.seq = self.seq;
        head.timestamp_ns = self.seq * GAP_NS;
        Record::bare(head)
    }

    fn apply(&mut self, command: &Command) {
        let record = self.record(command.encode());
        self.core.apply(&record, &mut self.said);
    }
}

/// Times each of `orders` calls; a quarter as many come before, untimed.
///
/// # Errors
/// The core cannot be made, or its final state is not as sent.
pub fn single_calls(crowd: Crowd, orders: u64) -> Result<Latency, String> {
    let mut market = Market::new(crowd);
    let mut single = Single {
        core: crowd.core()?,
        seq: 0,
        said: Said::default(),
    };
    for command in market.opening() {
        single.apply(&command);
    }
    let mut latency = Latency::new();
    let untimed = orders / 4;
    for index in 0..untimed + orders {
        if index % MOVE_EVERY == 0 {
            let command = market.next_reference();
            single.apply(&command);
        }
        let record = single.record(market.order(index));
        let approved = single.said.approved;
        let begun = Instant::now();
        single.core.apply(&record, &mut single.said);
        let ns = begun.elapsed().as_nanos() as u64;
        if index >= untimed {
            latency.record(ns);
        }
        if single.said.approved > approved {
            single.apply(&Command::Report(VenueReport {
                session: SessionId::new(record.head.session),
                user_ref: UserRef::new(record.head.number),
                kind: ReportKind::Canceled,
                note: 0,
            }));
        }
    }
    let Said { approved, refused } = single.said;
    if approved + refused != untimed + orders {
        return Err(format!(
            "{approved} approved and {refused} refused of {}",
            untimed + orders
        ));
    }
    agree(&single.core, approved, refused)?;
    Ok(latency)
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
        let latency = single_calls(crowd, 4_000).expect("the state is as sent");
        assert_eq!(latency.len(), 4_000);
    }
}
