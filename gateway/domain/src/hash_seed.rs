//! What the tables of a process scatter their keys by.
//!
//! A plain value, drawn anew for each process by whoever makes its tables; never logged, saved or told.
//! Invariant: where a key lies decides nothing, so that equal logs give equal effects under any seed.

use core::fmt;

/// Two secret multipliers. Who picks keys without them can make no more of these lie on each other than
/// chance would; who knows them can choose all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashSeed {
    first: u64,
    second: u64,
}

impl HashSeed {
    /// The same for everybody: of tests, of benches whose counts are to agree from run to run, and of tools
    /// that nobody hostile talks to.
    pub const FIXED: Self = Self::from_words([0xD1B5_4A32_D192_ED03, 0xAEF1_7502_108E_F2D9]);

    /// The seed with these words, each made odd: a product by an odd number loses nothing.
    #[must_use]
    pub const fn from_words([first, second]: [u64; 2]) -> Self {
        Self {
            first: first | 1,
            second: second | 1,
        }
    }

    /// Scatters a key: take as many of the highest bits as are needed. Different keys come out different.
    /// The second product lets any two of them meet in the highest b bits with a chance of 2^(1-b) at the
    /// most; the first one, and its halves laid on each other, leave no even distances in what it is given,
    /// for which the chance of many meeting at once would be greater than need be.
    #[inline(always)]
    #[must_use]
    pub const fn scatter(self, key: u64) -> u64 {
        let once = key.wrapping_mul(self.first);
        (once ^ once >> 32).wrapping_mul(self.second)
    }
}

/// Says nothing: what is printed is read by others.
impl fmt::Debug for HashSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashSeed(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn different_keys_come_out_different_and_the_words_matter() {
        for seed in [HashSeed::FIXED, HashSeed::from_words([0, 1 << 63])] {
            let keys = (0..4_096_u64).flat_map(|key| [key, key << 32, key << 52, !key]);
            let keys: BTreeSet<u64> = keys.collect();
            let scattered: BTreeSet<u64> = keys.iter().map(|key| seed.scatter(*key)).collect();
            assert_eq!(scattered.len(), keys.len());
        }
        let other = [
            HashSeed::from_words([3, 0xAEF1_7502_108E_F2D9]),
            HashSeed::from_words([0xD1B5_4A32_D192_ED03, 3]),
        ];
        for seed in other {
            assert_ne!(seed.scatter(5), HashSeed::FIXED.scatter(5));
        }
    }

    #[test]
    fn it_is_not_printed() {
        assert_eq!(std::format!("{:?}", HashSeed::FIXED), "HashSeed(..)");
    }
}
