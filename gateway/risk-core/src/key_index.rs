//! A fixed table from 64-bit keys to 64-bit values, four of them a cache line.
//!
//! Risk thread. A key has a home: a line, and a place in it. It stands at home where that is free, else
//! in another place of the line, else in the next line that has one; each line counts the keys that had
//! to pass it by, so that taking a key out moves no other and leaves no mark that gathers over a day.
//! At most half of the places are taken: the more are, the more keys find theirs taken. Neighbouring keys share a line. Invariants: never grows; a
//! key is found in its home line or behind lines that count it; [`EMPTY`] is never a key. Which place a
//! key has is never used for a decision.

extern crate alloc;

use alloc::boxed::Box;

/// The mark of a free place.
const EMPTY: u64 = u64::MAX;

/// Entries in a line.
const LINE_ENTRIES: usize = 4;

/// Neighbouring keys that stand side by side. Were it all four of a line, every line that is taken
/// would be full, and a key that finds its home taken would have to go to another line.
const NEIGHBOURS: u64 = 2;

#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Entry {
    key: u64,
    value: u64,
}

impl Entry {
    const FREE: Self = Self {
        key: EMPTY,
        value: 0,
    };
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([Entry; LINE_ENTRIES]);

impl Line {
    fn place_of(&self, key: u64) -> Option<usize> {
        self.0.iter().position(|entry| entry.key == key)
    }
}

/// The table.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    lines: Box<[Line]>,
    /// By line: keys that stand further on since there was no place in it.
    passed: Box<[u32]>,
    /// Of a 64-bit product, to leave the number of half a line.
    shift: u32,
    len: usize,
    len_max: usize,
}

/// Where a key belongs: places counted through all lines. Who will need a key again may keep its home, to
/// fetch its line without working out anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home(u32);

impl Home {
    /// The home of no key in particular.
    pub(crate) const FIRST: Self = Self(0);

    #[inline(always)]
    const fn line(self) -> usize {
        self.0 as usize / LINE_ENTRIES
    }

    #[inline(always)]
    const fn place(self) -> usize {
        self.0 as usize % LINE_ENTRIES
    }
}

const _: () = assert!(
    LINE_ENTRIES as u64 == 2 * NEIGHBOURS,
    "a line has two halves"
);

impl KeyIndex {
    /// A table with room for `len_max` keys.
    pub(crate) fn new(len_max: usize) -> Self {
        let places = len_max.max(8) * 2;
        let lines = places.div_ceil(LINE_ENTRIES).next_power_of_two();
        assert!(lines <= 1 << 30, "a home is a word of 32 bits");
        Self {
            lines: alloc::vec![Line([Entry::FREE; LINE_ENTRIES]); lines].into_boxed_slice(),
            passed: alloc::vec![0; lines].into_boxed_slice(),
            shift: 63 - lines.trailing_zeros(),
            len: 0,
            len_max,
        }
    }

    /// Where the search for a key begins, and nearly always ends.
    #[inline(always)]
    pub(crate) fn home_of(&self, key: u64) -> &u64 {
        self.at(self.home(key))
    }

    /// A word of the line that a home is in.
    #[inline(always)]
    pub(crate) fn at(&self, home: Home) -> &u64 {
        &self.lines[home.line()].0[home.place()].key
    }

    /// The value of a key.
    #[inline(always)]
    pub(crate) fn find(&self, key: u64) -> Option<u64> {
        let home = self.home(key);
        let entry = &self.lines[home.line()].0[home.place()];
        if entry.key == key {
            return Some(entry.value);
        }
        self.find_beyond(home.line(), key)
    }

    /// The value of a key that does not stand at home.
    #[inline(never)]
    fn find_beyond(&self, line: usize, key: u64) -> Option<u64> {
        let (line, place) = self.search(line, key)?;
        Some(self.lines[line].0[place].value)
    }

    /// Puts a key in, or gives one that is there another value: the one it had then.
    ///
    /// # Panics
    /// As [`KeyIndex::insert`].
    #[inline(always)]
    pub(crate) fn put(&mut self, key: u64, value: u64) -> Option<u64> {
        let home = self.home(key);
        let line = &self.lines[home.line()];
        // A line that none had to pass tells by itself whether the key is there.
        let there = line
            .0
            .iter()
            .fold(false, |there, entry| there | (entry.key == key));
        if there || self.passed[home.line()] != 0 {
            return self.put_beyond(home.line(), key, value);
        }
        self.insert(key, value);
        None
    }

    /// The same of a key that is there, or may be.
    #[inline(never)]
    fn put_beyond(&mut self, line: usize, key: u64, value: u64) -> Option<u64> {
        if let Some((line, place)) = self.search(line, key) {
            let entry = &mut self.lines[line].0[place];
            return Some(core::mem::replace(&mut entry.value, value));
        }
        self.insert(key, value);
        None
    }

