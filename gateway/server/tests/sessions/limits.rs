//! Limits so wide that few orders are refused, and those for one known reason: over 1,000 lots.

use portcullis_domain::{FirmId, InstrumentId};
use portcullis_risk_core::limits::account::{AccountCells, AccountField};
use portcullis_risk_core::limits::firm::{FIRM_FIELDS, FirmCells, FirmField};
use portcullis_risk_core::limits::instrument::{
    InstrumentCells, InstrumentField, Tier, Tiers, WireUnits,
};
use portcullis_risk_core::limits::session::{SessionCells, SessionField};
use portcullis_risk_core::limits::{
    AccountSpec, FirmSpec, InstrumentSpec, LimitSpec, RowSpec, SessionSpec,
};

/// Instruments of every rig.
pub(crate) const INSTRUMENTS: u32 = 2;

/// Highest price, in ticks.
pub(crate) const PRICE_MAX: i64 = 100_000;

/// Most lots of one order.
pub(crate) const QTY_MAX: i64 = 1_000;

/// One account and one session each, all of one firm.
pub(crate) fn wide(sessions: u32, cancel_on_disconnect: bool) -> LimitSpec {
    let tiers = Tiers::new(&[Tier {
        from_notional: 0,
        ratio_ppm: 1_000,
    }]);
    let tiers = tiers.expect("one tier from 0");
    let instrument = InstrumentSpec {
        cells: instrument_cells(),
        initial: tiers,
        maintenance: tiers,
        wire: WireUnits::ONE,
    };
    let account = AccountSpec {
        row: Some(0),
        firm: FirmId::new(0),
    };
    let session = SessionSpec {
        cells: session_cells(cancel_on_disconnect),
    };
    let all = (0..INSTRUMENTS).map(InstrumentId::new).collect();
    LimitSpec {
        instruments: vec![instrument; INSTRUMENTS as usize],
        instrument_sets: vec![all, Vec::new()],
        rows: vec![RowSpec {
            cells: account_cells(),
            permission_set: 0,
        }],
        rows_spare: 0,
        accounts: vec![account; sessions as usize],
        firms: vec![FirmSpec {
            cells: firm_cells(),
            clearing_member: None,
            restricted_set: 1,
        }],
        sessions: vec![session; sessions as usize],
    }
}

fn instrument_cells() -> InstrumentCells {
    let mut cells = InstrumentCells::UNSET;
    for (field, value) in [
        (InstrumentField::TickLotValue, 10),
        (InstrumentField::PriceMax, PRICE_MAX),
        (InstrumentField::CollarPpm, 500_000),
        (InstrumentField::OiLower, 1 << 40),
        (InstrumentField::OiUpper, 1 << 41),
        (InstrumentField::OiCap, 1 << 41),
        (InstrumentField::OiShareMax, 1 << 41),
        (InstrumentField::RefMaxAgeNs, 1 << 60),
        (InstrumentField::BucketNs, 1_000_000),
        (InstrumentField::EwmaShift, 4),
        (InstrumentField::SpikeFloor, 1 << 40),
        (InstrumentField::SpikePpm, 2_000_000),
        (InstrumentField::CooldownNs, 1),
    ] {
        cells.set(field, value);
    }
    cells
}

fn account_cells() -> AccountCells {
    let mut cells = AccountCells::UNSET;
    for (field, value) in [
        (AccountField::RateIntervalNs, 1),
        (AccountField::RateCount, 1),
        (AccountField::RateBurst, 1_000_000),
        (AccountField::RepeatWindowNs, 0),
        (AccountField::RepeatMax, 1_000_000_000),
        (AccountField::QtyMax, QTY_MAX),
        (AccountField::NotionalMax, 1 << 50),
        (AccountField::OpenOrdersMax, 1_000_000_000),
        (AccountField::PositionMax, 1 << 30),
        (AccountField::OpenNotionalMax, 1 << 50),
        (AccountField::LossMax, 1 << 50),
        (AccountField::PnlWeightPpm, 1_000_000),
        (AccountField::PnlCap, 1 << 50),
        (AccountField::AccountVolumeMax, 1 << 30),
    ] {
        cells.set(field, value);
    }
    cells
}

fn firm_cells() -> FirmCells {
    let mut cells = FirmCells::UNSET;
    cells.set(FirmField::RateIntervalNs, 1);
    for field in [
        FirmField::RateCount,
        FirmField::RateBurst,
        FirmField::QtyMax,
        FirmField::NotionalMax,
        FirmField::OpenOrdersMax,
        FirmField::OpenNotionalMax,
    ] {
        cells.set(field, FIRM_FIELDS[field as usize].max);
    }
    cells
}

fn session_cells(cancel_on_disconnect: bool) -> SessionCells {
    let mut cells = SessionCells::UNSET;
    cells.set(SessionField::RateIntervalNs, 1);
    cells.set(SessionField::RateCount, 1);
    cells.set(SessionField::RateBurst, 1_000_000);
    let on = i64::from(cancel_on_disconnect);
    cells.set(SessionField::CancelOnDisconnect, on);
    cells
}
