//! A fixed open-addressing table from 64-bit keys to 64-bit values.
//!
//! Risk thread. Linear probing at a load of at most one half, deletion by shifting back, so that no
//! tombstones gather over a day. Neighbouring keys share a line. Invariants: never grows; every key is
//! found within its unbroken run; [`EMPTY`] is never a key. Iteration order is never used for a
//! decision.

extern crate alloc;

use alloc::boxed::Box;

/// The mark of an empty slot.
const EMPTY: u64 = u64::MAX;

/// Entries in a cache line.
const LINE_ENTRIES: usize = 1 << LINE_BITS;
const LINE_BITS: u32 = 2;

#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Entry {
    key: u64,
    value: u64,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([Entry; LINE_ENTRIES]);

/// The table.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    lines: Box<[Line]>,
    /// Of a 64-bit product, to leave the number of a line.
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
            lines: alloc::vec![Line([empty; LINE_ENTRIES]); slots / LINE_ENTRIES]
                .into_boxed_slice(),
            shift: 64 - (slots.trailing_zeros() - LINE_BITS),
            len: 0,
            len_max,
        }
    }

    /// Where the search for a key begins, and nearly always ends.
    #[inline(always)]
    pub(crate) fn home_of(&self, key: u64) -> &u64 {
        &self.entry(self.home(key)).key
    }

    /// The value of a key.
    #[inline(always)]
    pub(crate) fn find(&self, key: u64) -> Option<u64> {
        let home = self.home(key);
        let entry = self.entry(home);
        if entry.key == key {
            return Some(entry.value);
        }
        if entry.key == EMPTY {
            return None;
        }
        self.find_beyond(home, key)
    }

    /// The value of a key that others stand in the way of.
    #[inline(never)]
    fn find_beyond(&self, home: usize, key: u64) -> Option<u64> {
        let slot = self.slot_from(home, key)?;
        Some(self.entry(slot).value)
    }

    /// Puts a new key in.
    ///
    /// # Panics
    /// If the table is full, the key is the empty mark, or the key is there already: callers look
    /// first.
    #[inline(always)]
    pub(crate) fn insert(&mut self, key: u64, value: u64) {
        assert!(self.len < self.len_max, "key index overfilled");
        assert!(key != EMPTY, "the empty mark is no key");
        self.len += 1;
        let home = self.home(key);
        let entry = self.entry_mut(home);
        if entry.key == EMPTY {
            *entry = Entry { key, value };
            return;
        }
        self.insert_beyond(home, key, value);
    }

    /// Puts a new key in that others stand in the way of.
    #[inline(never)]
    fn insert_beyond(&mut self, home: usize, key: u64, value: u64) {
        let mask = self.mask();
        let mut slot = home;
        while self.entry(slot).key != EMPTY {
            assert!(self.entry(slot).key != key, "key inserted twice");
            slot = (slot + 1) & mask;
        }
        *self.entry_mut(slot) = Entry { key, value };
    }

    /// Takes a key out; nothing happens if it is not there.
    pub(crate) fn remove(&mut self, key: u64) {
        let Some(mut hole) = self.slot_of(key) else {
            return;
        };
        let mask = self.mask();
        let mut slot = hole;
        loop {
            slot = (slot + 1) & mask;
            let entry = *self.entry(slot);
            if entry.key == EMPTY {
                break;
            }
            // An entry may move into the hole only if that is not before its home.
            let home = self.home(entry.key);
            if (slot.wrapping_sub(home) & mask) >= (slot.wrapping_sub(hole) & mask) {
                *self.entry_mut(hole) = entry;
                hole = slot;
            }
        }
        self.entry_mut(hole).key = EMPTY;
        self.len -= 1;
    }

    #[inline(always)]
    fn entry(&self, slot: usize) -> &Entry {
        &self.lines[slot >> LINE_BITS].0[slot % LINE_ENTRIES]
    }

    #[inline(always)]
    fn entry_mut(&mut self, slot: usize) -> &mut Entry {
        &mut self.lines[slot >> LINE_BITS].0[slot % LINE_ENTRIES]
    }

    /// Slots are a power of two.
    #[inline(always)]
    const fn mask(&self) -> usize {
        self.lines.len() * LINE_ENTRIES - 1
    }

    /// Keys that differ in their last bits alone have their homes side by side in one line: a session's
    /// numbers, or an account's instruments. Which line: multiplication by an odd constant near 2^64 over
    /// the golden ratio, of which the top bits count.
    #[inline(always)]
    fn home(&self, key: u64) -> usize {
        let line = (key >> LINE_BITS).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (self.shift & 63);
        (line << LINE_BITS | key & (LINE_ENTRIES as u64 - 1)) as usize
    }

    fn slot_of(&self, key: u64) -> Option<usize> {
        self.slot_from(self.home(key), key)
    }

    #[inline(always)]
    fn slot_from(&self, home: usize, key: u64) -> Option<usize> {
        let mask = self.mask();
        let mut slot = home;
        loop {
            let found = self.entry(slot).key;
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
