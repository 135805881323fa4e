//! A 64-bit chain over words: equal sequences give equal digests, on every machine.
//!
//! Owned by whoever keeps one. Not a cryptographic hash: it tells a faulty replay from a true one,
//! not an honest log from a forged one. Each word is folded in by a 64x64 to 128-bit product of the
//! running state (the "folded multiply" family of hashes, as in wyhash), which keeps every bit of
//! both factors in play.

/// A running digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

/// Digits of pi's fraction: odd, no structure.
const SEED: u64 = 0x2435_F6A8_885A_308D;
const MULTIPLIER: u64 = 0x1319_8A2E_0370_7345;

impl Digest {
    /// The digest of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(SEED)
    }

    /// Folds one word in.
    pub const fn push(&mut self, word: u64) {
        let product = (self.0 ^ word) as u128 * MULTIPLIER as u128;
        // Rotation by an odd amount after the fold: a state of zero does not stay zero.
        self.0 = ((product as u64) ^ (product >> 64) as u64)
            .rotate_left(23)
            .wrapping_add(SEED);
    }

    /// Folds words in, in order.
    pub fn push_all(&mut self, words: &[u64]) {
        for word in words {
            self.push(*word);
        }
    }

    /// The value so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(words: &[u64]) -> u64 {
        let mut chain = Digest::new();
        chain.push_all(words);
        chain.value()
    }

    #[test]
    fn order_length_and_single_bits_count() {
        assert_eq!(digest(&[1, 2, 3]), digest(&[1, 2, 3]));
        assert_ne!(digest(&[1, 2, 3]), digest(&[2, 1, 3]));
        assert_ne!(digest(&[0]), digest(&[0, 0]));
        for bit in 0..64 {
            assert_ne!(digest(&[7, 1 << bit]), digest(&[7, 0]));
        }
    }
}
