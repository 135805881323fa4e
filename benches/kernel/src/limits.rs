//! The shape of a market, and the limits that its orders are held against.
//!
//! Owned by nobody. Invariants: every cell is set, so that every check has something to compare
//! with, and no order of the load fails any; a tenth of the orders, those of [`QTY_LARGEST`] lots, are within
//! a tenth of a limit; open interest stands between its bounds, so that margin is scaled.

use portcullis_bench_market::case::Usual;
use portcullis_bench_market::limits::{self, InstrumentLimits, table};
use portcullis_risk_core::limits::account::AccountCells;
use portcullis_risk_core::limits::{InstrumentSpec, LimitSpec};

pub use portcullis_bench_market::limits::{
    SESSIONS, SET_ALL, SET_NONE, TIERS, firm_cells, session_cells,
};
pub use portcullis_bench_market::near::{POSITION_LOTS, QTY_LARGEST, QTY_MAX};

/// How long a reference price lasts.
const REF_MAX_AGE_NS: i64 = 1_000_000_000;

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
    /// Orders of an account that rest all the time ...
    pub resting: u32,
    /// ... and such as are all gone before the load begins: their room is there, and used already.
    pub gone: u32,
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
            gone: 0,
        }
    }

    /// Orders of an account that rest or have rested.
    pub(crate) const fn rested(&self) -> u32 {
        self.resting + self.gone
    }

    /// What an account deposits: several times its requirement.
    #[must_use]
    pub fn deposit(&self) -> i64 {
        2_500_000 * i64::from(self.held.max(2)) + 20_000 * i64::from(self.rested())
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
    let cells = account_cells(shape);
    table(
        shape.instruments,
        &instrument(shape),
        shape.accounts,
        &cells,
    )
}

/// An instrument of the load: four tiers, and margin scaled by an eighth of the way to the cap.
#[must_use]
pub fn instrument(shape: &Shape) -> InstrumentSpec {
    let open_interest = shape.open_interest();
    limits::instrument(&InstrumentLimits {
        oi_lower: open_interest / 2,
        oi_upper: 4 * open_interest + 100,
        ref_max_age_ns: REF_MAX_AGE_NS,
        tiers: &TIERS,
    })
}

/// Limits of an account of the load.
#[must_use]
pub fn account_cells(shape: &Shape) -> AccountCells {
    limits::account_cells(QTY_MAX, shape.deposit())
}

/// What the load has and a case takes over.
#[must_use]
pub fn usual(shape: &Shape) -> Usual {
    Usual {
        instrument: instrument(shape),
        account: account_cells(shape),
    }
}
