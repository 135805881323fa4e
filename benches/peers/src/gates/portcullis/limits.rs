//! The limits that our orders are held against: those that all benches share, in four tiers.
//!
//! Owned by nobody. Invariants: every cell is set, so that every check has something to compare with;
//! lots and margin alone refuse an order of the stream.

use super::POSITION_LOTS;
use crate::stream::{INSTRUMENTS, QTY_MAX};
use portcullis_bench_market::limits::{InstrumentLimits, TIERS, account_cells, instrument, table};
use portcullis_risk_core::limits::LimitSpec;

pub(crate) use portcullis_bench_market::limits::SESSIONS;

const LOSS_MAX: i64 = 5_000_000;
const REF_MAX_AGE_NS: i64 = 1_000_000_000;

/// The limits of so many accounts.
pub(crate) fn limits(accounts: u32) -> LimitSpec {
    // What is held stands between the bounds of open interest, so that margin is scaled: half of this
    // at the least, where the accounts without money would have been.
    let open_interest = i64::from(accounts / INSTRUMENTS) * POSITION_LOTS;
    let item = instrument(&InstrumentLimits {
        oi_lower: open_interest / 4,
        oi_upper: 4 * open_interest + 100,
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
