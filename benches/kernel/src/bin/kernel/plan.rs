//! Which cells there are, and the rounds over them.
//!
//! One thread. Invariants: cells that are held against each other are measured in the same rounds,
//! one after the other; a market is checked before its figures are used, and freed before the next
//! group is made.

use crate::cells::{Cell, blank, ns};
use portcullis_bench_harness::{Options, Rounds};
use portcullis_bench_kernel::limits::Shape;
use portcullis_bench_kernel::load::Choice;
use portcullis_bench_kernel::market::Market;
use portcullis_bench_kernel::measured::{BATCH, apply_all};
use portcullis_bench_kernel::refusals::Kind;
use std::time::Instant;

/// Orders of a cell in a round, in each of its modes.
const ORDERS_FULL: u64 = 100_000;
const ORDERS_QUICK: u64 = 50_000;
/// Refusals of a kind in a round.
const REFUSALS: u64 = 6_400;

/// Ten thousand accounts, a million, and ten.
pub(crate) const FEW: u32 = 10_000;
pub(crate) const MANY: u32 = 1_000_000;
pub(crate) const MOST: u32 = 10_000_000;

/// Cells by the market they share.
type Group = Vec<(Shape, Vec<(&'static str, Choice)>)>;

/// All that was measured.
pub(crate) struct Measured {
    pub(crate) cells: Vec<Cell>,
    /// Nanoseconds x 1,000 of a refusal in batches, by check.
    pub(crate) refusals: Vec<(&'static str, Rounds)>,
    /// Instruments with scaled margin, and instruments, over all markets.
    pub(crate) scaled: (usize, usize),
}

/// The groups, smallest first.
fn groups(quick: bool) -> Vec<Group> {
    let uniform = |name| vec![(name, Choice::Uniform)];
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
    let resting = |resting| Shape {
        resting,
        ..Shape::of(1_000)
    };
    let wide = Shape {
        instruments: 1_024,
        ..Shape::of(FEW)
    };
    let mut growth = vec![
        (one(FEW), uniform("10k accounts of one position")),
        (one(MANY), uniform("1M accounts of one position")),
    ];
    if !quick {
        growth.push((one(MOST), uniform("10M accounts of one position")));
    }
    vec![
        vec![
            (
                Shape::of(FEW),
                vec![
                    ("10k accounts, uniform", Choice::Uniform),
                    ("10k accounts, zipf", Choice::Zipf),
                ],
            ),
            (wide, uniform("10k accounts, 1,024 instruments")),
        ],
        vec![
            (resting(0), uniform("1k accounts, no open orders")),
            (resting(1_000), uniform("1k accounts, 1,000 open orders")),
        ],
        vec![
            (positions(1), uniform("10k accounts, 1 position")),
            (positions(20), uniform("10k accounts, 20 positions")),
            (positions(200), uniform("10k accounts, 200 positions")),
        ],
        vec![(
            Shape::of(MANY),
            vec![
                ("1M accounts, uniform", Choice::Uniform),
                ("1M accounts, zipf", Choice::Zipf),
            ],
        )],
        growth,
    ]
}

/// Measures everything.
///
/// # Errors
/// If a market cannot be made, or its final state is not what was sent.
pub(crate) fn measure(options: &Options) -> Result<Measured, String> {
    let mut measured = Measured {
        cells: Vec::new(),
        refusals: Vec::new(),
        scaled: (0, 0),
    };
    for group in groups(options.quick) {
        run_group(options, group, &mut measured)?;
    }
    measured.refusals = refusals(options)?;
    Ok(measured)
}

fn run_group(options: &Options, group: Group, measured: &mut Measured) -> Result<(), String> {
    let orders = if options.quick {
        ORDERS_QUICK
    } else {
        ORDERS_FULL
    };
    let mut markets = Vec::new();
    for (shape, names) in group {
        eprintln!("{} accounts: opening", shape.accounts);
        let mut market = Market::new(shape)?;
        let cells: Vec<Cell> = names
            .into_iter()
            .map(|(name, choice)| Cell::new(name, choice, &shape))
            .collect();
        cells
            .iter()
            .for_each(|cell| cell.warm_up(&mut market, orders));
        markets.push((market, cells));
    }
    for round in 0..options.rounds {
        for (market, cells) in &mut markets {
            for cell in cells {
                eprintln!("round {} of {}: {}", round + 1, options.rounds, cell.name);
                cell.round(market, orders);
                cell.out_of_ring(market, orders);
            }
        }
    }
    for (market, cells) in markets {
        let at = &cells[0].name;
        market.check().map_err(|why| format!("{at}: {why}"))?;
        measured.scaled.0 += market.scaled_instruments();
        measured.scaled.1 += market.shape.instruments as usize;
        measured.cells.extend(cells);
    }
    Ok(())
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
    kinds.iter().try_for_each(Kind::check)?;
    let names = kinds.iter().map(|kind| kind.check.name);
    Ok(names.zip(rounds).collect())
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
