//! What clients' numbers name: a fixed table from order keys to 32-bit words, four numbers in a row together.
//!
//! Risk thread. A client counts its numbers up, so four that follow each other, a run, have one entry; a line
//! has two entries, and runs in a row have lines side by side. So a line that was fetched for one number
//! mostly serves the next three too, and a page the next thirty. A run has a home line; where both entries
//! of it are taken it stands in a later one, and each line counts the runs that had to pass it by.
//! Clients choose numbers, so where the lines of eight runs lie follows from a secret as well: see [`HashSeed`].
//! Invariants: never grows; a run is in its home line or behind lines that count it, and there only while a
//! number of it is named. Which entry it has is never used for a decision, nor told.

extern crate alloc;

use alloc::boxed::Box;
use core::hint::select_unpredictable;
use portcullis_domain::{HashSeed, OrderKey};

/// Numbers of a run.
const RUN: u64 = 4;

/// Runs in a row whose lines are side by side.
const BLOCK: u64 = 8;

/// How much further on the next line is that a run may stand in: beyond those of its block, which are
/// likely to be as full. Odd, so that it leads to every line there is.
const STEP: usize = BLOCK as usize + 1;

/// Entries of a line.
const ENTRIES: usize = 2;

/// The mark of a free entry: no run has it.
const FREE: u64 = u64::MAX;

/// What a number names that is not there.
const NOTHING: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line {
    runs: [u64; ENTRIES],
    /// By entry, what each number of its run names.
    named: [[u32; RUN as usize]; ENTRIES],
    /// Runs that stand further on since there was no entry free.
    passed: u32,
}

impl Line {
    const EMPTY: Self = Self {
        runs: [FREE; ENTRIES],
        named: [[NOTHING; RUN as usize]; ENTRIES],
        passed: 0,
    };

    /// The entry of this run, if it has one; else either.
    #[inline(always)]
    const fn entry(&self, run: u64) -> usize {
        (self.runs[1] == run) as usize
    }

    /// The entry of this run, or else one that is free, or else either: without a branch, since one number in four
    /// begins a run.
    #[inline(always)]
    const fn entry_or_free(&self, run: u64) -> usize {
        let [first, second] = self.runs;
        ((second == run) | ((first != run) & (first != FREE))) as usize
    }

    /// Forgets what a number names, and its run if that was the last. Says whether it was.
    #[inline(always)]
    fn clear(&mut self, entry: usize, number: usize) -> bool {
        let named = &mut self.named[entry];
        // Looked at before it is written: a read of what parts of it were just written to would wait for these.
        let last = named[number ^ 1] & named[number ^ 2] & named[number ^ 3] == NOTHING;
        named[number] = NOTHING;
        self.runs[entry] = select_unpredictable(last, FREE, self.runs[entry]);
        last
    }
}

/// The table.
#[derive(Debug)]
pub(super) struct Numbers {
    lines: Box<[Line]>,
    seed: HashSeed,
    /// Of a scattered block, to leave the number of a line.
    shift: u32,
    /// Lines that the run which had to go furthest passed by.
    passed_max: u32,
}

/// The line in which the search for a number begins. Who will need a number again may keep it, to fetch the line
/// without working out anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Home(u32);

impl Home {
    /// The home of no number in particular.
    pub(super) const FIRST: Self = Self(0);
}

/// The run that a key's number is in, and which of it.
#[inline(always)]
const fn split(key: OrderKey) -> (u64, usize) {
    (key.raw() / RUN, (key.raw() % RUN) as usize)
}

impl Numbers {
    /// A table with room for `len_max` numbers, be each in a run of its own: then three quarters of the entries
    /// are taken. Clients that count their numbers up take a quarter of that.
    pub(super) fn new(len_max: usize, seed: HashSeed) -> Self {
        let entries = len_max + len_max.div_ceil(3);
        let lines = entries
            .div_ceil(ENTRIES)
            .max(BLOCK as usize)
            .next_power_of_two();
        assert!(lines <= 1 << 30, "a home is a word of 32 bits");
        Self {
            lines: alloc::vec![Line::EMPTY; lines].into_boxed_slice(),
            seed,
            shift: 64 - lines.trailing_zeros(),
            passed_max: 0,
        }
    }

    /// Lines that the run which ever had to go furthest passed by: a few, unless somebody knows the seed.
    pub(super) const fn passed_max(&self) -> u32 {
        self.passed_max
    }

