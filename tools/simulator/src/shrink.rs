//! A smaller plan that fails alike.
//!
//! Invariant: what comes back fails with the same rule, was tried, and cannot be made smaller by any
//! one step of ours: fewer turns, a client less, a kind of fault less.

use crate::plan::Plan;
use crate::violation::Violation;

/// Plans tried at the most.
const TRIES_MAX: u32 = 400;

/// A plan that fails, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The smallest plan found.
    pub plan: Plan,
    /// What it breaks.
    pub violation: Violation,
    /// Plans tried.
    pub tries: u32,
}

/// Makes a failing plan smaller; `attempt` says what a plan breaks.
#[must_use]
pub fn shrink(
    plan: Plan,
    violation: Violation,
    attempt: impl Fn(&Plan) -> Option<Violation>,
) -> Shrunk {
    let mut shrunk = Shrunk {
        plan,
        violation,
        tries: 0,
    };
    while step(&mut shrunk, &attempt) {}
    shrunk
}

/// Tries every smaller plan until one fails alike; `false` where none does.
fn step(shrunk: &mut Shrunk, attempt: &impl Fn(&Plan) -> Option<Violation>) -> bool {
    for smaller in candidates(&shrunk.plan) {
        if shrunk.tries == TRIES_MAX {
            return false;
        }
        shrunk.tries += 1;
        let alike = attempt(&smaller).filter(|violation| violation.rule == shrunk.violation.rule);
        if let Some(violation) = alike {
            shrunk.plan = smaller;
            shrunk.violation = violation;
            return true;
        }
    }
    false
}

/// Plans one step smaller, the boldest first.
fn candidates(plan: &Plan) -> Vec<Plan> {
    let fewer_turns = [2, 4, 8, 16, 32, 64, 128, 512]
        .into_iter()
        .map(|part| Plan {
            turns: plan.turns - plan.turns.div_ceil(part),
            ..*plan
        });
    let fewer_clients = (plan.clients > 1).then(|| Plan {
        clients: plan.clients - 1,
        ..*plan
    });
    let fewer_faults = plan.faults.kinds().map(|fault| Plan {
        faults: plan.faults.without(fault),
        ..*plan
    });
    let turns = fewer_turns.filter(|smaller| smaller.turns < plan.turns);
    fewer_clients
        .into_iter()
        .chain(fewer_faults)
        .chain(turns)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Fault, Faults};
    use crate::violation::Rule;

    /// Fails with two clients or more, in 37 turns or more, where lines are cut.
    fn fails(plan: &Plan) -> Option<Violation> {
        let fails = plan.clients > 1 && plan.turns > 36 && plan.faults.has(Fault::Cuts);
        fails.then(|| Violation::new(Rule::Fills, "so it is"))
    }

    #[test]
    fn what_does_not_matter_goes_and_the_rest_stays() {
        let plan = Plan {
            seed: 7,
            turns: 400,
            clients: 4,
            faults: Fault::ALL
                .into_iter()
                .fold(Faults::NONE, |faults, fault| faults.with(fault)),
            plant: None,
        };
        let violation = fails(&plan).expect("the whole fails");
        let shrunk = shrink(plan, violation, fails);
        let smallest = Plan {
            seed: 7,
            turns: 37,
            clients: 2,
            faults: Faults::NONE.with(Fault::Cuts),
            plant: None,
        };
        assert_eq!(shrunk.plan, smallest);
    }

    #[test]
    fn a_smaller_plan_that_breaks_something_else_is_not_taken() {
        let plan = Plan {
            seed: 7,
            turns: 400,
            clients: 4,
            faults: Faults::NONE,
            plant: None,
        };
        let other = |plan: &Plan| {
            let rule = if plan.turns == 400 && plan.clients == 4 {
                Rule::Fills
            } else {
                Rule::Panic
            };
            Some(Violation::new(rule, "so it is"))
        };
        let violation = other(&plan).expect("it fails");
        assert_eq!(shrink(plan, violation, other).plan, plan);
    }
}
