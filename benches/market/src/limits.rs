//! The limits that orders of a bench are held against, by scope.
//!
//! Owned by nobody. Invariants: every cell is set, so that every check has something to compare with; what
//! a bench does not say is as wide as it may be, so that only what it says can bind.

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
/// Classes of accounts, each a row of limits.
pub const CLASSES: u32 = 16;
/// Set of all instruments.
pub const SET_ALL: u32 = 0;
/// Set of no instrument.
pub const SET_NONE: u32 = 1;
/// The highest price.
pub const PRICE_MAX: i64 = 20_000;
/// How far an order's limit may be through the reference.
pub const COLLAR_PPM: i64 = 50_000;
/// A number of lots or quanta that no bench reaches.
pub const WIDE: i64 = 1 << 60;
/// Orders of an account that no bench reaches, nor repetitions.
pub const COUNT_MAX: i64 = 1_000_000_000;
/// Lots that no position of a bench reaches; the highest price times them still fits the books.
const POSITION_MAX: i64 = 1 << 40;

/// A tier of margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarginTier {
    /// Notional from which it counts.
    pub from_notional: i64,
    /// Initial margin, parts per million.
    pub initial_ppm: u32,
    /// Maintenance margin, parts per million.
    pub maintenance_ppm: u32,
}

/// As many tiers as the shipped config with the most: a position of 20 lots with its orders reaches into the second or
/// the third, at prices about 10,000.
pub const TIERS: [MarginTier; 4] = [
    MarginTier {
        from_notional: 0,
        initial_ppm: 50_000,
        maintenance_ppm: 25_000,
    },
    MarginTier {
        from_notional: 150_000,
        initial_ppm: 100_000,
        maintenance_ppm: 50_000,
    },
    MarginTier {
        from_notional: 250_000,
        initial_ppm: 150_000,
        maintenance_ppm: 75_000,
    },
    MarginTier {
        from_notional: 1_000_000,
        initial_ppm: 250_000,
        maintenance_ppm: 125_000,
    },
];

/// What sets one market's instruments apart from another's.
#[derive(Clone, Copy, Debug)]
pub struct InstrumentLimits<'a> {
    /// Open interest above which margin is scaled ...
    pub oi_lower: i64,
    /// ... and at which it is scaled in full.
    pub oi_upper: i64,
    /// How long a reference price lasts.
    pub ref_max_age_ns: i64,
    /// Tiers of margin, the first from 0.
    pub tiers: &'a [MarginTier],
}

/// An instrument: one quantum a tick and lot, a collar of five percent.
///
/// # Panics
/// If the tiers do not ascend from 0, or are too many.
#[must_use]
pub fn instrument(limits: &InstrumentLimits<'_>) -> InstrumentSpec {
    let mut cells = InstrumentCells::UNSET;
    for (field, value) in [
        (InstrumentField::TickLotValue, 1),
        (InstrumentField::PriceMax, PRICE_MAX),
        (InstrumentField::CollarPpm, COLLAR_PPM),
        (InstrumentField::OiLower, limits.oi_lower),
        (InstrumentField::OiUpper, limits.oi_upper),
        (InstrumentField::OiCap, WIDE),
        (InstrumentField::OiShareMax, WIDE),
        (InstrumentField::RefMaxAgeNs, limits.ref_max_age_ns),
        (InstrumentField::BucketNs, 1_000_000),
        (InstrumentField::EwmaShift, 6),
        (InstrumentField::SpikeFloor, WIDE),
        (InstrumentField::SpikePpm, 3_000_000),
        (InstrumentField::CooldownNs, 1_000_000),
    ] {
        cells.set(field, value);
    }
    let tiers = |ratio: fn(&MarginTier) -> u32| {
        let tier = |tier: &MarginTier| Tier {
            from_notional: tier.from_notional,
            ratio_ppm: ratio(tier),
        };
        let tiers: Vec<Tier> = limits.tiers.iter().map(tier).collect();
        Tiers::new(&tiers).expect("tiers that ascend from 0")
    };
    InstrumentSpec {
        cells,
        initial: tiers(|tier| tier.initial_ppm),
        maintenance: tiers(|tier| tier.maintenance_ppm),
        wire: WireUnits::ONE,
    }
}

/// An account that may lose so much, and whose orders may have so many lots.
#[must_use]
pub fn account_cells(qty_max: i64, loss_max: i64) -> AccountCells {
    let mut cells = AccountCells::UNSET;
    for (field, value) in [
        (AccountField::RateIntervalNs, 1),
        (AccountField::RateCount, 1),
        (AccountField::RateBurst, 1_000_000),
        (AccountField::RepeatWindowNs, 1_000_000),
        (AccountField::RepeatMax, COUNT_MAX),
        (AccountField::QtyMax, qty_max),
        (AccountField::NotionalMax, 1_000_000_000),
        (AccountField::OpenOrdersMax, COUNT_MAX),
        (AccountField::PositionMax, POSITION_MAX),
        (AccountField::OpenNotionalMax, WIDE),
        (AccountField::LossMax, loss_max),
        (AccountField::PnlWeightPpm, 500_000),
        (AccountField::PnlCap, 1_000_000_000),
        (AccountField::AccountVolumeMax, POSITION_MAX),
    ] {
        cells.set(field, value);
    }
    cells
}

/// A firm that never binds.
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

/// A session that never binds.
#[must_use]
pub fn session_cells() -> SessionCells {
    let mut cells = SessionCells::UNSET;
    cells.set(SessionField::RateIntervalNs, 1);
    cells.set(SessionField::RateCount, 1);
    cells.set(SessionField::RateBurst, 1_000_000);
    cells.set(SessionField::CancelOnDisconnect, 0);
    cells
}

/// A table: accounts by turns in [`CLASSES`] classes and [`SESSIONS`] firms, which all may trade
/// `count` instruments alike.
#[must_use]
pub fn table(
    count: u32,
    instrument: &InstrumentSpec,
    accounts: u32,
    cells: &AccountCells,
) -> LimitSpec {
    let row = RowSpec {
        cells: *cells,
        permission_set: SET_ALL,
    };
    let account = |account: u32| AccountSpec {
        row: Some(account % CLASSES),
        firm: FirmId::new(account % SESSIONS),
    };
    let firm = FirmSpec {
        cells: firm_cells(),
        clearing_member: None,
        restricted_set: SET_NONE,
    };
    let session = SessionSpec {
        cells: session_cells(),
    };
    LimitSpec {
        instruments: vec![instrument.clone(); count as usize],
        instrument_sets: vec![(0..count).map(InstrumentId::new).collect(), Vec::new()],
        rows: vec![row; CLASSES as usize],
        rows_spare: 0,
        accounts: (0..accounts).map(account).collect(),
        firms: vec![firm; SESSIONS as usize],
        sessions: vec![session; SESSIONS as usize],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_risk_core::limits::LimitTable;

    #[test]
    fn a_table_of_every_cell_loads() {
        let tier = |from_notional, initial_ppm| MarginTier {
            from_notional,
            initial_ppm,
            maintenance_ppm: initial_ppm / 2,
        };
        let item = instrument(&InstrumentLimits {
            oi_lower: 10,
            oi_upper: 20,
            ref_max_age_ns: 1,
            tiers: &[tier(0, 50_000), tier(1_000, 100_000)],
        });
        let spec = table(3, &item, 100, &account_cells(11, 5));
        assert!(LimitTable::build(&spec).is_ok());
        assert_eq!(spec.accounts[99].row, Some(99 % CLASSES));
    }
}
