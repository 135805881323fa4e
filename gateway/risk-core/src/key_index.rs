//! A fixed open-addressing table from 64-bit keys to 64-bit values.
//!
//! Risk thread. Linear probing at a load of at most one half, deletion by shifting back, so that no
//! tombstones gather over a day. Invariants: never grows; every key is found within its unbroken
//! run; [`EMPTY`] is never a key. Iteration order is never used for a decision.

extern crate alloc;

use alloc::boxed::Box;

/// The mark of an empty slot.
const EMPTY: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
struct Entry {
    key: u64,
    value: u64,
}

/// The table.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    entries: Box<[Entry]>,
    shift: u32,
    len: usize,
    len_max: usize,
}

impl KeyIndex {
    /// A table with room for `len_max` keys.
    pub(crate) fn new(len_max: usize) -> Self {
        let slots = (len_max.max(8) * 2).next_power_of_two();
        let empty = Entry {
            key: EMPTY,
            value: 0,
        };
        Self {
            entries: alloc::vec![empty; slots].into_boxed_slice(),
            shift: 64 - slots.trailing_zeros(),
            len: 0,
            len_max,
        }
    }

    /// Where the search for a key begins, and nearly always ends.
    #[inline(always)]
    pub(crate) fn home_of(&self, key: u64) -> &u64 {
        &self.entries[self.home(key)].key
    }

    /// The value of a key.
    #[inline]
    pub(crate) fn find(&self, key: u64) -> Option<u64> {
        let entry = &self.entries[self.slot_of(key)?];
        Some(entry.value)
    }

    /// Puts a new key in.
    ///
    /// # Panics
    /// If the table is full, the key is the empty mark, or the key is there already: callers look
    /// first.
    pub(crate) fn insert(&mut self, key: u64, value: u64) {
        assert!(self.len < self.len_max, "key index overfilled");
        assert!(key != EMPTY, "the empty mark is no key");
        let mask = self.entries.len() - 1;
        let mut slot = self.home(key);
        while self.entries[slot].key != EMPTY {
            assert!(self.entries[slot].key != key, "key inserted twice");
            slot = (slot + 1) & mask;
        }
        self.entries[slot] = Entry { key, value };
        self.len += 1;
    }

    /// Takes a key out; nothing happens if it is not there.
    pub(crate) fn remove(&mut self, key: u64) {
        let Some(mut hole) = self.slot_of(key) else {
            return;
        };
        let mask = self.entries.len() - 1;
        let mut slot = hole;
        loop {
            slot = (slot + 1) & mask;
            let entry = self.entries[slot];
            if entry.key == EMPTY {
                break;
            }
            // An entry may move into the hole only if that is not before its home.
            let home = self.home(entry.key);
            if (slot.wrapping_sub(home) & mask) >= (slot.wrapping_sub(hole) & mask) {
                self.entries[hole] = entry;
                hole = slot;
            }
        }
        self.entries[hole].key = EMPTY;
        self.len -= 1;
    }

    /// Multiplication by an odd constant near 2^64 over the golden ratio; the top bits are the slot.
    #[inline]
    fn home(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }

    #[inline]
    fn slot_of(&self, key: u64) -> Option<usize> {
        let mask = self.entries.len() - 1;
        let mut slot = self.home(key);
        loop {
            let found = self.entries[slot].key;
            if found == key {
                return Some(slot);
            }
            if found == EMPTY {
                return None;
            }
            slot = (slot + 1) & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Random inserts and removals beside a map, with keys that collide on purpose.
    #[test]
    fn agrees_with_a_map() {
        let mut index = KeyIndex::new(64);
        let mut map = BTreeMap::new();
        let mut state = 7_u64;
        for step in 0..20_000_u64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(step | 1);
            let key = (state >> 40) % 96;
            if map.remove(&key).is_some() {
                index.remove(key);
            } else if map.len() < 64 {
                map.insert(key, step);
                index.insert(key, step);
            }
            for probe in 0..96 {
                assert_eq!(index.find(probe), map.get(&probe).copied(), "step {step}");
            }
        }
    }
}
