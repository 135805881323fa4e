//! `wire`: what the gateway adds to an order's way over loopback TCP, beside a bare relay of the
//! same bytes and what people put in front of an engine today.
//!
//! Two pinned cores that spin: clients and engine on one thread of the first, what is measured on
//! the second. Each round sets every way up anew, one after the other, in an order that moves from
//! round to round. Must never print a figure of a run whose answers do not agree.

mod child;
mod client;
mod engine;
mod gateway;
mod market;
mod measure;
mod proxy;
mod relay;
mod rig;
mod rows;
mod socket;

use portcullis_bench_harness::{Histograms, Options, Report, Rounds, clock_step_ns, hop_ns, pin};
use proxy::Product;
use rig::{Rig, Way};
use rows::Figures;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Where clients and engine run, and where what is measured runs: by index among the usable cores.
const ENDS_CORE: usize = 0;
const BETWEEN_CORE: usize = 1;

/// Sessions connected in the larger measurement.
pub(crate) const SESSIONS_MANY: usize = 1_000;

/// Every way, the floor's neighbours first.
const WAYS: [Way; 5] = [
    Way::Direct,
    Way::Relay,
    Way::Gateway,
    Way::Proxy(Product::HaProxy),
    Way::Proxy(Product::Nginx),
];

/// Those that are measured with many sessions as well.
const WAYS_MANY: [Way; 3] = [Way::Direct, Way::Relay, Way::Gateway];

/// How much is measured in a round.
#[derive(Clone, Copy, Debug)]
struct Load {
    orders: usize,
    paced_orders: usize,
    paced_interval: Duration,
    stream: Duration,
    silences: usize,
}

impl Load {
    const FULL: Self = Self {
        orders: 40_000,
        paced_orders: 20_000,
        paced_interval: rows::PACED_INTERVAL,
        stream: Duration::from_secs(1),
        silences: 3,
    };
    const QUICK: Self = Self {
        orders: 10_000,
        paced_orders: 5_000,
        paced_interval: rows::PACED_INTERVAL,
        stream: Duration::from_millis(300),
        silences: 1,
    };
}

fn main() -> ExitCode {
    let outcome = Options::read("wire", std::env::args().skip(1)).and_then(|options| run(&options));
    match outcome {
        Ok(holds) => ExitCode::from(u8::from(!holds)),
        Err(why) => {
            eprintln!("wire: {why}");
            ExitCode::from(2)
        }
    }
}

/// Measures and prints; whether every bar holds.
fn run(options: &Options) -> Result<bool, String> {
    let mut report = Report::new("wire");
    let folder = folder()?;
    pin(ENDS_CORE).map_err(|error| error.to_string())?;
    let load = if options.quick {
        Load::QUICK
    } else {
        Load::FULL
    };
    let mut figures = Figures {
        histograms: Histograms::new("wire"),
        streams: Vec::new(),
        orders: 0,
    };
    let mut hops = Rounds::default();
    for round in 0..options.rounds {
        // The canary's threads have places of their own.
        hops.push(hop_ns(ENDS_CORE, BETWEEN_CORE).map_err(|error| error.to_string())?);
        for turn in 0..WAYS.len() {
            let way = WAYS[(turn + round as usize) % WAYS.len()];
            progress(options, round, way, 1);
            one_session(way, load, &folder, &mut figures)?;
        }
        for way in WAYS_MANY {
            progress(options, round, way, SESSIONS_MANY);
            many_sessions(way, load, &folder, &mut figures)?;
        }
    }
    for row in figures.rows() {
        report.push(row);
    }
    let (clock_step_ns, clock_pair_ns) = clock_step_ns();
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

fn progress(options: &Options, round: u32, way: Way, sessions: usize) {
    let (round, rounds) = (round + 1, options.rounds);
    eprintln!(
        "round {round} of {rounds}: {}, {sessions} connected",
        way.name()
    );
}

/// A way with one session, if it is there.
fn one_session(way: Way, load: Load, folder: &Path, figures: &mut Figures) -> Result<(), String> {
    if rows::absence(way).is_some() {
        return Ok(());
    }
    let within = |what: &str, why: String| format!("{}, {what}: {why}", way.name());
    let mut rig =
        Rig::new(way, 1, BETWEEN_CORE, folder).map_err(|why| within("setting up", why))?;
    let closed =
        measure::closed_loop(&mut rig, load.orders).map_err(|why| within("round trip", why))?;
    figures.keep(way, "round trip", closed);
    let paced = measure::paced(&mut rig, load.paced_interval, load.paced_orders);
    figures.keep(way, "paced", paced.map_err(|why| within("paced", why))?);
    let stream = measure::throughput(&mut rig, load.stream).map_err(|why| within("stream", why))?;
    figures.keep_stream(way, 1, stream);
    let silence = measure::after_silence(&mut rig, load.silences);
    figures.keep(
        way,
        "after silence",
        silence.map_err(|why| within("after silence", why))?,
    );
    figures.orders += rig.finish().map_err(|why| within("at the end", why))?;
    Ok(())
}

/// A way with many sessions connected, ten of which speak.
fn many_sessions(way: Way, load: Load, folder: &Path, figures: &mut Figures) -> Result<(), String> {
    let within = |what: &str, why: String| {
        format!("{}, {SESSIONS_MANY} sessions, {what}: {why}", way.name())
    };
    let rig = Rig::new(way, SESSIONS_MANY, BETWEEN_CORE, folder);
    let mut rig = rig.map_err(|why| within("setting up", why))?;
    let closed =
        measure::closed_loop(&mut rig, load.orders / 4).map_err(|why| within("round trip", why))?;
    figures.keep(way, "round trip of 1000", closed);
    let stream = measure::throughput(&mut rig, load.stream).map_err(|why| within("stream", why))?;
    figures.keep_stream(way, SESSIONS_MANY, stream);
    figures.orders += rig.finish().map_err(|why| within("at the end", why))?;
    Ok(())
}

/// Where configs, words of children and histograms go: `bench` in the target folder.
fn folder() -> Result<PathBuf, String> {
    let own =
        std::env::current_exe().map_err(|error| format!("where this program lies: {error}"))?;
    let target = own
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("target"));
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}
