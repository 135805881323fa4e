//! How often each check was evaluated, as it follows from the core's counters.
//!
//! Owned by nobody. The core counts no check by itself: a count each would cost every order some forty additions.
//! Invariant: the counters are of a core that runs the registry without an early exit, as all of this product do.

use portcullis_risk_core::Counters;
use portcullis_risk_core::checks::{Descriptor, early};

/// How often each of these was evaluated, by name: those of form on every order, the others on each whose form
/// is right, but those that do not judge an order which reduces on all others alone. Of these the account's worth
/// is proved or worked out, once each.
pub fn evaluations(
    checks: impl Iterator<Item = &'static Descriptor> + Clone,
    counters: &Counters,
) -> impl Iterator<Item = (&'static str, u64)> {
    let of_form = checks.clone().filter(|check| is_of_form(check));
    let misshapen: u64 = of_form
        .map(|check| counters.primary[usize::from(check.number)])
        .sum();
    let all = counters.accepted + counters.refused;
    let not_reducing = counters.proved_by_bound + counters.valued_exactly;
    checks.map(move |check| {
        let times = match (is_of_form(check), check.judges_reducing) {
            (true, _) => all,
            (false, true) => all - misshapen,
            (false, false) => not_reducing,
        };
        (check.name, times)
    })
}

/// Whether a check is of the message's form: a refusal by one of these is answered without the others.
fn is_of_form(check: &Descriptor) -> bool {
    check.number <= early::OVERLOADED.raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_risk_core::checks::REGISTRY;

    #[test]
    fn checks_of_form_see_all_and_those_that_add_what_adds_alone() {
        let mut counters = Counters::new();
        counters.accepted = 90;
        counters.refused = 10;
        counters.primary[usize::from(early::OVERLOADED.raw())] = 4;
        counters.proved_by_bound = 50;
        counters.valued_exactly = 5;
        let times = |name: &str| {
            let mut all = evaluations(REGISTRY.iter(), &counters);
            all.find(|(check, _)| *check == name)
                .map(|(_, times)| times)
        };
        assert_eq!(times("OVERLOADED"), Some(100));
        assert_eq!(times("QTY_MAX"), Some(96));
        assert_eq!(times("MARGIN"), Some(55));
        let not_reducing =
            evaluations(REGISTRY.iter(), &counters).filter(|(_, times)| *times == 55);
        assert_eq!(not_reducing.count(), 19);
    }
}
