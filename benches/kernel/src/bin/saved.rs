//! `saved`: a core of a million accounts as words, and a core from them: how many, and how long it takes.
//!
//! One thread. Each account has two positions, four pairs and an order that rests. Invariant: what is
//! loaded has the hash of what was saved, or nothing is said of it.

use portcullis_bench_harness::{Bar, Options, Report, Rounds, Row, Unit, exit_code};
use portcullis_bench_kernel::limits::{Shape, limits};
use portcullis_bench_kernel::market::Market;
use portcullis_domain::HashSeed;
use portcullis_risk_core::RiskCore;
use portcullis_risk_core::limits::LimitTable;
use std::process::ExitCode;
use std::time::Instant;

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

const ACCOUNTS: u32 = 1_000_000;

/// A few seconds.
const MOST_NS: u64 = 5_000_000_000;

fn main() -> ExitCode {
    let options = Options::read("saved", std::env::args().skip(1));
    exit_code("saved", options.and_then(|options| run(&options)))
}

fn run(options: &Options) -> Result<bool, String> {
    let shape = Shape {
        resting: 1,
        ..Shape::of(ACCOUNTS)
    };
    let spec = limits(&shape);
    eprintln!("{ACCOUNTS} accounts: opening");
    let core = Market::new(shape)?.core;
    let (mut saved_ns, mut loaded_ns) = (Rounds::default(), Rounds::default());
    let mut words = Vec::new();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        words.clear();
        let begun = Instant::now();
        core.save(&mut |word| words.push(word));
        saved_ns.push(begun.elapsed().as_nanos() as u64);
        let table = LimitTable::build(&spec).map_err(|why| format!("{:?}", why.faults))?;
        let begun = Instant::now();
        let loaded = RiskCore::load(
            core.capacities(),
            table,
            HashSeed::FIXED,
            &mut words.iter().copied(),
        );
        loaded_ns.push(begun.elapsed().as_nanos() as u64);
        let loaded = loaded.map_err(|why| why.to_string())?;
        if loaded.state_hash() != core.state_hash() {
            return Err("what was loaded is not what was saved".into());
        }
    }
    let mut report = Report::new("saved");
    let bar = Bar::AtMost(MOST_NS);
    report.push(row("a million accounts saved", &saved_ns, bar));
    report.push(row("a million accounts loaded", &loaded_ns, bar));
    report.fact("rounds", options.rounds);
    report.fact("words", words.len());
    report.fact("words an account", words.len() / ACCOUNTS as usize);
    report.print(options.json);
    Ok(!report.misses_any())
}

fn row(figure: &str, rounds: &Rounds, bar: Bar) -> Row {
    Row::of_rounds("saved", figure.to_owned(), Unit::Ns, rounds, None, bar)
}
