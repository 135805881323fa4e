//! The limit table: all limits of the venue at one epoch, validated whole.
//!
//! Built on the control thread from a [`LimitSpec`]; owned by the risk core's thread after the flip.
//! Invariants: a table exists only if every load rule holds; its digest is that of the spec's
//! canonical words, then folded with each single-cell change. Allocates in the constructor alone.

extern crate alloc;

mod changes;
mod faults;

pub use faults::{LoadError, LoadFault};

use super::account::{AccountCells, AccountField, AccountLimits};
use super::firm::FirmLimits;
use super::instrument::InstrumentLimits;
use super::session::SessionLimits;
use super::spec::{AccountSpec, InstrumentSpec, LimitSpec};
use crate::approach::LineSink;
use alloc::boxed::Box;
use alloc::vec::Vec;
use faults::{faults, position_fits, volume_fits};
use portcullis_domain::{AccountId, FirmId, InstrumentId, SessionId};

/// No row, set or member.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct AccountEntry {
    row: u32,
    firm: u32,
}

/// All limits of the venue at one epoch.
#[derive(Clone, Debug)]
pub struct LimitTable {
    digest: u64,
    /// The digest before any single-cell change, and the rows there were.
    built_digest: u64,
    rows_built: usize,
    accounts: Box<[AccountEntry]>,
    rows: Box<[AccountLimits]>,
    row_cells: Box<[(AccountCells, bool)]>,
    rows_used: usize,
    instruments: Box<[InstrumentLimits]>,
    set_words: usize,
    sets: Box<[u64]>,
    firms: Box<[FirmLimits]>,
    sessions: Box<[SessionLimits]>,
}

impl LimitTable {
    /// The table of a spec.
    ///
    /// # Errors
    /// Every load rule that the spec breaks, up to a hundred.
    pub fn build(spec: &LimitSpec) -> Result<Self, LoadError> {
        let faults = faults(spec);
        if !faults.is_empty() {
            return Err(LoadError {
                faults: faults.into_boxed_slice(),
            });
        }
        let set_words = spec.instruments.len().div_ceil(64);
        let mut firms: Vec<FirmLimits> = (0..spec.firms.len())
            .map(|index| firm_limits(spec, index))
            .collect();
        for index in 0..firms.len() {
            let member = firms[firms[index].clearing_member as usize];
            firms[index].tighten_by(&member);
        }
        let mut rows: Vec<AccountLimits> = spec
            .rows
            .iter()
            .map(|row| AccountLimits::new(&row.cells, row.permission_set))
            .collect();
        let mut cells: Vec<_> = spec.rows.iter().map(|row| (row.cells, false)).collect();
        let rows_used = rows.len();
        let spare = AccountLimits::new(&AccountCells::UNSET, 0);
        rows.resize(rows_used + spec.rows_spare as usize, spare);
        cells.resize(rows.len(), (AccountCells::UNSET, false));
        let digest = spec.digest();
        Ok(Self {
            digest,
            built_digest: digest,
            rows_built: rows_used,
            accounts: spec.accounts.iter().map(account_entry).collect(),
            rows: rows.into_boxed_slice(),
            row_cells: cells.into_boxed_slice(),
            rows_used,
            instruments: spec
                .instruments
                .iter()
                .filter_map(instrument_limits)
                .collect(),
            set_words,
            sets: set_bits(spec, set_words),
            firms: firms.into_boxed_slice(),
            sessions: spec
                .sessions
                .iter()
                .map(|s| SessionLimits::new(&s.cells))
                .collect(),
        })
    }

    /// The digest of the table, as flips name it.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// How many accounts the table has indices for.
    #[must_use]
    pub fn accounts_len(&self) -> usize {
        self.accounts.len()
    }

    /// How many instruments the table has.
    #[must_use]
    pub fn instruments_len(&self) -> usize {
        self.instruments.len()
    }

    /// How many firms the table has.
    #[must_use]
    pub fn firms_len(&self) -> usize {
        self.firms.len()
    }

    /// How many sessions the table has.
    #[must_use]
    pub fn sessions_len(&self) -> usize {
        self.sessions.len()
    }

    /// Limits and firm of an account, or `None` where there is no such account.
    #[inline]
    pub(crate) fn account(&self, account: AccountId) -> Option<(&AccountLimits, FirmId)> {
        let (row, firm) = self.entry(account)?;
        Some((self.row(row)?, firm))
    }

    /// Row and firm of an account, or `None` where there is no such account.
    #[inline]
    pub(crate) fn entry(&self, account: AccountId) -> Option<(u32, FirmId)> {
        let entry = self.accounts.get(account.index())?;
        (entry.row != NONE).then_some((entry.row, FirmId::new(entry.firm)))
    }

    /// The limits in a row, or `None` where there is no such row.
    #[inline(always)]
    pub(crate) fn row(&self, row: u32) -> Option<&AccountLimits> {
        self.rows.get(row as usize)
    }

    #[inline]
    pub(crate) fn instrument(&self, instrument: InstrumentId) -> Option<&InstrumentLimits> {
        self.instruments.get(instrument.index())
    }

