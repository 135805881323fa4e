//! What the refusals of all rounds came to, in rows and in words.
//!
//! On the measuring thread, at the end. Invariant: what is counted here was held against the answers and against what
//! the gateway said before.

use crate::SESSIONS_MANY;
use crate::case;
use portcullis_bench_harness::{Bar, REASON_PERMILLE, Row, rarest_permille};
use portcullis_risk_core::checks::REGISTRY;
use std::collections::BTreeMap;

/// How often each check refused, by sessions connected and by name.
#[derive(Debug, Default)]
pub(crate) struct Mixture(BTreeMap<(usize, &'static str), u64>);

impl Mixture {
    /// What a gateway with so many sessions refused.
    pub(crate) fn add(&mut self, sessions: usize, counts: &[(&'static str, u64)]) {
        for (name, count) in counts {
            *self.0.entry((sessions, name)).or_default() += count;
        }
    }

    /// The rows of those with so many sessions.
    pub(crate) fn rows(&self, sessions: usize) -> [Row; 2] {
        let counts = self.0.iter().filter(|((of, _), _)| *of == sessions);
        let counts: Vec<(&str, u64)> = counts.map(|((_, name), count)| (*name, *count)).collect();
        let refused: u64 = counts.iter().map(|(_, count)| count).sum();
        let reasons = counts.iter().filter(|(_, count)| *count > 0).count() as u64;
        let (rarest, permille) = rarest_permille(&counts);
        let cases = case::all(sessions).len() as u64;
        let count = |what: &str, value: u64, bar, note: String| {
            let figure = format!("{what}, {sessions} connected");
            Row::of_count("wire", figure, value, bar, note)
        };
        [
            count(
                "checks that were the primary reason of a refusal",
                reasons,
                Bar::AtLeast(cases),
                format!("{refused} refusals"),
            ),
            count(
                "the rarest reason, of 1,000 refusals",
                permille,
                Bar::AtLeast(REASON_PERMILLE),
                rarest.to_owned(),
            ),
        ]
    }
}

/// The checks that refuse nothing here, each with why.
pub(crate) fn never() -> String {
    let absences = REGISTRY.iter().filter_map(|check| {
        let name = check.name;
        match (case::absence(check, 1), case::absence(check, SESSIONS_MANY)) {
            (Some(why), Some(_)) => Some(format!("{name}: {why}")),
            (Some(why), None) => Some(format!("{name} with 1 session: {why}")),
            (None, _) => None,
        }
    });
    absences.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_of_many_is_counted_and_the_rarest_is_named() {
        let cases = case::all(SESSIONS_MANY);
        let of_each = |count| cases.iter().map(move |case| (case.check.name, count));
        let mut mixture = Mixture::default();
        mixture.add(SESSIONS_MANY, &of_each(10).collect::<Vec<_>>());
        let [reasons, rarest] = mixture.rows(SESSIONS_MANY);
        assert_eq!(
            (reasons.value, reasons.holds()),
            (Some(cases.len() as u64), Some(true))
        );
        assert_eq!(rarest.holds(), Some(true));
        mixture.add(SESSIONS_MANY, &[("RATE", 100_000)]);
        let [_, rarest] = mixture.rows(SESSIONS_MANY);
        assert_eq!((rarest.value, rarest.holds()), (Some(0), Some(false)));
        let [reasons, _] = mixture.rows(1);
        assert_eq!((reasons.value, reasons.holds()), (Some(0), Some(false)));
    }

    #[test]
    fn a_check_that_refuses_nothing_says_why() {
        let never = never();
        for name in ["OVERLOADED", "JOURNAL_DOWN", "VENUE_DOWN with 1 session"] {
            assert!(never.contains(&format!("{name}: ")), "{never}");
        }
        assert!(!never.contains("MARGIN"), "{never}");
    }
}
