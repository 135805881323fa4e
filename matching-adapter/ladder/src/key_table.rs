//! Finds a live order by its key: open addressing, linear probing, fixed size.
//!
//! Owned by the ladder's thread. Invariants: at most half full, so a probe always meets an empty
//! cell; no tombstones (a removal closes the gap), so it does not age; lookups do not depend on the
//! order of insertion. It must never grow.
//!
//! Others choose the numbers, so where a key lies follows from a secret as well: see [`HashSeed`].

use portcullis_domain::{HashSeed, OrderKey};

/// No slot.
const EMPTY: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Cell {
    key: u64,
    slot: u32,
}

pub(crate) struct KeyTable {
    cells: Box<[Cell]>,
    seed: HashSeed,
    shift: u32,
}

impl KeyTable {
    pub(crate) fn new(keys_max: u32, seed: HashSeed) -> Self {
        let cells = (keys_max as usize * 2).next_power_of_two();
        let empty = Cell {
            key: 0,
            slot: EMPTY,
        };
        Self {
            cells: vec![empty; cells].into_boxed_slice(),
            seed,
            shift: 64 - cells.trailing_zeros(),
        }
    }

    pub(crate) fn find(&self, key: OrderKey) -> Option<u32> {
        let cell = self.cells[self.position(key.raw())];
        (cell.slot != EMPTY).then_some(cell.slot)
    }

    /// The key must not be in the table.
    pub(crate) fn insert(&mut self, key: OrderKey, slot: u32) {
        let at = self.position(key.raw());
        assert!(self.cells[at].slot == EMPTY, "a live order has this key");
        self.cells[at] = Cell {
            key: key.raw(),
            slot,
        };
    }

    /// The key must be in the table.
    pub(crate) fn remove(&mut self, key: OrderKey) {
        let mask = self.cells.len() - 1;
        let mut hole = self.position(key.raw());
        assert!(self.cells[hole].slot != EMPTY, "no live order has this key");
        let mut probe = hole;
        loop {
            probe = (probe + 1) & mask;
            let cell = self.cells[probe];
            if cell.slot == EMPTY {
                break;
            }
            // A cell may move back to the hole if that is not before its home.
            let from_home = probe.wrapping_sub(self.home(cell.key)) & mask;
            if from_home >= probe.wrapping_sub(hole) & mask {
                self.cells[hole] = cell;
                hole = probe;
            }
        }
        self.cells[hole].slot = EMPTY;
    }

    /// Where the key is, or the empty cell where it would go.
    fn position(&self, key: u64) -> usize {
        let mask = self.cells.len() - 1;
        let mut at = self.home(key);
        while self.cells[at].slot != EMPTY && self.cells[at].key != key {
            at = (at + 1) & mask;
        }
        at
    }

    fn home(&self, key: u64) -> usize {
        (self.seed.scatter(key) >> self.shift) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{SessionId, UserRef};
    use std::collections::BTreeMap;

    #[test]
    fn agrees_with_a_map_when_half_full_and_churning() {
        let mut table = KeyTable::new(32, HashSeed::FIXED);
        let mut map: BTreeMap<OrderKey, u32> = BTreeMap::new();
        let mut state = 7_u64;
        for step in 0..50_000_u32 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let number = (state >> 33) as u32 % 96;
            let key = OrderKey::new(SessionId::new(number % 3), UserRef::new(number));
            if map.remove(&key).is_some() {
                table.remove(key);
            } else if map.len() < 32 {
                map.insert(key, step);
                table.insert(key, step);
            }
            assert_eq!(table.find(key), map.get(&key).copied());
        }
        assert!(
            map.iter()
                .all(|(key, slot)| table.find(*key) == Some(*slot))
        );
    }

    /// The most cells that one of the keys is behind its home.
    fn furthest(room: u32, seed: HashSeed, keys: &[OrderKey]) -> usize {
        let mut table = KeyTable::new(room, seed);
        let mask = table.cells.len() - 1;
        keys.iter().for_each(|key| table.insert(*key, 0));
        let behind = |key: &OrderKey| {
            let at = table.position(key.raw());
            at.wrapping_sub(table.home(key.raw())) & mask
        };
        keys.iter().map(behind).max().unwrap_or(0)
    }

    /// A client picks its numbers. Where it knows how they are scattered each stands behind all before it;
    /// where it does not, its picks are as good as any.
    #[test]
    fn who_does_not_know_the_seed_cannot_pick_numbers_that_lie_on_each_other() {
        const ROOM: u32 = 1_024;
        const PICKED: usize = 1_000;
        let known = HashSeed::FIXED;
        let table = KeyTable::new(ROOM, known);
        let key = |number| OrderKey::new(SessionId::new(3), UserRef::new(number));
        let home = table.home(key(1).raw());
        let picked = (1..u32::MAX).map(key);
        let picked = picked.filter(|key| table.home(key.raw()) == home);
        let picked: Vec<OrderKey> = picked.take(PICKED).collect();
        assert_eq!(furthest(ROOM, known, &picked), PICKED - 1);
        for word in 1..64_u64 {
            let words = [word, word + 64].map(|word| known.scatter(word));
            let furthest = furthest(ROOM, HashSeed::from_words(words), &picked);
            assert!(furthest < 64, "{furthest} under seed {word}");
        }
    }
}
