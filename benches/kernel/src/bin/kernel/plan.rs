//! Which cells there are, and the rounds over them.
//!
//! One thread. Invariants: cells that are held against each other are measured in the same rounds,
//! one after the other; a market is checked before its figures are used, and freed before the next
//! group is made; what is left out is said with its reason.

use crate::cells::{Cell, blank, ns};
use crate::load::{Accepting, Load};
use portcullis_bench_harness::{Lines, Options, Rounds, available_bytes, resident_bytes};
use portcullis_bench_kernel::kind::Kind;
use portcullis_bench_kernel::limits::Shape;
use portcullis_bench_kernel::lives::{Lives, Step};
use portcullis_bench_kernel::load::{Accounts, Choice};
use portcullis_bench_kernel::market::{Market, ORDERS_MAX};
use portcullis_bench_kernel::measured::{BATCH, apply_all};
use portcullis_bench_kernel::mixed::Mixed;
use std::time::Instant;

/// Orders of a cell in a round, in each of its modes.
const ORDERS_FULL: u64 = 100_000;
const ORDERS_QUICK: u64 = 50_000;
/// Refusals of a kind in a round.
const REFUSALS: u64 = 6_400;
/// Orders of a step of their lives in a round.
const STEPS: u64 = 25_600;
/// Bytes that the canary reads over at the most: beyond this no cache has any of it.
const CANARY_BYTES_MAX: u64 = 1 << 30;
/// What an account has at the least: memory that another market gave back is not seen to be taken.
const ACCOUNT_BYTES: u64 = 365;

/// Ten thousand accounts, a million, and ten.
const FEW: u32 = 10_000;
const MANY: u32 = 1_000_000;
const MOST: u32 = 10_000_000;
/// What ten million accounts of one position need at the most, table and canary included.
const MOST_BYTES: u64 = 8 << 30;

/// The cells that others are held against, and that have bars.
pub(crate) const MOST_ACCOUNTS: &str = "10M accounts of one position";
/// A thousand open orders in each account; room for as many and all of it used before, none open; and
/// no more room than the load needs.
pub(crate) const THOUSAND_OPEN: &str = "1k accounts, 1,000 open orders";
pub(crate) const NONE_OPEN: &str = "1k accounts, no open orders, room for a million";
pub(crate) const NONE_OPEN_LITTLE_ROOM: &str = "1k accounts, no open orders, little room";
/// The refusals of each check, and what comes after orders were accepted, as cells are asked for.
const REFUSED: &str = "refusals";
const LIVED: &str = "reports";

/// A market of a cell.
#[derive(Clone, Copy)]
enum Content {
    /// Orders that all pass, of accounts that are chosen so.
    Accepting(Shape, Choice),
    /// Refusals mixed in, with so many accounts.
    Mixed(u32),
}

/// All that was measured.
#[derive(Default)]
pub(crate) struct Measured {
    pub(crate) cells: Vec<Cell>,
    /// Nanoseconds x 1,000 of a refusal in batches, by check.
    pub(crate) refusals: Vec<(&'static str, Rounds)>,
    /// The same of what comes after an order was accepted, by its name.
    pub(crate) steps: Vec<(&'static str, Rounds)>,
    /// Instruments with scaled margin, and instruments, over all markets.
    pub(crate) scaled: (usize, usize),
    /// What the markets with refusals in them came to.
    pub(crate) mixtures: Vec<Mixture>,
    /// Why there is no cell of ten million accounts.
    pub(crate) most_absent: Option<String>,
}

impl Measured {
    /// A cell, if it was measured.
    pub(crate) fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.name == name)
    }
}

