//! From rounds to rows: which figure has which floor and which bar.
//!
//! On the measuring thread, at the end. Invariant: value and floor of a row are medians over the
//! same rounds of the same run.

use portcullis_bench_harness::{Bar, Histograms, Latency, Rounds, Row, Unit};
use portcullis_bench_pipeline::outcome::{median, paired, row};
use portcullis_bench_pipeline::traffic::Schedule;
use std::time::Duration;

/// What the median may have above two hops and the single call, and p99.9 above the pipeline that
/// decides nothing: nanoseconds.
const P50_NS: u64 = 50;
const P999_NS: u64 = 300;

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

/// Every load.
pub(crate) const LOADS: [Load; 5] = [
    Load::even(10),
    Load::HALF,
    Load::even(80),
    Load::even(95),
    Load {
        percent: 50,
        burst: 1_000,
    },
];

/// A percentile: its name, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);

const PERCENTILES: [Percentile; 4] = [
    ("p50", Latency::p50),
    ("p99", Latency::p99),
    ("p99.9", Latency::p999),
    ("max", Latency::max),
];

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) histograms: Histograms,
    pub(crate) canary: Rounds,
    pub(crate) two_hops: Rounds,
    pub(crate) capacity_deciding: Rounds,
    pub(crate) capacity_undecided: Rounds,
    pub(crate) orders: u64,
    pub(crate) refused: u64,
}

impl Figures {
    pub(crate) fn new() -> Self {
        Self {
            histograms: Histograms::new("pipeline"),
            canary: Rounds::default(),
            two_hops: Rounds::default(),
            capacity_deciding: Rounds::default(),
            capacity_undecided: Rounds::default(),
            orders: 0,
            refused: 0,
        }
    }

    /// The rows.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let single = self.histograms.rounds("single call", Latency::p50);
        let plain = |figure: &str, value: &Rounds| {
            row(
                "pipeline",
                figure.to_owned(),
                Unit::Ns,
                value,
                None,
                Bar::None,
            )
        };
        let mut rows = vec![
            plain("a bare line to and fro (canary)", &self.canary),
            plain("two hops: a record there, an item back", &self.two_hops),
            plain("single call of the risk core, p50", &single),
            row(
                "pipeline",
                "capacity, decides nothing".to_owned(),
                Unit::PerSecond,
                &self.capacity_undecided,
                None,
                Bar::None,
            ),
            row(
                "pipeline",
                "capacity, risk".to_owned(),
                Unit::PerSecond,
                &self.capacity_deciding,
                median(&self.capacity_undecided),
                Bar::None,
            ),
        ];
        for (name, of) in PERCENTILES {
            let value = self.histograms.rounds("empty loop", of);
            rows.push(plain(&format!("empty loop at 50% load, {name}"), &value));
        }
        rows.extend(self.added(&single));
        rows.extend(LOADS.iter().flat_map(|load| self.latencies(*load)));
        rows
    }

    /// What is held to a bar: each round against what was measured in it, since the machine's cores
    /// are now near each other and now far apart.
    fn added(&self, single: &Rounds) -> [Row; 4] {
        let of = |way, of: fn(&Latency) -> u64| self.histograms.rounds(&Load::HALF.name(way), of);
        let floor = paired(&self.two_hops, single, u64::saturating_add);
        let (risk, nothing) = (of(Way::Risk, Latency::p50), of(Way::Nothing, Latency::p50));
        let tails = paired(
            &of(Way::Risk, Latency::p999),
            &of(Way::Nothing, Latency::p999),
            u64::saturating_sub,
        );
        let rows = [
            (
                "added to two hops and the single call, p50",
                paired(&risk, &floor, u64::saturating_sub),
                Bar::AtMost(P50_NS),
            ),
            (
                "added to what decides nothing, p99.9",
                tails,
                Bar::AtMost(P999_NS),
            ),
            (
                "added to what decides nothing, p50",
                paired(&risk, &nothing, u64::saturating_sub),
                Bar::None,
            ),
            (
                "added to two hops by what decides nothing, p50",
                paired(&nothing, &self.two_hops, u64::saturating_sub),
                Bar::None,
            ),
        ];
        rows.map(|(figure, value, bar)| {
            let figure = format!("50% load, {figure}");
            row("pipeline", figure, Unit::Ns, &value, None, bar)
        })
    }

    fn latencies(&self, load: Load) -> Vec<Row> {
        let mut rows = Vec::new();
        for way in [Way::Nothing, Way::Risk] {
            for (name, of) in PERCENTILES {
                let value = self.histograms.rounds(&load.name(way), of);
                let floor = self.histograms.rounds(&load.name(Way::Nothing), of);
                let floor = median(&floor).filter(|_| way == Way::Risk);
                let figure = format!("{}, {name}", load.name(way));
                rows.push(row("pipeline", figure, Unit::Ns, &value, floor, Bar::None));
            }
        }
        rows
    }
}
