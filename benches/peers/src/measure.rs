//! Rounds: each gate in turn on the same orders, in batches and one by one.
//!
//! One thread. Invariants: between two readings of the clock stand decisions and nothing else; a
//! wrong verdict ends the run; a round gives every gate the same orders, and the gate that begins
//! changes from round to round.

use crate::gates::Gate;
use crate::rows::BENCH;
use crate::stream::{Order, Stream, Verdict};
use portcullis_bench_harness::{Histograms, Latency, Rounds, clock_step_ns};
use std::time::Instant;

/// Orders that are made, decided together or one by one, and settled before the next.
pub(crate) const BATCH: usize = 64;
/// Batches a gate and round that are timed as a whole, and as many whose orders are timed alone.
const BATCHES: usize = 100;

/// What was measured of one gate, nanoseconds an order, a value a round.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Accepted orders, one call each.
    pub(crate) accepted_p50: Rounds,
    /// Of the same.
    pub(crate) accepted_p99: Rounds,
    /// Orders with too many lots, one call each.
    pub(crate) too_large_p50: Rounds,
    /// Orders of accounts without money, one call each.
    pub(crate) no_funds_p50: Rounds,
    /// An order's share of the median batch.
    pub(crate) batch_p50: Rounds,
}

/// Of all gates.
pub(crate) struct All {
    /// By gate.
    pub(crate) gates: Vec<(&'static str, Figures)>,
    /// Single calls and batches, by gate, a histogram a round.
    pub(crate) histograms: Histograms,
    /// Orders that each gate decided on.
    pub(crate) orders: u64,
    /// Those of them that had to be accepted, and were.
    pub(crate) accepted: u64,
    /// Two readings of the clock with nothing between them: taken off each single call.
    pub(crate) clock_ns: u64,
}

/// Measures. A round before the first is not kept.
///
/// # Errors
/// A gate decided wrongly, or ended with something open.
pub(crate) fn measure(
    gates: &mut [Box<dyn Gate>],
    accounts: u32,
    rounds: u32,
) -> Result<All, String> {
    let (_, clock_ns) = clock_step_ns();
    let mut all = All {
        gates: (gates.iter())
            .map(|gate| (gate.name(), Figures::default()))
            .collect(),
        histograms: Histograms::new(BENCH),
        orders: 0,
        accepted: 0,
        clock_ns,
    };
    let mut stream = Stream::new(accounts);
    for round in 0..=rounds {
        let mut after = stream.clone();
        for turn in 0..gates.len() {
            let at = (turn + round as usize) % gates.len();
            let mut orders = stream.clone();
            let pass = pass(gates[at].as_mut(), &mut orders, clock_ns)?;
            if turn == 0 {
                all.orders += pass.orders;
                all.accepted += pass.accepted;
            }
            if round > 0 {
                let (gate, figures) = &mut all.gates[at];
                pass.keep(gate, figures, &mut all.histograms);
            }
            after = orders;
        }
        stream = after;
    }
    for gate in gates {
        gate.check()
            .map_err(|why| format!("{} ended wrongly: {why}", gate.name()))?;
    }
    Ok(all)
}

/// One gate in one round.
#[derive(Debug, Default)]
struct Pass {
    accepted_ns: Latency,
    too_large_ns: Latency,
    no_funds_ns: Latency,
    batch_ns: Latency,
    orders: u64,
    accepted: u64,
}

impl Pass {
    /// In the name of a histogram stands behind the last comma whom it is of, so that all gates are in one picture.
    fn keep(self, gate: &str, figures: &mut Figures, histograms: &mut Histograms) {
        figures.accepted_p50.push(self.accepted_ns.p50());
        figures.accepted_p99.push(self.accepted_ns.p99());
        figures.too_large_p50.push(self.too_large_ns.p50());
        figures.no_funds_p50.push(self.no_funds_ns.p50());
        figures.batch_p50.push(self.batch_ns.p50() / BATCH as u64);
        let gate = gate.replace(", ", ": ");
        for (what, latency) in [
            ("accepted", self.accepted_ns),
            ("too many lots", self.too_large_ns),
            ("no funds", self.no_funds_ns),
            ("a batch of 64", self.batch_ns),
        ] {
            histograms.keep(&format!("{what}, {gate}"), latency);
        }
    }

