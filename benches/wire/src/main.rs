//! `wire`: what the gateway adds to an order's way over loopback TCP, beside a bare relay of the
//! same bytes and what people put in front of an engine today.
//!
//! Two pinned cores that spin: clients and engine on one thread of the first, what is measured on
//! the second. Each round sets every way up anew, and measures them in short turns that move from way
//! to way. Must never print a figure of a run whose answers do not agree.

mod case;
mod child;
mod client;
mod config;
mod descriptors;
mod engine;
mod gateway;
mod market;
mod measure;
mod mixture;
mod operator;
mod plan;
mod proxy;
mod relay;
mod rig;
mod rows;
mod socket;
mod turns;
mod unmeasured;

use portcullis_bench_harness::{
    Options, Report, Rounds, clock_step_ns, exit_code, folder, hop_ns, pin,
};
use proxy::Product;
use rig::{Place, Rig, Way};
use rows::Figures;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use turns::Turns;

/// Where clients and engine run, and where what is measured runs: by index among the usable cores.
const ENDS_CORE: usize = 0;
const BETWEEN_CORE: usize = 1;

/// Sessions connected in the larger measurement.
pub(crate) const SESSIONS_MANY: usize = 1_000;

/// Every way, the floor's neighbours first; each with one session and with many.
const WAYS: [Way; 5] = [
    Way::Direct,
    Way::Relay,
    Way::Gateway,
    Way::Proxy(Product::HaProxy),
    Way::Proxy(Product::Nginx),
];

/// How much is measured in a round: so many turns of each way, and in each turn so much.
#[derive(Clone, Copy, Debug)]
struct Load {
    turns: usize,
    orders: usize,
    orders_many: usize,
    paced_orders: usize,
    stream: Duration,
    silences: usize,
}

impl Load {
    const FULL: Self = Self {
        turns: 40,
        silences: 3,
        ..Self::QUICK
    };
    const QUICK: Self = Self {
        turns: 10,
        orders: 1_000,
        orders_many: 250,
        paced_orders: 500,
        stream: Duration::from_millis(40),
        silences: 1,
    };
}

/// What is offered, in words, for whoever reads the figures.
const LOAD: &str = "Enter of 65 bytes (none that can be priced has 64), answered by an Accepted of 82 whose order is dead; one order at a time (closed loop), \
                    one each 100 us (planned), and a stream of at most 64 unanswered; 1 session, and 1,000 of which 10 speak; \
                    every limit set, one order in ten within a tenth of one, 16 prices moving 100 times a second; one order in \
                    fifty is one that the gateway refuses, by each check in its turn: not in the round trips but in rows of \
                    its own, and not among the messages a second, which went the whole way; all other ways answer it as any";

/// What was asked for.
struct Asked {
    options: Options,
    /// The gateway's binary.
    gateway: PathBuf,
    /// Whether it is only to be given the load.
    unmeasured: bool,
}

impl Asked {
    /// Reads a command line, without the program's name.
    fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let (mut gateway, mut unmeasured) = (None, false);
        let mut others = Vec::new();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--gateway" => {
                    let path = arguments.next().ok_or("--gateway takes a binary's path")?;
                    gateway = Some(PathBuf::from(path));
                }
                "--unmeasured" => unmeasured = true,
                _ => others.push(argument),
            }
        }
        Ok(Self {
            options: Options::read("wire", others)?,
            gateway: gateway::binary(gateway)?,
            unmeasured,
        })
    }
}

fn main() -> ExitCode {
    let asked = Asked::read(std::env::args().skip(1));
    exit_code("wire", asked.and_then(|asked| run(&asked)))
}

