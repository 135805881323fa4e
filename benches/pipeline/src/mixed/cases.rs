//! Orders of the cases, each check in its turn, while the machine's time passes.
//!
//! Owned by the market. Three rates let an order through once a second: whose order is due then passes, and is
//! planned to. ORDERS_FULL is brought about by replaces: all versions that can be unanswered are, but one; a replace
//! takes that one, the next finds none, and the first is answered then. Order slots themselves cannot run out
//! here, since nobody else could order while they are. Invariant: nothing is asked of the core.

use crate::crowd::{Crowd, ORDERS_MAX};
use crate::limits::{SESSIONS, with_cases};
use crate::setting::{Opened, Setting};
use portcullis_bench_market::Ground;
use portcullis_bench_market::case::{Case, RATE_INTERVAL_NS, VERSIONS, replace};
use portcullis_domain::{Head, NewOrder, Price, SessionId, UserRef};
use portcullis_risk_core::checks::Descriptor;

/// The check whose case fills up versions, and the one whose orders must not come meanwhile.
const FULL: &str = "ORDERS_FULL";
const PENDING: &str = "REPLACE_PENDING";
/// Quanta that pay for all orders of the case that fills up versions.
const FULL_DEPOSIT: i64 = 1_000_000_000;
/// About the time at which a rate lets an order through nobody can say what becomes of one: the sequencer's ticks
/// have a clock of their own.
const UNCLEAR_NS: u64 = 50_000_000;

/// What becomes of a case's order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    /// It is refused for this check.
    Refused(&'static Descriptor),
    /// It passes: a rate lets it through.
    Passes,
    /// It passes, and takes the last room for versions.
    FillsUp,
}

/// The cases.
#[derive(Debug)]
pub(crate) struct Cases {
    cases: Vec<Case>,
    /// Whose turn it is.
    turn: usize,
    /// Turns of the last case that came while versions were filled up.
    postponed: u64,
    /// Sessions' last numbers.
    numbers: Vec<u32>,
    full: Full,
}

/// How the case goes on that fills up versions.
#[derive(Debug)]
struct Full {
    /// Which case it is, and its place among who can be busy.
    case: usize,
    place: u16,
    /// Whether the last room is taken, and the next order is one that finds none.
    taken: bool,
    /// The version that the next replace names, and the order whose replace finds no room.
    known: UserRef,
    refused: UserRef,
}

impl Cases {
    /// Of all checks that have a turn. `full_place` is that of who fills up versions among who can be busy.
    pub(crate) fn new(crowd: Crowd, full_place: u16) -> Self {
        let (_, mut cases) = with_cases(crowd);
        // Far behind the one that fills up versions, whose orders are likely over by then.
        let pending = cases.iter().position(|case| case.check.name == PENDING);
        let pending = cases.remove(pending.expect("each check has a case"));
        cases.push(pending);
        let full = cases.iter().position(|case| case.check.name == FULL);
        Self {
            turn: 0,
            postponed: 0,
            numbers: vec![0; cases.len()],
            full: Full {
                case: full.expect("each check has a case"),
                place: full_place,
                taken: false,
                known: UserRef::new(0),
                refused: UserRef::new(0),
            },
            cases,
        }
    }

