//! `lines`: batches for the floor and for the kernel, for lackey to write down each address they touch.
//!
//! One thread, run under `valgrind --tool=lackey --trace-mem=yes` by `cargo xtask bench lines`. Says first where
//! what it must not count lies, and where its marks are, and waits for a line of input; then each walk of
//! the floor and each batch of the kernel stands between two stores to marks. Both are given the same
//! batches. With `--quick` there are fewer accounts and batches. Invariant: the final state is held against what
//! was sent.

use portcullis_bench_kernel::floor;
use portcullis_bench_kernel::limits::Shape;
use portcullis_bench_kernel::load::{Accounts, Choice};
use portcullis_bench_kernel::market::Market;
use portcullis_bench_kernel::measured::{BATCH, apply_all};
use portcullis_domain::{Command, Record};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much is written down.
struct Effort {
    /// Few, since each instruction of their set-up is written down, but many more than order in a batch, so
    /// that a batch seldom touches what another did.
    accounts: u32,
    /// Batches before the first that counts, and those that do.
    warm_up: u64,
    batches: u64,
}

const WHOLE: Effort = Effort {
    accounts: 768,
    warm_up: 20,
    batches: 16,
};
const QUICK: Effort = Effort {
    accounts: 256,
    warm_up: 10,
    batches: 8,
};
/// How far the stack reaches from where `main` stands.
const STACK_BELOW: usize = 1 << 20;
const STACK_ABOVE: usize = 1 << 16;

/// A word on a line of its own.
#[repr(align(64))]
struct Mark(AtomicU64);

impl Mark {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn set(&self) {
        self.0.store(1, Ordering::SeqCst);
    }
}

static FLOOR: Mark = Mark::new();
static KERNEL: Mark = Mark::new();
static END: Mark = Mark::new();

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("lines: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let effort = if quick { QUICK } else { WHOLE };
    let shape = Shape::of(effort.accounts);
    let accounts = Accounts::new(Choice::Uniform, shape.accounts);
    let mut market = Box::new(Market::new(shape)?);
    let mut records = Box::new([Record::bare(Command::Tick.encode()); BATCH]);
    say_places(&market, records.as_slice(), effort.batches)?;
    for batch in 0..effort.warm_up + effort.batches {
        let counts = batch >= effort.warm_up;
        market.prepare(&accounts, records.as_mut_slice());
        if counts {
            FLOOR.set();
            black_box(floor::walk(&market.core, black_box(records.as_slice())));
            END.set();
            KERNEL.set();
            apply_all(&mut market, records.as_slice());
            END.set();
        } else {
            apply_all(&mut market, records.as_slice());
        }
        market.cancel_all(records.as_slice());
    }
    market.check()
}

/// Says what lies where, a name, an address and a length a line, and waits until that was read.
fn say_places(market: &Market, records: &[Record], batches: u64) -> Result<(), String> {
    let here = 0_u8;
    let stack = std::ptr::from_ref(&here).addr();
    say("stack", stack - STACK_BELOW, STACK_BELOW + STACK_ABOVE);
    say("records", records.as_ptr().addr(), size_of_val(records));
    let core = std::ptr::from_ref(&market.core).addr();
    say("core", core, size_of_val(&market.core));
    let market_at = std::ptr::from_ref(market).addr();
    say("market", market_at, size_of_val(market));
    for (name, mark) in [("floor", &FLOOR), ("kernel", &KERNEL), ("end", &END)] {
        say(name, std::ptr::from_ref(mark).addr(), size_of::<Mark>());
    }
    let (from, to) = image()?;
    say("image", from, to - from);
    println!("batches\t{batches:x}\t{BATCH:x}");
    println!();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map(|_| ()).map_err(|error| error.to_string())
}

fn say(name: &str, at: usize, len: usize) {
    println!("{name}\t{at:x}\t{len:x}");
}

/// Where the program's own code and constants lie.
fn image() -> Result<(usize, usize), String> {
    let told = |error: std::io::Error| error.to_string();
    let own = std::env::current_exe().map_err(told)?;
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(told)?;
    let name = own.to_string_lossy().into_owned();
    let range = |line: &str| {
        let (from, rest) = line.split_once('-')?;
        let (to, rest) = rest.split_once(' ')?;
        let parsed = |hex| usize::from_str_radix(hex, 16).ok();
        rest.ends_with(&name)
            .then_some((parsed(from)?, parsed(to)?))
    };
    let ranges: Vec<(usize, usize)> = maps.lines().filter_map(range).collect();
    let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
        return Err(format!("/proc/self/maps does not name {name}"));
    };
    Ok((first.0, last.1))
}
