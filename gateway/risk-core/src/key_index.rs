//! A fixed table from 64-bit keys to 64-bit values, four of them a cache line.
//!
//! Risk thread. A key has a home: a line, and a place in it. It stands at home where that is free, else
//! opposite, else in another place of the line, else in the next line that has one; each line counts the keys that had
//! to pass it by, so that taking a key out moves no other and leaves no mark that gathers over a day.
//! At most half of the places are taken: the more are, the more keys find theirs taken.
//! Others choose keys, so where they lie follows from a secret as well: see [`HashSeed`].
//! Invariants: never grows; a key is found in its home line or behind lines that count it; [`EMPTY`] is
//! never a key. Which place a key has is never used for a decision, nor told.

extern crate alloc;

use alloc::boxed::Box;
use portcullis_domain::HashSeed;

/// The mark of a free place.
const EMPTY: u64 = u64::MAX;

/// Entries in a line.
const LINE_ENTRIES: usize = 4;

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

    /// The home if this key stands there, else the place opposite, in the other half: without a branch,
    /// since as many keys stand there as places are taken.
    #[inline(always)]
    fn at_home_or_opposite(&self, home: usize, key: u64) -> usize {
        let away = usize::from(self.0[home].key != key);
        (home ^ (away * (LINE_ENTRIES / 2))) % LINE_ENTRIES
    }
}

/// The table.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    lines: Box<[Line]>,
    /// By line: keys that stand further on since there was no place in it.
    passed: Box<[u32]>,
    seed: HashSeed,
    /// Of a scattered key, to leave the number of a place.
    shift: u32,
    len: usize,
    len_max: usize,
    /// Lines that the key which had to go furthest passed by.
    passed_max: u32,
}

/// Where a key belongs: places counted through all lines.
#[derive(Clone, Copy)]
struct Home(usize);

impl Home {
    #[inline(always)]
    const fn line(self) -> usize {
        self.0 / LINE_ENTRIES
    }

    #[inline(always)]
    const fn place(self) -> usize {
        self.0 % LINE_ENTRIES
    }
}

impl KeyIndex {
    /// A table with room for `len_max` keys.
    pub(crate) fn new(len_max: usize, seed: HashSeed) -> Self {
        let places = len_max.max(8) * 2;
        let lines = places.div_ceil(LINE_ENTRIES).next_power_of_two();
        Self {
            lines: alloc::vec![Line([Entry::FREE; LINE_ENTRIES]); lines].into_boxed_slice(),
            passed: alloc::vec![0; lines].into_boxed_slice(),
            seed,
            shift: 64 - (lines * LINE_ENTRIES).trailing_zeros(),
            len: 0,
            len_max,
            passed_max: 0,
        }
    }

    /// Where the search for a key begins, and nearly always ends.
    #[inline(always)]
    pub(crate) fn home_of(&self, key: u64) -> &u64 {
        let home = self.home(key);
        &self.lines[home.line()].0[home.place()].key
    }

    /// The value of a key.
    #[inline(always)]
    pub(crate) fn find(&self, key: u64) -> Option<u64> {
        let home = self.home(key);
        let line = &self.lines[home.line()];
        let entry = &line.0[line.at_home_or_opposite(home.place(), key)];
        if entry.key == key {
            return Some(entry.value);
        }
        self.find_beyond(home.line(), key)
    }

