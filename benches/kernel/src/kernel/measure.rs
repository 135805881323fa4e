//! One cell of the measurement: a core, a choice of accounts, times of batches and single calls.
//!
//! One thread. Invariants: between two readings of the clock stand calls of `RiskCore::apply` with
//! orders and nothing else; a cell whose final state is not what was sent has no figures.

use super::floor::{self, Fetch};
use super::load::{Accounts, Choice};
use super::market::Market;
use portcullis_domain::{Command, Record};
use std::hint::black_box;
use std::time::Instant;

/// Orders that are timed together.
pub(crate) const BATCH: usize = 64;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) accounts: u32,
    pub(crate) choice: Choice,
    /// Orders in batches, and as many alone; a quarter of it before, untimed.
    pub(crate) orders: u64,
}

/// What came out: times in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) cell: Cell,
    /// Mean of an order over all batches.
    pub(crate) batch_mean_ns: u64,
    /// The floor's, over the same batches, and lines it read an order.
    pub(crate) floor_mean_ns: u64,
    pub(crate) floor_p50_ns: u64,
    pub(crate) floor_lines: u64,
    /// An order's share of the median batch.
    pub(crate) batch_p50_ns: u64,
    pub(crate) single: Percentiles,
    /// Two readings of the clock with nothing between them: part of each single call's time.
    pub(crate) clock_p50_ns: u64,
    /// Timed orders for which the account was valued, and those that a bound proved.
    pub(crate) valued_exactly: u64,
    pub(crate) proved_by_bound: u64,
    /// Timed orders that needed neither, since they reduce a position.
    pub(crate) reducing: u64,
    /// Orders sent in all, set-up and warm-up included; each was accepted.
    pub(crate) accepted: u64,
    pub(crate) digest: u64,
}

/// Of single calls, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Percentiles {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
}

/// Measures a cell.
///
/// # Errors
/// If the core cannot be made, or its final state is not what was sent.
pub(crate) fn measure(cell: Cell) -> Result<Figures, String> {
    let mut market = Market::new(cell.accounts)?;
    let accounts = Accounts::new(cell.choice, cell.accounts);
    let rounds = cell.orders.div_ceil(BATCH as u64) as usize;
    batches(&mut market, &accounts, rounds / 4);
    let before = market.core.counters().clone();
    let mut batch_ns = batches(&mut market, &accounts, rounds);
    let mut floor = floors(&mut market, &accounts, rounds);
    let mut single_ns = singles(&mut market, &accounts, rounds);
    market.check()?;
    let after = market.core.counters();
    let valued_exactly = after.valued_exactly - before.valued_exactly;
    let proved_by_bound = after.proved_by_bound - before.proved_by_bound;
    let timed = (3 * rounds * BATCH) as u64;
    let reducing = timed
        .checked_sub(valued_exactly + proved_by_bound)
        .ok_or("more accounts were valued than orders sent")?;
    let batch_mean_ns = batch_ns.iter().sum::<u64>() / (rounds * BATCH) as u64;
    Ok(Figures {
        cell,
        batch_mean_ns,
        floor_mean_ns: floor.ns.iter().sum::<u64>() / (rounds * BATCH) as u64,
        floor_p50_ns: quantile(&mut floor.ns, 500) / BATCH as u64,
        floor_lines: floor.lines / (rounds * BATCH) as u64,
        batch_p50_ns: quantile(&mut batch_ns, 500) / BATCH as u64,
        single: Percentiles {
            p50: quantile(&mut single_ns, 500),
            p99: quantile(&mut single_ns, 990),
            p999: quantile(&mut single_ns, 999),
        },
        clock_p50_ns: clock_p50_ns(),
        valued_exactly,
        proved_by_bound,
        reducing,
        accepted: after.accepted,
        digest: market.core.digest(),
    })
}

/// Nanoseconds of each batch.
fn batches(market: &mut Market, accounts: &Accounts, rounds: usize) -> Vec<u64> {
    let mut records = [Record::bare(Command::Tick.encode()); BATCH];
    let round = |_| {
        market.prepare(accounts, &mut records);
        let begun = Instant::now();
        apply_all(market, &records);
        let ns = begun.elapsed().as_nanos() as u64;
        market.cancel_all(&records);
        ns
    };
    (0..rounds).map(round).collect()
}

