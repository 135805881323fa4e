//! The limits that the benches' orders are held against.
//!
//! Owned by nobody. Invariants: every cell is set; margin has three or four tiers and is scaled by open
//! interest; the tables of one size differ in what a reload changes, never in what an order of the
//! load is told.

use crate::crowd::{Checks, Crowd};
use portcullis_bench_market::case::{self, Case, Usual};
use portcullis_bench_market::limits::{
    InstrumentLimits, MarginTier, SET_ALL, TIERS, account_cells, instrument,
};
use portcullis_bench_market::near;
use portcullis_risk_core::checks::REGISTRY;
use portcullis_risk_core::limits::account::{AccountCells, AccountField};
use portcullis_risk_core::limits::{InstrumentSpec, LimitSpec, RowSpec};

pub use portcullis_bench_market::limits::{COLLAR_PPM, PRICE_MAX, SESSIONS};

/// Instruments.
pub const INSTRUMENTS: u32 = 64;
/// Lots of one order at the most, where some checks refuse.
pub const QTY_MAX: i64 = 100;

const LOSS_MAX: i64 = 1_000_000_000;
const DAY_NS: i64 = 86_400_000_000_000;
/// Notional of an order of an account that has another limit near it.
const NOTIONAL_FAR: i64 = 1_000_000_000;
/// Three tiers of margin, where some checks refuse.
const TIERS_OF_SOME: [MarginTier; 3] = [
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

/// What a table is built from.
#[must_use]
pub fn spec(crowd: Crowd, edition: Edition) -> LimitSpec {
    let (mut spec, _) = with_cases(crowd);
    match edition {
        Edition::First => {}
        Edition::Whole => spec.rows.iter_mut().for_each(|row| widen(row, 1)),
        Edition::OneInHundred => {
            for account in (0..crowd.accounts).step_by(100) {
                let row = spec.accounts[account as usize].row;
                let row = row.expect("each account of the load has one");
                let mut own = spec.rows[row as usize].clone();
                widen(&mut own, 1 + i64::from(account));
                spec.accounts[account as usize].row = Some(spec.rows.len() as u32);
                spec.rows.push(own);
            }
        }
    }
    spec
}

/// The first table of a crowd, and the cases of all checks that have a turn.
#[must_use]
pub fn with_cases(crowd: Crowd) -> (LimitSpec, Vec<Case>) {
    let Usual {
        instrument,
        account,
    } = usual(crowd);
    let mut spec =
        portcullis_bench_market::limits::table(INSTRUMENTS, &instrument, crowd.accounts, &account);
    spec.rows_spare = crowd.rows_spare;
    if crowd.checks == Checks::Some {
        return (spec, Vec::new());
    }
    add_near(&mut spec, crowd, &account);
    let usual = Usual {
        instrument,
        account,
    };
    let cases = REGISTRY
        .iter()
        // Nothing at all passes while it fails.
        .filter(|check| check.name != "JOURNAL_DOWN")
        .map(|check| case::add(check, &mut spec, &usual))
        .collect();
    (spec, cases)
}

/// Gives accounts that have a limit near them a row for each kind.
fn add_near(spec: &mut LimitSpec, crowd: Crowd, account: &AccountCells) {
    let first_row = spec.rows.len() as u32;
    for kind in Crowd::NEAR {
        let mut cells = *account;
        kind.tighten(&mut cells);
        spec.rows.push(RowSpec {
            cells,
            permission_set: SET_ALL,
        });
    }
    for which in 0..crowd.active {
        if let Some(kind) = crowd.near(which) {
            let account = crowd.active_account(which) as usize;
            spec.accounts[account].row = Some(first_row + kind as u32);
        }
    }
}

/// Limits that differ from what they were, and refuse no order that those do not: those whose notional is near
/// stay.
fn widen(row: &mut RowSpec, wider: i64) {
    if has_far_notional(row) {
        row.cells
            .set(AccountField::NotionalMax, NOTIONAL_FAR + wider);
    }
}

fn has_far_notional(row: &RowSpec) -> bool {
    row.cells.cell(AccountField::NotionalMax).value() == Some(NOTIONAL_FAR)
}

fn usual(crowd: Crowd) -> Usual {
    let (tiers, qty_max): (&[MarginTier], _) = match crowd.checks {
        Checks::Some => (&TIERS_OF_SOME, QTY_MAX),
        Checks::All => (&TIERS, near::QTY_MAX),
    };
    Usual {
        instrument: traded(crowd, tiers),
        account: account_cells(qty_max, LOSS_MAX),
    }
}

/// What is held lies between the bounds of open interest, so that margin is scaled.
fn traded(crowd: Crowd, tiers: &[MarginTier]) -> InstrumentSpec {
    let (oi_lower, oi_upper) = oi_bounds(crowd);
    instrument(&InstrumentLimits {
        oi_lower,
        oi_upper,
        ref_max_age_ns: DAY_NS,
        tiers,
    })
}

/// Where margin begins to be scaled, and where it is in full.
#[must_use]
pub fn oi_bounds(crowd: Crowd) -> (i64, i64) {
    let held_lots = crowd.held_lots();
    (held_lots / 2, held_lots.max(1) * 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_bench_market::near::Near;

    #[test]
    fn editions_change_no_limit_that_is_near() {
        let crowd = Crowd {
            accounts: 20_000,
            active: 200,
            rows_spare: 0,
            checks: Checks::All,
        };
        let first = crowd.limits();
        for edition in [Edition::OneInHundred, Edition::Whole] {
            let changed = spec(crowd, edition);
            let row = |spec: &LimitSpec, account: u32| {
                let row = spec.accounts[account as usize].row;
                spec.rows[row.expect("each has one") as usize].cells
            };
            for which in 0..crowd.active {
                let account = crowd.active_account(which);
                let (before, after) = (row(&first, account), row(&changed, account));
                let stays = crowd.near(which) == Some(Near::Notional)
                    || edition == Edition::OneInHundred && !account.is_multiple_of(100);
                assert_eq!(before == after, stays, "{edition:?}, {account}");
            }
            assert!(crowd.table(edition).is_ok());
        }
    }
}
