//! The limits that the benches' orders are held against.
//!
//! Owned by nobody. Invariants: every cell is set; margin has three tiers and is scaled by open
//! interest; the tables of one size differ in what a reload changes, never in what an order of the
//! load is told.

use portcullis_domain::{FirmId, InstrumentId};
use portcullis_risk_core::limits::account::{AccountCells, AccountField};
use portcullis_risk_core::limits::firm::{FIRM_FIELDS, FirmCells, FirmField};
use portcullis_risk_core::limits::instrument::{
    InstrumentCells, InstrumentField, Tier, Tiers, WireUnits,
};
use portcullis_risk_core::limits::session::{SessionCells, SessionField};
use portcullis_risk_core::limits::{
    AccountSpec, FirmSpec, InstrumentSpec, LimitSpec, LimitTable, RowSpec, SessionSpec,
};

/// Instruments.
pub const INSTRUMENTS: u32 = 64;
/// Sessions, and as many firms.
pub const SESSIONS: u32 = 64;
/// Lots of one order at the most.
pub const QTY_MAX: i64 = 100;
/// The highest price.
pub const PRICE_MAX: i64 = 20_000;
/// How far an order's limit may be through the reference.
pub const COLLAR_PPM: i64 = 50_000;

/// Classes of accounts.
const CLASSES: u32 = 16;
const WIDE: i64 = 1 << 60;
const COUNT_MAX: i64 = 1_000_000_000;
const DAY_NS: i64 = 86_400_000_000_000;

/// Which of the tables of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// The one that is in force at first.
    First,
    /// One account in a hundred has limits of its own.
    OneInHundred,
    /// No account has the limits that it had.
    Whole,
}

/// A table.
///
/// # Errors
/// It does not load: a mistake here.
pub fn table(size: Size, edition: Edition) -> Result<LimitTable, String> {
    LimitTable::build(&spec(size, edition))
        .map_err(|why| format!("the limits do not load: {:?}", why.faults))
}

/// How large a table is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Accounts.
    pub accounts: u32,
    /// Rows kept for accounts whose cells change one by one.
    pub rows_spare: u32,
    /// Lots of one side that are held in each instrument.
    pub held_lots: i64,
}

fn spec(size: Size, edition: Edition) -> LimitSpec {
    let wider = i64::from(edition == Edition::Whole);
    let mut rows = vec![row(wider); CLASSES as usize];
    let mut row_of = |account: u32| {
        if edition == Edition::OneInHundred && account.is_multiple_of(100) {
            rows.push(row(1 + i64::from(account)));
            return rows.len() as u32 - 1;
        }
        account % CLASSES
    };
    let accounts = (0..size.accounts).map(|account| AccountSpec {
        row: Some(row_of(account)),
        firm: FirmId::new(account % SESSIONS),
    });
    let accounts = accounts.collect();
    LimitSpec {
        instruments: vec![instrument(size.held_lots); INSTRUMENTS as usize],
        instrument_sets: vec![
            (0..INSTRUMENTS).map(InstrumentId::new).collect(),
            Vec::new(),
        ],
        rows,
        rows_spare: size.rows_spare,
        accounts,
        firms: vec![firm(); SESSIONS as usize],
        sessions: vec![session(); SESSIONS as usize],
    }
}

fn row(wider: i64) -> RowSpec {
    let mut cells = AccountCells::UNSET;
    for (field, value) in [
        (AccountField::RateIntervalNs, 1),
        (AccountField::RateCount, 1),
        (AccountField::RateBurst, 1_000_000),
        (AccountField::RepeatWindowNs, 1_000_000),
        (AccountField::RepeatMax, COUNT_MAX),
        (AccountField::QtyMax, QTY_MAX),
        (AccountField::NotionalMax, 1_000_000_000 + wider),
        (AccountField::OpenOrdersMax, COUNT_MAX),
        (AccountField::PositionMax, 1 << 40),
        (AccountField::OpenNotionalMax, WIDE),
        (AccountField::LossMax, 1_000_000_000),
        (AccountField::PnlWeightPpm, 500_000),
        (AccountField::PnlCap, 1_000_000_000),
        (AccountField::AccountVolumeMax, 1 << 40),
    ] {
        cells.set(field, value);
    }
    RowSpec {
        cells,
        permission_set: 0,
    }
}

fn instrument(held_lots: i64) -> InstrumentSpec {
    let mut cells = InstrumentCells::UNSET;
    for (field, value) in [
        (InstrumentField::TickLotValue, 1),
        (InstrumentField::PriceMax, PRICE_MAX),
        (InstrumentField::CollarPpm, COLLAR_PPM),
        // What is held lies between the two, so that margin is scaled.
        (InstrumentField::OiLower, held_lots / 2),
        (InstrumentField::OiUpper, held_lots.max(1) * 8),
        (InstrumentField::OiCap, WIDE),
        (InstrumentField::OiShareMax, WIDE),
        (InstrumentField::RefMaxAgeNs, DAY_NS),
        (InstrumentField::BucketNs, 1_000_000),
        (InstrumentField::EwmaShift, 6),
        (InstrumentField::SpikeFloor, WIDE),
        (InstrumentField::SpikePpm, 3_000_000),
        (InstrumentField::CooldownNs, 1_000_000),
    ] {
        cells.set(field, value);
    }
    let tiers = |ratios: [u32; 3]| {
        let starts = [0, 500_000, 1_000_000];
        let tiers = [0, 1, 2].map(|at| Tier {
            from_notional: starts[at],
            ratio_ppm: ratios[at],
        });
        Tiers::new(&tiers).expect("three tiers that ascend from 0")
    };
    InstrumentSpec {
        cells,
        initial: tiers([50_000, 75_000, 100_000]),
        maintenance: tiers([25_000, 37_500, 50_000]),
        wire: WireUnits::ONE,
    }
}

fn firm() -> FirmSpec {
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
    FirmSpec {
        cells,
        clearing_member: None,
        restricted_set: 1,
    }
}

fn session() -> SessionSpec {
    let mut cells = SessionCells::UNSET;
    cells.set(SessionField::RateIntervalNs, 1);
    cells.set(SessionField::RateCount, 1);
    cells.set(SessionField::RateBurst, 1_000_000);
    cells.set(SessionField::CancelOnDisconnect, 0);
    SessionSpec { cells }
}
