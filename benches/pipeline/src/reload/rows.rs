//! From turns to rows: each disturbance against the calm beside it.
//!
//! On the measuring thread, at the end. Invariant: value and floor of a row were measured in turns of each other.

use crate::BESIDE;
use portcullis_bench_harness::{Bar, Latency, Rounds, Row, Unit};
use portcullis_bench_pipeline::counts::Counts;
use portcullis_bench_pipeline::mixture::{self, Mixture};
use portcullis_bench_pipeline::outcome::row_of_pairs;
use portcullis_bench_pipeline::turns::{OF_TURNS, Turns};

/// At most this many thousandths of the calm beside it.
const RELOAD: u64 = 1_200;
/// Where it is written why it is missed in some runs.
const REASONS: &str = "docs/performance/reload-and-sweep.md#the-bar-commit-by-commit";

/// Before the name of what it is the calm of.
pub(crate) const CALM: &str = "calm beside ";
pub(crate) const CAPACITY: &str = "capacity, a million accounts";

/// What came out.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) turns: Turns,
    /// Of the turn in hand.
    pub(crate) latency: Latency,
    pub(crate) canary: Rounds,
    /// From the word that takes the resting orders off to the last one's cancel.
    pub(crate) sweeps: Rounds,
    pub(crate) counts: Counts,
    pub(crate) mixture: Mixture,
    pub(crate) flips: u64,
    pub(crate) cells: u64,
    pub(crate) kills: u64,
    pub(crate) values: u64,
}

impl Figures {
    pub(crate) fn new() -> Self {
        Self {
            turns: Turns::new("reload"),
            latency: Latency::new(),
            canary: Rounds::default(),
            sweeps: Rounds::default(),
            counts: Counts::default(),
            mixture: Mixture::default(),
            flips: 0,
            cells: 0,
            kills: 0,
            values: 0,
        }
    }

    /// The rows.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let plain = |figure: &str, unit, values: &Rounds| {
            Row::of_rounds("reload", figure.to_owned(), unit, values, None, Bar::None)
        };
        let capacity = self.turns.values(CAPACITY);
        let mut rows = vec![plain(CAPACITY, Unit::PerSecond, &capacity)];
        let names = BESIDE.map(|(name, ..)| name);
        rows.extend(names.iter().flat_map(|name| self.against_calm(name)));
        let figure = "50% load, resting orders taken off";
        rows.push(plain(figure, Unit::Ns, &self.sweeps));
        rows.extend(mixture::rows("reload", &self.mixture));
        rows
    }

    /// Medians turn by turn; the tail of a round, which has each kind of change as often as the others.
    fn against_calm(&self, name: &str) -> Vec<Row> {
        let calm = format!("{CALM}{name}");
        let row = |what: &str, disturbed: &Rounds, calm: &Rounds, bar| {
            let figure = format!("50% load, {name}, {what}");
            row_of_pairs("reload", figure, disturbed, calm, bar)
        };
        let of_turns = OF_TURNS.map(|(percentile, _)| {
            let of = |name: &str| self.turns.of_turns(name, percentile);
            row(percentile, &of(name), &of(&calm), Bar::None)
        });
        let of = |name: &str, read: fn(&Latency) -> u64| self.turns.of_rounds(name, read);
        let tail = |name: &str| of(name, Latency::p999);
        let longest = |name: &str| of(name, Latency::max);
        let of_rounds = [
            row(
                "p99.9 of a round",
                &tail(name),
                &tail(&calm),
                Bar::AtMostPermille(RELOAD),
            )
            .explained(REASONS),
            row("max of a round", &longest(name), &longest(&calm), Bar::None),
        ];
        of_turns.into_iter().chain(of_rounds).collect()
    }
}
