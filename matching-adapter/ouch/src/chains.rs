//! Which chain of a table a key is in.
//!
//! A plain value. Clients choose the numbers of which keys are made, so a secret has its say: see [`HashSeed`]. Invariants:
//! each key is in one chain; keys that follow one another are in chains beside one another, sixteen to a line.

use portcullis_domain::HashSeed;

/// Keys that stand together: the low bits of one that are not scattered.
const TOGETHER_BITS: u32 = 4;
pub(crate) const TOGETHER: u64 = 1 << TOGETHER_BITS;

#[derive(Debug)]
pub(crate) struct Chains {
    seed: HashSeed,
    /// Of a scattered key, to leave the number of a chain.
    shift: u32,
}

impl Chains {
    /// As many as there are keys, rounded up; returns how many with them.
    pub(crate) fn new(keys: usize, seed: HashSeed) -> (Self, usize) {
        let count = keys.next_power_of_two().max(1 << TOGETHER_BITS);
        let shift = 64 - count.trailing_zeros();
        (Self { seed, shift }, count)
    }

    /// The chain that this key is in.
    #[inline(always)]
    pub(crate) const fn of(&self, key: u64) -> usize {
        let scattered = self.seed.scatter(key >> TOGETHER_BITS) >> (self.shift & 63);
        // Numbers that are far apart and end alike are to differ in their place of the line, too.
        let together = key & (TOGETHER - 1);
        (scattered ^ together) as usize
    }
}