    /// The checks that have a turn.
    pub(crate) fn checks(&self) -> impl Iterator<Item = &'static Descriptor> + Clone {
        self.cases.iter().map(|case| case.check)
    }

    /// Of the case that fills up versions.
    pub(crate) fn full_session(&self) -> SessionId {
        SessionId::new(self.cases[self.full.case].session)
    }

    pub(crate) const fn full_place(&self) -> u16 {
        self.full.place
    }

    /// Whether the last room for versions is taken: then the next order is one that finds none.
    #[inline]
    pub(crate) const fn is_full(&self) -> bool {
        self.full.taken
    }

    pub(crate) fn forgo_full(&mut self) {
        self.full.taken = false;
    }

    /// Sets all up; what was sent, for which checks something was refused, and until when it took.
    pub(crate) fn set_up(
        &mut self,
        begun_ns: u64,
        taken: &mut dyn FnMut(Head),
    ) -> (Opened, Option<&'static Descriptor>, u64) {
        let mut setting = Setting {
            numbers: &mut self.numbers,
            taken,
            now_ns: begun_ns,
            opened: Opened::default(),
        };
        let mut refused = None;
        for case in &mut self.cases {
            if case.check.name != "POSITIONS_FULL" {
                case.hold(&mut setting);
            }
            case.set_up(&mut setting);
            if case.check.name == "VOLUME_SPIKE" {
                // The breaker trips on the first.
                let command = case.command(&mut setting);
                setting.send(command);
                setting.opened.refused += 1;
                refused = Some(case.check);
            }
        }
        let case = &self.cases[self.full.case];
        (self.full.known, self.full.refused) = fill_up(case, &mut setting);
        (setting.opened, refused, setting.now_ns)
    }

    /// The next order of a case.
    pub(crate) fn next(&mut self, now_ns: u64, full_busy: bool) -> (Turn, Head) {
        if self.full.taken {
            self.full.taken = false;
            return self.finds_no_room();
        }
        if self.postponed > 0 && !full_busy {
            self.postponed -= 1;
            return self.refused(self.cases.len() - 1);
        }
        loop {
            let at = self.turn;
            self.turn = (at + 1) % self.cases.len();
            let case = &self.cases[at];
            match case.check.name {
                FULL if full_busy => continue,
                PENDING if full_busy => {
                    self.postponed += 1;
                    continue;
                }
                FULL => return self.takes_last_room(),
                _ => {}
            }
            let Some(passes_at_ns) = case.passes_at_ns else {
                return self.refused(at);
            };
            if now_ns + UNCLEAR_NS < passes_at_ns {
                return self.refused(at);
            }
            if now_ns >= passes_at_ns + UNCLEAR_NS {
                self.cases[at].passes_at_ns = Some(now_ns + RATE_INTERVAL_NS);
                let (_, head) = self.refused(at);
                return (Turn::Passes, head);
            }
        }
    }

    fn refused(&mut self, at: usize) -> (Turn, Head) {
        let number = self.next_number(at);
        let case = &self.cases[at];
        let mut head = case.command_of(number).encode();
        if let Some(code) = case.early() {
            head.refuse_early(code);
        }
        (Turn::Refused(case.check), head)
    }

    fn takes_last_room(&mut self) -> (Turn, Head) {
        self.full.taken = true;
        let number = self.next_number(self.full.case);
        let original = core::mem::replace(&mut self.full.known, number);
        (Turn::FillsUp, self.version(number, original))
    }

    fn finds_no_room(&mut self) -> (Turn, Head) {
        let number = self.next_number(self.full.case);
        let check = self.cases[self.full.case].check;
        (
            Turn::Refused(check),
            self.version(number, self.full.refused),
        )
    }

    /// Another version of an order.
    fn version(&self, number: UserRef, original: UserRef) -> Head {
        let order = self.cases[self.full.case].order_of(number);
        replace(&order, original).encode()
    }

    fn next_number(&mut self, at: usize) -> UserRef {
        let number = &mut self.numbers[(self.cases[at].session - SESSIONS) as usize];
        *number += 1;
        UserRef::new(*number)
    }
}

/// Leaves as many versions unanswered as can be, but one; an order that has none, and another.
fn fill_up(case: &Case, setting: &mut Setting<'_>) -> (UserRef, UserRef) {
    setting.deposit(case.account, FULL_DEPOSIT);
    let [taking, refused] = [case.order(setting), case.order(setting)];
    setting.rest(taking);
    setting.rest(refused);
    // Of the case whose replaces are pending.
    let mut left = ORDERS_MAX - VERSIONS - 1;
    while left > 0 {
        let order = case.order(setting);
        setting.rest(order);
        for _ in 0..left.min(VERSIONS) {
            let version = NewOrder {
                user_ref: setting.next_number(case.session),
                price: order.price.map(|price| Price::new(price.ticks() - 1)),
                ..order
            };
            setting.ask(replace(&version, order.user_ref));
            left -= 1;
        }
    }
    (taking.user_ref, refused.user_ref)
}
