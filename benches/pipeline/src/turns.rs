//! What turns measured, and what the turns of a round measured together.
//!
//! On the measuring thread. Invariant: what two names hold of one turn has the same place in both, so that a
//! figure stands beside a floor that was measured right before or after it.

use portcullis_bench_harness::{Histograms, Latency, Rounds};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// A percentile: its name, and how to read it.
pub type Percentile = (&'static str, fn(&Latency) -> u64);

/// Those that are kept of each turn.
pub const OF_TURNS: [Percentile; 3] = [
    ("p50", Latency::p50),
    ("p99", Latency::p99),
    ("p99.9", Latency::p999),
];

/// Figures by name.
#[derive(Debug)]
pub struct Turns {
    /// Latencies, a histogram a round.
    histograms: Histograms,
    /// Those of the round's turns so far.
    round: BTreeMap<String, Latency>,
    /// By name of what was measured and of the percentile, a value a turn.
    turns: BTreeMap<(String, &'static str), Rounds>,
}

impl Turns {
    /// None yet.
    #[must_use]
    pub fn new(bench: &'static str) -> Self {
        Self {
            histograms: Histograms::new(bench),
            round: BTreeMap::new(),
            turns: BTreeMap::new(),
        }
    }

    /// Keeps the latencies of a turn.
    pub fn keep(&mut self, name: &str, latency: &Latency) {
        for (percentile, of) in OF_TURNS {
            self.push((name.to_owned(), percentile), of(latency));
        }
        match self.round.get_mut(name) {
            Some(round) => round.add(latency),
            None => drop(self.round.insert(name.to_owned(), latency.clone())),
        }
    }

    /// Keeps a figure of a turn that is no latency of orders.
    pub fn keep_value(&mut self, name: &str, value: u64) {
        self.push((name.to_owned(), ""), value);
    }

    fn push(&mut self, name: (String, &'static str), value: u64) {
        self.turns.entry(name).or_default().push(value);
    }

    /// A round is over.
    pub fn end_round(&mut self) {
        for (name, latency) in std::mem::take(&mut self.round) {
            self.histograms.keep(&name, latency);
        }
    }

    /// A figure that is no latency of orders, a value a turn.
    #[must_use]
    pub fn values(&self, name: &str) -> Rounds {
        self.of_turns(name, "")
    }

    /// One of [`OF_TURNS`] by its name, a value a turn.
    #[must_use]
    pub fn of_turns(&self, name: &str, percentile: &'static str) -> Rounds {
        let turns = self.turns.get(&(name.to_owned(), percentile));
        turns.cloned().unwrap_or_default()
    }

    /// Any percentile, of a round's turns together.
    #[must_use]
    pub fn of_rounds(&self, name: &str, of: impl Fn(&Latency) -> u64) -> Rounds {
        self.histograms.rounds(name, of)
    }

    /// Writes the histograms; how many.
    ///
    /// # Errors
    /// The folder or a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<usize> {
        self.histograms.write(folder).map(|files| files.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_kept_by_itself_and_with_its_round() {
        let mut turns = Turns::new("test");
        for ns in [100, 300, 200] {
            let mut latency = Latency::new();
            latency.record(ns);
            turns.keep("orders", &latency);
            turns.keep_value("hops", ns / 10);
        }
        turns.end_round();
        assert_eq!(turns.of_turns("orders", "p50").values(), [100, 300, 200]);
        assert_eq!(turns.values("hops").values(), [10, 30, 20]);
        assert_eq!(turns.of_rounds("orders", Latency::max).values(), [300]);
        assert!(turns.of_turns("orders", "max").values().is_empty());
    }
}
