//! A canary of memory: what reading one line out of so many costs at the moment.
//!
//! On the measuring thread. A buffer of the size that is asked about is read line by line in an order that
//! no prefetcher guesses: once each address from a counter, so that many reads are under way together, and
//! once each from what the last one found, so that each waits. Invariants: each line holds one word that
//! says where to go, so that no read can be left out; a figure is of reads alone, nothing is decided.

use crate::rounds::Rounds;
use std::hint::black_box;
use std::time::Instant;

/// Words of a line.
const LINE: usize = 8;
/// Bytes of one.
const LINE_BYTES: u64 = 64;
/// Reads of a batch, and batches.
const READS: u64 = 4_096;
const BATCHES: usize = 21;
/// An odd number: times it, a counter comes to each line of a power of two once.
const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Lines to be read.
#[derive(Debug)]
pub struct Lines {
    words: Vec<u64>,
    /// Lines less one: their number is a power of two.
    mask: u64,
    at: u64,
}

impl Lines {
    /// The largest power of two of lines that so many bytes have room for.
    ///
    /// # Panics
    /// If there is not room for one line.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        let lines = bytes / LINE_BYTES;
        assert!(lines > 0, "a line has {LINE_BYTES} bytes");
        let lines = 1_u64 << lines.ilog2();
        let mask = lines - 1;
        let mut words = vec![0; lines as usize * LINE];
        for (line, words) in (0..lines).zip(words.chunks_exact_mut(LINE)) {
            // A full period whatever the power: the multiplier is 1 modulo 4, the summand odd.
            words[0] = line.wrapping_mul(SCATTER & !3 | 1).wrapping_add(1) & mask;
        }
        Self { words, mask, at: 0 }
    }

    /// Their bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        (self.mask + 1) * LINE_BYTES
    }

    /// Picoseconds of a read that need not wait for another.
    pub fn independent_ps(&mut self) -> u64 {
        let mask = self.mask;
        self.timed(|words, from| {
            let places = (from..from + READS).map(|at| at.wrapping_mul(SCATTER) >> 20 & mask);
            let sum = places.fold(0_u64, |sum, at| sum.wrapping_add(words[at as usize * LINE]));
            black_box(sum);
            from + READS
        })
    }

    /// Picoseconds of a read whose address the last one found.
    pub fn dependent_ps(&mut self) -> u64 {
        let mask = self.mask;
        self.timed(|words, from| {
            let mut at = from & mask;
            for _ in 0..READS {
                at = words[at as usize * LINE];
            }
            at
        })
    }

    /// The median of batches, each going on where the last one ended.
    fn timed(&mut self, reads: impl Fn(&[u64], u64) -> u64) -> u64 {
        let mut rounds = Rounds::default();
        for _ in 0..BATCHES {
            let begun = Instant::now();
            self.at = black_box(reads(&self.words, self.at));
            rounds.push(begun.elapsed().as_nanos() as u64 * 1_000 / READS);
        }
        rounds.spread().map_or(0, |spread| spread.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_line_says_leads_through_all() {
        let lines = Lines::of(300 * LINE_BYTES);
        assert_eq!(lines.bytes(), 256 * LINE_BYTES);
        let mut seen = vec![false; 256];
        let mut at = 0;
        for _ in 0..256 {
            at = lines.words[at as usize * LINE];
            assert!(!std::mem::replace(&mut seen[at as usize], true));
        }
        assert!(seen.into_iter().all(|line| line));
    }

    #[test]
    fn both_ways_of_reading_take_some_time() {
        let mut lines = Lines::of(1 << 20);
        assert!(lines.independent_ps() > 0);
        assert!(lines.dependent_ps() > 0);
    }
}
