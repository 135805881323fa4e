//! Where a position stands if it can: in its account's stretch of the rows.
//!
//! Risk thread. Each account has as many rows, one behind the other, as there are for each; of these a
//! group of four is a position's own, and one of them its home, by its instrument. Invariants: homes
//! follow from account, instrument and capacities alone; two instruments of an account whose numbers
//! follow each other mostly have different homes. Which row a position has decides nothing.

use core::ops::Range;
use portcullis_domain::{AccountId, InstrumentId};

/// Rows of a group. A power of two.
const GROUP: u32 = 4;

/// How the rows are shared out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretches {
    rows: u32,
    /// Rows of an account; 1 where accounts have to share them.
    len: u32,
}

/// The rows that a position takes if one of them is free.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    /// The first row of the stretch.
    base: u32,
    /// Of the home, from there.
    offset: u32,
    len: u32,
}

impl Stretches {
    pub(super) fn new(rows: u32, accounts: u32) -> Self {
        assert!(rows > 0 && accounts > 0, "capacities are none of them 0");
        Self {
            rows,
            len: (rows / accounts).max(1),
        }
    }

    /// The home of a position: a multiplication by about 2^32 over the golden ratio spreads instruments
    /// over the stretch, and accounts begin at different places of theirs, so that a much traded
    /// instrument does not have the same lines of the cache for all.
    #[inline(always)]
    pub(super) const fn home(&self, account: AccountId, instrument: InstrumentId) -> Home {
        let (account, instrument) = (account.raw(), instrument.raw());
        let scattered = instrument.wrapping_add(account).wrapping_mul(0x9E37_79B1);
        let offset = ((scattered as u64 * self.len as u64) >> 32) as u32;
        let base = account.wrapping_mul(self.len);
        // Whole: of a number that is no account's, a stretch may begin in the last rows and not end there.
        if base <= self.rows - self.len {
            let len = self.len;
            return Home { base, offset, len };
        }
        // Fewer rows than accounts, or no account at all.
        Home {
            base: account % self.rows,
            offset: 0,
            len: 1,
        }
    }
}

impl Home {
    /// The home itself.
    #[inline(always)]
    pub(super) const fn row(self) -> u32 {
        self.base + self.offset
    }

    /// The rows of the group, the home first.
    #[inline(always)]
    pub(super) fn group(self) -> impl Iterator<Item = u32> {
        let offsets = (0..GROUP).map(move |step| self.offset ^ step);
        let within = offsets.filter(move |offset| *offset < self.len);
        within.map(move |offset| self.base + offset)
    }

    /// The same as they lie. In 64 bits, where no sum can overflow.
    #[inline(always)]
    pub(super) fn rows(self) -> Range<usize> {
        let [base, len, group] = [self.base, self.len, GROUP].map(u64::from);
        let first = u64::from(self.offset) & !(group - 1);
        let end = (first + group).min(len);
        (base + first) as usize..(base + end) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn home(rows: u32, accounts: u32, account: u32, instrument: u32) -> Home {
        let stretches = Stretches::new(rows, accounts);
        stretches.home(AccountId::new(account), InstrumentId::new(instrument))
    }

    #[test]
    fn a_group_is_within_the_stretch() {
        for (rows, accounts) in [(1, 1), (7, 1), (40, 10), (49, 10), (10, 10), (3, 10)] {
            let len = (rows / accounts).max(1);
            for (account, instrument) in (0..accounts).flat_map(|a| (0..9).map(move |i| (a, i))) {
                let home = home(rows, accounts, account, instrument);
                let group: BTreeSet<u32> = home.group().collect();
                let asked: BTreeSet<u32> = home.rows().map(|row| row as u32).collect();
                assert_eq!(group, asked);
                assert_eq!(home.group().next(), Some(home.row()));
                assert!(
                    group.len() as u32 <= len.min(GROUP) && group.iter().all(|row| *row < rows)
                );
                let own = account * len..(account + 1) * len;
                let shared = rows < accounts;
                assert!(shared || group.iter().all(|row| own.contains(row)));
            }
        }
    }

    #[test]
    fn what_is_no_account_has_a_row_too() {
        let none = home(40, 10, u32::MAX, u32::MAX);
        assert!(none.row() < 40 && none.group().count() == 1);
    }

    #[test]
    fn whoever_it_is_has_rows_that_are_there() {
        for (rows, accounts) in [(23, 5), (7, 2), (49, 10), (1, 1), (3, 10), (u32::MAX, 3)] {
            let near = 0..4 * accounts;
            let far = [u32::MAX / 2, u32::MAX - 5, u32::MAX - 1, u32::MAX];
            for (account, instrument) in near.chain(far).flat_map(|a| (0..20).map(move |i| (a, i)))
            {
                let home = home(rows, accounts, account, instrument);
                let all = home.rows().map(|row| row as u32).chain(home.group());
                assert!(
                    all.max() < Some(rows),
                    "{account} of {accounts}, {rows} rows"
                );
            }
        }
    }

    #[test]
    fn instruments_that_follow_each_other_spread() {
        for account in 0..50 {
            let homes: BTreeSet<u32> = (0..64)
                .map(|instrument| home(64 * 50, 50, account, instrument).row())
                .collect();
            assert!(homes.len() > 48, "{} of 64 rows", homes.len());
        }
    }
}
