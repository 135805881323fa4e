//! The limits that our orders are held against: those that all benches share, in two tiers.
//!
//! Owned by nobody. Invariants: every cell is set, so that every check has something to compare with;
//! lots and margin alone refuse an order of the stream.

use crate::stream::{INSTRUMENTS, QTY_MAX};
use portcullis_bench_market::limits::{
    InstrumentLimits, MarginTier, WIDE, account_cells, instrument, table,
};
use portcullis_risk_core::limits::LimitSpec;

pub(crate) use portcullis_bench_market::limits::SESSIONS;

const LOSS_MAX: i64 = 5_000_000;
const REF_MAX_AGE_NS: i64 = 1_000_000_000;
/// Two tiers of margin.
const TIERS: [MarginTier; 2] = [
    MarginTier {
        from_notional: 0,
        initial_ppm: 50_000,
        maintenance_ppm: 25_000,
    },
    MarginTier {
        from_notional: 1_000_000_000,
        initial_ppm: 100_000,
        maintenance_ppm: 50_000,
    },
];

/// The limits of so many accounts.
pub(crate) fn limits(accounts: u32) -> LimitSpec {
    let item = instrument(&InstrumentLimits {
        oi_lower: WIDE,
        oi_upper: WIDE,
        ref_max_age_ns: REF_MAX_AGE_NS,
        tiers: &TIERS,
    });
    table(
        INSTRUMENTS,
        &item,
        accounts,
        &account_cells(QTY_MAX, LOSS_MAX),
    )
}
