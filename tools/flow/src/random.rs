//! A small seeded generator of random numbers, and logarithms without floats.
//!
//! **Thread.** Plain values, owned by a feed.
//! **Invariants.** Equal seeds give equal sequences on every machine.
//! **Never.** Be used for anything secret.

/// SplitMix64: one addition and a mixing function a number; passes the usual test batteries.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `end`, by multiplication instead of division; the bias is below
    /// `end / 2^64`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// An index below `len`; 0 for an empty range.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// True with this probability in parts per million.
    pub(crate) fn chance_ppm(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }

    /// An exponential variate of mean 1 in units of 2^-16: -ln of a uniform number.
    pub(crate) fn exponential_q16(&mut self) -> u64 {
        let uniform = (self.next() >> 32) + 1; // 1 ..= 2^32
        let log2 = (32 << 16) - log2_q16(uniform);
        (log2 * LN2_Q16) >> 16
    }
}

/// ln 2 in units of 2^-16.
pub(crate) const LN2_Q16: u64 = 45_426;

/// Spreads a number over all 64 bits.
pub(crate) const fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}

/// Binary logarithm of a number of at least 1, in units of 2^-16, rounded down: the whole part is the
/// place of the top bit, each further bit tells whether the square of what is left passes 2.
fn log2_q16(number: u64) -> u64 {
    let zeros = number.leading_zeros();
    let mut log = u64::from(63 - zeros) << 16;
    let mut rest = number << zeros; // 1.x with 63 binary places
    for bit in (0..16).rev() {
        let square = (u128::from(rest) * u128::from(rest)) >> 63;
        if square >> 64 == 0 {
            rest = square as u64;
        } else {
            rest = (square >> 1) as u64;
            log |= 1 << bit;
        }
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_of_powers_are_exact_and_others_are_near() {
        for place in 0..64 {
            assert_eq!(log2_q16(1 << place), place << 16);
        }
        // log2(3) = 1.584962..., log2(10) = 3.321928...
        assert_eq!(log2_q16(3), 103_872);
        assert_eq!(log2_q16(10), 217_705);
    }

    #[test]
    fn exponential_variates_have_mean_one() {
        let mut random = Random::new(7);
        let sum: u64 = (0..100_000).map(|_| random.exponential_q16()).sum();
        let mean = sum / 100_000;
        assert!((64_500..66_600).contains(&mean), "mean {mean} of 65536");
    }

    #[test]
    fn equal_seeds_are_equal_and_ranges_are_kept() {
        let mut one = Random::new(3);
        let mut two = Random::new(3);
        let mut seen = [false; 6];
        for _ in 0..1_000 {
            let number = one.below(6);
            assert_eq!(number, two.below(6));
            seen[number as usize] = true;
        }
        assert_eq!(seen, [true; 6]);
        assert!(!one.chance_ppm(0) && one.chance_ppm(1_000_000));
    }
}
