//! `scale`: memory an account, a position and an order; start-up and first order with a million
//! accounts.
//!
//! One thread. Memory is what the system holds for the process (resident), the difference that one
//! more of a kind makes between two cores. Invariant: every market is checked after it was measured.

use portcullis_bench_harness::{
    Bar, Options, Report, Rounds, Row, Unit, exit_code, resident_bytes,
};
use portcullis_bench_kernel::limits::{Shape, limits};
use portcullis_bench_kernel::load::{Accounts, Choice};
use portcullis_bench_kernel::market::Market;
use portcullis_bench_kernel::measured::apply_all;
use portcullis_domain::{Command, Record};
use portcullis_risk_core::Capacities;
use std::process::ExitCode;
use std::time::Instant;

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

const ACCOUNTS: u32 = 1_000_000;
/// Bytes of an account with one position.
const ACCOUNT_BYTES: u64 = 384;
const POSITIONS_MORE: u32 = 4;
const ORDERS_MORE: u32 = 4_000_000;

/// What is offered, in words, for whoever reads the figures.
const LOAD: &str = "cores that differ by one more of a kind, limits by class; a million accounts opened and funded, then one order";

fn main() -> ExitCode {
    let options = Options::read("scale", std::env::args().skip(1));
    exit_code("scale", options.and_then(|options| run(&options)))
}

/// What was measured, a round each.
#[derive(Default)]
struct Figures {
    account: Rounds,
    position: Rounds,
    order: Rounds,
    start_up: Rounds,
    funded: Rounds,
    first_order: Rounds,
}

fn run(options: &Options) -> Result<bool, String> {
    let mut report = Report::new("scale");
    let mut figures = Figures::default();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        measure(&mut figures)?;
    }
    let above = Bar::AtMost(ACCOUNT_BYTES);
    for (figure, unit, rounds, bar) in [
        (
            "an account with one position, limits by class",
            Unit::Bytes,
            &figures.account,
            above,
        ),
        (
            "one more position",
            Unit::Bytes,
            &figures.position,
            Bar::None,
        ),
        (
            "one more order slot",
            Unit::Bytes,
            &figures.order,
            Bar::None,
        ),
        (
            "start-up: table and core of a million accounts",
            Unit::Ns,
            &figures.start_up,
            Bar::None,
        ),
        (
            "a million deposits and positions after it",
            Unit::Ns,
            &figures.funded,
            Bar::None,
        ),
        (
            "first order of a million accounts",
            Unit::Ns,
            &figures.first_order,
            Bar::None,
        ),
    ] {
        report.push(row(figure, unit, rounds, bar));
    }
    report.fact("load", LOAD);
    report.fact("rounds", options.rounds);
    report.print(options.json);
    Ok(!report.misses_any())
}

fn measure(figures: &mut Figures) -> Result<(), String> {
    let few = Shape {
        traded: 1,
        held: 1,
        ..Shape::of(1_000)
    };
    let many = Shape {
        accounts: ACCOUNTS,
        ..few
    };
    let least = resident(|| Market::new(few))?.1;
    let begun = Instant::now();
    let (mut market, one_position) = resident(|| Market::new(many))?;
    let funded_ns = begun.elapsed().as_nanos() as u64;
    let (accounts, base) = (u64::from(ACCOUNTS), one_position);
    figures
        .account
        .push((base.saturating_sub(least)) / accounts);
    figures.first_order.push(first_order(&mut market));
    market.check()?;
    drop(market);
    figures.start_up.push(start_up(&many)?);
    let spent = figures.start_up.values().last().copied().unwrap_or(0);
    figures.funded.push(funded_ns.saturating_sub(spent));
    let more = Shape {
        traded: POSITIONS_MORE,
        held: POSITIONS_MORE,
        ..many
    };
    let positions = resident(|| Market::new(more))?.1;
    let extra = u64::from(POSITIONS_MORE - 1) * accounts;
    figures
        .position
        .push(positions.saturating_sub(base) / extra);
    let rests = Shape {
        resting: ORDERS_MORE / few.accounts,
        ..few
    };
    let orders = resident(|| Market::new(rests))?.1;
    figures
        .order
        .push(orders.saturating_sub(least) / u64::from(ORDERS_MORE));
    Ok(())
}

/// Nanoseconds of building the table and the core of a shape, without anything in it.
fn start_up(shape: &Shape) -> Result<u64, String> {
    let spec = limits(shape);
    let capacities = Capacities {
        orders_reserved_per_account: 0,
        positions_max: shape.accounts * shape.traded,
        ..Capacities::default()
    };
    let begun = Instant::now();
    let market = Market::bare(*shape, &spec, capacities)?;
    let ns = begun.elapsed().as_nanos() as u64;
    market.check()?;
    Ok(ns)
}

/// Nanoseconds of the first order that comes alone.
fn first_order(market: &mut Market) -> u64 {
    let accounts = Accounts::new(Choice::Uniform, market.shape.accounts);
    let mut records = [Record::bare(Command::Tick.encode())];
    market.prepare(&accounts, &mut records);
    let begun = Instant::now();
    apply_all(market, &records);
    let ns = begun.elapsed().as_nanos() as u64;
    market.cancel_all(&records);
    ns
}

/// A market, and the bytes that it made resident.
fn resident(make: impl FnOnce() -> Result<Market, String>) -> Result<(Market, u64), String> {
    let before = resident_bytes()?;
    let market = make()?;
    market.check()?;
    Ok((market, resident_bytes()?.saturating_sub(before)))
}

fn row(figure: &str, unit: Unit, rounds: &Rounds, bar: Bar) -> Row {
    Row::of_rounds("scale", figure.to_owned(), unit, rounds, None, bar)
}
