//! Which account orders next: seeded random numbers, uniform or by Zipf's law.
//!
//! One thread. Invariants: the same seed gives the same load; no floats; nothing here runs inside
//! a timed part.

use portcullis_bench_market::Random;

/// How accounts are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Each as often as any other.
    Uniform,
    /// The n-th most active 1/n as often as the first.
    Zipf,
}

impl Choice {
    /// Its name in tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Zipf => "zipf",
        }
    }
}

/// Draws accounts.
#[derive(Debug)]
pub struct Accounts {
    count: u32,
    /// Sums of the weights up to each rank; empty for a uniform choice.
    cumulative: Vec<u64>,
}

/// Weight of the first rank: large enough that the last of a million still has thousands.
const FIRST_WEIGHT: u64 = 1 << 40;

/// Prime and above every count used here that it could divide: ranks land all over the tables.
const SCATTER: u64 = 2_147_483_647;

impl Accounts {
    /// Draws from `count` accounts.
    #[must_use]
    pub fn new(choice: Choice, count: u32) -> Self {
        let weights = match choice {
            Choice::Uniform => 0..0,
            Choice::Zipf => 0..u64::from(count),
        };
        let cumulative = weights.scan(0, |sum, rank| {
            *sum += FIRST_WEIGHT / (rank + 1);
            Some(*sum)
        });
        Self {
            count,
            cumulative: cumulative.collect(),
        }
    }

    /// The next account to order.
    #[must_use]
    pub fn draw(&self, random: &mut Random) -> u32 {
        let count = u64::from(self.count);
        let Some(total) = self.cumulative.last() else {
            return random.below(count) as u32;
        };
        let at = random.below(*total);
        let rank = self.cumulative.partition_point(|sum| *sum <= at) as u64;
        (rank * SCATTER % count) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(choice: Choice) -> Vec<u32> {
        let accounts = Accounts::new(choice, 1_000);
        let mut random = Random::new(7);
        let mut counts = vec![0; 1_000];
        for _ in 0..100_000 {
            counts[accounts.draw(&mut random) as usize] += 1;
        }
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts
    }

    #[test]
    fn a_uniform_choice_favours_nobody() {
        let counts = draws(Choice::Uniform);
        assert!(
            counts[0] < 160 && counts[999] > 50,
            "{} {}",
            counts[0],
            counts[999]
        );
    }

    #[test]
    fn the_second_of_zipf_orders_half_as_often_as_the_first() {
        let counts = draws(Choice::Zipf);
        // 1 / H(1000) = 13.4 percent.
        assert!((12_900..13_900).contains(&counts[0]), "{}", counts[0]);
        assert!((6_400..7_000).contains(&counts[1]), "{}", counts[1]);
    }
}
