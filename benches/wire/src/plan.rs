//! What becomes of each order, planned when it is made: one in fifty is refused, by each check in its turn.
//!
//! Owned by the rig of a way. Where nobody decides, the same orders are made and all of them pass. Invariants: an order
//! of a case is refused for the case's check alone; at the end the plan is held against what clients were answered,
//! reason by reason, and against what the gateway says of each refusal. Nothing is asked of the gateway before.

use crate::case::{Before, Case, RATE_INTERVAL_MS};
use crate::market;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Between two orders that a rate of a case lets through.
const RATE_INTERVAL: Duration = Duration::from_millis(RATE_INTERVAL_MS);
/// Within this an order that was sent is decided. About the time at which a rate lets an order through nobody can say
/// what becomes of one.
const UNCLEAR: Duration = Duration::from_millis(250);
/// Refusals that the gateway keeps for whoever asks, as its config has it.
const EXPLAINED_MAX: usize = 65_536;

/// What becomes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes on to the engine.
    Passes,
    /// It is refused, as the orders of this case are.
    Refused(usize),
}

/// An order that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Whose order it is, if it is one of a case.
    pub(crate) case: Option<usize>,
    pub(crate) fate: Fate,
}

/// A refusal that was planned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) session: u32,
    pub(crate) number: u32,
    pub(crate) case: Case,
}

/// The last order that a rate let through: when it was sent, and which it was.
#[derive(Clone, Copy, Debug)]
struct Spent {
    at: Instant,
    session: usize,
    number: u32,
}

/// The plan.
#[derive(Debug)]
pub(crate) struct Plan {
    cases: Vec<Case>,
    /// By case whose orders a rate refuses.
    spent: Vec<Option<Spent>>,
    /// Whether what stands between decides anything.
    decides: bool,
    /// Orders drawn.
    drawn: u32,
    /// Whose turn it is.
    turn: usize,
    /// Each refusal: session, number, case.
    refused: Vec<(u32, u32, u8)>,
}

impl Plan {
    pub(crate) fn new(cases: Vec<Case>, decides: bool) -> Self {
        Self {
            spent: vec![None; cases.len()],
            cases,
            decides,
            drawn: 0,
            turn: 0,
            refused: Vec::new(),
        }
    }

    pub(crate) fn cases(&self) -> &[Case] {
        &self.cases
    }

    pub(crate) fn case(&self, which: usize) -> &Case {
        &self.cases[which]
    }

    pub(crate) const fn decides(&self) -> bool {
        self.decides
    }

    /// The next order. `answered` says whether a session's order is.
    #[inline]
    pub(crate) fn next(&mut self, answered: impl Fn(usize, u32) -> bool) -> Due {
        self.drawn = self.drawn.wrapping_add(1);
        if !market::is_refused(self.drawn) {
            return Due {
                case: None,
                fate: Fate::Passes,
            };
        }
        self.of_next_case(Instant::now, answered)
    }

    fn of_next_case(
        &mut self,
        now: impl Fn() -> Instant,
        answered: impl Fn(usize, u32) -> bool,
    ) -> Due {
        loop {
            let which = self.turn;
            self.turn = (which + 1) % self.cases.len();
            let fate = match self.spent[which] {
                _ if !self.decides => Some(Fate::Passes),
                None => Some(Fate::Refused(which)),
                Some(spent) if !answered(spent.session, spent.number) => None,
                Some(spent) => spent.fate(which, now()),
            };
            if let Some(fate) = fate {
                return Due {
                    case: Some(which),
                    fate,
                };
            }
        }
    }

    /// An order of a case, or like one, was sent.
    pub(crate) fn sent(&mut self, due: Due, session: usize, number: u32) {
        match due {
            Due {
                fate: Fate::Refused(which),
                ..
            } => self.refused.push((session as u32, number, which as u8)),
            Due {
                case: Some(which),
                fate: Fate::Passes,
            } if self.decides && self.cases[which].before() == Before::Spent => {
                let at = Instant::now();
                self.spent[which] = Some(Spent {
                    at,
                    session,
                    number,
                });
            }
            Due { .. } => {}
        }
    }

    /// How often each check is planned to refuse.
    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts = vec![0; self.cases.len()];
        for (_, _, which) in &self.refused {
            counts[usize::from(*which)] += 1;
        }
        let names = self.cases.iter().map(|case| case.check.name);
        names.zip(counts).collect()
    }

    /// Holds what clients were answered against the plan, by the reasons of the wire.
    pub(crate) fn compare(&self, answered: &BTreeMap<u16, u64>) -> Result<(), String> {
        let mut planned = BTreeMap::new();
        for (case, (_, count)) in self.cases.iter().zip(self.counts()) {
            if count > 0 {
                *planned.entry(case.wire_reason()).or_default() += count;
            }
        }
        if planned == *answered {
            return Ok(());
        }
        Err(format!(
            "refusals by reason on the wire: answered {answered:?}, planned {planned:?}"
        ))
    }

    /// Those of the refusals that the gateway can still explain.
    pub(crate) fn explained(&self) -> Vec<Refusal> {
        let forgotten = self.refused.len().saturating_sub(EXPLAINED_MAX);
        let kept = self.refused[forgotten..].iter();
        kept.map(|&(session, number, which)| Refusal {
            session,
            number,
            case: self.cases[usize::from(which)],
        })
        .collect()
    }
}

