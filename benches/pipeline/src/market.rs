//! Funded accounts with positions, moving prices, and the orders they send.
//!
//! On the measuring thread. Invariants: seeded, so that each run is given the same orders; an order's
//! number says which order it is; most is drawn before the clock starts.

use crate::limits::{COLLAR_PPM, Edition, INSTRUMENTS, PRICE_MAX, QTY_MAX, SESSIONS, Size, table};
use portcullis_bench_market::Random;
use portcullis_domain::{
    AccountId, AccountMove, CashMove, Command, HashSeed, Head, InstrumentId, Money, NewOrder,
    PositionMove, Price, Qty, ReferencePrice, SessionId, Side, TimeInForce, UserRef,
};
use portcullis_risk_core::{Capacities, RiskCore};

/// The session whose orders rest until they are cancelled together.
pub const RESTING: SessionId = SessionId::new(SESSIONS - 1);
/// Sessions of all other orders.
const ORDERING: u64 = SESSIONS as u64 - 1;
/// Instruments that an account trades; it holds a position in the first two of them.
const TRADED: u32 = 4;
/// Orders drawn in advance, taken round and round.
const DRAWN: usize = 1 << 16;
const PRICE_START: i64 = 10_000;
/// Prices stay this near to where they began.
const PRICE_SPAN: i64 = 1_000;
const DEPOSIT: i64 = 20_000_000;
const POSITION_LOTS: i64 = 20;
/// One order in so many is refused; one in so many comes within a tenth of its largest quantity.
const REFUSED_ONE_IN: u64 = 50;
const NEAR_ONE_IN: u64 = 10;

/// How many accounts there are, and how many of them trade.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Accounts.
    pub accounts: u32,
    /// Those that trade, an even number, spread evenly over the others.
    pub active: u32,
    /// Accounts that may get a row of limits of their own.
    pub rows_spare: u32,
}

impl Crowd {
    /// An active account.
    const fn active_account(self, which: u32) -> u32 {
        let pairs = self.accounts / 2;
        let apart = pairs / (self.active / 2);
        2 * (which / 2 * apart) + which % 2
    }

    const fn size(self) -> Size {
        let held = self.active as i64 * 2 * POSITION_LOTS / INSTRUMENTS as i64 / 2;
        Size {
            accounts: self.accounts,
            rows_spare: self.rows_spare,
            held_lots: held,
        }
    }

    /// A table of limits of this size.
    ///
    /// # Errors
    /// As [`table`].
    pub fn table(
        self,
        edition: Edition,
    ) -> Result<portcullis_risk_core::limits::LimitTable, String> {
        table(self.size(), edition)
    }

    /// What its table is built from.
    #[must_use]
    pub fn limits(self) -> portcullis_risk_core::limits::LimitSpec {
        crate::limits::spec(self.size(), Edition::First)
    }

    /// The core's tables.
    #[must_use]
    pub fn capacities(self) -> Capacities {
        Capacities {
            accounts_max: self.accounts,
            instruments_max: INSTRUMENTS,
            firms_max: SESSIONS,
            sessions_max: SESSIONS,
            orders_max: 65_536,
            orders_reserved_per_account: 0,
            positions_max: self.active * TRADED,
            ..Capacities::default()
        }
    }

    /// A core that has seen nothing yet.
    ///
    /// # Errors
    /// The limits or capacities do not load.
    pub fn core(self) -> Result<RiskCore, String> {
        let table = self.table(Edition::First)?;
        RiskCore::new(&self.capacities(), table, HashSeed::FIXED).map_err(|why| why.to_string())
    }
}

/// An order drawn in advance: all but its number, its time and where the reference stands.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    head: Head,
    /// From the reference; `None` where the price is what it is.
    offset: Option<i64>,
}

/// The market.
#[derive(Debug)]
pub struct Market {
    crowd: Crowd,
    drawn: Vec<Drawn>,
    prices: [i64; INSTRUMENTS as usize],
    /// Whose price moves next.
    moving: u32,
    random: Random,
}

impl Market {
    /// The market of a crowd.
    #[must_use]
    pub fn new(crowd: Crowd) -> Self {
        let mut market = Self {
            crowd,
            drawn: Vec::new(),
            prices: [PRICE_START; INSTRUMENTS as usize],
            moving: 0,
            random: Random::new(20_260_101),
        };
        market.drawn = (0..DRAWN).map(|_| market.draw()).collect();
        market
    }

    /// What must be said before the first order: links, prices, money, positions.
    #[must_use]
    pub fn opening(&self) -> Vec<Command> {
        let links = (0..SESSIONS).map(|session| Command::VenueLink {
            session: SessionId::new(session),
            up: true,
        });
        let prices = (0..INSTRUMENTS).map(|instrument| self.reference(instrument));
        let endowments =
            (0..self.crowd.active).flat_map(|which| endowment(self.crowd.active_account(which)));
        links.chain(prices).chain(endowments).collect()
    }

