//! A risk core with funded accounts, positions and moving prices, and the orders it is given.
//!
//! One thread. Invariants: virtual time alone, so that a run is the same commands every time; what
//! was sent is counted apart from what the core says it did, so that the two can be held against
//! each other; records are made before the clock starts.

mod check;
mod ground;
mod records;

pub use records::fill;

use crate::limits::{POSITION_LOTS, QTY_LARGEST, SESSIONS, Shape, limits};
use crate::load::Accounts;
use portcullis_bench_market::{Ground, PRICE_SPAN, PRICE_START, Random};
use portcullis_domain::{
    AccountId, Command, HashSeed, InstrumentId, Money, NewOrder, Price, Qty, Record, ReportKind,
    SessionId, Side, TimeInForce, UserRef,
};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, Effect, EffectSink, RiskCore};

/// Virtual time between two orders: 100,000 a second.
pub const ORDER_GAP_NS: u64 = 10_000;
/// Virtual time between two moves of all prices: 100 a second.
pub const MOVE_GAP_NS: u64 = 10_000_000;

/// Orders that may rest beside those that rest all the time, or have.
pub const ORDERS_MAX: u32 = 65_536;

/// What the core has said.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Orders and replaces on their way to the engine.
    pub approved: u64,
    /// Reports passed on.
    pub reported: u64,
    /// Control commands answered.
    pub controlled: u64,
    /// Refusals.
    pub refused: u64,
    /// Alarms and whatever else none of these commands should lead to.
    pub unexpected: u64,
}

impl EffectSink for Tally {
    #[inline(always)]
    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Approved(_) => self.approved += 1,
            Effect::Reported(_) => self.reported += 1,
            Effect::Controlled(_) => self.controlled += 1,
            Effect::StateChanged { .. } => {}
            Effect::Refused(_) => self.refused += 1,
            Effect::Answered(_) | Effect::SessionChanged(_) | Effect::Alarmed(_) => {
                self.unexpected += 1
            }
        }
    }
}

/// What an account has before the first order of the load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endowment {
    /// Quanta paid in.
    pub(crate) deposit: i64,
    /// Lots of each of its positions.
    pub(crate) lots: i64,
    /// Quanta that its last fill costs beside.
    pub(crate) fee: i64,
}

impl Endowment {
    pub(crate) fn usual(shape: &Shape) -> Self {
        Self {
            deposit: shape.deposit(),
            lots: POSITION_LOTS,
            fee: 0,
        }
    }
}

/// The core, and what it was sent.
pub struct Market {
    /// The core.
    pub core: RiskCore,
    /// What it said.
    pub tally: Tally,
    /// Its shape.
    pub shape: Shape,
    /// Orders sent that must be accepted.
    pub sent: u64,
    /// Orders sent that must be refused.
    pub refusals: u64,
    /// Engine's reports sent: one that ends it, or answers it, for each order and replace but those that rest ...
    pub reports: u64,
    /// ... and such as leave their order open.
    leaving_open: u64,
    /// Lots of the fills among them, and their fees.
    executed_lots: u64,
    fees: i128,
    /// Accounts that lost more than they had, of each of which the first valuation is to say so.
    poor: u32,
    /// Clients' cancels sent that must go on to the engine.
    cancels: u64,
    /// Orders sent that must rest.
    rests: u64,
    /// Replaces of them that stay unanswered.
    unanswered: u64,
    controls: u64,
    seq: u64,
    now_ns: u64,
    moves_at_ns: u64,
    prices: Vec<i64>,
    /// By instrument, the reference that was sent last.
    references: Vec<Option<i64>>,
    numbers: Vec<u32>,
    random: Random,
}

impl Market {
    /// A core with funded accounts; each pair of neighbours holds the two sides of the same trades.
    ///
    /// # Errors
    /// If the limits or capacities do not load, in words.
    pub fn new(shape: Shape) -> Result<Self, String> {
        let capacities = Capacities {
            orders_max: ORDERS_MAX + shape.accounts * shape.rested(),
            orders_reserved_per_account: 0,
            positions_max: shape.accounts * shape.traded,
            ..Capacities::default()
        };
        Self::with(shape, &limits(&shape), capacities)
    }

    /// A core under limits that may name more than the shape has, with no more orders and positions
    /// than `capacities` say.
    ///
    /// # Errors
    /// As [`Market::new`].
    pub fn with(shape: Shape, spec: &LimitSpec, capacities: Capacities) -> Result<Self, String> {
        let usual = Endowment::usual(&shape);
        Self::endowed(shape, spec, capacities, |_| usual)
    }

