//! The limits that our orders are held against: as those of the `kernel` bench.
//!
//! Owned by nobody. Invariants: every cell is set, so that every check has something to compare with;
//! lots and margin alone refuse an order of the stream.

use crate::stream::{INSTRUMENTS, QTY_MAX};
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

/// Sessions, and as many firms.
pub(crate) const SESSIONS: u32 = 64;
/// Classes of accounts.
const CLASSES: u32 = 16;

const WIDE: i64 = 1 << 60;
const COUNT_MAX: i64 = 1_000_000_000;

/// The limits of so many accounts.
pub(crate) fn limits(accounts: u32) -> LimitSpec {
    let row = RowSpec {
        cells: account_cells(),
        permission_set: 0,
    };
    let account = |account: u32| AccountSpec {
        row: Some(account % CLASSES),
        firm: FirmId::new(account % SESSIONS),
    };
    let firm = FirmSpec {
        cells: firm_cells(),
        clearing_member: None,
        restricted_set: 1,
    };
    let session = SessionSpec {
        cells: session_cells(),
    };
    LimitSpec {
        instruments: vec![instrument(); INSTRUMENTS as usize],
        instrument_sets: vec![
            (0..INSTRUMENTS).map(InstrumentId::new).collect(),
            Vec::new(),
        ],
        rows: vec![row; CLASSES as usize],
        rows_spare: 0,
        accounts: (0..accounts).map(account).collect(),
        firms: (0..SESSIONS).map(|_| firm.clone()).collect(),
        sessions: (0..SESSIONS).map(|_| session.clone()).collect(),
    }
}

fn instrument() -> InstrumentSpec {
    let mut cells = InstrumentCells::UNSET;
    for (field, value) in [
        (InstrumentField::TickLotValue, 1),
        (InstrumentField::PriceMax, 20_000),
        (InstrumentField::CollarPpm, 50_000),
        (InstrumentField::OiLower, WIDE),
        (InstrumentField::OiUpper, WIDE),
        (InstrumentField::OiCap, WIDE),
        (InstrumentField::OiShareMax, WIDE),
        (InstrumentField::RefMaxAgeNs, 1_000_000_000),
        (InstrumentField::BucketNs, 1_000_000),
        (InstrumentField::EwmaShift, 6),
        (InstrumentField::SpikeFloor, WIDE),
        (InstrumentField::SpikePpm, 3_000_000),
        (InstrumentField::CooldownNs, 1_000_000),
    ] {
        cells.set(field, value);
    }
    let tiers = |low, high| {
        let tiers = [(0, low), (1_000_000_000, high)].map(|(from_notional, ratio_ppm)| Tier {
            from_notional,
            ratio_ppm,
        });
        Tiers::new(&tiers).expect("two tiers that ascend from 0")
    };
    InstrumentSpec {
        cells,
        initial: tiers(50_000, 100_000),
        maintenance: tiers(25_000, 50_000),
        wire: WireUnits::ONE,
    }
}

fn account_cells() -> AccountCells {
    let mut cells = AccountCells::UNSET;
    for (field, value) in [
        (AccountField::RateIntervalNs, 1),
        (AccountField::RateCount, 1),
        (AccountField::RateBurst, 1_000_000),
        (AccountField::RepeatWindowNs, 1_000_000),
        (AccountField::RepeatMax, COUNT_MAX),
        (AccountField::QtyMax, QTY_MAX),
        (AccountField::NotionalMax, 1_000_000_000),
        (AccountField::OpenOrdersMax, COUNT_MAX),
        (AccountField::PositionMax, 1 << 40),
        (AccountField::OpenNotionalMax, WIDE),
        (AccountField::LossMax, 5_000_000),
        (AccountField::PnlWeightPpm, 500_000),
        (AccountField::PnlCap, 1_000_000_000),
        (AccountField::AccountVolumeMax, 1 << 40),
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

fn session_cells() -> SessionCells {
    let mut cells = SessionCells::UNSET;
    cells.set(SessionField::RateIntervalNs, 1);
    cells.set(SessionField::RateCount, 1);
    cells.set(SessionField::RateBurst, 1_000_000);
    cells.set(SessionField::CancelOnDisconnect, 0);
    cells
}