    fn record(&mut self, verdict: Verdict, ns: u64) {
        match verdict {
            Verdict::Accepted => self.accepted_ns.record(ns),
            Verdict::TooLarge => self.too_large_ns.record(ns),
            Verdict::NoFunds => self.no_funds_ns.record(ns),
            Verdict::Other => {}
        }
    }
}

fn pass(gate: &mut dyn Gate, stream: &mut Stream, clock_ns: u64) -> Result<Pass, String> {
    let mut pass = Pass::default();
    let mut orders: Vec<Order> = Vec::with_capacity(BATCH);
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(BATCH);
    for batch in 0..2 * BATCHES {
        let moved = stream.fill(&mut orders, BATCH).copied();
        if let Some(prices) = moved {
            gate.move_prices(&prices, orders[0].at_ns);
        }
        gate.prepare(&orders);
        verdicts.clear();
        if batch % 2 == 0 {
            let begun = Instant::now();
            gate.decide_all(orders.len(), &mut verdicts);
            pass.batch_ns.record(begun.elapsed().as_nanos() as u64);
        } else {
            for at in 0..orders.len() {
                let begun = Instant::now();
                let verdict = gate.decide(at);
                let ns = begun.elapsed().as_nanos() as u64;
                pass.record(verdict, ns.saturating_sub(clock_ns));
                verdicts.push(verdict);
            }
        }
        compare(gate.name(), &orders, &verdicts)?;
        gate.settle(&orders);
        pass.orders += orders.len() as u64;
        let accepted = |verdict: &&Verdict| **verdict == Verdict::Accepted;
        pass.accepted += verdicts.iter().filter(accepted).count() as u64;
    }
    Ok(pass)
}

/// Holds verdicts against what they must be.
fn compare(gate: &str, orders: &[Order], verdicts: &[Verdict]) -> Result<(), String> {
    if orders.len() != verdicts.len() {
        return Err(format!(
            "{gate}: {} verdicts on {} orders",
            verdicts.len(),
            orders.len()
        ));
    }
    let wrong = (orders.iter().zip(verdicts)).find(|(order, verdict)| order.verdict() != **verdict);
    match wrong {
        None => Ok(()),
        Some((order, verdict)) => Err(format!(
            "{gate}: {verdict:?}, must be {:?}: {order:?}",
            order.verdict()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::Yardstick;

    /// Accepts everything, and computes nothing.
    struct Idle;

    impl Gate for Idle {
        fn name(&self) -> &'static str {
            "idle"
        }
        fn prepare(&mut self, _orders: &[Order]) {}
        fn decide(&mut self, _at: usize) -> Verdict {
            Verdict::Accepted
        }
        fn settle(&mut self, _orders: &[Order]) {}
        fn check(&self) -> Result<(), String> {
            Ok(())
        }
    }

    #[test]
    fn a_gate_that_computes_nothing_has_no_figures() {
        let mut gates: Vec<Box<dyn Gate>> = vec![Box::new(Idle)];
        let error = measure(&mut gates, 1_000, 1).err();
        assert!(error.is_some_and(|error| error.starts_with("idle: Accepted, must be")));
    }

    #[test]
    fn every_round_is_kept_but_the_first() {
        let mut gates: Vec<Box<dyn Gate>> = vec![Box::new(Yardstick::new(1_000))];
        let all = measure(&mut gates, 1_000, 3).expect("it decides as it must");
        assert_eq!(all.gates[0].1.accepted_p50.values().len(), 3);
        assert_eq!(all.orders, (4 * 2 * BATCHES * BATCH) as u64);
        for (what, least) in [
            ("accepted", BATCHES * BATCH / 2),
            ("a batch of 64", BATCHES),
        ] {
            let counts = (all.histograms).rounds(&format!("{what}, yardstick"), Latency::len);
            assert_eq!(counts.values().len(), 3);
            assert!(
                counts.values().iter().all(|&count| count >= least as u64),
                "{counts:?}"
            );
        }
        assert!(all.accepted > all.orders * 8 / 10 && all.accepted < all.orders);
    }
}
