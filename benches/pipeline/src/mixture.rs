//! What a mixture of orders came to, in rows: that each check was evaluated and refused its share, and that a tenth
//! of the others came near a limit.
//!
//! On the measuring thread, at the end. Invariant: the plan was held against the core's counts before.

use portcullis_bench_harness::{Bar, REASON_PERMILLE, Row, rarest_permille};

pub use crate::mixed::Mixture;

/// Of a thousand orders that pass, those that come within a tenth of a limit at the least.
const NEAR_PERMILLE: u64 = 95;

/// The rows.
#[must_use]
pub fn rows(bench: &'static str, mixture: &Mixture) -> [Row; 4] {
    let Mixture {
        checks,
        evaluations,
        near,
        passing,
    } = mixture;
    let count = |figure: &str, value: u64, bar, note| {
        Row::of_count(bench, figure.to_owned(), value, bar, note)
    };
    let refused: u64 = checks.iter().map(|(_, count)| count).sum();
    let reasons = checks.iter().filter(|(_, count)| *count > 0).count() as u64;
    let (rarest, permille) = rarest_permille(checks);
    let seldom = evaluations.iter().min_by_key(|(_, times)| *times);
    let (seldom, times) = seldom.copied().unwrap_or_default();
    let close: u64 = near.iter().map(|(_, count)| count).sum();
    let of_each: Vec<String> = near
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    [
        count(
            "checks that were the primary reason of a refusal",
            reasons,
            Bar::AtLeast(checks.len() as u64),
            format!("{refused} refusals, {passing} passed"),
        ),
        count(
            "the rarest reason, of 1,000 refusals",
            permille,
            Bar::AtLeast(REASON_PERMILLE),
            rarest.to_owned(),
        ),
        count(
            "evaluations of the check that was evaluated least",
            times,
            Bar::None,
            format!("{seldom}, of {} checks", evaluations.len()),
        ),
        count(
            "within a tenth of a limit, of 1,000 that pass",
            close * 1_000 / (*passing).max(1),
            Bar::AtLeast(NEAR_PERMILLE),
            of_each.join(", "),
        ),
    ]
}
