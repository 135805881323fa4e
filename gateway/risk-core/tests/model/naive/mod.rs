//! A naive model of the rules of admission: maps and 128-bit integers, nothing cached.
//!
//! Owned by a test. Written from the rules alone; shares no code with the risk core but the names
//! of sides, states and scopes. Invariant: each figure is computed anew from the primary state
//! (cash, positions, orders, prices, times of accepted orders) whenever it is asked for. It must
//! never be made faster by remembering what could be computed.

mod book;
mod decide;
mod desk;
mod flow;
mod margin;
mod report;

use super::op::{
    Answer, Config, Figures, Machine, Op, OpenInterestFigures, PositionFigures, ValuedFigures, Word,
};
use book::{Order, Position};
use flow::LastOrder;
use portcullis_domain::{Scope, Side, TradingState};
use std::collections::{BTreeMap, BTreeSet};

/// Everything about one account that is not derived.
struct Account {
    cash: i128,
    day_base: i128,
    state: TradingState,
    positions: BTreeMap<u32, Position>,
    /// Theoretical arrival time of the account's order rate.
    tat: i128,
    last: Option<LastOrder>,
    /// The same of its volume, by instrument.
    vtat: BTreeMap<u32, i128>,
}

/// Everything about one instrument that is not derived.
struct Instrument {
    /// Price and time of the last reference.
    reference: Option<(i128, i128)>,
    lo: i128,
    hi: i128,
    scale_ppm: i128,
    state: TradingState,
    /// Time and lots of each accepted order that counts.
    volumes: Vec<(i128, i128)>,
    tripped_until: i128,
}

/// The whole venue.
pub(crate) struct Naive {
    config: Config,
    /// Sessions whose link to the engine is down.
    down: BTreeSet<u32>,
    accounts: BTreeMap<u32, Account>,
    instruments: BTreeMap<u32, Instrument>,
    open: BTreeMap<u32, Order>,
    closed: BTreeMap<u32, Order>,
    /// By the number of any version ever admitted: the order's first.
    first_ids: BTreeMap<u32, u32>,
    venue: TradingState,
    restart: TradingState,
    journal_up: bool,
    firms: BTreeMap<u32, TradingState>,
    sessions: BTreeMap<u32, TradingState>,
    now: i128,
}

impl Naive {
    /// An empty venue.
    pub(crate) fn new(config: &Config) -> Self {
        let account = || Account {
            cash: 0,
            day_base: 0,
            state: TradingState::Active,
            positions: BTreeMap::new(),
            tat: 0,
            last: None,
            vtat: BTreeMap::new(),
        };
        let instrument = || Instrument {
            reference: None,
            lo: 0,
            hi: 0,
            scale_ppm: 0,
            state: TradingState::Active,
            volumes: Vec::new(),
            tripped_until: 0,
        };
        Self {
            config: config.clone(),
            down: BTreeSet::new(),
            accounts: (0..config.accounts.len() as u32)
                .map(|id| (id, account()))
                .collect(),
            instruments: (0..config.instruments.len() as u32)
                .map(|id| (id, instrument()))
                .collect(),
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            first_ids: BTreeMap::new(),
            venue: TradingState::Active,
            restart: TradingState::Active,
            journal_up: true,
            firms: (0..config.firms)
                .map(|id| (id, TradingState::Active))
                .collect(),
            sessions: (0..config.sessions)
                .map(|id| (id, TradingState::Active))
                .collect(),
            now: 0,
        }
    }

    /// Quanta for one tick of one lot.
    fn value(&self, instrument: u32) -> i128 {
        i128::from(self.config.instruments[instrument as usize].tick_lot_value)
    }

    /// The reference price, if there is one.
    fn price(&self, instrument: u32) -> Option<i128> {
        Some(self.instruments[&instrument].reference?.0)
    }

    fn reference_is_stale(&self, instrument: u32) -> bool {
        let max_age = i128::from(self.config.instruments[instrument as usize].ref_max_age_ns);
        self.instruments[&instrument]
            .reference
            .is_some_and(|(_, at)| self.now - at > max_age)
    }

    fn set_reference(&mut self, instrument: u32, price: i64) -> Word {
        let Some(limits) = self.config.instruments.get(instrument as usize) else {
            return Word::Refused;
        };
        if price < 1 || price > limits.price_max {
            return Word::Refused;
        }
        let (price, collar) = (i128::from(price), i128::from(limits.collar_ppm));
        let (lower, upper) = (i128::from(limits.oi_lower), i128::from(limits.oi_upper));
        let open_interest = self.open_interest(instrument).open_interest;
        let scale_ppm = if open_interest <= lower {
            0
        } else if open_interest >= upper {
            1_000_000
        } else {
            ceil_div(1_000_000 * (open_interest - lower), upper - lower)
        };
        let now = self.now;
        let state = self
            .instruments
            .get_mut(&instrument)
            .expect("of the config");
        state.reference = Some((price, now));
        state.lo = ceil_div(price * (1_000_000 - collar), 1_000_000);
        state.hi = (price * (1_000_000 + collar)).div_euclid(1_000_000);
        state.scale_ppm = scale_ppm;
        Word::Ok
    }

