//! A single call of the risk core with the same orders and limits: the least that deciding takes.
//!
//! On a thread of its own, on the core of the agents. Invariants: between two readings of the clock
//! stands one call with one order, as the risk agent makes it; the final state is as sent, or there are no figures.

use crate::crowd::Crowd;
use crate::market::{Due, Market};
use crate::places::NOBODY;
use crate::rig::agree;
use portcullis_bench_harness::Latency;
use portcullis_domain::{Command, CommandKind, Head, Record, ReportKind, VenueReport};
use portcullis_pipeline::risk::Fetch;
use portcullis_risk_core::{Effect, EffectSink, OutboundAction, OutboundOrder, RiskCore};
use std::slice::from_ref;
use std::time::Instant;

/// Virtual time between two records, and orders between two moves of a price.
const GAP_NS: u64 = 1_000;
const MOVE_EVERY: u64 = 64;

/// What the core said of orders.
#[derive(Debug, Default)]
struct Said {
    approved: u64,
    refused: u64,
    /// What the engine is to say of the last one that was approved; of a replace, once the next found no room.
    owed: Option<VenueReport>,
}

impl EffectSink for Said {
    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Approved(order) => {
                self.approved += 1;
                self.owed = answer_to(order.get());
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

/// What an engine says of what it is sent: an order is dead, a version is the order.
pub(crate) fn answer_to(order: &OutboundOrder) -> Option<VenueReport> {
    let (user_ref, kind) = match order.action {
        OutboundAction::Enter { .. } => (order.user_ref, ReportKind::Canceled),
        OutboundAction::Replace { original, .. } => {
            let new = order.user_ref;
            (original, ReportKind::Replaced { new })
        }
        OutboundAction::Cancel { .. } => return None,
    };
    Some(VenueReport {
        session: order.session,
        user_ref,
        kind,
        note: 0,
    })
}

/// A core of its own that is called with one order at a time.
#[derive(Debug)]
pub struct Single {
    core: RiskCore,
    market: Market,
    seq: u64,
    now_ns: u64,
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
            now_ns: GAP_NS,
            orders: 0,
            said: Said::default(),
        };
        let Self {
            core, market, seq, ..
        } = &mut single;
        single.now_ns = market.set_up(GAP_NS, &mut |mut head| {
            *seq += 1;
            head.seq = *seq;
            core.apply(&Record::bare(head), &mut Said::default());
        });
        for command in single.market.opening() {
            single.apply(&command);
        }
        Ok(single)
    }

    /// Times each of `orders` calls; as many come before, untimed.
    pub fn time(&mut self, orders: u64, latency: &mut Latency) {
        self.market.refresh();
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
    pub fn finish(mut self) -> Result<(), String> {
        if let Some(report) = self.said.owed.take() {
            self.apply(&Command::Report(report));
        }
        let Said {
            approved, refused, ..
        } = self.said;
        if approved + refused != self.orders {
            return Err(format!(
                "{approved} approved and {refused} refused of {}",
                self.orders
            ));
        }
        agree(&self.core, &self.market, approved, refused)
    }

    /// The next order, which the engine cancels afterwards; how long deciding took.
    fn call(&mut self) -> u64 {
        if self.orders.is_multiple_of(MOVE_EVERY) {
            let command = self.market.next_reference();
            self.apply(&command);
        }
        let due = self.market.next(self.now_ns + GAP_NS);
        let Due { head, busy } = due.expect("nobody is busy while nothing is under way");
        let record = self.record(head);
        self.orders += 1;
        let begun = Instant::now();
        self.core
            .apply_batch(from_ref(&record), &mut Fetch, &mut self.said);
        let took_ns = begun.elapsed().as_nanos() as u64;
        // Of the replace that takes the last room for versions the engine says nothing before another found none.
        let waits = head.kind == CommandKind::Replace as u8 && busy != NOBODY;
        if let Some(report) = self.said.owed.take_if(|_| !waits) {
            self.apply(&Command::Report(report));
        }
        self.market.released(busy);
        took_ns
    }

    fn record(&mut self, mut head: Head) -> Record {
        self.seq += 1;
        self.now_ns += GAP_NS;
        head.seq = self.seq;
        head.timestamp_ns = self.now_ns;
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
    use crate::crowd::Checks;
    use crate::limits::INSTRUMENTS;
    use portcullis_domain::InstrumentId;
    use portcullis_risk_core::checks::REGISTRY;

    #[test]
    fn what_scales_margin_is_known_beforehand() {
        let crowd = Crowd {
            accounts: 2_400,
            active: 2_400,
            rows_spare: 0,
            checks: Checks::All,
        };
        let single = Single::new(crowd).expect("limits that load");
        for instrument in 0..INSTRUMENTS {
            let scale_ppm = single.market.scale_ppm(instrument);
            let view = single.core.instrument(InstrumentId::new(instrument));
            assert_eq!(view.map(|view| view.scale_ppm), Some(scale_ppm));
            assert!(scale_ppm > 0);
        }
    }

    #[test]
    fn each_check_refuses_its_share_and_a_tenth_of_the_rest_is_near_a_limit() {
        let crowd = Crowd {
            accounts: 2_400,
            active: 2_400,
            rows_spare: 0,
            checks: Checks::All,
        };
        let mut single = Single::new(crowd).expect("limits that load");
        let mut latency = Latency::new();
        single.time(100_000, &mut latency);
        let mixture = single.market.mixture(single.core.counters());
        let mixture = mixture.expect("each check has its turn");
        single.finish().expect("the state is as sent");
        let refused: u64 = mixture.checks.iter().map(|(_, count)| count).sum();
        assert!(refused > 3_500, "{refused}");
        for (check, count) in mixture.checks {
            assert!(count * 100 > refused, "{check}: {count} of {refused}");
        }
        let near: u64 = mixture.near.iter().map(|(_, count)| count).sum();
        let passing = mixture.passing;
        assert!((passing * 9 / 100..passing * 11 / 100).contains(&near));
        for (kind, count) in mixture.near {
            assert!(count * 100 > passing, "{kind}: {count} of {passing}");
        }
        assert_eq!(mixture.evaluations.len(), REGISTRY.len() - 1);
        // A half of what passes reduces, which not every check judges.
        for (check, times) in mixture.evaluations {
            assert!(3 * times > passing, "{check}: {times} of {passing}");
        }
    }

    #[test]
    fn single_calls_leave_the_state_that_was_sent() {
        let crowd = Crowd {
            accounts: 1_000,
            active: 200,
            rows_spare: 0,
            checks: Checks::All,
        };
        let mut single = Single::new(crowd).expect("limits that load");
        let mut latency = Latency::new();
        single.time(2_000, &mut latency);
        single.time(2_000, &mut latency);
        assert_eq!((single.orders, latency.len()), (8_000, 4_000));
        single.finish().expect("the state is as sent");
    }
}
