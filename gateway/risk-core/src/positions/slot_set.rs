//! A set of slots that finds its next member in a bounded number of steps.
//!
//! Risk thread. A bit a slot, and above each 64 words one bit a word that says whether it has any.
//! Invariants: never grows; a bit of an upper level is set exactly while its word below is not
//! zero; what is found depends on the members alone, never on how they came.

extern crate alloc;

use alloc::boxed::Box;
use alloc::vec::Vec;

const WORD_BITS: usize = 64;

/// The set. The first level has a bit a slot, the last is one word.
#[derive(Debug)]
pub(super) struct SlotSet {
    levels: Box<[Box<[u64]>]>,
}

impl SlotSet {
    /// An empty set of slots below `slots`.
    pub(super) fn new(slots: usize) -> Self {
        let mut levels = Vec::new();
        let mut bits = slots.max(1);
        loop {
            let words = bits.div_ceil(WORD_BITS);
            levels.push(alloc::vec![0_u64; words].into_boxed_slice());
            if words == 1 {
                break;
            }
            bits = words;
        }
        Self {
            levels: levels.into_boxed_slice(),
        }
    }

    pub(super) fn contains(&self, slot: usize) -> bool {
        self.levels[0][slot / WORD_BITS] & mask(slot) != 0
    }

    pub(super) fn insert(&mut self, slot: usize) {
        let mut bit = slot;
        for level in &mut self.levels {
            let word = &mut level[bit / WORD_BITS];
            let known_above = *word != 0;
            *word |= mask(bit);
            if known_above {
                return;
            }
            bit /= WORD_BITS;
        }
    }

    pub(super) fn remove(&mut self, slot: usize) {
        let mut bit = slot;
        for level in &mut self.levels {
            let word = &mut level[bit / WORD_BITS];
            *word &= !mask(bit);
            if *word != 0 {
                return;
            }
            bit /= WORD_BITS;
        }
    }

    /// The first member at or behind `from`, else the first of all.
    pub(super) fn next_round(&self, from: usize) -> Option<usize> {
        self.next(from).or_else(|| self.next(0))
    }

    /// The first member at or behind `from`.
    fn next(&self, from: usize) -> Option<usize> {
        let mut bit = from;
        for (height, level) in self.levels.iter().enumerate() {
            let word = level.get(bit / WORD_BITS)? & (u64::MAX << (bit % WORD_BITS));
            if word != 0 {
                let found = bit / WORD_BITS * WORD_BITS + word.trailing_zeros() as usize;
                return Some(self.lowest_below(height, found));
            }
            // None in the rest of this word: on with the next one, as the level above knows it.
            bit = bit / WORD_BITS + 1;
        }
        None
    }

    /// The lowest member under a set bit of a level.
    fn lowest_below(&self, height: usize, bit: usize) -> usize {
        let below = self.levels[..height].iter().rev();
        below.fold(bit, |bit, level| {
            let word = level[bit];
            assert!(word != 0, "a bit above an empty word");
            bit * WORD_BITS + word.trailing_zeros() as usize
        })
    }
}

const fn mask(bit: usize) -> u64 {
    1 << (bit % WORD_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Random members of sets of one, two and three levels, beside a tree.
    #[test]
    fn agrees_with_a_tree() {
        for slots in [1, 63, 64, 65, 4_096, 5_000, 300_000] {
            let (mut set, mut tree) = (SlotSet::new(slots), BTreeSet::new());
            let mut state = slots as u64;
            for step in 0..4_000 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let slot = (state >> 33) as usize % slots;
                if tree.remove(&slot) {
                    set.remove(slot);
                } else if step % 3 != 0 {
                    tree.insert(slot);
                    set.insert(slot);
                }
                assert_eq!(set.contains(slot), tree.contains(&slot));
                let from = (state >> 17) as usize % slots;
                let behind = tree.range(from..).next().or_else(|| tree.first());
                assert_eq!(set.next_round(from), behind.copied(), "{slots} step {step}");
            }
        }
    }
}