/// Measures and prints; whether every bar holds.
fn run(asked: &Asked) -> Result<bool, String> {
    let options = &asked.options;
    let mut report = Report::new("wire");
    let folder = folder()?;
    descriptors::allow()?;
    pin(ENDS_CORE).map_err(|error| error.to_string())?;
    let place = Place {
        core: BETWEEN_CORE,
        folder: &folder,
        gateway: &asked.gateway,
    };
    if asked.unmeasured {
        return unmeasured::run(place).map(|()| true);
    }
    let load = if options.quick {
        Load::QUICK
    } else {
        Load::FULL
    };
    let mut figures = Figures::new();
    let mut hops = Rounds::default();
    for round in 0..options.rounds {
        // The canary's threads have places of their own.
        hops.push(hop_ns(ENDS_CORE, BETWEEN_CORE).map_err(|error| error.to_string())?);
        let mut turns = set_up(options, round, place, &mut figures)?;
        progress(options, round, "round trips, 1 connected");
        one_session(&mut turns, load, &mut figures)?;
        progress(options, round, "round trips, 1,000 connected");
        many_sessions(&mut turns, load, &mut figures)?;
        for finished in turns.finish()? {
            figures.orders += finished.orders;
            if let Some((sessions, counts)) = &finished.refusals {
                figures.mixture.add(*sessions, counts);
            }
        }
        figures.end_round();
    }
    for row in figures.rows() {
        report.push(row);
    }
    let (clock_step_ns, clock_pair_ns) = clock_step_ns();
    report.fact("load", LOAD);
    report.fact("never_refused_for", mixture::never());
    report.fact("gateway", asked.gateway.display().to_string());
    report.fact("rounds", options.rounds);
    report.fact("orders", figures.orders);
    report.fact("hop_ns", hops.values());
    report.fact("clock_step_ns", clock_step_ns);
    report.fact("clock_pair_ns", clock_pair_ns);
    let written = figures
        .histograms
        .write(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    report.fact("histograms", written.len());
    report.print(options.json);
    Ok(!report.misses_any())
}

fn progress(options: &Options, round: u32, what: &str) {
    let (round, rounds) = (round + 1, options.rounds);
    eprintln!("round {round} of {rounds}: {what}");
}

/// Every way that is there, with one session and with many, the first of them another each round.
fn set_up(
    options: &Options,
    round: u32,
    place: Place<'_>,
    figures: &mut Figures,
) -> Result<Turns, String> {
    let mut turns = Turns::default();
    let there = |way: &Way| rows::absence(*way).is_none();
    let ways = || WAYS.into_iter().filter(there);
    let one = ways().map(|way| (way, 1));
    let many = ways().map(|way| (way, SESSIONS_MANY));
    let mut cells: Vec<(Way, usize)> = one.chain(many).collect();
    let first = round as usize % cells.len();
    cells.rotate_left(first);
    for (way, sessions) in cells {
        let name = way.name();
        progress(
            options,
            round,
            &format!("setting up {name}, {sessions} connected"),
        );
        let rig = Rig::new(way, sessions, place);
        let rig = rig.map_err(|why| format!("{name}, {sessions} connected, setting up: {why}"))?;
        figures.keep_memory(&rig);
        turns.add(rig)?;
    }
    Ok(turns)
}

/// What is measured with one session connected.
fn one_session(turns: &mut Turns, load: Load, figures: &mut Figures) -> Result<(), String> {
    let one = |rig: &Rig| rig.sessions() == 1;
    for turn in 0..load.turns {
        turns.take(turn, one, |rig| {
            figures.round_trips(rig, rows::ROUND_TRIP, load.orders)
        })?;
    }
    for turn in 0..load.turns {
        turns.take(turn, one, |rig| {
            let paced = measure::paced(rig, rows::PACED_INTERVAL, load.paced_orders)?;
            figures.keep(rig, rows::PACED, &paced);
            Ok(())
        })?;
    }
    for turn in 0..load.turns {
        turns.take(turn, one, |rig| figures.stream_of(rig, load.stream))?;
    }
    for turn in 0..load.silences {
        turns.take(turn, one, |rig| {
            let silence = measure::after_silence(rig)?;
            figures.keep(rig, rows::AFTER_SILENCE, &silence);
            Ok(())
        })?;
    }
    Ok(())
}

/// What is measured with many sessions connected, ten of which speak; the gateway with one session
/// takes its turns among them, to be compared with.
fn many_sessions(turns: &mut Turns, load: Load, figures: &mut Figures) -> Result<(), String> {
    let many = |rig: &Rig| rig.sessions() == SESSIONS_MANY;
    let compared = |rig: &Rig| many(rig) || rig.way == Way::Gateway;
    for turn in 0..load.turns {
        turns.take(turn, compared, |rig| {
            figures.round_trips(rig, rows::AMONG_MANY, load.orders_many)
        })?;
    }
    for turn in 0..load.turns {
        turns.take(turn, many, |rig| figures.stream_of(rig, load.stream))?;
    }
    Ok(())
}

impl Figures {
    /// A turn of round trips.
    fn round_trips(&mut self, rig: &mut Rig, what: &str, orders: usize) -> Result<(), String> {
        let closed = measure::closed_loop(rig, orders)?;
        self.keep(rig, what, &closed.whole);
        for (what, latency) in [
            (rows::REFUSAL, &closed.refused),
            (rows::BEHIND_REFUSAL, &closed.behind),
        ] {
            if !latency.is_empty() {
                self.keep_of_round(rig, what, latency);
            }
        }
        Ok(())
    }

    /// A turn of messages a second.
    fn stream_of(&mut self, rig: &mut Rig, span: Duration) -> Result<(), String> {
        let per_second = measure::throughput(rig, span)?;
        self.keep_stream(rig, per_second);
        Ok(())
    }
}