    /// Where the search for a number begins, and nearly always ends.
    #[inline(always)]
    pub(super) const fn home(&self, key: OrderKey) -> Home {
        let (run, _) = split(key);
        let scattered = self.seed.scatter(run / BLOCK) >> (self.shift & 63);
        Home((scattered ^ (run % BLOCK)) as u32)
    }

    /// A word of the line that a home is.
    #[inline(always)]
    pub(super) fn at(&self, home: Home) -> &u64 {
        &self.lines[home.0 as usize].runs[0]
    }

    /// What a number names.
    #[inline(always)]
    pub(super) fn find(&self, key: OrderKey) -> Option<u32> {
        let (run, number) = split(key);
        let home = self.home(key);
        let line = &self.lines[home.0 as usize];
        let entry = line.entry(run);
        let named = match line.runs[entry] == run {
            true => line.named[entry][number],
            false => self.find_beyond(home, key),
        };
        (named != NOTHING).then_some(named)
    }

    /// The same of a number whose run is not in its home line.
    #[inline(never)]
    fn find_beyond(&self, home: Home, key: OrderKey) -> u32 {
        let (run, number) = split(key);
        self.search(home, run).map_or(NOTHING, |(line, entry)| {
            self.lines[line].named[entry][number]
        })
    }

    /// Lets a number name something, whatever it named before.
    ///
    /// # Panics
    /// If there is no entry free.
    #[inline(always)]
    pub(super) fn put(&mut self, key: OrderKey, named: u32) {
        debug_assert!(named != NOTHING, "the mark of nothing is no name");
        let (run, number) = split(key);
        let home = self.home(key);
        let line = &mut self.lines[home.0 as usize];
        let entry = line.entry_or_free(run);
        let is = line.runs[entry];
        // A line that none had to pass tells by itself whether the run is there. One branch for both, since
        // one number in four begins a run.
        let elsewhere = select_unpredictable(is == FREE, u64::from(line.passed), is ^ run);
        if elsewhere == 0 {
            line.runs[entry] = run;
            line.named[entry][number] = named;
            return;
        }
        self.put_beyond(home, key, named);
    }

    /// The same of a number whose run is not in its home line, or has no room there.
    #[inline(never)]
    fn put_beyond(&mut self, home: Home, key: OrderKey, named: u32) {
        let (run, number) = split(key);
        if let Some((line, entry)) = self.search(home, run) {
            self.lines[line].named[entry][number] = named;
            return;
        }
        let mut at = home.0 as usize;
        for passed in 0..self.lines.len() as u32 {
            let line = &mut self.lines[at];
            if let Some(entry) = line.runs.iter().position(|run| *run == FREE) {
                line.runs[entry] = run;
                line.named[entry][number] = named;
                self.passed_max = self.passed_max.max(passed);
                return;
            }
            line.passed += 1;
            at = self.after(at);
        }
        panic!("numbers overfilled");
    }

    /// Forgets a number; nothing happens if it names nothing.
    pub(super) fn remove(&mut self, key: OrderKey) {
        self.remove_from(self.home(key), key);
    }

    /// The same of a number whose home is known.
    #[inline(always)]
    pub(super) fn remove_from(&mut self, home: Home, key: OrderKey) {
        debug_assert_eq!(home, self.home(key), "a home is that of its number");
        let (run, number) = split(key);
        let line = &mut self.lines[home.0 as usize];
        let entry = line.entry(run);
        if line.runs[entry] == run {
            line.clear(entry, number);
            return;
        }
        self.remove_beyond(home, key);
    }

    /// The same of a number whose run is not in its home line.
    #[inline(never)]
    fn remove_beyond(&mut self, home: Home, key: OrderKey) {
        let (run, number) = split(key);
        let Some((found, entry)) = self.search(home, run) else {
            return;
        };
        if !self.lines[found].clear(entry, number) {
            return;
        }
        let mut line = home.0 as usize;
        while line != found {
            self.lines[line].passed -= 1;
            line = self.after(line);
        }
    }

    /// Line and entry of a run.
    fn search(&self, home: Home, run: u64) -> Option<(usize, usize)> {
        let mut at = home.0 as usize;
        // Once around at the most: in theory each line may count runs that passed it.
        for _ in 0..self.lines.len() {
            let line = &self.lines[at];
            if let Some(entry) = line.runs.iter().position(|is| *is == run) {
                return Some((at, entry));
            }
            if line.passed == 0 {
                return None;
            }
            at = self.after(at);
        }
        None
    }

    /// The next line that a run may stand in: lines are a power of two.
    #[inline(always)]
    const fn after(&self, line: usize) -> usize {
        (line + STEP) & (self.lines.len() - 1)
    }
}

#[cfg(test)]
mod tests;
