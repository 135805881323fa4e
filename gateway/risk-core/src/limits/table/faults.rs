//! What keeps limits from being a table: every load rule, and where it is broken.
//!
//! Control thread. Invariant: limits without a fault cannot overflow the ledger, and let some reducing order pass.

extern crate alloc;

use crate::limits::CellFault;
use crate::limits::account::{AccountCells, AccountField};
use crate::limits::instrument::InstrumentField;
use crate::limits::spec::LimitSpec;
use alloc::boxed::Box;
use alloc::vec::Vec;
use portcullis_domain::{AccountId, FirmId, InstrumentId, OrderKey, SessionId};

/// No position, cost or settlement may pass this: a sum of two stays in i64.
const MONEY_BOUND: i128 = 1 << 62;

/// The most faults that one refusal lists.
const FAULTS_MAX: usize = 100;

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

/// Whether the largest position of such cells is within what the ledger holds, at this price and value of a tick and lot.
pub(super) fn position_fits(cells: &AccountCells, price_max: i64, value: i64) -> bool {
    let lots = cells.cell(AccountField::PositionMax).value().unwrap_or(0);
    let per_lot = i128::from(price_max) * i128::from(value);
    per_lot
        .checked_mul(i128::from(lots))
        .is_some_and(|quanta| quanta <= MONEY_BOUND)
}

/// Whether no account of such cells can trip a breaker of this floor alone.
pub(super) fn volume_fits(cells: &AccountCells, spike_floor: i64) -> bool {
    let lots = cells
        .cell(AccountField::AccountVolumeMax)
        .value()
        .unwrap_or(0);
    lots.saturating_mul(2) <= spike_floor
}

/// Every fault of a spec, in its order, up to a hundred.
pub(super) fn faults(spec: &LimitSpec) -> Vec<LoadFault> {
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
    if spec.sessions.len() >= OrderKey::SESSIONS_MAX as usize {
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
