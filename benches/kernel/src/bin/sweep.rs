//! `sweep`: a reference price moves: what an update costs, and how long a million accounts of one
//! position take to be valued by `ValueAccounts`, in slices.
//!
//! One thread. Each round values all twice: once timed as a whole, once slice by slice. A slice is a
//! tick, applied as the product applies it, with the lines of the next fetched at its end. Accounts
//! are endowed in an order of chance, so that positions do not stand in the order of accounts.
//! Invariants: what the core says it found is held against the market, so that no account can be left out; one
//! account in 64 has lost more than it had, so that none can be counted without being valued.

use portcullis_bench_harness::{
    Bar, Histograms, Latency, Options, Report, Rounds, Row, Unit, exit_code, folder,
};
use portcullis_bench_kernel::floor::Fetch;
use portcullis_bench_kernel::limits::{Shape, limits};
use portcullis_bench_kernel::market::{MOVE_GAP_NS, Market, ORDERS_MAX};
use portcullis_bench_market::Random;
use portcullis_bench_market::{Ground, PRICE_START};
use portcullis_domain::Command;
use portcullis_risk_core::{AlarmKind, Capacities, Done, Effect, EffectSink, Valued};
use std::process::ExitCode;
use std::time::Instant;

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

const ACCOUNTS: u32 = 1_000_000;
/// Moves of one price in a round.
const UPDATES: u32 = 10_000;
/// One account of so many is below maintenance.
const POOR_ONE_IN: u32 = 64;
/// A million accounts in so many nanoseconds; a slice in a microsecond.
const ALL_NS: u64 = 30_000_000;
const SLICE_NS: u64 = 1_000;

/// What is offered, in words, for whoever reads the figures.
const LOAD: &str = "moves of one price, one after the other; a million accounts of one position, which came in an order of chance and of which one \
                    in 64 is below maintenance, valued in one go and slice by slice";

fn main() -> ExitCode {
    let options = Options::read("sweep", std::env::args().skip(1));
    exit_code("sweep", options.and_then(|options| run(&options)))
}

/// What came out of a valuation: its end, and before that who was found below maintenance that was not before.
#[derive(Debug, Default)]
struct Found {
    valued: Option<Valued>,
    breaches: u32,
}

impl EffectSink for Found {
    fn on_effect(&mut self, effect: Effect) {
        if let Effect::Controlled(outcome) = effect
            && let Ok(Done::Valued(valued)) = outcome.result
            && self.valued.is_none()
        {
            self.valued = Some(valued);
            return;
        }
        if let Effect::Alarmed(alarm) = effect
            && alarm.kind == AlarmKind::MaintenanceBreached
        {
            self.breaches += 1;
            return;
        }
        panic!("a valuation says who is below maintenance, and its end: {effect:?}");
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
    let mut market = shuffled(shape)?;
    first(&mut market)?;
    let mut histograms = Histograms::new("sweep");
    let mut all_ns = Rounds::default();
    let mut slices = 0;
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        histograms.keep("update", updates(&mut market));
        all_ns.push(whole(&mut market)?);
        updates(&mut market);
        let latency = sliced(&mut market)?;
        slices = latency.len();
        histograms.keep("slice", latency);
    }
    market.check()?;
    let of = |name, percentile: fn(&Latency) -> u64| histograms.rounds(name, percentile);
    let (p50, p99, p999, max) = (Latency::p50, Latency::p99, Latency::p999, Latency::max);
    let update = "an update of a reference price";
    report.push(row(
        &format!("{update}, p50"),
        &of("update", p50),
        Bar::None,
    ));
    report.push(row(
        &format!("{update}, p99.9"),
        &of("update", p999),
        Bar::None,
    ));
    let all = "a million accounts of one position valued";
    report.push(row(all, &all_ns, Bar::AtMost(ALL_NS)));
    let slice = format!(
        "a slice of {} accounts",
        u64::from(ACCOUNTS) / slices.max(1)
    );
    let bar = Bar::AtMost(SLICE_NS);
    report.push(row(&format!("{slice}, p50"), &of("slice", p50), bar));
    report.push(row(&format!("{slice}, p99"), &of("slice", p99), bar));
    report.push(row(&format!("{slice}, p99.9"), &of("slice", p999), bar));
    // Beyond that a slice of time that the host gives to others is all there is.
    report.push(row(&format!("{slice}, max"), &of("slice", max), Bar::None));
    let folder = folder()?;
    let written =
        (histograms.write(&folder)).map_err(|error| format!("{}: {error}", folder.display()))?;
    report.fact("load", LOAD);
    report.fact("rounds", options.rounds);
    report.fact("histograms", written.len());
    report.fact("updates", options.rounds * UPDATES);
    report.fact("slices", slices);
    report.print(options.json);
    Ok(!report.misses_any())
}

