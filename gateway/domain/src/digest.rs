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

    /// The digest with this value, to go on from.
    #[must_use]
    pub const fn from_value(value: u64) -> Self {
        Self(value)
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

/// Some words that are folded into a [`Digest`] as one: each is multiplied by itself, under a key of its
/// place, so that no word waits for the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    sum: u64,
    key: u64,
}

/// 2^64 over the golden ratio, made odd: keys of different places are far apart.
const KEY_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A word multiplied, and the halves of the product laid on each other.
#[inline(always)]
const fn fold(word: u64) -> u64 {
    let product = word as u128 * MULTIPLIER as u128;
    (product as u64) ^ (product >> 64) as u64
}

impl Block {
    /// A block of no words.
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self { sum: 0, key: SEED }
    }

    /// Adds a word.
    #[inline(always)]
    pub const fn push(&mut self, word: u64) {
        self.sum = self.sum.wrapping_add(fold(word ^ self.key));
        self.key = self.key.wrapping_add(KEY_STEP);
    }

    /// Puts a word where 0 was added behind `before` others.
    #[inline(always)]
    pub const fn put(&mut self, before: u64, word: u64) {
        let key = SEED.wrapping_add(before.wrapping_mul(KEY_STEP));
        let more = fold(word ^ key).wrapping_sub(fold(key));
        self.sum = self.sum.wrapping_add(more);
    }

    /// The same block, worked out by here and not where it is looked at.
    #[inline(always)]
    #[must_use]
    pub fn by_here(mut self) -> Self {
        self.sum = core::hint::black_box(self.sum);
        self
    }

    /// The words as one.
    #[inline(always)]
    #[must_use]
    pub const fn value(self) -> u64 {
        self.sum ^ self.key
    }
}

impl Default for Block {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(words: &[u64]) -> u64 {
        let mut block = Block::new();
        words.iter().for_each(|word| block.push(*word));
        block.value()
    }

    #[test]
    fn order_length_and_single_bits_count_in_a_block_too() {
        assert_eq!(block(&[1, 2, 3]), block(&[1, 2, 3]));
        assert_ne!(block(&[1, 2, 3]), block(&[2, 1, 3]));
        assert_ne!(block(&[1, 2, 3]), block(&[1, 3, 2]));
        assert_ne!(block(&[0]), block(&[0, 0]));
        assert_ne!(block(&[]), block(&[0]));
        for bit in 0..64 {
            assert_ne!(block(&[7, 1 << bit]), block(&[7, 0]));
            assert_ne!(block(&[1 << bit, 7]), block(&[0, 7]));
        }
    }

    #[test]
    fn a_word_put_in_later_is_as_if_it_had_been_there() {
        let words = [7, 1 << 40, 3, u64::MAX, 0];
        for (before, word) in (0..).zip(words) {
            let mut without = words;
            without[before as usize] = 0;
            let mut later = Block::new();
            without.iter().for_each(|word| later.push(*word));
            let mut later = later.by_here();
            later.put(before, word);
            assert_eq!(later.value(), block(&words), "{before}");
        }
    }

    /// Numbers as effects have them: small ones that differ a little in several places at once.
    #[test]
    fn small_numbers_do_not_meet() {
        let mut seen = std::collections::BTreeSet::new();
        for first in 0..40_u64 {
            for second in 0..40_u64 {
                for third in 0..40_u64 {
                    assert!(seen.insert(block(&[1, first, second << 32 | third, 9])));
                }
            }
        }
    }

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
