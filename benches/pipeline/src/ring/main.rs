//! `ring`: one hop between agents through the runtime's rings, beside the best bare rings here.
//!
//! Two pinned cores that spin. Each round measures every ring once, in an order that moves from round
//! to round. Must never print a figure of a ring that lost a word.

mod peers;

use peers::{Backed, queue};
use portcullis_bench_harness::{
    Bar, Histograms, Latency, Options, Report, Rounds, Row, Unit, clock_step_ns, exit_code, folder,
    hop_ns,
};
use portcullis_bench_pipeline::hop::{
    Effort, Lines, Records, RecordsOut, Sends, Takes, one_way_ps, round_trip_ns, round_trips_alone,
};
use portcullis_bench_pipeline::outcome::median;
use portcullis_bench_pipeline::wait::{AGENTS_CORE, ENDS_CORE, Wait};
use portcullis_runtime::{record_ring, ring};
use std::process::ExitCode;
use std::time::Duration;

/// At most this many thousandths of the best bare ring.
const RING: u64 = 1_100;

/// Slots of every ring.
const SLOTS: usize = 1_024;

/// One cache line.
type Line = Lines<8>;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ring {
    /// The agents' own: a record of one line, and one of two.
    Record(usize),
    /// The agents' ring of values, which is `rtrb`'s: a word, a line.
    ValueWord,
    ValueLine,
    /// Peers, a line each.
    Ringbuf,
    ArrayQueue,
}

const RINGS: [Ring; 6] = [
    Ring::Record(0),
    Ring::Record(56),
    Ring::ValueWord,
    Ring::ValueLine,
    Ring::Ringbuf,
    Ring::ArrayQueue,
];

/// Those that carry a line and nothing else: what a record of one line is held against.
const BARE: [Ring; 3] = [Ring::ValueLine, Ring::Ringbuf, Ring::ArrayQueue];

impl Ring {
    fn name(self) -> String {
        match self {
            Self::Record(0) => "record of 64 bytes".to_owned(),
            Self::Record(raw_len) => format!("record of 64 bytes and {raw_len} raw"),
            Self::ValueWord => "rtrb (value ring), 8 bytes".to_owned(),
            Self::ValueLine => "rtrb (value ring), 64 bytes".to_owned(),
            Self::Ringbuf => "ringbuf, 64 bytes".to_owned(),
            Self::ArrayQueue => "crossbeam ArrayQueue, 64 bytes".to_owned(),
        }
    }

    /// In the name of a histogram stands behind the last comma what it is of, so that all rings are in one picture.
    fn histogram(self) -> String {
        format!("there and back, {}", self.name().replace(", ", ": "))
    }

    fn measure(self, effort: Effort) -> Result<Measured, String> {
        match self {
            Self::Record(raw_len) => measured(effort, || {
                let (producer, consumer) = record_ring(SLOTS);
                (Records::new(producer, raw_len), RecordsOut::new(consumer))
            }),
            Self::ValueWord => measured(effort, || ring::<u64>(SLOTS)),
            Self::ValueLine => measured(effort, || ring::<Line>(SLOTS)),
            Self::Ringbuf => measured(effort, || Backed::<Line>::ring(SLOTS)),
            Self::ArrayQueue => measured(effort, || queue::<Line>(SLOTS)),
        }
    }
}

/// What a round says of a ring.
#[derive(Debug)]
struct Measured {
    hop_ns: u64,
    one_way_ps: u64,
    /// Each there and back by itself, timed after the others.
    trips: Latency,
}

fn measured<S: Sends, T: Takes>(
    effort: Effort,
    make: impl Fn() -> (S, T),
) -> Result<Measured, String> {
    Ok(Measured {
        hop_ns: round_trip_ns(effort, make(), make())? / 2,
        one_way_ps: one_way_ps(effort, make())?,
        trips: round_trips_alone(effort, make(), make())?,
    })
}

/// What the figures are of.
const LOAD: &str = "messages of one and two lines there and back, one at a time, timed by the thousand and then alone, and one way as \
                    fast as the ring takes them; two spinning threads, each on a core of its own";

fn main() -> ExitCode {
    let options = Options::read("ring", std::env::args().skip(1));
    exit_code("ring", options.and_then(|options| run(&options)))
}

fn run(options: &Options) -> Result<bool, String> {
    let mut report = Report::new("ring");
    let effort = Effort {
        trips: 1_000,
        batches: if options.quick { 41 } else { 201 },
        within: Duration::from_millis(if options.quick { 60 } else { 200 }),
        wait: Wait::Spin,
    };
    let mut kept = RINGS.map(|ring| (ring, Rounds::default(), Rounds::default()));
    let mut canary = Rounds::default();
    let mut histograms = Histograms::new("ring");
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        canary.push(hop_ns(ENDS_CORE, AGENTS_CORE).map_err(|error| error.to_string())?);
        for turn in 0..RINGS.len() {
            let (ring, hops, ways) = &mut kept[(turn + round as usize) % RINGS.len()];
            let measured = ring
                .measure(effort)
                .map_err(|why| format!("{}: {why}", ring.name()))?;
            hops.push(measured.hop_ns);
            ways.push(measured.one_way_ps);
            histograms.keep(&ring.histogram(), measured.trips);
        }
    }
    for row in rows(&kept) {
        report.push(row);
    }
    report.push(Row::of_rounds(
        "ring",
        "a bare line to and fro (canary)".to_owned(),
        Unit::Ns,
        &canary,
        None,
        Bar::None,
    ));
    let folder = folder()?;
    let written =
        (histograms.write(&folder)).map_err(|error| format!("{}: {error}", folder.display()))?;
    report.fact("load", LOAD);
    report.fact("histograms", written.len());
    report.fact("rounds", options.rounds);
    report.fact("hop_ns", canary.values());
    report.fact("clock_pair_ns", clock_step_ns().1);
    report.print(options.json);
    Ok(!report.misses_any())
}

/// A ring, and of each round a hop's time and a word's one way.
type Kept = (Ring, Rounds, Rounds);

/// Rings beside the best bare one.
fn rows(kept: &[Kept]) -> Vec<Row> {
    let mut rows = Vec::new();
    let of = |of: &[Ring], which: fn(&Kept) -> &Rounds| {
        let found = kept.iter().filter(|one| of.contains(&one.0));
        found.filter_map(|one| median(which(one))).min()
    };
    for (title, which) in [
        (
            "a hop, there and back halved",
            (|one| &one.1) as fn(&Kept) -> &Rounds,
        ),
        ("one way, 1000 words in ns", |one| &one.2),
    ] {
        for one in kept {
            let bar = if one.0 == Ring::Record(0) {
                Bar::AtMostPermille(RING)
            } else {
                Bar::None
            };
            let figure = format!("{title}, {}", one.0.name());
            rows.push(Row::of_rounds(
                "ring",
                figure,
                Unit::Ns,
                which(one),
                of(&BARE, which),
                bar,
            ));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ring_passes_every_word() {
        let effort = Effort {
            trips: 20,
            batches: 2,
            within: Duration::from_secs(5),
            wait: Wait::Yield,
        };
        for ring in RINGS {
            let measured = ring.measure(effort);
            let all_are_there =
                |of: Measured| of.hop_ns > 0 && of.one_way_ps > 0 && !of.trips.is_empty();
            assert!(measured.is_ok_and(all_are_there), "{ring:?}");
        }
    }
}
