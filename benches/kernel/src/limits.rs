//! The shape of a market, and the limits that its orders are held against.
//!
//! Owned by nobody. Invariants: every cell is set, so that every check has something to compare
//! with, and no order of the load fails any; a tenth of the orders, those of [`QTY_LARGEST`] lots, are within
//! a tenth of a limit; open interest stands between its bounds, so that margin is scaled.

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
pub const SESSIONS: u32 = 64;
/// Lots of the largest order of the load, and of the largest that passes.
pub const QTY_LARGEST: i64 = 10;
/// One more than the load's largest: 10 of 11 is within a tenth.
pub const QTY_MAX: i64 = 11;
/// Lots of a position.
pub const POSITION_LOTS: i64 = 20;
/// Set of the instruments of the load.
pub const SET_LOAD: u32 = 0;
/// Set of no instrument.
pub const SET_NONE: u32 = 1;
/// Classes of accounts.
const CLASSES: u32 = 16;

const WIDE: i64 = 1 << 60;
const COUNT_MAX: i64 = 1_000_000_000;

/// How large a market is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Accounts, an even number.
    pub accounts: u32,
    /// Instruments, no fewer than an account trades.
    pub instruments: u32,
    /// Instruments that an account trades ...
    pub traded: u32,
    /// ... and those of them in which it has a position.
    pub held: u32,
    /// Orders of an account that rest all the time.
    pub resting: u32,
}

impl Shape {
    /// 64 instruments, of which an account trades four and holds two.
    #[must_use]
    pub const fn of(accounts: u32) -> Self {
        Self {
            accounts,
            instruments: 64,
            traded: 4,
            held: 2,
            resting: 0,
        }
    }

    /// What an account deposits: several times its requirement.
    #[must_use]
    pub fn deposit(&self) -> i64 {
        2_500_000 * i64::from(self.held.max(2)) + 20_000 * i64::from(self.resting)
    }

    /// Open interest of an instrument, about.
    fn open_interest(&self) -> i64 {
        let longs = i64::from(self.accounts / 2) * i64::from(self.held);
        longs * POSITION_LOTS / i64::from(self.instruments)
    }
}

/// The limits of a market.
#[must_use]
pub fn limits(shape: &Shape) -> LimitSpec {
    let row = RowSpec {
        cells: account_cells(shape),
        permission_set: SET_LOAD,
    };
    let (accounts, instruments) = (shape.accounts, shape.instruments);
    LimitSpec {
        instruments: vec![instrument(shape); instruments as usize],
        instrument_sets: vec![
            (0..instruments).map(InstrumentId::new).collect(),
            Vec::new(),
        ],
        rows: vec![row; CLASSES as usize],
        rows_spare: 0,
        accounts: (0..accounts)
            .map(|account| AccountSpec {
                row: Some(account % CLASSES),
                firm: FirmId::new(account % SESSIONS),
            })
            .collect(),
        firms: (0..SESSIONS)
            .map(|_| FirmSpec {
                cells: firm_cells(),
                clearing_member: None,
                restricted_set: SET_NONE,
            })
            .collect(),
        sessions: (0..SESSIONS)
            .map(|_| SessionSpec {
                cells: session_cells(),
            })
            .collect(),
    }
}

/// An instrument of the load: three tiers, and margin scaled by an eighth of the way to the cap.
#[must_use]
pub fn instrument(shape: &Shape) -> InstrumentSpec {
    let open_interest = shape.open_interest();
    let mut cells = InstrumentCells::UNSET;
    for (field, value) in [
        (InstrumentField::TickLotValue, 1),
        (InstrumentField::PriceMax, 20_000),
        (InstrumentField::CollarPpm, 50_000),
        (InstrumentField::OiLower, open_interest / 2),
        (InstrumentField::OiUpper, 4 * open_interest + 100),
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
    let tiers = |ratios: [u32; 3]| {
        let from = [0, 150_000, 250_000];
        let tier = |(from_notional, ratio_ppm)| Tier {
            from_notional,
            ratio_ppm,
        };
        let tiers: Vec<Tier> = from.into_iter().zip(ratios).map(tier).collect();
        Tiers::new(&tiers).expect("three tiers that ascend from 0")
    };
    InstrumentSpec {
        cells,
        initial: tiers([50_000, 100_000, 150_000]),
        maintenance: tiers([25_000, 50_000, 75_000]),
        wire: WireUnits::ONE,
    }
}

/// Limits of an account of the load.
#[must_use]
pub fn account_cells(shape: &Shape) -> AccountCells {
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
        (AccountField::LossMax, shape.deposit()),
        (AccountField::PnlWeightPpm, 500_000),
        (AccountField::PnlCap, 1_000_000_000),
        (AccountField::AccountVolumeMax, 1 << 40),
    ] {
        cells.set(field, value);
    }
    cells
}

/// Limits of a firm: as wide as they may be.
#[must_use]
pub fn firm_cells() -> FirmCells {
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

/// Limits of a session that never binds.
#[must_use]
pub fn session_cells() -> SessionCells {
    let mut cells = SessionCells::UNSET;
    cells.set(SessionField::RateIntervalNs, 1);
    cells.set(SessionField::RateCount, 1);
    cells.set(SessionField::RateBurst, 1_000_000);
    cells.set(SessionField::CancelOnDisconnect, 0);
    cells
}
