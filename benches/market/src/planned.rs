//! Refusals as a load plans them, held against the core's counters.
//!
//! Owned by the load. Invariant: each refusal is planned with the one check that its order fails. It must never look
//! at the core before the load is over.

use portcullis_risk_core::Counters;
use portcullis_risk_core::checks::{Descriptor, REGISTRY};

/// Codes of the core's counters.
const CODES: usize = 64;

/// How often each check is planned to refuse, by its code.
#[derive(Clone, Debug)]
pub struct Planned([u64; CODES]);

impl Default for Planned {
    fn default() -> Self {
        Self([0; CODES])
    }
}

impl Planned {
    /// One more order is refused by this check.
    pub fn add(&mut self, check: &Descriptor) {
        self.0[usize::from(check.number)] += 1;
    }

    /// How often this check refuses.
    #[must_use]
    pub const fn of(&self, check: &Descriptor) -> u64 {
        self.0[check.number as usize]
    }

    /// Holds the core's counts against the plan: each check was the primary reason as often as planned, and failed
    /// no other order.
    ///
    /// # Errors
    /// The first count that is not as it must be, in words.
    pub fn check(&self, counters: &Counters) -> Result<(), String> {
        for check in REGISTRY {
            let code = usize::from(check.number);
            let planned = self.of(check);
            for (what, is) in [
                ("primary reason", counters.primary[code]),
                ("failing", counters.failing[code]),
            ] {
                if is != planned {
                    let name = check.name;
                    return Err(format!(
                        "{name}: {what} of {is} refusals, must be {planned}"
                    ));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_that_is_not_as_planned_is_named() {
        let mut planned = Planned::default();
        let mut counters = Counters::new();
        assert_eq!(planned.check(&counters), Ok(()));
        for check in REGISTRY {
            let code = usize::from(check.number);
            planned.add(check);
            counters.failing[code] += 1;
            let why = planned.check(&counters).expect_err("it was no reason");
            let name = check.name;
            assert_eq!(
                why,
                format!("{name}: primary reason of 0 refusals, must be 1")
            );
            counters.primary[code] += 1;
            assert_eq!(planned.check(&counters), Ok(()));
            counters.failing[code] += 1;
            let why = planned.check(&counters).expect_err("it failed two orders");
            assert_eq!(why, format!("{name}: failing of 2 refusals, must be 1"));
            counters.failing[code] -= 1;
        }
    }
}
