//! Which rows were never used: a bit each, and a bit for each word that has one.
//!
//! Risk thread. Invariants: a row that was taken is never vacant again; a bit of `groups` is set exactly
//! while its word of `rows` is not 0. Nothing here is touched by an order whose position stands already.

extern crate alloc;

use alloc::boxed::Box;

/// The rows never used.
#[derive(Debug)]
pub(super) struct Vacant {
    rows: Box<[u64]>,
    groups: Box<[u64]>,
}

impl Vacant {
    /// All of them.
    pub(super) fn new(rows: usize) -> Self {
        let words = rows.div_ceil(64);
        Self {
            rows: ones(rows, words),
            groups: ones(words, words.div_ceil(64)),
        }
    }

    pub(super) fn is_vacant(&self, row: u32) -> bool {
        self.rows[row as usize / 64] >> (row % 64) & 1 == 1
    }

    /// Takes a row.
    ///
    /// # Panics
    /// If it was taken before.
    pub(super) fn take(&mut self, row: u32) {
        assert!(self.is_vacant(row), "a row is taken once");
        let word = row as usize / 64;
        self.rows[word] &= !(1 << (row % 64));
        if self.rows[word] == 0 {
            self.groups[word / 64] &= !(1 << (word % 64));
        }
    }

    /// The first vacant row from this one on, or else from the beginning.
    pub(super) fn near(&self, row: u32) -> Option<u32> {
        let word = row as usize / 64;
        let here = self.rows[word] & u64::MAX << (row % 64);
        if here != 0 {
            return Some(word as u32 * 64 + here.trailing_zeros());
        }
        let group = (word + 1) / 64;
        let behind = self
            .groups
            .get(group)
            .map_or(0, |groups| groups & u64::MAX << ((word + 1) % 64));
        let found = if behind == 0 {
            let others = (group + 1..self.groups.len()).chain(0..self.groups.len());
            let mut others = others.map(|group| (group, self.groups[group]));
            others.find(|(_, groups)| *groups != 0)?
        } else {
            (group, behind)
        };
        let word = found.0 * 64 + found.1.trailing_zeros() as usize;
        Some(word as u32 * 64 + self.rows[word].trailing_zeros())
    }

    /// The first row from this one on that was taken, of so many.
    pub(super) fn next_taken(&self, from: u32, rows: usize) -> Option<u32> {
        let mut mask = u64::MAX << (from % 64);
        for word in from as usize / 64..self.rows.len() {
            let taken = !self.rows[word] & mask;
            if taken != 0 {
                let row = word as u32 * 64 + taken.trailing_zeros();
                return ((row as usize) < rows).then_some(row);
            }
            mask = u64::MAX;
        }
        None
    }
}

/// So many words, the first `len` bits of them set.
fn ones(len: usize, words: usize) -> Box<[u64]> {
    let mut all = alloc::vec![u64::MAX; words].into_boxed_slice();
    if !len.is_multiple_of(64)
        && let Some(last) = all.last_mut()
    {
        *last = (1 << (len % 64)) - 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn agrees_with_a_set() {
        for rows in [1_u32, 63, 64, 65, 4_096, 4_097, 9_000] {
            let mut vacant = Vacant::new(rows as usize);
            let mut set: BTreeSet<u32> = (0..rows).collect();
            let mut taken = BTreeSet::new();
            let mut state = 3_u32;
            while !set.is_empty() {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let from = (state >> 8) % rows;
                let first = set.range(from..).next().or(set.first()).copied();
                assert_eq!(vacant.near(from), first, "{rows} rows, from {from}");
                let row = first.expect("the set is not empty");
                assert!(vacant.is_vacant(row));
                vacant.take(row);
                assert!(!vacant.is_vacant(row));
                set.remove(&row);
                taken.insert(row);
                let next = taken.range(from..).next().copied();
                assert_eq!(vacant.next_taken(from, rows as usize), next);
            }
            assert_eq!(vacant.near(0), None);
        }
    }
}
