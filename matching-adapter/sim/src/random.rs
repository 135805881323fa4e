//! Seeded random numbers.
//!
//! Owned by whoever holds the generator. SplitMix64 (Steele, Lea, Flood 2014). Invariant: a seed
//! names a sequence for ever.

#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.bits() % end }
    }

    /// `true` once in `n` times on average; never where that is 0.
    pub(crate) const fn one_in(&mut self, n: u32) -> bool {
        n != 0 && self.below(n as u64) == 0
    }
}
