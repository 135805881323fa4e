//! What single-cell changes have made of a table since it was built, as words.
//!
//! Saved by the thread that owns the table; loaded where one is built. A table's file holds what it was
//! built from; with these words it becomes the table that was saved: same limits, same digest, and the same
//! answer to each change to come. Invariant: what is loaded keeps the load rules of any other table.

use super::{AccountCells, AccountLimits, LimitTable};
use crate::limits::spec::cell_word;
use crate::saved::{Read, SavedError, Words};
use portcullis_domain::AccountId;

impl LimitTable {
    /// The digest that the table was built with: that of its spec's words, by which its file is named.
    /// Single-cell changes leave it.
    #[must_use]
    pub const fn built_digest(&self) -> u64 {
        self.built_digest
    }

    /// Gives what has changed since to `push`: digests, and each row that became an account's own.
    pub fn save_changes(&self, push: &mut impl FnMut(u64)) {
        push(self.built_digest);
        push(self.digest);
        push((self.rows_used - self.rows_built) as u64);
        let own = |row: u32| row as usize >= self.rows_built && row != super::NONE;
        for (entry, account) in self.accounts.iter().zip(0_u32..) {
            if own(entry.row) {
                push(u64::from(account) << 32 | u64::from(entry.row));
                let (cells, _) = &self.row_cells[entry.row as usize];
                cells.cells().iter().map(cell_word).for_each(&mut *push);
            }
        }
    }

    /// A table as it was built, with the changes of these words; takes no more of them than
    /// [`LimitTable::save_changes`] gave.
    ///
    /// # Errors
    /// If the changes are of another table, or such that no command could have made them.
    pub fn with_changes(self, words: &mut impl Iterator<Item = u64>) -> Result<Self, SavedError> {
        self.load_changes(&mut Words::new(words))
    }

    pub(crate) fn load_changes(mut self, words: &mut Words<'_>) -> Read<Self> {
        words.begin("limits");
        let saved = words.word()?;
        if saved != self.built_digest || self.digest != self.built_digest {
            let given = self.digest;
            return Err(SavedError::TableDiffers { saved, given });
        }
        let digest = words.word()?;
        let spare = self.rows.len() - self.rows_built;
        let own = words.at_most(spare, "more rows of accounts' own than there is room for")?;
        self.rows_used = self.rows_built + own;
        let mut least = 0;
        for _ in 0..own {
            let account = self.load_own_row(words)?;
            words.must(account >= least, "accounts out of order")?;
            least = account + 1;
        }
        self.digest = digest;
        Ok(self)
    }

    /// An account's own row; whose it is.
    fn load_own_row(&mut self, words: &mut Words<'_>) -> Read<u32> {
        let (account, row) = words.halves()?;
        let mut cells = AccountCells::UNSET;
        for number in 0..cells.cells().len() {
            let value = words.signed()?;
            words.must(
                cells.set_by_number(number, value),
                "a cell that there is not",
            )?;
        }
        let entry = self.accounts.get(AccountId::new(account).index()).copied();
        let shared = entry.and_then(|entry| self.row(entry.row).map(|limits| (entry, limits)));
        let (entry, limits) = shared.ok_or(words.wrong("a row of no account"))?;
        let (set, place) = (limits.permission_set, row as usize);
        let free = (self.rows_built..self.rows_used).contains(&place) && !self.row_cells[place].1;
        let first = (entry.row as usize) < self.rows_built;
        words.must(free && first, "a row twice, or one that is not there")?;
        let loads = cells.fault().is_none() && self.row_fits(&cells, set);
        words.must(loads, "cells that do not load")?;
        self.rows[place] = AccountLimits::new(&cells, set);
        self.row_cells[place] = (cells, true);
        self.accounts[account as usize].row = row;
        Ok(account)
    }
}
