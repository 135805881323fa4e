//! Drift as words.
//!
//! Risk thread for saving. It is a cache, and yet saved: what it proves decides which accounts are valued,
//! and a valuation takes part in settlements, which the hash of the state shows. A level's share follows
//! from how far prices moved in it.

use super::{Base, Bases, Drift, LEVELS, Level, MOVED_MAX_PPB, Quote, share_of};
use crate::saved::{Read, Words};

/// More beginnings than any log has.
const CLOCK_MAX: u64 = 1 << 62;

impl Bases {
    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        for base in self.0.iter().flatten() {
            push(base.began);
            push(base.quote.price as u64);
            push(base.quote.scale_ppm.into());
        }
    }

    pub(crate) fn load(words: &mut Words<'_>) -> Read<Self> {
        let mut bases = Self::NONE;
        for base in bases.0.iter_mut().flatten() {
            *base = Base::load(words)?;
        }
        Ok(bases)
    }
}

impl Base {
    fn load(words: &mut Words<'_>) -> Read<Self> {
        let began = words.word()?;
        let price = words.amount(i64::MAX, "a base below nothing")?;
        // Distances from a base are parts of it.
        words.must(price > 0 || began == 0, "a base of nothing")?;
        let scale_ppm = words.at_most(1_000_000, "a margin scale over one")? as u32;
        let quote = Quote { price, scale_ppm };
        Ok(Self { began, quote })
    }
}

impl Drift {
    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        push(self.clock);
        push(self.excepted);
        push(self.excepted_at);
        for (scope, moved_ppb) in self.scopes.iter().zip(&self.moved_ppb) {
            push(scope.fresh_until_ns);
            for (level, moved_ppb) in scope.levels.iter().zip(moved_ppb) {
                push(level.began);
                push(*moved_ppb);
            }
        }
        self.looked_ns.iter().for_each(|at_ns| push(*at_ns));
        self.watched.iter().for_each(|until_ns| push(*until_ns));
    }

    pub(crate) fn load(&mut self, words: &mut Words<'_>) -> Read<()> {
        self.clock = words.word()?;
        words.must(self.clock <= CLOCK_MAX, "more levels begun than can be")?;
        self.excepted = words.word()?;
        self.excepted_at = words.word()?;
        let numbered = (1..=self.clock).contains(&self.excepted_at);
        words.must(numbered, "a group excepted at no time")?;
        for (scope, moved_ppb) in self.scopes.iter_mut().zip(&mut self.moved_ppb) {
            scope.fresh_until_ns = words.word()?;
            for level in 0..LEVELS {
                let began = words.word()?;
                let numbered = (1..=self.clock).contains(&began);
                words.must(numbered, "a level begun at no time")?;
                let moved = words.word()?;
                words.must(moved <= MOVED_MAX_PPB[level], "a level that is over")?;
                moved_ppb[level] = moved;
                let share = share_of(moved);
                scope.levels[level] = Level { began, share };
            }
        }
        for at_ns in self.looked_ns.iter_mut().chain(&mut self.watched) {
            *at_ns = words.word()?;
        }
        Ok(())
    }
}
