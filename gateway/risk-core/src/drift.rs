//! How far reference prices have moved since accounts were valued, and until when they are fresh.
//!
//! Risk thread. Instruments form 64 groups (index modulo 64), and all of them together one more
//! scope. A scope has three levels; a level begins anew when a price of the scope is further from
//! where it stood at the level's beginning (its base) than the level lets it: a quarter, a
//! twentieth, a hundredth. All beginnings are numbered by one clock, so that whoever knows the
//! clock of a moment knows of each level whether it is still the one of that moment.
//!
//! Within a level, let no price be further from its base than the part `m` of it, the change of its
//! margin scale added. Between any two moments of the level, at prices P1 and P2, then |P2 - P1| <=
//! 2m x base <= 2m / (1 - m) x P1, and the margin of a lot, at most P x ratio with ratio <= 1,
//! changes by at most 2m x (1 + m) x base. So what a lot in a position or on hold can cost, each
//! use of it counted, changes by at most `share` = 2m x (1 + m) / (1 - m) of its value at P1.
//! Levels stand apart: an account valued while some have begun anew can still be judged by those
//! that have not.
//!
//! Freshness: a scope is fresh until the first of its *watched* references goes stale. A reference
//! is watched from when it comes until a look at its group finds it stale; that look ends all
//! levels of the group, so that an account whose levels stand is involved in watched instruments
//! alone.
//!
//! What ends a group for another reason than a move of prices (a reference that went stale, other limits,
//! a settlement) leaves the levels of all instruments standing, but *excepts* the group from them: of an account
//! that is involved in an excepted group, and was valued before the last group was, they tell nothing. So one reference that nobody sends any more
//! does not take all other accounts' bounds. The coarsest level of all instruments, as it begins
//! anew, takes the finer ones with it, and nothing is excepted then. Invariants: no share is understated; no
//! scope is said to be fresh beyond its first watched reference.

mod saved;

extern crate alloc;

use crate::approach::LineSink;
use alloc::boxed::Box;

/// Groups of instruments: as many as a word has bits.
const GROUPS: usize = 64;

/// The scope of all instruments, after those of the groups.
const ALL: usize = GROUPS;

const LEVELS: usize = 3;

/// How far prices move within a level, in billionths; the coarsest first.
const MOVED_MAX_PPB: [u64; LEVELS] = [250_000_000, 50_000_000, 10_000_000];

/// So many groups may be excepted from the levels of all instruments; with one more these begin anew.
const EXCEPTED_MAX: u32 = 8;

/// No share: the bound proves nothing.
pub(crate) const GONE: u64 = u64::MAX;

/// An instrument that no freshness depends on.
const UNWATCHED: u64 = u64::MAX;

/// The group of an instrument, as a mask.
#[inline(always)]
pub(crate) const fn group_bit(instrument: u32) -> u64 {
    1 << (instrument as usize % GROUPS)
}

/// A price and the margin scale that came with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quote {
    pub(crate) price: i64,
    pub(crate) scale_ppm: u32,
}

/// Where an instrument stood when a level began.
#[derive(Clone, Copy, Debug)]
struct Base {
    began: u64,
    quote: Quote,
}

/// An instrument's bases, in its group and in the scope of all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bases([[Base; LEVELS]; 2]);

impl Bases {
    pub(crate) const NONE: Self = Self(
        [[Base {
            began: 0,
            quote: Quote {
                price: 0,
                scale_ppm: 0,
            },
        }; LEVELS]; 2],
    );
}

impl Base {
    /// Whether a quote is at most `known_ppb` away from here, where that can be told without dividing.
    fn is_within(&self, quote: Quote, known_ppb: u64) -> bool {
        let distance = u128::from(quote.price.abs_diff(self.quote.price)) * 1_000_000_000;
        quote.scale_ppm == self.quote.scale_ppm
            && distance <= u128::from(known_ppb) * u128::from(self.quote.price.unsigned_abs())
    }

    /// How far a quote is from here, in billionths, rounded up.
    fn moved_ppb(&self, quote: Quote) -> u64 {
        let base = self.quote.price.unsigned_abs();
        let distance = quote.price.abs_diff(self.quote.price);
        // Far moves end every level all the same, whatever their number.
        let moved = distance
            .checked_mul(1_000_000_000)
            .map_or(u64::MAX / 2, |billion_fold| billion_fold.div_ceil(base));
        let scale = u64::from(quote.scale_ppm.abs_diff(self.quote.scale_ppm));
        // A ratio is rounded up by less than one millionth at either scale.
        let scale_ppb = if scale == 0 { 0 } else { (scale + 1) * 1_000 };
        moved.saturating_add(scale_ppb)
    }
}