/// Nanoseconds of each batch that is walked and not decided.
struct Floor {
    ns: Vec<u64>,
    lines: u64,
}

/// Walks batches, and applies each only afterwards, untimed.
fn floors(market: &mut Market, accounts: &Accounts, rounds: usize) -> Floor {
    let mut records = [Record::bare(Command::Tick.encode()); BATCH];
    let mut floor = Floor {
        ns: Vec::with_capacity(rounds),
        lines: 0,
    };
    for _ in 0..rounds {
        market.prepare(accounts, &mut records);
        let begun = Instant::now();
        let lines = floor::walk(&market.core, black_box(&records));
        floor.ns.push(begun.elapsed().as_nanos() as u64);
        floor.lines += lines;
        apply_all(market, &records);
        market.cancel_all(&records);
    }
    floor
}

/// The measured call, a function of its own so that instructions can be counted in it alone.
#[inline(never)]
fn apply_all(market: &mut Market, records: &[Record]) {
    let Market { core, tally, .. } = market;
    core.apply_batch(black_box(records), &mut Fetch, tally);
}

/// Nanoseconds of each call.
fn singles(market: &mut Market, accounts: &Accounts, rounds: usize) -> Vec<u64> {
    let mut records = [Record::bare(Command::Tick.encode()); BATCH];
    let mut times = Vec::with_capacity(rounds * BATCH);
    for _ in 0..rounds {
        market.prepare(accounts, &mut records);
        for record in &records {
            let begun = Instant::now();
            apply_all(market, core::slice::from_ref(record));
            times.push(begun.elapsed().as_nanos() as u64);
        }
        market.cancel_all(&records);
    }
    times
}

fn clock_p50_ns() -> u64 {
    let mut times: Vec<u64> = (0..10_000)
        .map(|_| Instant::now().elapsed().as_nanos() as u64)
        .collect();
    quantile(&mut times, 500)
}

/// The smallest time that at least `permille` thousandths of all do not exceed.
fn quantile(times: &mut [u64], permille: usize) -> u64 {
    assert!(!times.is_empty(), "a quantile of nothing");
    let rank = (times.len() * permille).div_ceil(1_000).max(1);
    *times.select_nth_unstable(rank - 1).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_cell_runs_and_its_state_is_as_sent() {
        for choice in [Choice::Uniform, Choice::Zipf] {
            let cell = Cell {
                accounts: 1_000,
                choice,
                orders: 6_400,
            };
            let figures = measure(cell).expect("the final state is as sent");
            assert_eq!(figures.accepted, 4_000 + 1_600 + 3 * 6_400);
            // Every fourth order, about, is on the other side of a position larger than it.
            assert!(
                (3_600..6_000).contains(&figures.reducing),
                "{}",
                figures.reducing
            );
            assert!(figures.proved_by_bound > figures.valued_exactly);
            let again = measure(cell).expect("as before");
            assert_eq!(
                figures.digest, again.digest,
                "the load is the same each time"
            );
        }
    }

    #[test]
    fn a_batch_decides_as_its_records_one_by_one() {
        let accounts = Accounts::new(Choice::Zipf, 1_000);
        let run = |together: bool| {
            let mut market = Market::new(1_000).expect("it loads");
            let mut records = [Record::bare(Command::Tick.encode()); BATCH];
            for _ in 0..20 {
                market.prepare(&accounts, &mut records);
                if together {
                    apply_all(&mut market, &records);
                } else {
                    for record in &records {
                        market.core.apply(record, &mut market.tally);
                    }
                }
                market.cancel_all(&records);
            }
            market.check().expect("the final state is as sent");
            (market.core.digest(), market.core.state_hash())
        };
        assert_eq!(run(true), run(false));
    }

    #[test]
    fn quantiles_are_times_that_occurred() {
        let mut times: Vec<u64> = (1..=1_000).rev().collect();
        assert_eq!(quantile(&mut times, 500), 500);
        assert_eq!(quantile(&mut times, 999), 999);
        assert_eq!(quantile(&mut [7], 999), 7);
    }
}
