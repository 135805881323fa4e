//! The limits of a case: one of them fails its orders, all others are those of the load.
//!
//! Owned by nobody. Invariant: what is added to a table stands behind what it had, so that the load
//! keeps its places.

use super::{ACCOUNTS, Case, RATE_INTERVAL_NS};
use crate::PRICE_START;
use crate::limits::{SET_ALL, SET_NONE, firm_cells, session_cells};
use portcullis_domain::{FirmId, InstrumentId};
use portcullis_risk_core::checks::Descriptor;
use portcullis_risk_core::limits::account::{AccountCells, AccountField};
use portcullis_risk_core::limits::firm::{FirmCells, FirmField};
use portcullis_risk_core::limits::instrument::InstrumentField;
use portcullis_risk_core::limits::session::{SessionCells, SessionField};
use portcullis_risk_core::limits::{
    AccountSpec, FirmSpec, InstrumentSpec, LimitSpec, RowSpec, SessionSpec,
};

const EVER: i64 = 1 << 60;
const DAY_NS: i64 = 86_400_000_000_000;
const SECOND_NS: i64 = RATE_INTERVAL_NS as i64;

/// What the load has, and a case too but for the one limit that it is about.
#[derive(Clone, Debug)]
pub struct Usual {
    /// An instrument.
    pub instrument: InstrumentSpec,
    /// Limits of an account.
    pub account: AccountCells,
}

/// What a case has of its own.
struct Cells {
    instrument: InstrumentSpec,
    account: AccountCells,
    firm: FirmCells,
    session: SessionCells,
}

/// Adds the accounts, session, firm and instrument of a check's case to a table.
pub fn add(check: &'static Descriptor, spec: &mut LimitSpec, usual: &Usual) -> Case {
    let case = Case {
        check,
        account: spec.accounts.len() as u32,
        session: spec.sessions.len() as u32,
        instrument: spec.instruments.len() as u32,
        replaced: None,
        passes_at_ns: None,
    };
    let mut cells = Cells {
        instrument: usual.instrument.clone(),
        account: usual.account,
        firm: firm_cells(),
        session: session_cells(),
    };
    cells
        .instrument
        .cells
        .set(InstrumentField::RefMaxAgeNs, EVER);
    tighten(&mut cells, check.name);
    push(spec, cells, &case);
    case
}

/// Sets the one limit that the check is about.
fn tighten(cells: &mut Cells, name: &str) {
    let Cells {
        instrument,
        account,
        firm,
        session,
    } = cells;
    let item = &mut instrument.cells;
    match name {
        "SESSION_RATE" => {
            session.set(SessionField::RateIntervalNs, SECOND_NS);
            session.set(SessionField::RateBurst, 1);
        }
        "RATE" => {
            account.set(AccountField::RateIntervalNs, SECOND_NS);
            account.set(AccountField::RateBurst, 1);
        }
        "FIRM_RATE" => {
            firm.set(FirmField::RateIntervalNs, SECOND_NS);
            firm.set(FirmField::RateCount, 1);
            firm.set(FirmField::RateBurst, 1);
        }
        "REPEATED" => {
            account.set(AccountField::RepeatWindowNs, DAY_NS);
            account.set(AccountField::RepeatMax, 1);
        }
        "NOTIONAL_MAX" => account.set(AccountField::NotionalMax, PRICE_START - 1),
        "OPEN_ORDERS_MAX" => account.set(AccountField::OpenOrdersMax, 0),
        "FIRM_OPEN_ORDERS_MAX" => firm.set(FirmField::OpenOrdersMax, 0),
        "REFERENCE_STALE" => item.set(InstrumentField::RefMaxAgeNs, 1),
        "POSITION_MAX" => account.set(AccountField::PositionMax, 0),
        "OPEN_NOTIONAL_MAX" => account.set(AccountField::OpenNotionalMax, 0),
        "FIRM_OPEN_NOTIONAL_MAX" => firm.set(FirmField::OpenNotionalMax, 0),
        "LOSS_MAX" => account.set(AccountField::LossMax, 1_999),
        "OI_CAP" => item.set(InstrumentField::OiCap, 0),
        "OI_SHARE" => item.set(InstrumentField::OiShareMax, 0),
        "ACCOUNT_VOLUME" => account.set(AccountField::AccountVolumeMax, 1),
        "VOLUME_SPIKE" => {
            account.set(AccountField::AccountVolumeMax, 10);
            item.set(InstrumentField::SpikeFloor, 20);
            item.set(InstrumentField::SpikePpm, 0);
            item.set(InstrumentField::CooldownNs, EVER);
        }
        _ => {}
    }
}

/// Puts them behind what the table has, each reached through the next: account, firm, row, set.
fn push(spec: &mut LimitSpec, cells: Cells, case: &Case) {
    let own_set = spec.instrument_sets.len() as u32;
    let name = case.check.name;
    let permitted = if name == "NOT_PERMITTED" {
        SET_ALL
    } else {
        own_set
    };
    let restricted = if name == "RESTRICTED" {
        own_set
    } else {
        SET_NONE
    };
    let served = AccountSpec {
        row: Some(spec.rows.len() as u32),
        firm: FirmId::new(spec.firms.len() as u32),
    };
    spec.instrument_sets
        .push(vec![InstrumentId::new(case.instrument)]);
    spec.rows.push(RowSpec {
        cells: cells.account,
        permission_set: permitted,
    });
    spec.firms.push(FirmSpec {
        cells: cells.firm,
        clearing_member: None,
        restricted_set: restricted,
    });
    spec.accounts.extend([served; ACCOUNTS as usize]);
    spec.sessions.push(SessionSpec {
        cells: cells.session,
    });
    spec.instruments.push(cells.instrument);
}