/// One level of a scope, as far as judging an order needs it.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// The clock when it began.
    began: u64,
    /// What drift may have taken of a value in it, in parts of 2^64.
    share: u64,
}

/// A group, or all instruments: one line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Scope {
    fresh_until_ns: u64,
    levels: [Level; LEVELS],
}

impl Scope {
    /// The least share of those levels that are those of `good_at`, if fresh.
    fn least(&self, good_at: u64, now_ns: u64) -> u64 {
        if now_ns > self.fresh_until_ns {
            return GONE;
        }
        let standing = self.levels.iter().filter(|level| level.began <= good_at);
        standing.map(|level| level.share).min().unwrap_or(GONE)
    }
}

/// What drift may take, at most, of a value in a level where prices moved so far: 2m(1 + m)/(1 - m)
/// <= 2m + 5.34m^2 up to a quarter, in parts of 2^64, rounded up.
const fn share_of(moved_ppb: u64) -> u64 {
    moved_ppb * 36_893_488_148 + moved_ppb * moved_ppb * 99
}

/// All scopes.
#[derive(Debug)]
pub(crate) struct Drift {
    clock: u64,
    /// The groups that ended while the levels of all instruments went on, and the clock when the last did,
    /// or these levels began.
    excepted: u64,
    excepted_at: u64,
    scopes: [Scope; GROUPS + 1],
    /// What the shares were computed from.
    moved_ppb: [[u64; LEVELS]; GROUPS + 1],
    /// When each group's references were last looked at.
    looked_ns: [u64; GROUPS],
    /// Until when references are fresh, instruments of a group side by side.
    watched: Box<[u64]>,
}

impl Drift {
    pub(crate) fn new(instruments_max: usize) -> Self {
        let level = Level { began: 1, share: 0 };
        let scope = Scope {
            fresh_until_ns: UNWATCHED,
            levels: [level; LEVELS],
        };
        let places = GROUPS * instruments_max.div_ceil(GROUPS);
        Self {
            clock: 1,
            excepted: 0,
            excepted_at: 1,
            scopes: [scope; GROUPS + 1],
            moved_ppb: [[0; LEVELS]; GROUPS + 1],
            looked_ns: [0; GROUPS],
            watched: alloc::vec![UNWATCHED; places].into_boxed_slice(),
        }
    }

    /// The line of all instruments.
    #[inline(always)]
    pub(crate) fn visit_lines(&self, lines: &mut impl LineSink) {
        lines.warm(&self.scopes[ALL].fresh_until_ns);
    }

    /// The clock now: of this moment, all levels stand.
    pub(crate) const fn clock(&self) -> u64 {
        self.clock
    }

    /// What drift may have taken since `good_at` of values in these groups, in parts of 2^64, by the
    /// coarsest level of all instruments; `None` where it does not tell, or some reference may be stale.
    #[inline(always)]
    pub(crate) fn share_of_all(&self, groups: u64, good_at: u64, now_ns: u64) -> Option<u64> {
        let all = &self.scopes[ALL];
        let level = &all.levels[0];
        if level.began > good_at || now_ns > all.fresh_until_ns || self.excepts(groups, good_at) {
            return None;
        }
        Some(level.share)
    }

    /// Whether the levels of all instruments tell nothing of who was valued at `good_at` and is involved in these
    /// groups.
    #[inline(always)]
    const fn excepts(&self, groups: u64, good_at: u64) -> bool {
        good_at < self.excepted_at && groups & self.excepted != 0
    }

    /// The same of values in these groups, by whichever levels tell the least.
    #[inline(never)]
    pub(crate) fn least_share(&self, groups: u64, good_at: u64, now_ns: u64) -> u64 {
        let of_all = match self.excepts(groups, good_at) {
            true => GONE,
            false => self.scopes[ALL].least(good_at, now_ns),
        };
        let (mut rest, mut most) = (groups, 0);
        while rest != 0 {
            let scope = &self.scopes[rest.trailing_zeros() as usize];
            let share = scope.least(good_at, now_ns);
            if share == GONE {
                return of_all;
            }
            most = most.max(share);
            rest &= rest - 1;
        }
        most.min(of_all)
    }

    /// An instrument's reference goes from one quote to another.
    pub(crate) fn note(&mut self, index: u32, bases: &mut Bases, before: Quote, after: Quote) {
        let group = index as usize % GROUPS;
        for (scope, bases) in [group, ALL].into_iter().zip(&mut bases.0) {
            // The coarsest last: as it begins anew, the finer ones do, of which no more is to be noted then.
            for (level, base) in bases.iter_mut().enumerate().rev() {
                let began = self.scopes[scope].levels[level].began;
                if base.began != began {
                    (base.began, base.quote) = (began, before);
                }
                let known = self.moved_ppb[scope][level];
                if base.is_within(after, known) {
                    continue;
                }
                self.note_level(scope, level, base.moved_ppb(after));
            }
        }
    }

