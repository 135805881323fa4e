//! A risk core with funded accounts, positions and moving prices, and the orders it is given.
//!
//! One thread. Invariants: virtual time alone, so that a run is the same commands every time; what
//! was sent is counted apart from what the core says it did, so that the two can be held against
//! each other; records are made before the clock starts.

use super::limits::{INSTRUMENTS, SESSIONS, limits};
use super::load::{Accounts, Random};
use portcullis_domain::{
    AccountId, CashMove, Command, InstrumentId, Money, NewOrder, Price, Qty, Record,
    ReferencePrice, ReportKind, SessionId, Side, TimeInForce, UserRef, VenueReport,
};
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{Capacities, Effect, EffectSink, RiskCore};

/// Instruments that an account trades; it holds a position in the first two of them.
pub(crate) const TRADED: u32 = 4;
/// Virtual time between two orders: 100,000 a second.
pub(crate) const ORDER_GAP_NS: u64 = 10_000;
/// Virtual time between two moves of all prices: 100 a second.
pub(crate) const MOVE_GAP_NS: u64 = 10_000_000;

const PRICE_START: i64 = 10_000;
/// Prices stay this near to where they began.
const PRICE_SPAN: i64 = 1_000;
const DEPOSIT: i64 = 5_000_000;
const POSITION_LOTS: i64 = 20;
const ORDERS_MAX: u32 = 65_536;

/// What the core has said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) approved: u64,
    pub(crate) reported: u64,
    pub(crate) controlled: u64,
    /// Refusals, alarms and whatever else none of these commands should lead to.
    pub(crate) unexpected: u64,
}

impl EffectSink for Tally {
    #[inline]
    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Approved(_) => self.approved += 1,
            Effect::Reported(_) => self.reported += 1,
            Effect::Controlled(_) => self.controlled += 1,
            Effect::Refused(_)
            | Effect::Answered(_)
            | Effect::SessionChanged(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => self.unexpected += 1,
        }
    }
}

/// The core, and what it was sent.
pub(crate) struct Market {
    pub(crate) core: RiskCore,
    pub(crate) tally: Tally,
    /// Orders sent.
    pub(crate) sent: u64,
    /// Engine's reports sent: a cancel or a fill for each order.
    pub(crate) reports: u64,
    controls: u64,
    seq: u64,
    now_ns: u64,
    moves_at_ns: u64,
    prices: [i64; INSTRUMENTS as usize],
    numbers: [u32; SESSIONS as usize],
    random: Random,
}

impl Market {
    /// A core with `accounts` funded accounts, an even number; each pair of neighbours holds the
    /// two sides of the same trades.
    ///
    /// # Errors
    /// If the limits or capacities do not load, in words.
    pub(crate) fn new(accounts: u32) -> Result<Self, String> {
        let table = LimitTable::build(&limits(accounts))
            .map_err(|why| format!("the limits do not load: {:?}", why.faults))?;
        let capacities = Capacities {
            accounts_max: accounts,
            instruments_max: INSTRUMENTS,
            firms_max: SESSIONS,
            sessions_max: SESSIONS,
            orders_max: ORDERS_MAX,
            orders_reserved_per_account: 0,
            positions_max: accounts * TRADED,
            ..Capacities::default()
        };
        let core = RiskCore::new(&capacities, table).map_err(|why| why.to_string())?;
        let mut market = Self {
            core,
            tally: Tally::default(),
            sent: 0,
            reports: 0,
            controls: 0,
            seq: 0,
            now_ns: MOVE_GAP_NS,
            moves_at_ns: MOVE_GAP_NS,
            prices: [PRICE_START; INSTRUMENTS as usize],
            numbers: [0; SESSIONS as usize],
            random: Random::new(20_260_101),
        };
        for session in (0..SESSIONS).map(SessionId::new) {
            market.send(Command::VenueLink { session, up: true });
        }
        market.publish_prices();
        (0..accounts).for_each(|account| market.endow(account));
        Ok(market)
    }

    /// Makes the next `batch.len()` orders, after a price move if one is due.
    pub(crate) fn prepare(&mut self, accounts: &Accounts, batch: &mut [Record]) {
        if self.now_ns >= self.moves_at_ns {
            self.move_prices();
        }
        for slot in batch.iter_mut() {
            self.now_ns += ORDER_GAP_NS;
            let account = accounts.draw(&mut self.random);
            let instrument = traded(account, self.random.below(TRADED.into()) as u32);
            let side = if self.random.below(2) == 0 {
                Side::Buy
            } else {
                Side::Sell
            };
            let qty = 1 + self.random.below(10) as i64;
            let price = self.prices[instrument as usize] + self.random.below(11) as i64 - 5;
            let order = self.order(account, instrument, side, qty, price);
            *slot = self.record(Command::NewOrder(order));
        }
        self.sent += batch.len() as u64;
    }

    /// The engine cancels the orders of a batch.
    pub(crate) fn cancel_all(&mut self, batch: &[Record]) {
        for record in batch {
            let session = SessionId::new(record.head.session);
            let user_ref = UserRef::new(record.head.number);
            self.report(session, user_ref, ReportKind::Canceled);
        }
    }

