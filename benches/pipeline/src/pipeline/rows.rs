//! From turns to rows: which figure has which floor and which bar.
//!
//! On the measuring thread, at the end. Invariant: value and floor of a row that is held to a bar are of one turn,
//! the one in the middle of all by what was added.

use portcullis_bench_harness::{Bar, Latency, Rounds, Row, Unit};
use portcullis_bench_pipeline::mixture::{self, Mixture};
use portcullis_bench_pipeline::outcome::{median, paired, row_of_pairs};
use portcullis_bench_pipeline::traffic::Schedule;
use portcullis_bench_pipeline::turns::{OF_TURNS, Percentile, Turns};
use std::time::Duration;

/// What the median may have above two hops and the single call, and p99.9 above the pipeline that
/// decides nothing: nanoseconds.
const P50_NS: u64 = 50;
const P999_NS: u64 = 300;

/// Why they are missed.
const REASONS: &str = "docs/performance/rings-and-pipeline.md#why-the-pipelines-bars-are-missed";

/// Who stands in the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The risk agent.
    Risk,
    /// An agent that decides nothing.
    Nothing,
}

/// How much of the capacity is offered, and how many orders at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    percent: u64,
    burst: u64,
}

impl Load {
    pub(crate) const HALF: Self = Self::even(50);

    const fn even(percent: u64) -> Self {
        Self { percent, burst: 1 }
    }

    /// When its orders are due, at this capacity in orders a second.
    pub(crate) fn schedule(self, capacity: u64) -> Schedule {
        let per_second = (capacity * self.percent / 100).max(1);
        Schedule::Every {
            orders: self.burst,
            interval: Duration::from_nanos(self.burst * 1_000_000_000 / per_second),
        }
    }

    fn words(self) -> String {
        match self.burst {
            1 => format!("{}% load", self.percent),
            burst => format!("{}% load in bursts of {burst}", self.percent),
        }
    }

    pub(crate) fn name(self, way: Way) -> String {
        match way {
            Way::Risk => format!("{}, risk", self.words()),
            Way::Nothing => format!("{}, decides nothing", self.words()),
        }
    }
}

/// Every load; the one that has a bar is measured first, next to what it is held against.
pub(crate) const LOADS: [Load; 5] = [
    Load::HALF,
    Load::even(10),
    Load::even(80),
    Load::even(95),
    Load {
        percent: 50,
        burst: 1_000,
    },
];

/// Of a round's turns together: a turn has too few orders for it.
const OF_ROUNDS: [Percentile; 2] = [("p99.9", Latency::p999), ("max", Latency::max)];

/// What else is kept of each turn.
pub(crate) const CANARY: &str = "canary";
pub(crate) const TWO_HOPS: &str = "two hops";
pub(crate) const SINGLE: &str = "single call";
pub(crate) const DECIDES: &str = "capacity, risk";
pub(crate) const PASSES: &str = "capacity, decides nothing";
pub(crate) const ENDS: &str = "empty loop, generator's core";
pub(crate) const AGENTS: &str = "empty loop, agents' core";

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) turns: Turns,
    /// What empty loops on both cores see, of the step in hand.
    pub(crate) empty: [Latency; 2],
    pub(crate) orders: u64,
    pub(crate) refused: u64,
    pub(crate) mixture: Mixture,
}

impl Figures {
    pub(crate) fn new() -> Self {
        Self {
            turns: Turns::new("pipeline"),
            empty: [Latency::new(), Latency::new()],
            orders: 0,
            refused: 0,
            mixture: Mixture::default(),
        }
    }

