//! `cargo bench -p portcullis-bench-kernel --bench core`: the core's paths one by one: an order accepted, a cancel
//! passed on, the engine's cancel booked, a reference price moved.
//!
//! One thread. Not a bench of the table in docs/performance.md: no floor, no bars; for telling before from after
//! while one path is worked on. Invariants: commands are made outside of what is timed; what was sent is held
//! against the core's final state.

use criterion::{Criterion, Throughput};
use portcullis_bench_kernel::limits::Shape;
use portcullis_bench_kernel::load::{Accounts, Choice};
use portcullis_bench_kernel::market::Market;
use portcullis_bench_kernel::measured::{BATCH, apply_all};
use portcullis_domain::{
    CancelRequest, Command, Qty, Record, ReportKind, SessionId, Units, UserRef, VenueReport,
};
use std::time::{Duration, Instant};

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

const ACCOUNTS: u32 = 10_000;

/// Which of an order's three steps is timed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Accept,
    Cancel,
    Cancelled,
}

fn core(criterion: &mut Criterion) {
    let shape = Shape::of(ACCOUNTS);
    let accounts = Accounts::new(Choice::Uniform, ACCOUNTS);
    let mut market = Market::new(shape).expect("the limits of the load are valid");
    let mut group = criterion.benchmark_group("core");
    group.throughput(Throughput::Elements(1));
    for (name, step) in [
        ("accept an order, in batches", Step::Accept),
        ("pass a cancel on, in batches", Step::Cancel),
        ("book the engine's cancel, in batches", Step::Cancelled),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|orders| lives(&mut market, &accounts, step, orders));
        });
    }
    group.bench_function("move a reference price", |bencher| {
        let mut next = 0;
        bencher.iter(|| {
            market.move_one_price(next);
            next = (next + 1) % shape.instruments;
        });
    });
    group.finish();
    assert_eq!(market.core.open_orders(), 0, "each order was cancelled");
    assert_eq!(market.core.counters().refused, 0, "each order passed");
    assert_eq!(market.core.conservation_error(), 0, "the books balance");
}

/// The lives of at least so many orders, in batches; the time of one step, for so many.
fn lives(market: &mut Market, accounts: &Accounts, step: Step, orders: u64) -> Duration {
    let mut spent = Duration::ZERO;
    let mut entered = [Record::bare(Command::Tick.encode()); BATCH];
    let batches = orders.div_ceil(BATCH as u64);
    for _ in 0..batches {
        market.prepare(accounts, &mut entered);
        spent += timed(market, &entered, step == Step::Accept);
        let cancels = entered.map(|order| market.record(cancel(&order)));
        spent += timed(market, &cancels, step == Step::Cancel);
        let reports = entered.map(|order| market.record(cancelled(&order)));
        spent += timed(market, &reports, step == Step::Cancelled);
    }
    // Whole batches were timed, and an iteration is one order.
    Duration::from_nanos(
        (spent.as_nanos() * u128::from(orders) / u128::from(batches * BATCH as u64)) as u64,
    )
}

fn timed(market: &mut Market, records: &[Record], counts: bool) -> Duration {
    let begun = Instant::now();
    apply_all(market, records);
    let took = begun.elapsed();
    if counts { took } else { Duration::ZERO }
}

fn named(order: &Record) -> (SessionId, UserRef) {
    (
        SessionId::new(order.head.session),
        UserRef::new(order.head.number),
    )
}

fn cancel(order: &Record) -> Command {
    let (session, user_ref) = named(order);
    Command::Cancel(CancelRequest {
        session,
        user_ref,
        units: Units::TicksAndLots,
        qty_total: Qty::ZERO,
    })
}

fn cancelled(order: &Record) -> Command {
    let (session, user_ref) = named(order);
    Command::Report(VenueReport {
        session,
        user_ref,
        kind: ReportKind::Canceled,
        note: 0,
    })
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    core(&mut criterion);
    criterion.final_summary();
}