/// A market whose accounts came in an order of chance.
fn shuffled(shape: Shape) -> Result<Market, String> {
    let capacities = Capacities {
        orders_max: ORDERS_MAX,
        orders_reserved_per_account: 0,
        positions_max: shape.accounts,
        ..Capacities::default()
    };
    let mut market = Market::bare(shape, &limits(&shape), capacities)?;
    for instrument in 0..shape.instruments {
        market.publish(instrument, PRICE_START);
    }
    let mut accounts: Vec<u32> = (0..shape.accounts).collect();
    let mut random = Random::new(20_260_102);
    for left in (1..accounts.len()).rev() {
        accounts.swap(left, random.below(left as u64 + 1) as usize);
    }
    for account in accounts {
        if account.is_multiple_of(POOR_ONE_IN) {
            market.endow_poor(account);
        } else {
            market.endow(account);
        }
    }
    Ok(market)
}

/// The valuation that says who is below maintenance: later ones count them, and say it no more.
fn first(market: &mut Market) -> Result<(), String> {
    let mut found = Found::default();
    market.control(Command::ValueAccounts);
    while market.core.work_pending() {
        slice(market, &mut found);
    }
    if found.breaches != market.poor() {
        return Err(format!(
            "{} accounts were said to be below maintenance, must be {}",
            found.breaches,
            market.poor()
        ));
    }
    found.breaches = 0;
    check(market, &found)
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

/// Values every account; returns how long all slices together took.
fn whole(market: &mut Market) -> Result<u64, String> {
    let mut found = Found::default();
    market.control(Command::ValueAccounts);
    let begun = Instant::now();
    while market.core.work_pending() {
        slice(market, &mut found);
    }
    let took_ns = begun.elapsed().as_nanos() as u64;
    check(market, &found).map(|()| took_ns)
}

/// Values every account; returns how long each slice took.
fn sliced(market: &mut Market) -> Result<Latency, String> {
    let (mut found, mut latency) = (Found::default(), Latency::new());
    market.control(Command::ValueAccounts);
    while market.core.work_pending() {
        let begun = Instant::now();
        slice(market, &mut found);
        latency.record(begun.elapsed().as_nanos() as u64);
    }
    check(market, &found).map(|()| latency)
}

#[inline(never)]
fn slice(market: &mut Market, found: &mut Found) {
    let tick = market.record(Command::Tick);
    market.core.apply_batch(&[tick], &mut Fetch, found);
}

fn check(market: &mut Market, found: &Found) -> Result<(), String> {
    // The answer came here and not to the market's own count.
    market.tally.controlled += 1;
    let all = Valued {
        accounts: ACCOUNTS,
        below_maintenance: market.poor(),
        not_fresh: 0,
    };
    match found.valued {
        Some(valued) if valued == all && found.breaches == 0 => Ok(()),
        _ => Err(format!(
            "{found:?}, must be {all:?} and no breach that is new"
        )),
    }
}

fn row(figure: &str, rounds: &Rounds, bar: Bar) -> Row {
    Row::of_rounds("sweep", figure.to_owned(), Unit::Ns, rounds, None, bar)
}
