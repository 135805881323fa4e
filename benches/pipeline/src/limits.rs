//! The limits that the benches' orders are held against.
//!
//! Owned by nobody. Invariants: every cell is set; margin has three tiers and is scaled by open
//! interest; the tables of one size differ in what a reload changes, never in what an order of the
//! load is told.

use portcullis_bench_market::limits::{
    InstrumentLimits, MarginTier, SET_ALL, account_cells, instrument,
};
use portcullis_risk_core::limits::account::AccountField;
use portcullis_risk_core::limits::{InstrumentSpec, LimitSpec, LimitTable, RowSpec};

pub use portcullis_bench_market::limits::{COLLAR_PPM, PRICE_MAX, SESSIONS};

/// Instruments.
pub const INSTRUMENTS: u32 = 64;
/// Lots of one order at the most.
pub const QTY_MAX: i64 = 100;

const LOSS_MAX: i64 = 1_000_000_000;
const DAY_NS: i64 = 86_400_000_000_000;
/// Three tiers of margin.
const TIERS: [MarginTier; 3] = [
    MarginTier {
        from_notional: 0,
        initial_ppm: 50_000,
        maintenance_ppm: 25_000,
    },
    MarginTier {
        from_notional: 500_000,
        initial_ppm: 75_000,
        maintenance_ppm: 37_500,
    },
    MarginTier {
        from_notional: 1_000_000,
        initial_ppm: 100_000,
        maintenance_ppm: 50_000,
    },
];

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

/// What a table is built from.
#[must_use]
pub fn spec(size: Size, edition: Edition) -> LimitSpec {
    let item = traded(size.held_lots);
    let cells = account_cells(QTY_MAX, LOSS_MAX);
    let mut spec =
        portcullis_bench_market::limits::table(INSTRUMENTS, &item, size.accounts, &cells);
    spec.rows_spare = size.rows_spare;
    match edition {
        Edition::First => {}
        Edition::Whole => spec.rows.fill(wider_row(1)),
        Edition::OneInHundred => {
            for account in (0..size.accounts).step_by(100) {
                spec.accounts[account as usize].row = Some(spec.rows.len() as u32);
                spec.rows.push(wider_row(1 + i64::from(account)));
            }
        }
    }
    spec
}

/// Limits that differ from the first edition's, and refuse no order that those do not.
fn wider_row(wider: i64) -> RowSpec {
    let mut cells = account_cells(QTY_MAX, LOSS_MAX);
    let notional = cells.cell(AccountField::NotionalMax).value();
    let notional = notional.expect("every cell is set");
    cells.set(AccountField::NotionalMax, notional + wider);
    RowSpec {
        cells,
        permission_set: SET_ALL,
    }
}

/// What is held lies between the bounds of open interest, so that margin is scaled.
fn traded(held_lots: i64) -> InstrumentSpec {
    instrument(&InstrumentLimits {
        oi_lower: held_lots / 2,
        oi_upper: held_lots.max(1) * 8,
        ref_max_age_ns: DAY_NS,
        tiers: &TIERS,
    })
}
