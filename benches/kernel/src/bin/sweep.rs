//! `sweep`: a reference price moves: what an update costs, and how long a million accounts of one
//! position take to be valued.
//!
//! One thread. The core values an account when an order of its needs it; there is no command that
//! values all of them. Measured is what there is: [`RiskCore::account`], the exact equity,
//! requirement and maintenance margin of an account by its view. Invariant: the sum of what was valued is
//! held against deposits, so that no valuation can be left out.

use portcullis_bench_harness::{Bar, Histograms, Latency, Options, Report, Rounds, Row, Unit};
use portcullis_bench_kernel::limits::Shape;
use portcullis_bench_kernel::market::{MOVE_GAP_NS, Market};
use portcullis_domain::AccountId;
use portcullis_risk_core::RiskCore;
use std::process::ExitCode;
use std::time::Instant;

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

const ACCOUNTS: u32 = 1_000_000;
/// Accounts of a slice: what one order would wait for.
const SLICE: u32 = 16;
/// Moves of one price in a round.
const UPDATES: u32 = 10_000;
/// A million accounts in so many nanoseconds; a slice in a microsecond.
const ALL_NS: u64 = 30_000_000;
const SLICE_NS: u64 = 1_000;

fn main() -> ExitCode {
    let options = Options::read("sweep", std::env::args().skip(1));
    match options.and_then(|options| run(&options)) {
        Ok(holds) => ExitCode::from(u8::from(!holds)),
        Err(why) => {
            eprintln!("sweep: {why}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<bool, String> {
    let mut report = Report::new("sweep");
    let shape = Shape {
        traded: 1,
        held: 1,
        ..Shape::of(ACCOUNTS)
    };
    eprintln!("{ACCOUNTS} accounts: opening");
    let mut market = Market::new(shape)?;
    let mut histograms = Histograms::new("sweep");
    let mut all_ns = Rounds::default();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        histograms.keep("update", updates(&mut market));
        let (slices, took_ns) = sweep(&market.core, &shape)?;
        histograms.keep("slice", slices);
        all_ns.push(took_ns);
    }
    market.check()?;
    let view = "by the core's view of an account; no command values all";
    report.push(row(
        "an update of a reference price, p50",
        &histograms.rounds("update", Latency::p50),
        Bar::None,
        None,
    ));
    report.push(row(
        "an update of a reference price, p99.9",
        &histograms.rounds("update", Latency::p999),
        Bar::None,
        None,
    ));
    report.push(row(
        "a million accounts of one position valued",
        &all_ns,
        Bar::AtMost(ALL_NS),
        Some(view),
    ));
    let slice = format!("a slice of {SLICE} accounts");
    report.push(row(
        &format!("{slice}, p50"),
        &histograms.rounds("slice", Latency::p50),
        Bar::AtMost(SLICE_NS),
        None,
    ));
    report.push(row(
        &format!("{slice}, p99.9"),
        &histograms.rounds("slice", Latency::p999),
        Bar::None,
        None,
    ));
    report.fact("rounds", options.rounds);
    report.fact("updates", options.rounds * UPDATES);
    report.print(options.json);
    Ok(!report.misses_any())
}

/// Prices move one after the other.
fn updates(market: &mut Market) -> Latency {
    let mut latency = Latency::new();
    let instruments = market.shape.instruments;
    for update in 0..UPDATES {
        if update % instruments == 0 {
            market.wait_ns(MOVE_GAP_NS);
        }
        let begun = Instant::now();
        market.move_one_price(update % instruments);
        latency.record(begun.elapsed().as_nanos() as u64);
    }
    latency
}

/// Values every account, in slices; returns their times and the time of all.
fn sweep(core: &RiskCore, shape: &Shape) -> Result<(Latency, u64), String> {
    let mut latency = Latency::new();
    let (mut equity, mut margined) = (0_i128, 0_u32);
    let mut took_ns = 0;
    for first in (0..shape.accounts).step_by(SLICE as usize) {
        let begun = Instant::now();
        for account in first..(first + SLICE).min(shape.accounts) {
            let view = core.account(AccountId::new(account));
            let worth = view.and_then(|view| view.worth);
            let worth = worth.ok_or("an account has no worth")?;
            equity += worth.equity;
            margined += u32::from(worth.requirement > 0 && worth.maintenance > 0);
        }
        let ns = begun.elapsed().as_nanos() as u64;
        latency.record(ns);
        took_ns += ns;
    }
    // What one side of a pair gains the other loses.
    let deposits = i128::from(shape.deposit()) * i128::from(shape.accounts);
    if equity != deposits || margined != shape.accounts {
        return Err(format!(
            "equity of all is {equity}, must be {deposits}; {margined} accounts have margin"
        ));
    }
    Ok((latency, took_ns))
}

fn row(figure: &str, rounds: &Rounds, bar: Bar, note: Option<&str>) -> Row {
    let spread = rounds.spread();
    Row {
        bench: "sweep",
        figure: figure.to_owned(),
        unit: Unit::Ns,
        value: spread.map(|spread| spread.median),
        spread: spread.map(|spread| (spread.low, spread.high)),
        floor: None,
        bar,
        note: note.map(str::to_owned),
    }
}
