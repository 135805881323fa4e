//! `instructions`: fixed numbers of orders, of what comes after them, of refusals and of hops, for callgrind to count instructions in.
//!
//! One thread, run under `valgrind --tool=callgrind` by `cargo xtask bench instructions`: collection
//! is on inside the measured calls alone, and [`part_ends`] makes callgrind write down what a part
//! took and begin anew. Says the parts and how many operations each had, in that order. Invariants:
//! seeds and virtual time alone, so that the same binary has the same counts; the final state of
//! each part is held against what was sent.

use portcullis_bench_kernel::kind::Kind;
use portcullis_bench_kernel::limits::Shape;
use portcullis_bench_kernel::lives::{Lives, Step};
use portcullis_bench_kernel::load::{Accounts, Choice};
use portcullis_bench_kernel::market::Market;
use portcullis_bench_kernel::measured::{BATCH, apply_all, hop};
use portcullis_bench_kernel::mixed::Mixed;
use portcullis_bench_market::near::Near;
use portcullis_domain::{Command, Record};
use portcullis_runtime::record_ring;
use std::hint::black_box;
use std::process::ExitCode;

/// Batches before the first that counts.
const WARM_UP: usize = 10;
/// Executions and past versions that are remembered: as many, before the first that counts.
const REMEMBERED: u32 = 512;
/// Batches that count, of orders that are accepted and of refusals of a kind.
const BATCHES_ACCEPTED: usize = 100;
const BATCHES_REFUSED: usize = 10;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("instructions: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    accepted()?;
    near_margin()?;
    for step in Step::ALL {
        lived(step)?;
    }
    for kind in Kind::all()? {
        refused(kind)?;
    }
    hops();
    Ok(())
}

/// Orders that are accepted, in batches and alone.
fn accepted() -> Result<(), String> {
    let shape = Shape::of(1_000);
    let accounts = Accounts::new(Choice::Uniform, shape.accounts);
    for (name, together) in [("accept, in batches", BATCH), ("accept, alone", 1)] {
        let mut market = Market::new(shape)?;
        let mut records = [Record::bare(Command::Tick.encode()); BATCH];
        for batch in 0..WARM_UP + BATCHES_ACCEPTED {
            if batch == WARM_UP {
                part_ends("set-up", 0);
            }
            market.prepare(&accounts, &mut records);
            for part in records.chunks(together) {
                apply_all(&mut market, part);
            }
            market.cancel_all(&records);
        }
        market.check()?;
        part_ends(name, BATCHES_ACCEPTED * BATCH);
    }
    Ok(())
}

/// Orders that come near their account's margin, and are accepted alone.
fn near_margin() -> Result<(), String> {
    let mut mixed = Mixed::new(10_000)?;
    let mut records = [Record::bare(Command::Tick.encode()); BATCH];
    let mut valued = 0;
    for batch in 0..WARM_UP + BATCHES_REFUSED {
        if batch == WARM_UP {
            part_ends("set-up", 0);
            valued = mixed.market.core.counters().valued_exactly;
        }
        mixed.prepare_near(Near::Margin, &mut records);
        for record in records.chunks(1) {
            apply_all(&mut mixed.market, record);
        }
        mixed.settle();
    }
    mixed.check()?;
    valued = mixed.market.core.counters().valued_exactly - valued;
    let orders = BATCHES_REFUSED * BATCH;
    if valued < orders as u64 {
        return Err(format!(
            "{valued} of {orders} orders near their margin had their account valued"
        ));
    }
    part_ends("accept, near the margin, alone", orders);
    Ok(())
}

/// What comes after orders were accepted, in batches and alone.
fn lived(step: Step) -> Result<(), String> {
    let shape = Shape::of(1_000);
    for (how, together) in [("in batches", BATCH), ("alone", 1)] {
        let accounts = Accounts::new(Choice::Uniform, shape.accounts);
        let mut lives = Lives::new(shape, accounts, step, REMEMBERED)?;
        let mut records = [Record::bare(Command::Tick.encode()); BATCH];
        for batch in 0..WARM_UP + BATCHES_ACCEPTED {
            if batch == WARM_UP {
                part_ends("set-up", 0);
            }
            lives.prepare(&mut records);
            for part in records.chunks(together) {
                apply_all(&mut lives.market, part);
            }
            lives.settle();
        }
        lives.market.check()?;
        part_ends(&format!("{}, {how}", step.name()), BATCHES_ACCEPTED * BATCH);
    }
    Ok(())
}

fn refused(mut kind: Kind) -> Result<(), String> {
    let mut records = [Record::bare(Command::Tick.encode()); BATCH];
    for batch in 0..WARM_UP + BATCHES_REFUSED {
        if batch == WARM_UP {
            part_ends("set-up", 0);
        }
        kind.prepare(&mut records);
        apply_all(&mut kind.market, &records);
    }
    kind.verify()?;
    part_ends(
        &format!("refuse {}", kind.check().name),
        BATCHES_REFUSED * BATCH,
    );
    Ok(())
}

/// A record's way through a ring: in at one end, out at the other.
fn hops() {
    const HOPS: usize = 1_000;
    let (mut producer, mut consumer) = record_ring(1_024);
    let mut record = Record::bare(Command::Tick.encode());
    for number in 0..HOPS as u32 {
        record.head.number = number;
        let came = hop(&mut producer, &mut consumer, &record);
        assert_eq!(came, number, "what went in came out");
    }
    part_ends("hop", HOPS);
}

/// The end of a part: callgrind writes down what was counted since the last one.
#[inline(never)]
fn part_ends(name: &str, operations: usize) {
    println!("{}\t{}", black_box(name), black_box(operations));
}