    #[inline]
    pub(crate) fn firm(&self, firm: FirmId) -> Option<&FirmLimits> {
        self.firms.get(firm.index())
    }

    #[inline]
    pub(crate) fn session(&self, session: SessionId) -> Option<&SessionLimits> {
        self.sessions.get(session.index())
    }

    /// Whether the set holds the instrument.
    #[inline(always)]
    pub(crate) fn set_has(&self, set: u32, instrument: InstrumentId) -> bool {
        let index = instrument.index();
        // Fewer than 2^32 sets of fewer than 2^26 words each: no overflow.
        let first = (set as usize).wrapping_mul(self.set_words);
        let word = self.sets.get(first.wrapping_add(index / 64));
        word.is_some_and(|bits| bits >> (index % 64) & 1 == 1)
    }

    /// The same, not made part of its caller.
    #[inline(never)]
    pub(crate) fn set_has_apart(&self, set: u32, instrument: InstrumentId) -> bool {
        self.set_has(set, instrument)
    }

    /// Changes one cell of one account, which thereby gets a row of its own. `false`, and nothing
    /// changed, where there is no such account, field or free row, or the value does not load.
    pub(crate) fn set_account_cell(&mut self, account: AccountId, field: u8, value: i64) -> bool {
        let Some(entry) = self.accounts.get(account.index()).copied() else {
            return false;
        };
        let Some((shared, own)) = self.row_cells.get(entry.row as usize).copied() else {
            return false;
        };
        let mut cells = shared;
        if !cells.set_by_number(field.into(), value) || cells.fault().is_some() {
            return false;
        }
        let set = self.rows[entry.row as usize].permission_set;
        let row = if own {
            entry.row as usize
        } else {
            self.rows_used
        };
        let rises = |field| cells.cell(field).value() > shared.cell(field).value();
        let tied = rises(AccountField::PositionMax) || rises(AccountField::AccountVolumeMax);
        if row >= self.rows.len() || tied && !self.row_fits(&cells, set) {
            return false;
        }
        // Point of no return.
        self.rows_used += usize::from(!own);
        self.rows[row] = AccountLimits::new(&cells, set);
        self.row_cells[row] = (cells, true);
        self.accounts[account.index()].row = row as u32;
        self.fold_change(2, account.raw(), field, value);
        true
    }

    /// The load rules that tie a row to the instruments it may trade. They hold of every row in the table, and
    /// go on holding while what they tie does not rise.
    fn row_fits(&self, cells: &AccountCells, set: u32) -> bool {
        let ids = (0..).map(InstrumentId::new);
        let mut traded = self
            .instruments
            .iter()
            .zip(ids)
            .filter(|(_, id)| self.set_has(set, *id));
        traded.all(|(limits, _)| {
            position_fits(cells, limits.price_max, limits.value.quanta())
                && volume_fits(cells, limits.spike_floor)
        })
    }

    /// The lines of an account's entry.
    pub(crate) fn visit_entry(&self, account: AccountId, lines: &mut impl LineSink) {
        if let Some(entry) = self.accounts.get(account.index()) {
            lines.line(&entry.row);
        }
    }

    /// The lines that a change of one of its cells reads and writes.
    pub(crate) fn visit_own(&self, account: AccountId, lines: &mut impl LineSink) {
        let Some(entry) = self.accounts.get(account.index()) else {
            return;
        };
        if let Some((cells, _)) = self.row_cells.get(entry.row as usize) {
            let (first, last) = (cells.cells().first(), cells.cells().last());
            first
                .into_iter()
                .chain(last)
                .for_each(|cell| lines.line(cell.word()));
        }
        if let Some(row) = self.rows.get(entry.row as usize) {
            row.visit_lines(lines);
        }
    }

    fn fold_change(&mut self, scope: u64, index: u32, field: u8, value: i64) {
        let mut digest = portcullis_domain::Digest::new();
        let what = scope << 40 | u64::from(field) << 32 | u64::from(index);
        digest.push_all(&[self.digest, what, value as u64]);
        self.digest = digest.value();
    }
}

fn account_entry(spec: &AccountSpec) -> AccountEntry {
    AccountEntry {
        row: spec.row.unwrap_or(NONE),
        firm: spec.firm.raw(),
    }
}

fn firm_limits(spec: &LimitSpec, index: usize) -> FirmLimits {
    let firm = &spec.firms[index];
    let member = firm.clearing_member.map_or(index as u32, FirmId::raw);
    let restricts = !spec.instrument_sets[firm.restricted_set as usize].is_empty();
    FirmLimits::new(&firm.cells, member, firm.restricted_set, restricts)
}

fn instrument_limits(spec: &InstrumentSpec) -> Option<InstrumentLimits> {
    InstrumentLimits::new(spec)
}

fn set_bits(spec: &LimitSpec, set_words: usize) -> Box<[u64]> {
    let mut bits = alloc::vec![0_u64; spec.instrument_sets.len() * set_words];
    for (set, members) in spec.instrument_sets.iter().enumerate() {
        for instrument in members {
            bits[set * set_words + instrument.index() / 64] |= 1 << (instrument.index() % 64);
        }
    }
    bits.into_boxed_slice()
}