/// Refusals mixed in: what each check did, and what came near a limit.
pub(crate) struct Mixture {
    /// The cell.
    pub(crate) name: String,
    /// By check: refusals of which it was the primary reason, and how often it was evaluated.
    pub(crate) checks: Vec<(&'static str, u64, u64)>,
    /// Orders near a limit by kind, and all that passed.
    pub(crate) near: Vec<(&'static str, u64)>,
    pub(crate) passing: u64,
}

/// The groups, smallest first.
fn groups() -> Vec<Vec<(&'static str, Content)>> {
    let uniform = |shape| Content::Accepting(shape, Choice::Uniform);
    let zipf = |shape| Content::Accepting(shape, Choice::Zipf);
    let one = |accounts| Shape {
        traded: 1,
        held: 1,
        ..Shape::of(accounts)
    };
    let positions = |held| Shape {
        instruments: 256,
        traded: held,
        held,
        ..Shape::of(FEW)
    };
    let rested = |resting, gone| Shape {
        resting,
        gone,
        ..Shape::of(1_000)
    };
    let wide = Shape {
        instruments: 1_024,
        ..Shape::of(FEW)
    };
    vec![
        vec![
            ("10k accounts, uniform", uniform(Shape::of(FEW))),
            ("10k accounts, zipf", zipf(Shape::of(FEW))),
            ("10k accounts, refusals mixed in", Content::Mixed(FEW)),
            ("10k accounts, 1,024 instruments", uniform(wide)),
        ],
        vec![
            (NONE_OPEN_LITTLE_ROOM, uniform(rested(0, 0))),
            (NONE_OPEN, uniform(rested(0, 1_000))),
            (THOUSAND_OPEN, uniform(rested(1_000, 0))),
        ],
        vec![
            ("10k accounts, 1 position", uniform(positions(1))),
            ("10k accounts, 20 positions", uniform(positions(20))),
            ("10k accounts, 200 positions", uniform(positions(200))),
        ],
        vec![
            ("1M accounts, uniform", uniform(Shape::of(MANY))),
            ("1M accounts, zipf", zipf(Shape::of(MANY))),
            ("1M accounts, refusals mixed in", Content::Mixed(MANY)),
        ],
        vec![
            ("10k accounts of one position", uniform(one(FEW))),
            ("1M accounts of one position", uniform(one(MANY))),
            (MOST_ACCOUNTS, uniform(one(MOST))),
        ],
    ]
}

/// Measures everything that is asked for.
///
/// # Errors
/// If a cell asked for is not there, a market cannot be made, or its final state is not what was sent.
pub(crate) fn measure(options: &Options) -> Result<Measured, String> {
    let groups = groups();
    let names = groups.iter().flatten().map(|(name, _)| *name);
    let names: Vec<&str> = names.chain([REFUSED, LIVED]).collect();
    options.must_be_among(&names)?;
    let mut measured = Measured {
        most_absent: why_not_most()?,
        ..Measured::default()
    };
    for mut group in groups {
        let absent = measured.most_absent.is_some();
        group.retain(|(name, _)| options.wants(name) && !(absent && *name == MOST_ACCOUNTS));
        run_group(options, group, &mut measured)?;
    }
    if options.wants(REFUSED) {
        measured.refusals = refusals(options)?;
    }
    if options.wants(LIVED) {
        measured.steps = steps(options)?;
    }
    Ok(measured)
}

/// Why the cell of ten million accounts is not measured; `None` where it is.
fn why_not_most() -> Result<Option<String>, String> {
    let available = available_bytes()?;
    let why = format!(
        "needs {} MiB of memory, {} are available",
        MOST_BYTES >> 20,
        available >> 20
    );
    Ok((available < MOST_BYTES).then_some(why))
}

/// A market that is set up, its cell, and the canary of its size.
struct Site {
    cell: Cell,
    venue: Venue,
    canary: Lines,
}

/// The market itself. Those of the same shape are not shared: each has the state of its own load.
enum Venue {
    Accepting(Box<Market>, Accounts),
    Mixed(Box<Mixed>),
}

impl Site {
    fn open(name: &str, content: Content) -> Result<Self, String> {
        eprintln!("{name}: opening");
        let before = resident_bytes()?;
        let venue = match content {
            Content::Accepting(shape, choice) => Venue::Accepting(
                Box::new(Market::new(shape)?),
                Accounts::new(choice, shape.accounts),
            ),
            Content::Mixed(accounts) => Venue::Mixed(Box::new(Mixed::new(accounts)?)),
        };
        let accounts = match &venue {
            Venue::Accepting(market, _) => market.shape.accounts,
            Venue::Mixed(mixed) => mixed.market.shape.accounts,
        };
        let taken = resident_bytes()?.saturating_sub(before);
        let bytes = taken.max(u64::from(accounts) * ACCOUNT_BYTES);
        Ok(Self {
            cell: Cell::new(name),
            venue,
            canary: Lines::of(bytes.min(CANARY_BYTES_MAX)),
        })
    }

    fn warm_up(&mut self, orders: u64) {
        self.with_load(|_, load, _| Cell::warm_up(load, orders));
    }

    fn round(&mut self, orders: u64) {
        self.with_load(|cell, load, canary| {
            cell.round(load, canary, orders);
            cell.out_of_ring(load, orders);
        });
    }

    fn with_load(&mut self, work: impl FnOnce(&mut Cell, &mut dyn Load, &mut Lines)) {
        match &mut self.venue {
            Venue::Accepting(market, accounts) => {
                work(
                    &mut self.cell,
                    &mut Accepting { market, accounts },
                    &mut self.canary,
                );
            }
            Venue::Mixed(mixed) => work(&mut self.cell, mixed.as_mut(), &mut self.canary),
        }
    }

    /// Checks the final state, and keeps what was measured.
    fn close(self, measured: &mut Measured) -> Result<(), String> {
        let name = self.cell.name.clone();
        let told = |why| format!("{name}: {why}");
        let market = match &self.venue {
            Venue::Accepting(market, _) => {
                market.check().map_err(told)?;
                market.as_ref()
            }
            Venue::Mixed(mixed) => {
                mixed.check().map_err(told)?;
                measured.mixtures.push(mixture(name, mixed));
                &mixed.market
            }
        };
        measured.scaled.0 += market.scaled_instruments();
        measured.scaled.1 += market.shape.instruments as usize;
        measured.cells.push(self.cell);
        Ok(())
    }
}

fn mixture(name: String, mixed: &Mixed) -> Mixture {
    let (near, passing) = mixed.near_orders();
    let counts = mixed.refusals().zip(mixed.evaluations());
    Mixture {
        name,
        checks: counts
            .map(|((check, refused), (_, evaluated))| (check, refused, evaluated))
            .collect(),
        near: near
            .iter()
            .map(|(kind, count)| (kind.name(), *count))
            .collect(),
        passing,
    }
}

fn run_group(
    options: &Options,
    group: Vec<(&'static str, Content)>,
    measured: &mut Measured,
) -> Result<(), String> {
    let orders = match options.quick {
        true => ORDERS_QUICK,
        false => ORDERS_FULL,
    };
    let mut sites = Vec::new();
    for (name, content) in group {
        let mut site = Site::open(name, content)?;
        // Until each slot was used once, none has a number that must be forgotten.
        site.warm_up(orders.max(ORDERS_MAX.next_multiple_of(BATCH as u32).into()));
        sites.push(site);
    }
    for round in 0..options.rounds {
        for site in &mut sites {
            let name = &site.cell.name;
            eprintln!("round {} of {}: {name}", round + 1, options.rounds);
            site.round(orders);
        }
    }
    sites.into_iter().try_for_each(|site| site.close(measured))
}

/// Refusals of each kind, in batches.
fn refusals(options: &Options) -> Result<Vec<(&'static str, Rounds)>, String> {
    let mut kinds = Kind::all()?;
    let mut rounds = vec![Rounds::default(); kinds.len()];
    for round in 0..options.rounds {
        eprintln!("round {} of {}: refusals", round + 1, options.rounds);
        for (kind, rounds) in kinds.iter_mut().zip(&mut rounds) {
            rounds.push(refuse(kind));
        }
    }
    kinds.iter().try_for_each(Kind::verify)?;
    let names = kinds.iter().map(|kind| kind.check().name);
    Ok(names.zip(rounds).collect())
}

/// What comes after orders were accepted, a market for each step, in batches.
fn steps(options: &Options) -> Result<Vec<(&'static str, Rounds)>, String> {
    let mut all = Vec::new();
    for step in Step::ALL {
        let shape = Shape::of(FEW);
        let accounts = Accounts::new(Choice::Uniform, FEW);
        let mut lives = Lives::new(shape, accounts, step, ORDERS_MAX)?;
        // Until as many executions and past versions are remembered as can be, none is forgotten.
        take_steps(&mut lives, u64::from(ORDERS_MAX));
        all.push((step, lives, Rounds::default()));
    }
    for round in 0..options.rounds {
        eprintln!("round {} of {}: reports", round + 1, options.rounds);
        for (_, lives, rounds) in &mut all {
            rounds.push(take_steps(lives, STEPS));
        }
    }
    let checked = |(step, lives, rounds): (Step, Lives, Rounds)| {
        let name = step.name();
        let check = lives.market.check().map_err(|why| format!("{name}: {why}"));
        check.map(|()| (name, rounds))
    };
    all.into_iter().map(checked).collect()
}

/// Picoseconds of a step of an order.
fn take_steps(lives: &mut Lives, count: u64) -> u64 {
    let batches = count / BATCH as u64;
    let mut records = blank();
    let mut spent_ns = 0;
    for _ in 0..batches {
        lives.prepare(&mut records);
        let begun = Instant::now();
        apply_all(&mut lives.market, &records);
        spent_ns += ns(begun);
        lives.settle();
    }
    spent_ns * 1_000 / (batches * BATCH as u64)
}

/// Picoseconds of a refusal.
fn refuse(kind: &mut Kind) -> u64 {
    let batches = REFUSALS / BATCH as u64;
    let mut records = blank();
    let mut spent_ns = 0;
    for _ in 0..batches {
        kind.prepare(&mut records);
        let begun = Instant::now();
        apply_all(&mut kind.market, &records);
        spent_ns += ns(begun);
    }
    spent_ns * 1_000 / REFUSALS
}
