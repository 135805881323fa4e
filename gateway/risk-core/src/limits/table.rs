//! The limit table: all limits of the venue at one epoch, validated whole.
//!
//! Built on the control thread from a [`LimitSpec`]; owned by the risk core's thread after the flip.
//! Invariants: a table exists only if every load rule holds; its digest is that of the spec's
//! canonical words, then folded with each single-cell change. Allocates in the constructor alone.

extern crate alloc;

mod changes;
mod words;

use super::account::{AccountCells, AccountField, AccountLimits};
use super::firm::{FirmCells, FirmLimits};
use super::instrument::{InstrumentCells, InstrumentField, InstrumentLimits, Tiers, WireUnits};
use super::session::{SessionCells, SessionLimits};
use super::{Cell, CellFault};
use crate::approach::LineSink;
use alloc::boxed::Box;
use alloc::vec::Vec;
use portcullis_domain::{AccountId, FirmId, InstrumentId, SessionId};

/// No row, set or member.
const NONE: u32 = u32::MAX;

/// The most rows that a spec may keep free. A spec asks for them in one number: without a bound, one
/// wrong digit in a file would ask for more memory than there is.
pub const ROWS_SPARE_MAX: u32 = 1 << 18;

/// No position, cost or settlement may pass this: a sum of two stays in i64.
const MONEY_BOUND: i128 = 1 << 62;

/// The most faults that one refusal lists.
const FAULTS_MAX: usize = 100;

/// An instrument's limits as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentSpec {
    /// Its cells.
    pub cells: InstrumentCells,
    /// Initial margin.
    pub initial: Tiers,
    /// Maintenance margin; nowhere above initial.
    pub maintenance: Tiers,
    /// How the client's protocol counts it.
    pub wire: WireUnits,
}

/// One row of account limits: a class, or an account's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSpec {
    /// Its cells.
    pub cells: AccountCells,
    /// Which of the spec's instrument sets it may trade.
    pub permission_set: u32,
}

/// One account: the row that holds its limits, and its firm. An index without a row is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountSpec {
    /// Index into the rows; `None` where the account does not exist.
    pub row: Option<u32>,
    /// Its firm.
    pub firm: FirmId,
}

/// One firm or clearing member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmSpec {
    /// Its cells.
    pub cells: FirmCells,
    /// The member that clears for it; `None` where it is one itself.
    pub clearing_member: Option<FirmId>,
    /// Which of the spec's instrument sets its accounts may only leave.
    pub restricted_set: u32,
}

/// One client session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSpec {
    /// Its cells.
    pub cells: SessionCells,
}

/// All limits of the venue, as configured.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LimitSpec {
    /// By [`InstrumentId`].
    pub instruments: Vec<InstrumentSpec>,
    /// Sets of instruments, named by rows and firms.
    pub instrument_sets: Vec<Vec<InstrumentId>>,
    /// Account limits, shared or not.
    pub rows: Vec<RowSpec>,
    /// Rows kept free for accounts that get cells of their own by command; at most
    /// [`ROWS_SPARE_MAX`].
    pub rows_spare: u32,
    /// By [`AccountId`].
    pub accounts: Vec<AccountSpec>,
    /// By [`FirmId`].
    pub firms: Vec<FirmSpec>,
    /// By [`SessionId`].
    pub sessions: Vec<SessionSpec>,
}

