//! Funded accounts with positions, moving prices, and the orders they send.
//!
//! On the measuring thread. Invariants: seeded, so that each run is given the same orders; an order's
//! number says which order it is; most is drawn before the clock starts.

use crate::crowd::{Checks, Crowd};
use crate::limits::{INSTRUMENTS, SESSIONS};
use crate::mixed::{Mixed, Mixture};
use crate::places::NOBODY;
use crate::plain::{self, Drawn};
use crate::prices::Prices;
use crate::setting::Opened;
use portcullis_bench_market::Random;
use portcullis_bench_market::near::{MARGIN_DEPOSIT, MARGIN_LOTS, Near, POSITION_LOTS};
use portcullis_domain::{
    AccountId, AccountMove, CashMove, Command, Head, InstrumentId, Money, NewOrder, PositionMove,
    Price, Qty, ReferencePrice, SessionId, Side, TimeInForce, UserRef,
};
use portcullis_risk_core::{Counters, RiskCore};

/// The session whose orders rest until they are cancelled together.
pub const RESTING: SessionId = SessionId::new(SESSIONS - 1);
/// Sessions of all other orders.
const ORDERING: u64 = SESSIONS as u64 - 1;
/// Orders drawn in advance, taken round and round.
pub(crate) const DRAWN: usize = 1 << 16;
const DEPOSIT: i64 = 20_000_000;
/// One order in so many is refused; one in so many of the others comes within a tenth of a limit.
pub(crate) const REFUSED_ONE_IN: u64 = 50;
pub(crate) const NEAR_ONE_IN: u64 = 10;

/// An order to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// All but its time.
    pub head: Head,
    /// Whom it keeps busy until the engine's word on it is known.
    pub busy: u16,
}

/// The orders of the load.
#[derive(Debug)]
enum Orders {
    Plain(Vec<Drawn>),
    Mixed(Box<Mixed>),
}

/// The market.
#[derive(Debug)]
pub struct Market {
    crowd: Crowd,
    orders: Orders,
    prices: Prices,
    /// Whose price moves next.
    moving: u32,
    random: Random,
    /// Orders of the load's sessions so far.
    next: u64,
}

impl Market {
    /// The market of a crowd.
    #[must_use]
    pub fn new(crowd: Crowd) -> Self {
        let mut random = Random::new(20_260_101);
        let orders = match crowd.checks {
            Checks::Some => Orders::Plain(plain::draw(crowd, &mut random)),
            Checks::All => Orders::Mixed(Box::new(Mixed::new(crowd, &mut random))),
        };
        Self {
            crowd,
            orders,
            prices: Prices::new(crowd),
            moving: 0,
            random,
            next: 0,
        }
    }

    /// Whose market it is.
    #[must_use]
    pub const fn crowd(&self) -> Crowd {
        self.crowd
    }

    /// Has the cases of the checks set up by whoever takes heads, from a time on; until when it took.
    pub fn set_up(&mut self, begun_ns: u64, taken: &mut dyn FnMut(Head)) -> u64 {
        match &mut self.orders {
            Orders::Plain(_) => begun_ns,
            Orders::Mixed(mixed) => mixed.set_up(begun_ns, taken),
        }
    }

    /// By how much an instrument's margin is scaled.
    #[cfg(test)]
    pub(crate) fn scale_ppm(&self, instrument: u32) -> u32 {
        self.prices.scale_ppm_of(instrument)
    }

    /// What must be said before the first order: links, prices, money, positions, and the prices again, since
    /// margin is scaled by the open interest that there is when a price comes.
    #[must_use]
    pub fn opening(&self) -> Vec<Command> {
        let links = (0..SESSIONS).map(|session| Command::VenueLink {
            session: SessionId::new(session),
            up: true,
        });
        let prices = || (0..INSTRUMENTS).map(|instrument| self.reference(instrument));
        let endowments = (0..self.crowd.active).flat_map(|which| endowment(self.crowd, which));
        links
            .chain(prices())
            .chain(endowments)
            .chain(prices())
            .collect()
    }

    /// The next price to move: each instrument in its turn.
    pub fn next_reference(&mut self) -> Command {
        let moving = self.moving;
        self.moving = (moving + 1) % INSTRUMENTS;
        self.prices
            .move_by(moving, self.random.below(11) as i64 - 5);
        self.reference(moving)
    }

    /// Fits orders near their margin to the prices of the moment.
    pub fn refresh(&mut self) {
        if let Orders::Mixed(mixed) = &mut self.orders {
            mixed.refresh(&self.prices);
        }
    }

    /// The next order, if whoever it is of is free to send it.
    #[inline]
    pub fn next(&mut self, now_ns: u64) -> Option<Due> {
        let mut due = match &mut self.orders {
            Orders::Plain(_) => Due {
                head: self.order(self.next),
                busy: NOBODY,
            },
            Orders::Mixed(mixed) => mixed.next(&self.prices, now_ns)?,
        };
        if due.head.session < SESSIONS {
            (due.head.session, due.head.number) = name(self.next);
            self.next += 1;
        }
        Some(due)
    }

    /// The engine's word on an order is known that kept somebody busy.
    #[inline]
    pub fn released(&mut self, busy: u16) {
        match &mut self.orders {
            Orders::Mixed(mixed) if busy != NOBODY => mixed.released(busy),
            Orders::Mixed(_) | Orders::Plain(_) => {}
        }
    }

    /// The last replace that takes the last room for versions is answered before another found none.
    pub fn forgo_full(&mut self) {
        if let Orders::Mixed(mixed) = &mut self.orders {
            mixed.forgo_full();
        }
    }

