//! Canaries: what the machine itself can do at the moment, beside each figure.
//!
//! Called with the cores that the bench uses; each uses them for some milliseconds, on a crowded
//! machine for longer, but within a bound. Invariant: they measure nothing of ours, so that a bad
//! canary says the machine is at fault.

use crate::place::{PlaceError, pin};
use crate::rounds::Rounds;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Round trips of a cache line in a batch, and batches.
const TRIPS: u64 = 1_000;
const BATCHES: usize = 21;
/// No further batch is begun after this.
const WITHIN: Duration = Duration::from_millis(200);

/// Said to the other thread: it is over.
const OVER: u64 = u64::MAX;
/// Said by the other thread: it is there.
const THERE: u64 = u64::MAX - 1;

/// A word on a line of its own.
#[repr(align(128))]
struct Line(AtomicU64);

/// Nanoseconds that one cache line takes from one core to the other: the median of batches of a
/// word that two pinned threads hand to and fro. Far above the usual where others use the cores.
///
/// # Errors
/// A thread cannot be pinned.
///
/// # Panics
/// If a thread of the canary does.
pub fn hop_ns(one: usize, other: usize) -> Result<u64, PlaceError> {
    let word = Line(AtomicU64::new(0));
    std::thread::scope(|scope| {
        let echo = scope.spawn(|| answer(&word.0, other));
        let asked = scope.spawn(|| {
            let hop = ask(&word.0, one);
            word.0.store(OVER, Ordering::Release);
            hop
        });
        let hop = asked.join().expect("the canary has no way to fail");
        echo.join().expect("the canary has no way to fail")?;
        hop
    })
}

fn ask(word: &AtomicU64, core: usize) -> Result<u64, PlaceError> {
    pin(core)?;
    while word.load(Ordering::Acquire) != THERE {
        std::thread::yield_now();
    }
    let mut rounds = Rounds::default();
    let mut turn = 0;
    let begun = Instant::now();
    while rounds.values().is_empty() || rounds.values().len() < BATCHES && begun.elapsed() < WITHIN
    {
        let batch = Instant::now();
        for _ in 0..TRIPS {
            word.store(turn + 1, Ordering::Release);
            turn += 2;
            while word.load(Ordering::Acquire) != turn {
                core::hint::spin_loop();
            }
            // Two threads that others keep apart hand the word over once a time slice.
            if turn.is_multiple_of(64) && begun.elapsed() > 5 * WITHIN {
                let hops = batch.elapsed().as_nanos() as u64 / (turn % (2 * TRIPS)).max(2);
                return Ok(rounds.spread().map_or(hops, |spread| spread.median));
            }
        }
        rounds.push(batch.elapsed().as_nanos() as u64 / (2 * TRIPS));
    }
    Ok(rounds.spread().map_or(0, |spread| spread.median))
}

fn answer(word: &AtomicU64, core: usize) -> Result<(), PlaceError> {
    let pinned = pin(core);
    // What is said already is that it is over.
    let first = word.compare_exchange(0, THERE, Ordering::AcqRel, Ordering::Acquire);
    if first.is_err() {
        return pinned;
    }
    loop {
        match word.load(Ordering::Acquire) {
            OVER => return pinned,
            THERE => core::hint::spin_loop(),
            asked if asked % 2 == 1 => word.store(asked + 1, Ordering::Release),
            _ => core::hint::spin_loop(),
        }
    }
}

/// The least time that two readings of the clock tell apart, nanoseconds, and the median of two
/// readings with nothing between them.
#[must_use]
pub fn clock_step_ns() -> (u64, u64) {
    let mut least = u64::MAX;
    let mut times = Rounds::default();
    for _ in 0..20_000 {
        let ns = Instant::now().elapsed().as_nanos() as u64;
        times.push(ns);
        if ns > 0 {
            least = least.min(ns);
        }
    }
    (least, times.spread().map_or(0, |spread| spread.median))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_is_not_there_ends_the_canary() {
        assert!(hop_ns(usize::MAX, 0).is_err());
    }

    #[test]
    fn the_clock_tells_some_time_apart() {
        let (least, _) = clock_step_ns();
        assert!((1..u64::MAX).contains(&least));
    }
}