/// Which part of a spec a fault is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadFault {
    /// A cell of an instrument.
    Instrument(InstrumentId, &'static str, CellFault),
    /// `oi_lower` is above `oi_upper`.
    OiBounds(InstrumentId),
    /// Maintenance margin is above initial margin somewhere.
    MaintenanceAboveInitial(InstrumentId),
    /// A cell of a row.
    Row(u32, &'static str, CellFault),
    /// A row's position_max x price_max x tick_lot_value could pass 2^62 in this instrument.
    PositionTooLarge(u32, InstrumentId),
    /// Twice a row's account_volume_max is above spike_floor of this instrument: one account could
    /// trip its breaker alone.
    VolumeAboveSpikeFloor(u32, InstrumentId),
    /// A row or firm names an instrument set that is not there.
    SetUnknown(u32),
    /// An instrument set names an instrument that is not there.
    SetInstrumentUnknown(u32, InstrumentId),
    /// An account names a row or firm that is not there.
    AccountDangling(AccountId),
    /// A cell of a firm.
    Firm(FirmId, &'static str, CellFault),
    /// A firm's clearing member is not there, or is itself cleared by another.
    ClearingMember(FirmId),
    /// A cell of a session.
    Session(SessionId, &'static str, CellFault),
    /// More sessions than an order key can name.
    TooManySessions,
}

/// Why a table does not load: the first hundred faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// What is wrong, in the order of the spec.
    pub faults: Box<[LoadFault]>,
}

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

fn position_fits(cells: &AccountCells, price_max: i64, value: i64) -> bool {
    let lots = cells.cell(AccountField::PositionMax).value().unwrap_or(0);
    let per_lot = i128::from(price_max) * i128::from(value);
    per_lot
        .checked_mul(i128::from(lots))
        .is_some_and(|quanta| quanta <= MONEY_BOUND)
}

fn volume_fits(cells: &AccountCells, spike_floor: i64) -> bool {
    let lots = cells
        .cell(AccountField::AccountVolumeMax)
        .value()
        .unwrap_or(0);
    lots.saturating_mul(2) <= spike_floor
}

fn faults(spec: &LimitSpec) -> Vec<LoadFault> {
    let mut faults = Vec::new();
    instrument_faults(spec, &mut faults);
    set_faults(spec, &mut faults);
    row_faults(spec, &mut faults);
    for (account, id) in spec.accounts.iter().zip((0..).map(AccountId::new)) {
        let row_missing = account
            .row
            .is_some_and(|row| row as usize >= spec.rows.len());
        if row_missing || account.firm.index() >= spec.firms.len() {
            faults.push(LoadFault::AccountDangling(id));
        }
    }
    firm_faults(spec, &mut faults);
    for (session, id) in spec.sessions.iter().zip((0..).map(SessionId::new)) {
        let fault = session.cells.fault();
        faults.extend(fault.map(|(name, why)| LoadFault::Session(id, name, why)));
    }
    if spec.sessions.len() >= portcullis_domain::OrderKey::SESSIONS_MAX as usize {
        faults.push(LoadFault::TooManySessions);
    }
    faults.truncate(FAULTS_MAX);
    faults
}

fn instrument_faults(spec: &LimitSpec, faults: &mut Vec<LoadFault>) {
    for (instrument, id) in spec.instruments.iter().zip((0..).map(InstrumentId::new)) {
        let fault = instrument.cells.fault();
        faults.extend(fault.map(|(name, why)| LoadFault::Instrument(id, name, why)));
        let bound = |field| instrument.cells.cell(field).value();
        if bound(InstrumentField::OiLower) > bound(InstrumentField::OiUpper) {
            faults.push(LoadFault::OiBounds(id));
        }
        if !instrument.maintenance.nowhere_above(&instrument.initial) {
            faults.push(LoadFault::MaintenanceAboveInitial(id));
        }
    }
}

fn set_faults(spec: &LimitSpec, faults: &mut Vec<LoadFault>) {
    for (members, set) in spec.instrument_sets.iter().zip(0..) {
        let unknown = members
            .iter()
            .find(|id| id.index() >= spec.instruments.len());
        faults.extend(unknown.map(|id| LoadFault::SetInstrumentUnknown(set, *id)));
    }
    let rows = spec.rows.iter().map(|row| row.permission_set);
    let firms = spec.firms.iter().map(|firm| firm.restricted_set);
    let unknown = rows
        .chain(firms)
        .find(|set| *set as usize >= spec.instrument_sets.len());
    faults.extend(unknown.map(LoadFault::SetUnknown));
}

/// Per instrument set: the instrument of the largest money per lot, and that of the least floor.
fn row_faults(spec: &LimitSpec, faults: &mut Vec<LoadFault>) {
    let number = |id: InstrumentId, field| {
        spec.instruments
            .get(id.index())
            .and_then(|i| i.cells.cell(field).value())
            .unwrap_or(0)
    };
    let per_lot = |id: &InstrumentId| {
        let price = i128::from(number(*id, InstrumentField::PriceMax));
        price * i128::from(number(*id, InstrumentField::TickLotValue))
    };
    let floor = |id: &InstrumentId| number(*id, InstrumentField::SpikeFloor);
    let extremes: Vec<_> = spec
        .instrument_sets
        .iter()
        .map(|set| {
            (
                set.iter().max_by_key(|id| per_lot(id)),
                set.iter().min_by_key(|id| floor(id)),
            )
        })
        .collect();
    for (row, index) in spec.rows.iter().zip(0..) {
        let fault = row.cells.fault();
        faults.extend(fault.map(|(name, why)| LoadFault::Row(index, name, why)));
        let Some((dearest, calmest)) = extremes.get(row.permission_set as usize) else {
            continue;
        };
        if let Some(id) = *dearest {
            let price_max = number(*id, InstrumentField::PriceMax);
            if !position_fits(
                &row.cells,
                price_max,
                number(*id, InstrumentField::TickLotValue),
            ) {
                faults.push(LoadFault::PositionTooLarge(index, *id));
            }
        }
        if let Some(id) = calmest.filter(|id| !volume_fits(&row.cells, floor(id))) {
            faults.push(LoadFault::VolumeAboveSpikeFloor(index, *id));
        }
    }
}

fn firm_faults(spec: &LimitSpec, faults: &mut Vec<LoadFault>) {
    for (firm, id) in spec.firms.iter().zip((0..).map(FirmId::new)) {
        let fault = firm.cells.fault();
        faults.extend(fault.map(|(name, why)| LoadFault::Firm(id, name, why)));
        let Some(member) = firm.clearing_member else {
            continue;
        };
        let cleared_by_itself = spec
            .firms
            .get(member.index())
            .is_some_and(|member| member.clearing_member.is_none());
        if !cleared_by_itself {
            faults.push(LoadFault::ClearingMember(id));
        }
    }
}

/// The cells of a scope as canonical words.
fn cell_word(cell: &Cell) -> u64 {
    cell.value().unwrap_or(i64::MIN) as u64
}