    fn note_level(&mut self, scope: usize, level: usize, moved_ppb: u64) {
        if moved_ppb > MOVED_MAX_PPB[level] {
            match level {
                0 => self.begin_scope(scope),
                _ => self.begin_level(scope, level),
            }
        } else if moved_ppb > self.moved_ppb[scope][level] {
            self.moved_ppb[scope][level] = moved_ppb;
            self.scopes[scope].levels[level].share = share_of(moved_ppb);
        }
    }

    fn begin_level(&mut self, scope: usize, level: usize) {
        self.clock += 1;
        self.moved_ppb[scope][level] = 0;
        self.scopes[scope].levels[level] = Level {
            began: self.clock,
            share: 0,
        };
    }

    /// What was valued in an instrument's group before is valued no longer.
    pub(crate) fn begin_group_of(&mut self, index: u32) {
        self.begin_group(index as usize % GROUPS);
    }

    /// The same of every instrument.
    pub(crate) fn begin_all(&mut self) {
        (0..=ALL).for_each(|scope| self.begin_scope(scope));
    }

    /// A group begins anew, and is excepted from the levels of all instruments, which begin anew where
    /// they would tell of too few.
    fn begin_group(&mut self, group: usize) {
        self.begin_scope(group);
        self.excepted |= 1 << group;
        self.excepted_at = self.clock;
        if self.excepted.count_ones() > EXCEPTED_MAX {
            self.begin_scope(ALL);
        }
    }

    fn begin_scope(&mut self, scope: usize) {
        (0..LEVELS).for_each(|level| self.begin_level(scope, level));
        if scope == ALL {
            (self.excepted, self.excepted_at) = (0, self.clock);
        }
    }

    /// An instrument's reference is fresh until then. Looks at its group where that begins to age:
    /// well before it would be of use to nobody, and not at each reference that comes; and at those
    /// whose references have stopped coming.
    pub(crate) fn watch(&mut self, index: u32, now_ns: u64, fresh_until_ns: u64) {
        let group = index as usize % GROUPS;
        let place = self.places(group).start + index as usize / GROUPS;
        self.watched[place] = fresh_until_ns;
        for scope in [group, ALL] {
            let least = &mut self.scopes[scope].fresh_until_ns;
            *least = fresh_until_ns.min(*least);
        }
        let age_ns = fresh_until_ns.saturating_sub(now_ns);
        let ages = self.scopes[group].fresh_until_ns < now_ns.saturating_add(age_ns / 2);
        if ages && now_ns.saturating_sub(self.looked_ns[group]) >= age_ns / 16 {
            self.look(group, now_ns);
        }
        if now_ns > self.scopes[ALL].fresh_until_ns {
            self.look_at(u64::MAX, now_ns);
        }
    }

    /// Looks at those groups of a mask that are said to be fresh no longer. A look finds either that
    /// the reference which was the first to go stale has come again, or that it is stale: so there
    /// are no more looks than references.
    pub(crate) fn look_at(&mut self, groups: u64, now_ns: u64) {
        // All of them are fresh until the first group is not.
        if now_ns <= self.scopes[ALL].fresh_until_ns {
            return;
        }
        let mut rest = groups;
        while rest != 0 {
            let group = rest.trailing_zeros() as usize;
            if now_ns > self.scopes[group].fresh_until_ns {
                self.look(group, now_ns);
            }
            rest &= rest - 1;
        }
    }

    fn look(&mut self, group: usize, now_ns: u64) {
        self.looked_ns[group] = now_ns;
        let (mut least, mut found_stale) = (UNWATCHED, false);
        let places = self.places(group);
        for fresh_until_ns in &mut self.watched[places] {
            if now_ns > *fresh_until_ns {
                *fresh_until_ns = UNWATCHED;
                found_stale = true;
            }
            least = least.min(*fresh_until_ns);
        }
        self.scopes[group].fresh_until_ns = least;
        let groups = self.scopes[..GROUPS].iter();
        let first = groups.map(|scope| scope.fresh_until_ns).min();
        self.scopes[ALL].fresh_until_ns = first.unwrap_or(UNWATCHED);
        if found_stale {
            self.begin_group(group);
        }
    }

    fn places(&self, group: usize) -> core::ops::Range<usize> {
        let len = self.watched.len() / GROUPS;
        group * len..(group + 1) * len
    }
}

#[cfg(test)]
mod tests;