    /// The rows.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let single = self.turns.of_turns(SINGLE, "p50");
        let mut rows = vec![
            self.plain(
                "a bare line to and fro (canary)",
                &self.turns.values(CANARY),
            ),
            self.plain(
                "two hops: a record there, an item back",
                &self.turns.values(TWO_HOPS),
            ),
            self.plain("single call of the risk core, p50", &single),
            self.capacity(PASSES, None),
            self.capacity(DECIDES, median(&self.turns.values(PASSES))),
        ];
        for name in [ENDS, AGENTS] {
            let figure = |percentile| format!("{name}, 50% load, {percentile}");
            for (percentile, _) in OF_TURNS {
                let value = self.turns.of_turns(name, percentile);
                rows.push(self.plain(&figure(percentile), &value));
            }
            let longest = self.turns.of_rounds(name, Latency::max);
            rows.push(self.plain(&figure("max of a round"), &longest));
        }
        rows.extend(self.added(&single));
        rows.extend(LOADS.iter().flat_map(|load| self.latencies(*load)));
        rows.extend(mixture::rows("pipeline", &self.mixture));
        rows
    }

    fn plain(&self, figure: &str, value: &Rounds) -> Row {
        let figure = figure.to_owned();
        Row::of_rounds("pipeline", figure, Unit::Ns, value, None, Bar::None)
    }

    fn capacity(&self, name: &str, floor: Option<u64>) -> Row {
        let values = self.turns.values(name);
        let figure = name.to_owned();
        Row::of_rounds(
            "pipeline",
            figure,
            Unit::PerSecond,
            &values,
            floor,
            Bar::None,
        )
    }

    /// What is held to a bar, and what else was added to what: turn by turn.
    fn added(&self, single: &Rounds) -> [Row; 5] {
        let of = |way, percentile| self.turns.of_turns(&Load::HALF.name(way), percentile);
        let two_hops = self.turns.values(TWO_HOPS);
        let least = paired(&two_hops, single, u64::saturating_add);
        let of_round = |way| (self.turns).of_rounds(&Load::HALF.name(way), Latency::p999);
        let rows = [
            (
                "against two hops and the single call, p50",
                of(Way::Risk, "p50"),
                least,
                Bar::AtMostAbove(P50_NS),
            ),
            (
                "against what decides nothing, p99.9 of a turn",
                of(Way::Risk, "p99.9"),
                of(Way::Nothing, "p99.9"),
                Bar::AtMostAbove(P999_NS),
            ),
            (
                "against what decides nothing, p99.9 of a round",
                of_round(Way::Risk),
                of_round(Way::Nothing),
                Bar::AtMostAbove(P999_NS),
            ),
            (
                "against what decides nothing, p50",
                of(Way::Risk, "p50"),
                of(Way::Nothing, "p50"),
                Bar::None,
            ),
            (
                "decides nothing against two hops, p50",
                of(Way::Nothing, "p50"),
                two_hops,
                Bar::None,
            ),
        ];
        rows.map(|(figure, value, floor, bar)| {
            let figure = format!("50% load, {figure}");
            let row = row_of_pairs("pipeline", figure, &value, &floor, bar);
            if bar == Bar::None {
                row
            } else {
                row.explained(REASONS)
            }
        })
    }

    /// What orders took on both ways, the one with the other for a floor.
    fn latencies(&self, load: Load) -> Vec<Row> {
        let mut rows = Vec::new();
        for way in [Way::Nothing, Way::Risk] {
            for (percentile, _) in &OF_TURNS[..2] {
                let of = |way| self.turns.of_turns(&load.name(way), percentile);
                rows.push(against_nothing(load, way, percentile, of));
            }
            for (percentile, read) in OF_ROUNDS {
                let of = |way| self.turns.of_rounds(&load.name(way), read);
                let of_round = format!("{percentile} of a round");
                rows.push(against_nothing(load, way, &of_round, of));
            }
        }
        rows
    }
}

/// A figure of one way, above the same of the way on which nothing is decided.
fn against_nothing(load: Load, way: Way, what: &str, of: impl Fn(Way) -> Rounds) -> Row {
    let figure = format!("{}, {what}", load.name(way));
    let floor = median(&of(Way::Nothing)).filter(|_| way == Way::Risk);
    Row::of_rounds("pipeline", figure, Unit::Ns, &of(way), floor, Bar::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_with_a_bar_of_time_names_the_section_that_has_the_reasons() {
        let rows = Figures::new().added(&Rounds::default());
        let barred = rows.iter().filter(|row| row.bar != Bar::None);
        assert_eq!(barred.count(), 3);
        for row in &rows {
            let names = row
                .note
                .as_ref()
                .is_some_and(|note| note.ends_with(REASONS));
            assert_eq!(names, row.bar != Bar::None, "{row:?}");
        }
        let page = include_str!("../../../../docs/performance/rings-and-pipeline.md");
        assert!(page.contains("\n## Why the pipeline's bars are missed\n"));
    }
}