    fn set_state(&mut self, scope: Scope, state: TradingState) -> Word {
        let place = match scope {
            Scope::Venue => Some(&mut self.venue),
            Scope::Firm(firm) => self.firms.get_mut(&firm.raw()),
            Scope::Account(account) => self.accounts.get_mut(&account.raw()).map(|a| &mut a.state),
            Scope::Instrument(instrument) => self
                .instruments
                .get_mut(&instrument.raw())
                .map(|i| &mut i.state),
            Scope::Session(session) => self.sessions.get_mut(&session.raw()),
        };
        let Some(place) = place else {
            return Word::Refused;
        };
        *place = state;
        Word::Ok
    }

    fn deposit(&mut self, account: u32, amount: i64) -> Word {
        match self.accounts.get_mut(&account) {
            Some(account) if amount >= 1 => {
                account.cash += i128::from(amount);
                account.day_base += i128::from(amount);
                Word::Ok
            }
            Some(_) | None => Word::Refused,
        }
    }

    fn withdraw(&mut self, account: u32, amount: i64) -> Word {
        let Some(state) = self.accounts.get(&account).map(|a| a.state) else {
            return Word::Refused;
        };
        let fresh = self.involved(account).into_iter().all(|instrument| {
            self.price(instrument).is_some() && !self.reference_is_stale(instrument)
        });
        let active = [self.venue, self.restart, state]
            .into_iter()
            .all(|state| state == TradingState::Active);
        let amount = i128::from(amount);
        let free = self.valued(account).map(|valued| valued.free);
        if amount < 1 || !active || !fresh || free.is_none_or(|free| amount > free) {
            return Word::Refused;
        }
        let account = self.accounts.get_mut(&account).expect("found above");
        account.cash -= amount;
        account.day_base -= amount;
        Word::Ok
    }

    fn settle(&mut self, instrument: u32, price: i64) -> Word {
        let Some(limits) = self.config.instruments.get(instrument as usize) else {
            return Word::Refused;
        };
        if price < 1 || price > limits.price_max {
            return Word::Refused;
        }
        let per_lot = i128::from(price) * self.value(instrument);
        for account in self.accounts.values_mut() {
            if let Some(position) = account.positions.get_mut(&instrument) {
                account.cash += position.net * per_lot - position.cost;
                position.cost = position.net * per_lot;
            }
        }
        Word::Ok
    }

    fn day_start(&mut self) -> Word {
        for id in 0..self.config.accounts.len() as u32 {
            if let Some(equity) = self.equity(id) {
                self.accounts.get_mut(&id).expect("of the config").day_base = equity;
            }
        }
        Word::Ok
    }
}

impl Machine for Naive {
    fn apply(&mut self, time_ns: u64, op: &Op) -> Answer {
        self.now = i128::from(time_ns);
        Answer::Word(match *op {
            Op::Order(order) => return Answer::Judged(names(self.order(&order))),
            Op::Replace(replace) => {
                return match self.replace(&replace) {
                    Some(fails) => Answer::Judged(names(fails)),
                    None => Answer::Word(Word::Unknown),
                };
            }
            Op::Deposit { account, amount } => self.deposit(account, amount),
            Op::Withdraw { account, amount } => self.withdraw(account, amount),
            Op::Reference { instrument, price } => self.set_reference(instrument, price),
            Op::Cancel { id } => self.cancel(id),
            Op::Fill { id, qty, price } => self.fill(id, qty.into(), price.into()),
            Op::Replaced { id, new } => self.replaced(id, new),
            Op::ReplaceRejected { id, new } => self.replace_rejected(id, new),
            Op::Canceled { id } | Op::Rejected { id } => self.close(id),
            Op::State { scope, state } => self.set_state(scope, state),
            Op::Settle { instrument, price } => self.settle(instrument, price),
            Op::DayStart => self.day_start(),
            Op::Restart { state } => {
                self.restart = state;
                Word::Ok
            }
            Op::Journal { up } => {
                self.journal_up = up;
                Word::Ok
            }
        })
    }

    fn figures(&self, account: u32) -> Option<Figures> {
        let state = self.accounts.get(&account)?;
        let lines = self.lines(account);
        let positions = self.instruments.keys().map(|instrument| {
            let line = lines.get(instrument).copied().unwrap_or_default();
            PositionFigures {
                net: line.net,
                cost: line.cost,
                open_buy: line.buy,
                open_sell: line.sell,
                adverse: line.adverse,
            }
        });
        Some(Figures {
            cash: state.cash,
            state: state.state,
            open_orders: self.orders_of(account).count() as i128,
            open_notional: self.orders_of(account).map(|o| self.hold(o).notional).sum(),
            positions: positions.collect(),
            open_interest: self
                .instruments
                .keys()
                .map(|id| self.open_interest(*id))
                .collect(),
            valued: self.valued(account),
        })
    }
}

fn names(fails: Vec<&'static str>) -> Vec<String> {
    fails.into_iter().map(String::from).collect()
}

/// `a / b`, rounded towards plus infinity; `b` is positive.
fn ceil_div(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}

/// Lots with the sign that a position takes from them.
fn signed(side: Side, lots: i128) -> i128 {
    match side {
        Side::Buy => lots,
        Side::Sell => -lots,
    }
}