    /// The next price to move: each instrument in its turn.
    pub fn next_reference(&mut self) -> Command {
        let moving = self.moving;
        self.moving = (moving + 1) % INSTRUMENTS;
        let step = self.random.below(11) as i64 - 5;
        let price = &mut self.prices[moving as usize];
        *price = (*price + step).clamp(PRICE_START - PRICE_SPAN, PRICE_START + PRICE_SPAN);
        self.reference(moving)
    }

    /// The order with this number among all, from 0.
    #[must_use]
    pub fn order(&self, index: u64) -> Head {
        let drawn = &self.drawn[index as usize % DRAWN];
        let mut head = drawn.head;
        head.session = (index % ORDERING) as u32;
        head.number = (index / ORDERING) as u32 + 1;
        if let Some(offset) = drawn.offset {
            head.price = self.prices[head.instrument as usize] + offset;
        }
        head
    }

    /// An order of the session whose orders rest.
    #[must_use]
    pub fn resting_order(&self, number: u32) -> Head {
        let account = self.crowd.active_account(number % self.crowd.active);
        let instrument = traded(account, 0);
        let order = NewOrder {
            session: RESTING,
            user_ref: UserRef::new(number),
            account: AccountId::new(account),
            instrument: InstrumentId::new(instrument),
            side: Side::Buy,
            qty: Qty::new(1),
            price: Some(Price::new(self.prices[instrument as usize] - 5)),
            time_in_force: TimeInForce::Day,
        };
        Command::NewOrder(order).encode()
    }

    /// An account, whether it trades or not, the same ones again after `of`.
    #[must_use]
    pub const fn any_account(&self, which: u64, of: u32) -> AccountId {
        let of = if of < self.crowd.accounts {
            of
        } else {
            self.crowd.accounts
        };
        let apart = self.crowd.accounts / of;
        AccountId::new((which % of as u64) as u32 * apart)
    }

    fn reference(&self, instrument: u32) -> Command {
        Command::Reference(ReferencePrice {
            instrument: InstrumentId::new(instrument),
            price: Price::new(self.prices[instrument as usize]),
        })
    }

    fn draw(&mut self) -> Drawn {
        let which = self.random.below(self.crowd.active.into()) as u32;
        let account = self.crowd.active_account(which);
        let instrument = traded(account, self.random.below(TRADED.into()) as u32);
        let near = self.random.below(NEAR_ONE_IN) == 0;
        let order = NewOrder {
            session: SessionId::new(0),
            user_ref: UserRef::new(1),
            account: AccountId::new(account),
            instrument: InstrumentId::new(instrument),
            side: [Side::Buy, Side::Sell][self.random.below(2) as usize],
            qty: Qty::new(if near {
                QTY_MAX - self.random.below(10) as i64
            } else {
                1 + self.random.below(10) as i64
            }),
            price: Some(Price::new(PRICE_START)),
            time_in_force: TimeInForce::Day,
        };
        let mut drawn = Drawn {
            head: Command::NewOrder(order).encode(),
            offset: Some(self.random.below(11) as i64 - 5),
        };
        if self.random.below(REFUSED_ONE_IN) == 0 {
            self.spoil(&mut drawn);
        }
        drawn
    }

    /// Makes an order one that is refused, for one of six reasons.
    fn spoil(&mut self, drawn: &mut Drawn) {
        match self.random.below(6) {
            0 => drawn.head.qty = QTY_MAX + 1,
            1 => drawn.head.qty = 0,
            2 => drawn.head.account = AccountId::NONE.raw(),
            3 => {
                drawn.offset = None;
                drawn.head.instrument = InstrumentId::NONE.raw();
            }
            4 => {
                drawn.offset = None;
                drawn.head.price = PRICE_MAX + 1;
            }
            _ => {
                drawn.head.flags = 0;
                drawn.offset = Some(2 * PRICE_START * COLLAR_PPM / 1_000_000);
            }
        }
    }
}

/// Money, and one position each way; a neighbour has the other side of both.
fn endowment(account: u32) -> [Command; 3] {
    let id = AccountId::new(account);
    let opening = |which: u32| {
        let lots = if account % 2 == which % 2 {
            POSITION_LOTS
        } else {
            -POSITION_LOTS
        };
        Command::MovePosition(AccountMove {
            kind: PositionMove::Opening,
            account: id,
            instrument: InstrumentId::new(traded(account, which)),
            qty: Qty::new(lots),
            price: Price::new(PRICE_START),
            counterparty: AccountId::NONE,
        })
    };
    let deposit = Command::Deposit(CashMove {
        account: id,
        amount: Money::new(DEPOSIT),
    });
    [deposit, opening(0), opening(1)]
}

/// The instruments of an account: its neighbour in the pair has the same.
const fn traded(account: u32, which: u32) -> u32 {
    (account / 2 * 13 + which * (INSTRUMENTS / TRADED)) % INSTRUMENTS
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
