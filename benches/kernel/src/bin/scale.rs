//! `scale`: memory an account, a position and an order; start-up and first order with a million
//! accounts.
//!
//! One thread. Memory is what the system holds for the process (resident), the difference that one
//! more of a kind makes between two cores. Invariant: every market is checked after it was measured.

use portcullis_bench_harness::{
    Bar, Histograms, Latency, Options, Report, Rounds, Row, Unit, exit_code, folder, resident_bytes,
};
use portcullis_bench_kernel::limits::{Shape, limits};
use portcullis_bench_kernel::load::{Accounts, Choice};
use portcullis_bench_kernel::market::Market;
use portcullis_bench_kernel::measured::apply_all;
use portcullis_domain::{Command, Record};
use portcullis_risk_core::Capacities;
use std::collections::HashSet;
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
/// Orders whose accounts are drawn: each but the few of an account that was drawn before is its first.
const FIRST_ORDERS: u32 = 20_000;
/// In figures, and the name of the histogram.
const FIRST_OF_ACCOUNT: &str = "first order of an account, alone";

/// What is offered, in words, for whoever reads the figures.
const LOAD: &str = "cores that differ by one more of a kind, limits by class; a million accounts opened and funded, then one order, and \
                    the first of each of some 20 thousand accounts";

fn main() -> ExitCode {
    let options = Options::read("scale", std::env::args().skip(1));
    exit_code("scale", options.and_then(|options| run(&options)))
}

/// A percentile: its name, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);

/// What was measured, a round each.
struct Figures {
    account: Rounds,
    position: Rounds,
    order: Rounds,
    start_up: Rounds,
    funded: Rounds,
    first_order: Rounds,
    first_orders: Histograms,
}

impl Figures {
    fn new() -> Self {
        Self {
            account: Rounds::default(),
            position: Rounds::default(),
            order: Rounds::default(),
            start_up: Rounds::default(),
            funded: Rounds::default(),
            first_order: Rounds::default(),
            first_orders: Histograms::new("scale"),
        }
    }
}

fn run(options: &Options) -> Result<bool, String> {
    let mut report = Report::new("scale");
    let mut figures = Figures::new();
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
    let percentiles: [Percentile; 3] = [
        ("p50", Latency::p50),
        ("p99", Latency::p99),
        ("p99.9", Latency::p999),
    ];
    for (percentile, of) in percentiles {
        let rounds = figures.first_orders.rounds(FIRST_OF_ACCOUNT, of);
        let figure = format!("{FIRST_OF_ACCOUNT}, {percentile}");
        report.push(row(&figure, Unit::Ns, &rounds, Bar::None));
    }
    let folder = folder()?;
    let written = (figures.first_orders.write(&folder))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    report.fact("load", LOAD);
    report.fact("histograms", written.len());
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
    let first_orders = first_orders(&mut market);
    figures.first_orders.keep(FIRST_OF_ACCOUNT, first_orders);
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
    alone(market, &accounts).1
}

/// Nanoseconds of orders that come alone, each the first of its account.
fn first_orders(market: &mut Market) -> Latency {
    let accounts = Accounts::new(Choice::Uniform, market.shape.accounts);
    let mut seen = HashSet::with_capacity(FIRST_ORDERS as usize);
    let mut first = Latency::new();
    for _ in 0..FIRST_ORDERS {
        let (account, ns) = alone(market, &accounts);
        if seen.insert(account) {
            first.record(ns);
        }
    }
    first
}

/// The account of an order that comes alone and is cancelled, and nanoseconds that the order took.
fn alone(market: &mut Market, accounts: &Accounts) -> (u32, u64) {
    let mut records = [Record::bare(Command::Tick.encode())];
    market.prepare(accounts, &mut records);
    let begun = Instant::now();
    apply_all(market, &records);
    let ns = begun.elapsed().as_nanos() as u64;
    market.cancel_all(&records);
    (records[0].head.account, ns)
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
