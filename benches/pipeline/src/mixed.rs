//! Orders of which one in fifty is refused, by each check in its turn, and a tenth of the others comes within a
//! tenth of a limit.
//!
//! On the measuring thread. Invariants: what becomes of each order is planned when it is made, and the plan is
//! held against the core's counters, check by check; each order that is refused fails one check alone; an account
//! whose limit other orders of its own would use up is busy until the engine's word on the last one is known.

mod cases;
mod drafts;

use crate::crowd::Crowd;
use crate::market::{DRAWN, Due, NEAR_ONE_IN, REFUSED_ONE_IN};
use crate::places::NOBODY;
use crate::prices::Prices;
use crate::setting::Opened;
use cases::{Cases, Turn};
use drafts::{Draft, Drafts};
use portcullis_bench_market::near::Near;
use portcullis_bench_market::{Planned, Random, evaluations};
use portcullis_domain::{Head, SessionId};
use portcullis_risk_core::Counters;

/// What comes near.
pub(crate) const KINDS: [Near; 6] = [
    Near::Notional,
    Near::OpenNotional,
    Near::Position,
    Near::Margin,
    Near::Quantity,
    Near::Collar,
];

/// What is drawn in advance of an order.
#[derive(Clone, Copy, Debug)]
enum Drawn {
    /// It passes.
    Passes(Draft),
    /// It is refused: whose turn it is shows when it is due.
    Refused,
}

/// What the orders of a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mixture {
    /// How often each check was planned to be the primary reason of a refusal, by name.
    pub checks: Vec<(&'static str, u64)>,
    /// How often each of these was evaluated, by name, in what opened the market too.
    pub evaluations: Vec<(&'static str, u64)>,
    /// Orders that passed near a limit, by kind ...
    pub near: Vec<(&'static str, u64)>,
    /// ... and all that passed.
    pub passing: u64,
}

/// The orders.
#[derive(Debug)]
pub(crate) struct Mixed {
    cases: Cases,
    drawn: Vec<Drawn>,
    at: usize,
    /// By account whose limit other orders of its own would use up, and behind them of who fills up versions.
    busy: Vec<bool>,
    /// Refusals planned.
    planned: Planned,
    near: [u64; KINDS.len()],
    passing: u64,
    opened: Opened,
}

impl Mixed {
    /// The orders of a crowd.
    pub(crate) fn new(crowd: Crowd, random: &mut Random) -> Self {
        let mut drafts = Drafts::new(crowd);
        let drawn = (0..DRAWN)
            .map(|_| {
                if random.below(REFUSED_ONE_IN) == 0 {
                    return Drawn::Refused;
                }
                let near = random.below(NEAR_ONE_IN) == 0;
                let kind = near.then(|| KINDS[random.below(KINDS.len() as u64) as usize]);
                Drawn::Passes(drafts.draw(kind, random))
            })
            .collect();
        let full = drafts.accounts() as u16;
        Self {
            cases: Cases::new(crowd, full),
            drawn,
            at: 0,
            busy: vec![false; usize::from(full) + 1],
            planned: Planned::default(),
            near: [0; KINDS.len()],
            passing: 0,
            opened: Opened::default(),
        }
    }

    /// Sets up the cases; until when.
    pub(crate) fn set_up(&mut self, begun_ns: u64, taken: &mut dyn FnMut(Head)) -> u64 {
        let (opened, refused, until_ns) = self.cases.set_up(begun_ns, taken);
        self.opened = opened;
        if let Some(check) = refused {
            self.planned.add(check);
        }
        until_ns
    }

    /// Fits orders near their margin to prices.
    pub(crate) fn refresh(&mut self, prices: &Prices) {
        for drawn in &mut self.drawn {
            if let Drawn::Passes(draft) = drawn {
                draft.refresh(prices);
            }
        }
    }

    /// The next order, if whoever it is of is free.
    #[inline]
    pub(crate) fn next(&mut self, prices: &Prices, now_ns: u64) -> Option<Due> {
        if self.cases.is_full() {
            return Some(self.refused(now_ns));
        }
        let drawn = self.drawn[self.at % DRAWN];
        let due = match drawn {
            Drawn::Refused => self.refused(now_ns),
            Drawn::Passes(draft) => {
                if draft.busy != NOBODY {
                    let busy = &mut self.busy[usize::from(draft.busy)];
                    if *busy {
                        return None;
                    }
                    *busy = true;
                }
                if let Some(kind) = draft.kind {
                    self.near[usize::from(kind)] += 1;
                }
                self.passing += 1;
                Due {
                    head: draft.head(prices),
                    busy: draft.busy,
                }
            }
        };
        self.at += 1;
        Some(due)
    }

    /// An order of a case: of the check whose turn it is, if its orders are refused now.
    fn refused(&mut self, now_ns: u64) -> Due {
        let full = &mut self.busy[usize::from(self.cases.full_place())];
        let (turn, head) = self.cases.next(now_ns, *full);
        match turn {
            Turn::Refused(check) => {
                self.planned.add(check);
                Due { head, busy: NOBODY }
            }
            Turn::Passes => {
                self.passing += 1;
                Due { head, busy: NOBODY }
            }
            Turn::FillsUp => {
                *full = true;
                self.passing += 1;
                let busy = self.cases.full_place();
                Due { head, busy }
            }
        }
    }

    pub(crate) fn released(&mut self, busy: u16) {
        self.busy[usize::from(busy)] = false;
    }

    pub(crate) fn forgo_full(&mut self) {
        self.cases.forgo_full();
    }

    pub(crate) fn full_session(&self) -> SessionId {
        self.cases.full_session()
    }

    pub(crate) const fn opened(&self) -> Opened {
        self.opened
    }

    /// What the orders came to in a core with these counters.
    pub(crate) fn mixture(&self, counters: &Counters) -> Mixture {
        let checks = self.cases.checks();
        let near = KINDS.iter().zip(self.near);
        Mixture {
            checks: checks
                .map(|check| (check.name, self.planned.of(check)))
                .collect(),
            evaluations: evaluations(self.cases.checks(), counters).collect(),
            near: near.map(|(kind, count)| (kind.name(), count)).collect(),
            passing: self.passing,
        }
    }

    pub(crate) fn check(&self, counters: &Counters) -> Result<(), String> {
        self.planned.check(counters)
    }
}