    /// The value of a key that stands neither at home nor opposite.
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
        let line = &mut self.lines[home.line()];
        let entry = &mut line.0[line.at_home_or_opposite(home.place(), EMPTY)];
        if entry.key == EMPTY {
            *entry = Entry { key, value };
            return;
        }
        self.insert_beyond(home.line(), key, value);
    }

    /// Lines that the key which ever had to go furthest passed by: a few, unless somebody knows the seed.
    pub(crate) const fn passed_max(&self) -> u32 {
        self.passed_max
    }

    /// Puts a new key in whose places are taken.
    #[inline(never)]
    fn insert_beyond(&mut self, mut line: usize, key: u64, value: u64) {
        for passed in 0.. {
            if let Some(place) = self.lines[line].place_of(EMPTY) {
                self.lines[line].0[place] = Entry { key, value };
                self.passed_max = self.passed_max.max(passed);
                return;
            }
            self.passed[line] += 1;
            line = self.after(line);
        }
    }

    /// Takes a key out; nothing happens if it is not there.
    #[inline(always)]
    pub(crate) fn remove(&mut self, key: u64) {
        let home = self.home(key);
        let line = &mut self.lines[home.line()];
        let entry = &mut line.0[line.at_home_or_opposite(home.place(), key)];
        if entry.key == key {
            entry.key = EMPTY;
            self.len -= 1;
            return;
        }
        self.remove_beyond(home.line(), key);
    }

    /// Takes out a key that stands neither at home nor opposite.
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

    /// Where: the top bits of the scattered key are the line and the place in it.
    #[inline(always)]
    const fn home(&self, key: u64) -> Home {
        Home((self.seed.scatter(key) >> (self.shift & 63)) as usize)
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
            let mut index = KeyIndex::new(64, HashSeed::FIXED);
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
        let mut index = KeyIndex::new(8, HashSeed::FIXED);
        index.passed.fill(1);
        assert_eq!(index.find(5), None);
    }

    /// The key of an account's position in an instrument.
    fn key(account: u32, instrument: u32) -> u64 {
        u64::from(account) << 32 | u64::from(instrument)
    }

    /// Keys in order whose homes are in one line of a table that scatters by `known`.
    fn picked(known: HashSeed, room: usize, count: usize) -> std::vec::Vec<u64> {
        let index = KeyIndex::new(room, known);
        let line = index.home(key(3, 1)).line();
        let keys = (1..u32::MAX).map(|at| key(3, at));
        let mine = keys.filter(|key| index.home(*key).line() == line);
        mine.take(count).collect()
    }

    /// Lines looked at to put the keys in and to find each again.
    fn lines_walked(room: usize, seed: HashSeed, keys: &[u64]) -> (usize, u32) {
        let mut index = KeyIndex::new(room, seed);
        let mut walked = 0;
        for key in keys {
            index.insert(*key, 0);
            let (line, _) = index.search(index.home(*key).line(), *key).expect("there");
            walked += 1 + (line.wrapping_sub(index.home(*key).line()) & (index.lines.len() - 1));
        }
        (walked, index.passed_max())
    }

    /// Somebody picks keys. Where they know how these are scattered each walks past all before it; where
    /// they do not, their picks are as good as any.
    #[test]
    fn who_does_not_know_the_seed_cannot_pick_keys_that_lie_on_each_other() {
        const ROOM: usize = 2_048;
        const PICKED: usize = 1_000;
        let known = HashSeed::FIXED;
        let keys = picked(known, ROOM, PICKED);
        assert_eq!(keys.len(), PICKED);
        let (walked, furthest) = lines_walked(ROOM, known, &keys);
        assert_eq!(furthest as usize, PICKED / LINE_ENTRIES - 1);
        assert!(walked > PICKED * PICKED / LINE_ENTRIES / 2, "{walked}");
        for word in 1..64_u64 {
            let words = [word, word + 64].map(|word| known.scatter(word));
            let (walked, furthest) = lines_walked(ROOM, HashSeed::from_words(words), &keys);
            assert!(walked < 2 * PICKED, "{walked} under seed {word}");
            assert!(furthest < 16, "{furthest} under seed {word}");
        }
    }

    /// Keys at even distances, which one product alone would put at even distances again: under some seeds
    /// on top of each other.
    #[test]
    fn keys_at_even_distances_lie_as_any_others() {
        const ROOM: usize = 8_192;
        let step = |at: u32, step: u32| key(3, at.wrapping_mul(step));
        for distance in [
            2_u32,
            3,
            64,
            1_000,
            4_096,
            65_536,
            0x9E37_79B1,
            1_640_531_527,
        ] {
            let keys: std::collections::BTreeSet<u64> =
                (1..=4_096).map(|at| step(at, distance)).collect();
            let keys: std::vec::Vec<u64> = keys.into_iter().collect();
            for word in 1..64_u64 {
                let words = [word, word + 64].map(|word| HashSeed::FIXED.scatter(word));
                let (_, furthest) = lines_walked(ROOM, HashSeed::from_words(words), &keys);
                assert!(furthest < 16, "{furthest} under seed {word}, {distance}");
            }
        }
    }
}
