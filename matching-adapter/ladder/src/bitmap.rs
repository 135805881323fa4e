//! Which prices of a window have a level: a two-level bitmap over up to 4,096 bits.
//!
//! Owned by the ladder's thread. Invariant: bit w of the summary is set if and only if word w is not
//! 0. Each operation looks at two words at most. It must never know what a bit stands for.

pub(crate) struct Bitmap {
    summary: u64,
    words: [u64; 64],
}

impl Bitmap {
    pub(crate) const fn new() -> Self {
        Self {
            summary: 0,
            words: [0; 64],
        }
    }

    pub(crate) const fn set(&mut self, bit: usize) {
        self.words[bit / 64] |= 1 << (bit % 64);
        self.summary |= 1 << (bit / 64);
    }

    pub(crate) const fn clear(&mut self, bit: usize) {
        self.words[bit / 64] &= !(1 << (bit % 64));
        if self.words[bit / 64] == 0 {
            self.summary &= !(1 << (bit / 64));
        }
    }

    pub(crate) const fn lowest(&self) -> Option<usize> {
        if self.summary == 0 {
            return None;
        }
        let word = self.summary.trailing_zeros() as usize;
        Some(word * 64 + self.words[word].trailing_zeros() as usize)
    }

    pub(crate) const fn highest(&self) -> Option<usize> {
        if self.summary == 0 {
            return None;
        }
        let word = 63 - self.summary.leading_zeros() as usize;
        Some(word * 64 + 63 - self.words[word].leading_zeros() as usize)
    }

    /// The lowest bit set above this one.
    pub(crate) const fn above(&self, bit: usize) -> Option<usize> {
        let word = bit / 64;
        // Two shifts: one by 64 would not be a shift.
        let rest = self.words[word] & (!0 << (bit % 64) << 1);
        if rest != 0 {
            return Some(word * 64 + rest.trailing_zeros() as usize);
        }
        let words = self.summary & (!0 << word << 1);
        if words == 0 {
            return None;
        }
        let word = words.trailing_zeros() as usize;
        Some(word * 64 + self.words[word].trailing_zeros() as usize)
    }

    /// The highest bit set below this one.
    pub(crate) const fn below(&self, bit: usize) -> Option<usize> {
        let word = bit / 64;
        let rest = self.words[word] & ((1 << (bit % 64)) - 1);
        if rest != 0 {
            return Some(word * 64 + 63 - rest.leading_zeros() as usize);
        }
        let words = self.summary & ((1 << word) - 1);
        if words == 0 {
            return None;
        }
        let word = 63 - words.leading_zeros() as usize;
        Some(word * 64 + 63 - self.words[word].leading_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn agrees_with_a_set() {
        let mut bitmap = Bitmap::new();
        let mut set = BTreeSet::new();
        let mut state = 3_u64;
        for _ in 0..60_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // Crowded at both ends, thin between, so that whole words are empty.
            let bit = match state >> 62 {
                0 => (state >> 40) as usize % 70,
                1 => 4_095 - (state >> 40) as usize % 70,
                _ => (state >> 40) as usize % 4_096,
            };
            if set.len() > 40 || set.contains(&bit) {
                let gone = *set.range(bit..).next().unwrap_or(&bit);
                set.remove(&gone);
                bitmap.clear(gone);
            } else {
                set.insert(bit);
                bitmap.set(bit);
            }
            assert_eq!(bitmap.lowest(), set.first().copied());
            assert_eq!(bitmap.highest(), set.last().copied());
            assert_eq!(bitmap.above(bit), set.range(bit + 1..).next().copied());
            assert_eq!(bitmap.below(bit), set.range(..bit).next_back().copied());
        }
    }
}