    /// The same, each account with what it is given.
    pub(crate) fn endowed(
        shape: Shape,
        spec: &LimitSpec,
        capacities: Capacities,
        given: impl Fn(u32) -> Endowment,
    ) -> Result<Self, String> {
        let mut market = Self::bare(shape, spec, capacities)?;
        market.publish_prices();
        (0..shape.accounts).for_each(|account| market.give(account, given(account)));
        Ok(market)
    }

    /// The same without anything in it but links.
    ///
    /// # Errors
    /// As [`Market::new`].
    pub fn bare(shape: Shape, spec: &LimitSpec, capacities: Capacities) -> Result<Self, String> {
        let table = LimitTable::build(spec)
            .map_err(|why| format!("the limits do not load: {:?}", why.faults))?;
        let capacities = Capacities {
            accounts_max: spec.accounts.len() as u32,
            instruments_max: spec.instruments.len() as u32,
            firms_max: spec.firms.len() as u32,
            sessions_max: spec.sessions.len() as u32,
            ..capacities
        };
        let core =
            RiskCore::new(&capacities, table, HashSeed::FIXED).map_err(|why| why.to_string())?;
        let mut market = Self {
            core,
            tally: Tally::default(),
            shape,
            sent: 0,
            refusals: 0,
            reports: 0,
            leaving_open: 0,
            executed_lots: 0,
            fees: 0,
            poor: 0,
            cancels: 0,
            rests: 0,
            unanswered: 0,
            controls: 0,
            seq: 0,
            now_ns: MOVE_GAP_NS,
            moves_at_ns: MOVE_GAP_NS,
            prices: vec![PRICE_START; shape.instruments as usize],
            references: vec![None; spec.instruments.len()],
            numbers: vec![0; spec.sessions.len()],
            random: Random::new(20_260_101),
        };
        for session in (0..SESSIONS).map(SessionId::new) {
            market.send(Command::VenueLink { session, up: true });
        }
        Ok(market)
    }

    /// Makes the next orders, which the caller must apply; a price move comes first if one is due.
    pub fn prepare(&mut self, accounts: &Accounts, batch: &mut [Record]) {
        self.keep_prices();
        for slot in batch.iter_mut() {
            self.now_ns += ORDER_GAP_NS;
            let account = accounts.draw(&mut self.random);
            let which = self.random.below(self.shape.traded.into()) as u32;
            let instrument = self.traded(account, which);
            let side = if self.random.below(2) == 0 {
                Side::Buy
            } else {
                Side::Sell
            };
            let qty = 1 + self.random.below(QTY_LARGEST as u64) as i64;
            let price = self.prices[instrument as usize] + self.random.below(11) as i64 - 5;
            let order = self.order(account, instrument, side, qty, price);
            *slot = self.record(Command::NewOrder(order));
        }
        self.sent += batch.len() as u64;
    }

    /// The engine cancels the orders of a batch.
    pub fn cancel_all(&mut self, batch: &[Record]) {
        for record in batch {
            let session = SessionId::new(record.head.session);
            let user_ref = UserRef::new(record.head.number);
            self.report(session, user_ref, ReportKind::Canceled);
        }
    }

    /// Instruments of the load whose margin open interest scales.
    #[must_use]
    pub fn scaled_instruments(&self) -> usize {
        let instruments = (0..self.shape.instruments).map(InstrumentId::new);
        instruments
            .filter_map(|instrument| self.core.instrument(instrument))
            .filter(|instrument| instrument.scale_ppm > 0)
            .count()
    }

    /// Gives an account what each has before the first order of the load.
    pub fn endow(&mut self, account: u32) {
        self.give(account, Endowment::usual(&self.shape));
    }

    /// The same, but that its last fill costs twice what was paid in: it is below maintenance at any price of
    /// the load.
    pub fn endow_poor(&mut self, account: u32) {
        let usual = Endowment::usual(&self.shape);
        let fee = 2 * usual.deposit;
        self.give(account, Endowment { fee, ..usual });
        self.poor += 1;
    }

    /// Accounts that were made poor.
    #[must_use]
    pub const fn poor(&self) -> u32 {
        self.poor
    }