impl Spent {
    /// What becomes of a case's next order; `None` where nobody can say.
    fn fate(&self, which: usize, now: Instant) -> Option<Fate> {
        if now + UNCLEAR < self.at + RATE_INTERVAL {
            return Some(Fate::Refused(which));
        }
        (now >= self.at + RATE_INTERVAL + UNCLEAR).then_some(Fate::Passes)
    }
}

impl Refusal {
    /// The question why it was refused.
    pub(crate) fn request(&self) -> String {
        let user = market::user(self.session as usize);
        format!("explain {user}:{}", self.number)
    }

    /// Holds the gateway's answer against the plan.
    pub(crate) fn compare(&self, answer: &str) -> Result<(), String> {
        let name = self.case.check.name;
        let failing = answer
            .lines()
            .find_map(|line| line.strip_prefix("failing checks: "));
        if failing == Some(name) {
            return Ok(());
        }
        let request = self.request();
        Err(format!(
            "`{request}` must say that {name} alone fails; it says: {answer}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SESSIONS_MANY;
    use crate::case;

    fn plan(decides: bool) -> Plan {
        Plan::new(case::all(SESSIONS_MANY), decides)
    }

    fn refused_of(plan: &mut Plan, orders: u32) -> u64 {
        for number in 1..=orders {
            let due = plan.next(|_, _| true);
            plan.sent(due, 0, number);
        }
        plan.counts().iter().map(|(_, count)| count).sum()
    }

    #[test]
    fn one_in_fifty_is_refused_by_each_check_in_its_turn() {
        let mut plan = plan(true);
        let refused = refused_of(&mut plan, 100_000);
        assert!((1_900..2_100).contains(&refused), "{refused}");
        for (name, count) in plan.counts() {
            assert!(count * 100 >= refused, "{name}: {count} of {refused}");
        }
    }

    #[test]
    fn where_nobody_decides_the_same_orders_pass() {
        let (mut plan, mut other) = (plan(false), plan(true));
        for _ in 0..10_000 {
            let (due, same) = (plan.next(|_, _| true), other.next(|_, _| true));
            assert_eq!((due.case, due.fate), (same.case, Fate::Passes));
        }
        assert_eq!(refused_of(&mut plan, 10_000), 0);
        assert_eq!(plan.compare(&BTreeMap::new()), Ok(()));
    }

    #[test]
    fn a_rate_refuses_until_its_interval_is_over_and_about_its_end_nobody_can_say() {
        let at = Instant::now();
        let spent = Spent {
            at,
            session: 0,
            number: 1,
        };
        let after = |ms| spent.fate(7, at + Duration::from_millis(ms));
        assert_eq!(after(0), Some(Fate::Refused(7)));
        assert_eq!(after(749), Some(Fate::Refused(7)));
        assert_eq!([750, 1_000, 1_249].map(after), [None; 3]);
        assert_eq!(after(1_250), Some(Fate::Passes));
    }

    #[test]
    fn while_an_order_that_a_rate_lets_through_is_not_answered_no_other_of_it_is_sent() {
        let mut plan = plan(true);
        let rate = plan.cases.iter().position(|case| case.check.name == "RATE");
        let rate = rate.expect("it has a case");
        let due = Due {
            case: Some(rate),
            fate: Fate::Passes,
        };
        plan.sent(due, 3, 70);
        plan.turn = rate;
        let unanswered = |session, number| (session, number) != (3, 70);
        let next = plan.of_next_case(Instant::now, unanswered);
        assert_eq!(next.fate, Fate::Refused(rate + 1));
        plan.turn = rate;
        let next = plan.of_next_case(Instant::now, |_, _| true);
        assert_eq!(next.fate, Fate::Refused(rate));
    }

    #[test]
    fn answers_that_are_not_as_planned_are_told() {
        let mut plan = plan(true);
        let halted = plan
            .cases
            .iter()
            .position(|case| case.check.name == "STATE_HALTED");
        let which = halted.expect("it has a case");
        let due = Due {
            case: Some(which),
            fate: Fate::Refused(which),
        };
        plan.sent(due, 2, 9);
        let reason = plan.case(which).wire_reason();
        assert_eq!(plan.compare(&BTreeMap::from([(reason, 1)])), Ok(()));
        for wrong in [
            BTreeMap::new(),
            BTreeMap::from([(reason, 2)]),
            BTreeMap::from([(reason + 1, 1)]),
        ] {
            assert!(plan.compare(&wrong).is_err(), "{wrong:?}");
        }
        let refusal = plan.explained()[0];
        assert_eq!(refusal.request(), "explain U00002:9");
        let said = |failing| format!("order U00002:9 refused\nfailing checks: {failing}\nbuy 1\n");
        assert_eq!(refusal.compare(&said("STATE_HALTED")), Ok(()));
        assert!(refusal.compare(&said("STATE_HALTED, MARGIN")).is_err());
        assert!(refusal.compare("closed: buy 0 lots").is_err());
    }
}
