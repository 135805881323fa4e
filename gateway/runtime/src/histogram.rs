//! A histogram of durations that one thread fills and any other may read.
//!
//! The writer belongs to the thread of what it measures. Invariants: one writer each, so that a count
//! goes up by a load and a store and never by a locked instruction; a reader takes no lock and holds
//! nobody up; nothing is allocated after start; a duration beyond the range counts as the longest
//! that is told apart and is never dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets of each doubling: a value is told to one part in 32.
const STEPS: u64 = 1 << STEP_BITS;
const STEP_BITS: u32 = 5;

/// Values have this many bits at the most: 68 seconds.
const VALUE_BITS: u32 = 36;

/// The longest duration that is told apart, nanoseconds.
const LONGEST_NS: u64 = (1 << VALUE_BITS) - 1;

const BUCKETS: usize = bucket(LONGEST_NS) + 1;

/// The end that writes.
#[derive(Debug)]
pub struct HistogramWriter(Arc<[AtomicU64; BUCKETS]>);

/// An end that reads.
#[derive(Clone, Debug)]
pub struct HistogramReader(Arc<[AtomicU64; BUCKETS]>);

/// What a histogram held when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(Box<[u64]>);

impl Default for HistogramWriter {
    fn default() -> Self {
        Self(Arc::new([const { AtomicU64::new(0) }; BUCKETS]))
    }
}

impl HistogramWriter {
    /// Counts `times` durations of `ns` each.
    pub fn record(&mut self, ns: u64, times: u64) {
        let count = &self.0[bucket(ns)];
        // Nobody else writes it.
        count.store(count.load(Ordering::Relaxed) + times, Ordering::Relaxed);
    }

    /// An end that reads, for another thread.
    #[must_use]
    pub fn reader(&self) -> HistogramReader {
        HistogramReader(Arc::clone(&self.0))
    }
}

impl HistogramReader {
    /// All counts since the start. Each is whole; what is recorded meanwhile may be in or not.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        Counts(counts.collect())
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; BUCKETS].into_boxed_slice())
    }
}

impl Counts {
    /// What came after `earlier`, a reading of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let pairs = self.0.iter().zip(&earlier.0);
        Self(pairs.map(|(now, then)| now - then).collect())
    }

    /// How many durations there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The duration that `part` of every `whole` do not exceed, nanoseconds, up to one part in 32
    /// above the true one; 0 of none.
    ///
    /// # Panics
    /// If it is no part of a whole.
    #[must_use]
    pub fn quantile_ns(&self, part: u64, whole: u64) -> u64 {
        assert!(0 < part && part <= whole, "a part of a whole");
        let rank = (u128::from(self.len()) * u128::from(part)).div_ceil(u128::from(whole));
        let mut passed = 0;
        for (bucket, count) in self.0.iter().enumerate() {
            passed += u128::from(*count);
            if passed >= rank && *count > 0 {
                return highest_of(bucket);
            }
        }
        0
    }

    /// The longest, nanoseconds, to one part in 32.
    #[must_use]
    pub fn longest_ns(&self) -> u64 {
        self.quantile_ns(1, 1)
    }
}

const fn bucket(ns: u64) -> usize {
    let ns = if ns < LONGEST_NS { ns } else { LONGEST_NS };
    let bits = u64::BITS - ns.leading_zeros();
    let shift = bits.saturating_sub(STEP_BITS + 1);
    (shift as u64 * STEPS + (ns >> shift)) as usize
}

/// The longest duration of a bucket.
const fn highest_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / STEPS).saturating_sub(1);
    let step = bucket - shift * STEPS;
    ((step + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_ends_where_the_next_begins() {
        assert_eq!(BUCKETS, 1_024);
        for at in 0..BUCKETS {
            assert_eq!(bucket(highest_of(at)), at);
            if at + 1 < BUCKETS {
                assert_eq!(bucket(highest_of(at) + 1), at + 1);
            }
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let mut writer = HistogramWriter::default();
        let mut values = Vec::new();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let value = random >> (28 + random % 36);
            writer.record(value, 1);
            values.push(value);
        }
        values.sort_unstable();
        let counts = writer.reader().counts();
        assert_eq!(counts.len(), values.len() as u64);
        for (part, whole) in [(1, 1_000), (1, 2), (99, 100), (999, 1_000), (1, 1)] {
            let rank = (values.len() as u64 * part).div_ceil(whole) as usize;
            let exact = values[rank - 1];
            let told = counts.quantile_ns(part, whole);
            assert!(
                (exact..=exact + exact / STEPS).contains(&told),
                "{part} of {whole}: {exact}, told as {told}"
            );
        }
        assert_eq!(counts.longest_ns(), counts.quantile_ns(1, 1));
    }

    #[test]
    fn an_interval_is_what_came_between_two_readings() {
        let mut writer = HistogramWriter::default();
        let reader = writer.reader();
        assert_eq!(reader.counts().quantile_ns(1, 2), 0, "of nothing");
        writer.record(40, 3);
        let first = reader.counts();
        writer.record(60, 2);
        let between = reader.counts().since(&first);
        assert_eq!(between.len(), 2);
        assert_eq!(between.quantile_ns(1, 2), 60);
        assert!(!between.is_empty() && first.since(&first).is_empty());
    }

    #[test]
    fn another_thread_reads_while_it_is_written() {
        const RECORDED: u64 = 200_000;
        let mut writer = HistogramWriter::default();
        let reader = writer.reader();
        let written = std::thread::spawn(move || {
            for ns in 0..RECORDED {
                writer.record(ns, 1);
            }
        });
        let mut before = reader.counts();
        while before.len() < RECORDED {
            let now = reader.counts();
            // `since` subtracts count by count: one that went down would be seen.
            assert_eq!(now.since(&before).len(), now.len() - before.len());
            before = now;
            std::thread::yield_now();
        }
        written.join().expect("it ends");
        assert_eq!(reader.counts().len(), RECORDED);
    }
}