    /// The session whose replace finds no room for a version.
    #[must_use]
    pub fn full_session(&self) -> Option<SessionId> {
        match &self.orders {
            Orders::Plain(_) => None,
            Orders::Mixed(mixed) => Some(mixed.full_session()),
        }
    }

    /// What was sent before the first order.
    #[must_use]
    pub fn opened(&self) -> Opened {
        match &self.orders {
            Orders::Plain(_) => Opened::default(),
            Orders::Mixed(mixed) => mixed.opened(),
        }
    }

    /// What the orders so far came to in a core with these counters, where each check has its turn.
    #[must_use]
    pub fn mixture(&self, counters: &Counters) -> Option<Mixture> {
        match &self.orders {
            Orders::Plain(_) => None,
            Orders::Mixed(mixed) => Some(mixed.mixture(counters)),
        }
    }

    /// Holds the core's references against those that were sent last, and its refusals against the plan, check by check,
    /// where each has its turn.
    ///
    /// # Errors
    /// The first that is not as it must be, in words.
    pub fn check(&self, core: &RiskCore) -> Result<(), String> {
        for instrument in 0..INSTRUMENTS {
            let view = core.instrument(InstrumentId::new(instrument));
            let (is, must) = (
                view.and_then(|view| view.reference),
                self.prices.of(instrument),
            );
            if is != Some(must) {
                return Err(format!(
                    "the reference price of instrument {instrument}: {is:?}, must be {must}"
                ));
            }
        }
        match &self.orders {
            Orders::Plain(_) => Ok(()),
            Orders::Mixed(mixed) => mixed.check(core.counters()),
        }
    }

    /// The order with this number among all, from 0, where some checks refuse.
    ///
    /// # Panics
    /// If each check has its turn: there an order is made when it is due.
    #[must_use]
    pub fn order(&self, index: u64) -> Head {
        let Orders::Plain(drawn) = &self.orders else {
            panic!("orders of which each check refuses its share are made when they are due");
        };
        let drawn = &drawn[index as usize % DRAWN];
        let mut head = drawn.head;
        (head.session, head.number) = name(index);
        if let Some(offset) = drawn.offset {
            head.price = self.prices.of(head.instrument) + offset;
        }
        head
    }

    /// An order of the session whose orders rest, of an account that is far from its limits.
    #[must_use]
    pub fn resting_order(&self, number: u32) -> Head {
        let mut which = number % self.crowd.active;
        while self.crowd.near(which).is_some() {
            which = (which + 1) % self.crowd.active;
        }
        let instrument = self.crowd.traded(which, 0);
        let order = NewOrder {
            session: RESTING,
            user_ref: UserRef::new(number),
            account: AccountId::new(self.crowd.active_account(which)),
            instrument: InstrumentId::new(instrument),
            side: Side::Buy,
            qty: Qty::new(1),
            price: Some(Price::new(self.prices.of(instrument) - 5)),
            time_in_force: TimeInForce::Day,
        };
        Command::NewOrder(order).encode()
    }

    fn reference(&self, instrument: u32) -> Command {
        Command::Reference(ReferencePrice {
            instrument: InstrumentId::new(instrument),
            price: Price::new(self.prices.of(instrument)),
        })
    }
}

/// Money, and one position each way; a neighbour has the other side of both.
fn endowment(crowd: Crowd, which: u32) -> [Command; 3] {
    let id = AccountId::new(crowd.active_account(which));
    let (deposit, lots) = match crowd.near(which) {
        Some(Near::Margin) => (MARGIN_DEPOSIT, MARGIN_LOTS),
        _ => (DEPOSIT, POSITION_LOTS),
    };
    let opening = |instrument: u32| {
        Command::MovePosition(AccountMove {
            kind: PositionMove::Opening,
            account: id,
            instrument: InstrumentId::new(crowd.traded(which, instrument)),
            qty: Qty::new(match endowed_side(which, instrument) {
                Side::Buy => lots,
                Side::Sell => -lots,
            }),
            price: Price::new(portcullis_bench_market::PRICE_START),
            counterparty: AccountId::NONE,
        })
    };
    let deposit = Command::Deposit(CashMove {
        account: id,
        amount: Money::new(deposit),
    });
    [deposit, opening(0), opening(1)]
}

/// Which way a position goes: a neighbour has the other.
pub(crate) const fn endowed_side(which: u32, instrument: u32) -> Side {
    if which % 2 == instrument % 2 {
        Side::Buy
    } else {
        Side::Sell
    }
}

/// Session and number of an order of the load.
const fn name(index: u64) -> (u32, u32) {
    ((index % ORDERING) as u32, (index / ORDERING) as u32 + 1)
}

/// Which order a session's number names, among all.
#[must_use]
pub fn order_index(session: SessionId, user_ref: UserRef) -> u64 {
    u64::from(user_ref.number.saturating_sub(1)) * ORDERING + u64::from(session.raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_found_again_by_its_number() {
        let crowd = Crowd {
            accounts: 1_000,
            active: 100,
            rows_spare: 0,
            checks: Checks::Some,
        };
        let market = Market::new(crowd);
        for index in [0, 1, 62, 63, 64, 1_000_000] {
            let head = market.order(index);
            let session = SessionId::new(head.session);
            assert_ne!(session, RESTING);
            assert_eq!(order_index(session, UserRef::new(head.number)), index);
        }
        assert_eq!(crowd.active_account(99), 981);
    }
}