    /// Deposits, and one order in each traded instrument: some filled, some cancelled; then those
    /// that rest.
    fn give(&mut self, account: u32, given: Endowment) {
        self.deposit(account, given.deposit);
        for which in 0..self.shape.traded {
            let side = self.endowed_side(account, which);
            let instrument = self.traded(account, which);
            if which >= self.shape.held {
                self.enter_and_cancel(account, instrument, side);
                continue;
            }
            let match_number = u64::from(account / 2) * u64::from(self.shape.traded);
            let first = 2 * (match_number + u64::from(which)) + 1;
            let mut left = given.lots;
            // By parts: one order alone would exceed what an order may have.
            for part in 0.. {
                let lots = left.min(POSITION_LOTS / 2);
                if lots == 0 {
                    break;
                }
                left -= lots;
                let order = self.order(account, instrument, side, lots, PRICE_START);
                // Of the last alone, or the next would be refused.
                let last = left == 0 && which + 1 == self.shape.held;
                let fee = if last { given.fee } else { 0 };
                self.enter(order, Some(fill(lots, first + part, Money::new(fee))));
            }
        }
        for rests in 0..self.shape.resting {
            let order = self.resting_order(account, rests);
            self.rest(order);
        }
        for rested in 0..self.shape.gone {
            let order = self.resting_order(account, rested);
            self.enter(order, Some(ReportKind::Canceled));
        }
    }

    /// An order of one lot, far from where prices are, to one side or the other.
    fn resting_order(&mut self, account: u32, which: u32) -> NewOrder {
        let instrument = self.traded(account, which % self.shape.traded);
        let (side, price) = match which / self.shape.traded % 2 {
            0 => (Side::Buy, PRICE_START - PRICE_SPAN),
            _ => (Side::Sell, PRICE_START + PRICE_SPAN),
        };
        self.order(account, instrument, side, 1, price)
    }

    /// The side of an account's position: its neighbour in the pair has the other.
    pub(crate) const fn endowed_side(&self, account: u32, which: u32) -> Side {
        if account % 2 == which % 2 {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    /// Where an instrument's reference stands.
    pub(crate) fn price(&self, instrument: u32) -> i64 {
        self.prices[instrument as usize]
    }

    /// Moves every price if it is time.
    pub(crate) fn keep_prices(&mut self) {
        if self.now_ns >= self.moves_at_ns {
            self.move_prices();
        }
    }

    /// A move of one price, applied: the sweep's unit.
    pub fn move_one_price(&mut self, instrument: u32) {
        let step = self.random.below(11) as i64 - 5;
        let price = &mut self.prices[instrument as usize];
        *price = (*price + step).clamp(PRICE_START - PRICE_SPAN, PRICE_START + PRICE_SPAN);
        let price = *price;
        self.publish(instrument, price);
    }

    fn move_prices(&mut self) {
        for price in &mut self.prices {
            let step = self.random.below(11) as i64 - 5;
            *price = (*price + step).clamp(PRICE_START - PRICE_SPAN, PRICE_START + PRICE_SPAN);
        }
        self.publish_prices();
        self.moves_at_ns += MOVE_GAP_NS;
    }

    fn publish_prices(&mut self) {
        for instrument in 0..self.shape.instruments {
            self.publish(instrument, self.prices[instrument as usize]);
        }
    }

    /// An order of an account, on its own session.
    pub fn order(
        &mut self,
        account: u32,
        instrument: u32,
        side: Side,
        qty: i64,
        price: i64,
    ) -> NewOrder {
        let session = account % SESSIONS;
        NewOrder {
            session: SessionId::new(session),
            user_ref: self.next_number(session),
            account: AccountId::new(account),
            instrument: InstrumentId::new(instrument),
            side,
            qty: Qty::new(qty),
            price: Some(Price::new(price)),
            time_in_force: TimeInForce::Day,
        }
    }

    /// The instruments of an account: its neighbour in the pair has the same.
    #[must_use]
    pub const fn traded(&self, account: u32, which: u32) -> u32 {
        let (instruments, traded) = (self.shape.instruments, self.shape.traded);
        (account / 2 * 13 + which * (instruments / traded)) % instruments
    }

    /// The engine's word.
    pub fn report(&mut self, session: SessionId, user_ref: UserRef, kind: ReportKind) {
        let record = self.report_record(session, user_ref, kind);
        self.apply(&record);
    }

    /// Applies a record that was made for this market, the next one.
    pub(crate) fn apply(&mut self, record: &Record) {
        self.core.apply(record, &mut self.tally);
    }

    /// Enters an order of one lot where all began, which the engine cancels.
    pub(crate) fn enter_and_cancel(&mut self, account: u32, instrument: u32, side: Side) {
        let order = self.order(account, instrument, side, 1, PRICE_START);
        self.enter(order, Some(ReportKind::Canceled));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margin_is_scaled_once_prices_have_moved_and_what_rests_is_accounted_for() {
        let shape = Shape {
            resting: 8,
            ..Shape::of(100)
        };
        let mut market = Market::new(shape).expect("it loads");
        assert_eq!(market.check(), Ok(()));
        assert_eq!(market.scaled_instruments(), 0);
        market.move_prices();
        assert!(market.scaled_instruments() > 32);
    }
}