    /// Puts a new key in, which the caller has looked for before.
    ///
    /// # Panics
    /// If the table is full, or the key is the empty mark.
    #[inline(always)]
    pub(crate) fn insert(&mut self, key: u64, value: u64) {
        assert!(self.len < self.len_max, "key index overfilled");
        assert!(key != EMPTY, "the empty mark is no key");
        self.len += 1;
        let home = self.home(key);
        let entry = &mut self.lines[home.line()].0[home.place()];
        if entry.key == EMPTY {
            *entry = Entry { key, value };
            return;
        }
        self.insert_beyond(home.line(), key, value);
    }

    /// Puts a new key in whose place is taken.
    #[inline(never)]
    fn insert_beyond(&mut self, mut line: usize, key: u64, value: u64) {
        loop {
            if let Some(place) = self.lines[line].place_of(EMPTY) {
                self.lines[line].0[place] = Entry { key, value };
                return;
            }
            self.passed[line] += 1;
            line = self.after(line);
        }
    }

    /// Takes a key out; nothing happens if it is not there.
    #[inline(always)]
    pub(crate) fn remove(&mut self, key: u64) {
        self.remove_from(self.home(key), key);
    }

    /// The same of a key whose home is known.
    #[inline(always)]
    pub(crate) fn remove_from(&mut self, home: Home, key: u64) {
        debug_assert_eq!(home, self.home(key), "a home is that of its key");
        let entry = &mut self.lines[home.line()].0[home.place()];
        if entry.key == key {
            entry.key = EMPTY;
            self.len -= 1;
            return;
        }
        self.remove_beyond(home.line(), key);
    }

    /// Takes out a key that does not stand at home.
    #[inline(never)]
    fn remove_beyond(&mut self, home: usize, key: u64) {
        let Some((found, place)) = self.search(home, key) else {
            return;
        };
        self.lines[found].0[place].key = EMPTY;
        self.len -= 1;
        let mut line = home;
        while line != found {
            self.passed[line] -= 1;
            line = self.after(line);
        }
    }

    /// Line and place of a key whose home is in `line`.
    fn search(&self, mut line: usize, key: u64) -> Option<(usize, usize)> {
        // Once around at the most: in theory each line may count keys that passed it.
        for _ in 0..self.lines.len() {
            if let Some(place) = self.lines[line].place_of(key) {
                return Some((line, place));
            }
            if self.passed[line] == 0 {
                return None;
            }
            line = self.after(line);
        }
        None
    }

    /// The next line, the first after the last: they are a power of two.
    #[inline(always)]
    const fn after(&self, line: usize) -> usize {
        (line + 1) & (self.lines.len() - 1)
    }

    /// Two keys that differ in their last bit alone have their homes side by side: two numbers of a session,
    /// or two instruments of an account. Where: multiplication by an odd constant near 2^64 over the
    /// golden ratio, of which the top bits are the line and which half of it.
    #[inline(always)]
    pub(crate) const fn home(&self, key: u64) -> Home {
        let product = (key / NEIGHBOURS).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let first = (product >> (self.shift & 63)) << NEIGHBOURS.trailing_zeros();
        Home((first | (key % NEIGHBOURS)) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Random inserts and removals beside a map, with keys that collide on purpose: all of some
    /// lines, one of each line, and such as share a place.
    #[test]
    fn agrees_with_a_map() {
        let mut collided = false;
        for stride in [1, 4, 1 << 40] {
            let mut index = KeyIndex::new(64);
            let mut map = BTreeMap::new();
            let mut state = 7_u64;
            for step in 0..20_000_u64 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(step | 1);
                let key = (state >> 40) % 96 * stride;
                if state & 3 == 0 && (map.len() < 64 || map.contains_key(&key)) {
                    assert_eq!(index.put(key, step), map.insert(key, step), "step {step}");
                } else if map.remove(&key).is_some() {
                    index.remove(key);
                } else if map.len() < 64 {
                    map.insert(key, step);
                    index.insert(key, step);
                }
                for probe in (0..96).map(|number| number * stride) {
                    assert_eq!(index.find(probe), map.get(&probe).copied(), "step {step}");
                }
                assert_eq!(index.len, map.len(), "step {step}");
                collided |= index.passed.iter().any(|passed| *passed > 0);
            }
            let keys: std::vec::Vec<u64> = map.keys().copied().collect();
            keys.iter().for_each(|key| index.remove(*key));
            assert_eq!(index.len, 0);
            assert!(index.passed.iter().all(|passed| *passed == 0), "{stride}");
        }
        assert!(collided, "a line was full when a key came");
    }

    /// However keys came and went, a key that is not there is found missing.
    #[test]
    fn a_search_ends() {
        let mut index = KeyIndex::new(8);
        index.passed.fill(1);
        assert_eq!(index.find(5), None);
    }
}