    /// Holds what was sent against what the core says of it and what it holds now.
    ///
    /// # Errors
    /// The first figure that is not as it must be, in words.
    pub(crate) fn check(&self) -> Result<(), String> {
        let counters = self.core.counters();
        let same = [
            ("orders approved", self.tally.approved, self.sent),
            ("orders accepted", counters.accepted, self.sent),
            ("orders refused", counters.refused, 0),
            ("reports passed on", self.tally.reported, self.reports),
            ("reports", self.reports, self.sent),
            ("controls answered", self.tally.controlled, self.controls),
            ("unexpected effects", self.tally.unexpected, 0),
            ("alarms", counters.alarms, 0),
            ("open orders", self.core.open_orders() as u64, 0),
            ("commands applied", counters.commands, self.seq),
        ];
        if let Some((what, is, must)) = same.into_iter().find(|(_, is, must)| is != must) {
            return Err(format!("{what}: {is}, must be {must}"));
        }
        match self.core.conservation_error() {
            0 => Ok(()),
            missing => Err(format!("{missing} quanta are missing from the books")),
        }
    }

    /// Deposits, and one order in each traded instrument: two filled, two cancelled.
    fn endow(&mut self, account: u32) {
        self.control(Command::Deposit(CashMove {
            account: AccountId::new(account),
            amount: Money::new(DEPOSIT),
        }));
        for which in 0..TRADED {
            let side = if account % 2 == which % 2 {
                Side::Buy
            } else {
                Side::Sell
            };
            let instrument = traded(account, which);
            let order = self.order(account, instrument, side, POSITION_LOTS, PRICE_START);
            self.send(Command::NewOrder(order));
            self.sent += 1;
            let kind = if which < 2 {
                ReportKind::Fill {
                    qty: Qty::new(POSITION_LOTS),
                    price: Price::new(PRICE_START),
                    match_number: u64::from(account / 2 * TRADED + which) + 1,
                    fee: Money::ZERO,
                }
            } else {
                ReportKind::Canceled
            };
            self.report(order.session, order.user_ref, kind);
        }
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
        for (price, index) in self.prices.into_iter().zip(0..) {
            self.control(Command::Reference(ReferencePrice {
                instrument: InstrumentId::new(index),
                price: Price::new(price),
            }));
        }
    }

    fn order(
        &mut self,
        account: u32,
        instrument: u32,
        side: Side,
        qty: i64,
        price: i64,
    ) -> NewOrder {
        let session = account % SESSIONS;
        let number = &mut self.numbers[session as usize];
        *number += 1;
        NewOrder {
            session: SessionId::new(session),
            user_ref: UserRef::new(*number),
            account: AccountId::new(account),
            instrument: InstrumentId::new(instrument),
            side,
            qty: Qty::new(qty),
            price: Some(Price::new(price)),
            time_in_force: TimeInForce::Day,
        }
    }

    fn report(&mut self, session: SessionId, user_ref: UserRef, kind: ReportKind) {
        self.reports += 1;
        self.send(Command::Report(VenueReport {
            session,
            user_ref,
            kind,
            note: 0,
        }));
    }

    fn control(&mut self, command: Command) {
        self.controls += 1;
        self.send(command);
    }

    fn send(&mut self, command: Command) {
        let record = self.record(command);
        self.core.apply(&record, &mut self.tally);
    }

    fn record(&mut self, command: Command) -> Record {
        self.seq += 1;
        let mut record = Record::bare(command.encode());
        record.head.seq = self.seq;
        record.head.timestamp_ns = self.now_ns;
        record
    }
}

/// The instruments of an account: its neighbour in the pair has the same.
const fn traded(account: u32, which: u32) -> u32 {
    (account / 2 * 13 + which * (INSTRUMENTS / TRADED)) % INSTRUMENTS
}

#[cfg(test)]
mod tests {
    use super::super::load::Choice;
    use super::*;
    use portcullis_domain::{Scope, StateChange, TradingState};

    #[test]
    fn orders_that_are_refused_or_stay_open_fail_the_check() {
        let accounts = Accounts::new(Choice::Uniform, 10);
        let mut batch = [Record::bare(Command::Tick.encode()); 4];
        let mut market = Market::new(10).expect("it loads");
        assert_eq!(market.check(), Ok(()));
        market.prepare(&accounts, &mut batch);
        let unsent = market.check().expect_err("no order was applied");
        assert_eq!(unsent, "orders approved: 40, must be 44");
        for record in &batch {
            market.core.apply(record, &mut market.tally);
        }
        assert!(market.check().is_err(), "four orders are open");
        market.cancel_all(&batch);
        assert_eq!(market.check(), Ok(()));
        market.control(Command::SetState(StateChange {
            scope: Scope::Venue,
            state: TradingState::Halted,
            cancel: false,
        }));
        market.prepare(&accounts, &mut batch);
        for record in &batch {
            market.core.apply(record, &mut market.tally);
        }
        assert!(market.check().is_err(), "four orders were refused");
    }
}
