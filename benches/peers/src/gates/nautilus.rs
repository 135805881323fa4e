//! nautilus-risk 0.57.0: `RiskEngine::execute` with a submitted limit order, margin accounts.
//!
//! One thread, to which its message bus belongs. It checks the precision of price and quantity,
//! lots, notional of one order, one order rate for the whole engine, trading state, and that the
//! margin of this one order is within the free balance of its account. It does not check collars,
//! open interest, volume, open orders, losses, repeats, positions, firms or sessions, reserves
//! nothing, and marks nothing. This is its best case: its clock stands, nothing is logged, no
//! position and no open order is in its cache, since it walks those of the instrument of all
//! accounts for every order; the orders of one batch alone are there, as their caller must put them.

use super::Gate;
use crate::stream::{INSTRUMENTS, Order, QTY_MAX, Side, Verdict, is_poor};
use nautilus_common::cache::Cache;
use nautilus_common::clock::TestClock;
use nautilus_common::messages::execution::{SubmitOrder, TradingCommand};
use nautilus_common::msgbus::{self, MessagingSwitchboard, TypedIntoHandler};
use nautilus_common::throttler::RateLimit;
use nautilus_core::{UUID4, UnixNanos};
use nautilus_model::accounts::{AccountAny, MarginAccount};
use nautilus_model::enums::{AccountType, OrderSide, TimeInForce};
use nautilus_model::events::{AccountState, OrderEventAny};
use nautilus_model::identifiers::{
    AccountId, ClientOrderId, InstrumentId, StrategyId, Symbol, TraderId,
};
use nautilus_model::instruments::{CryptoPerpetual, InstrumentAny};
use nautilus_model::orders::{LimitOrder, OrderAny};
use nautilus_model::types::{AccountBalance, Currency, Money, Price, Quantity};
use nautilus_portfolio::Portfolio;
use nautilus_risk::engine::RiskEngine;
use nautilus_risk::engine::config::RiskEngineConfig;
use rust_decimal::Decimal;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The throttle is kept and never reached.
const ORDERS_MAX: usize = 1 << 40;
const NOTIONAL_MAX: i64 = 1_000_000_000;

/// The gate.
pub(crate) struct Nautilus {
    engine: RiskEngine,
    cache: Rc<RefCell<Cache>>,
    instruments: Vec<InstrumentId>,
    accounts: Vec<AccountId>,
    trader: TraderId,
    strategy: StrategyId,
    /// What the bus said of the order in hand.
    said: Rc<Cell<Verdict>>,
    prepared: Vec<Option<SubmitOrder>>,
    /// Commands sent.
    sent: u64,
}

impl Nautilus {
    /// So many accounts, each with money.
    ///
    /// # Errors
    /// Its cache does not take them.
    pub(crate) fn new(accounts: u32) -> Result<Self, String> {
        let mut cache = Cache::default();
        let mut instruments = Vec::new();
        let mut notional_max = ahash::AHashMap::new();
        for index in 0..INSTRUMENTS {
            let id = InstrumentId::from(format!("I{index}.SIM").as_str());
            cache
                .add_instrument(InstrumentAny::CryptoPerpetual(instrument(id)))
                .map_err(|error| error.to_string())?;
            notional_max.insert(id, Decimal::from(NOTIONAL_MAX));
            instruments.push(id);
        }
        let mut ids = Vec::new();
        for account in 0..accounts {
            let id = AccountId::from(format!("SIM-{account}").as_str());
            cache
                .add_account(AccountAny::Margin(margin_account(id, is_poor(account))))
                .map_err(|error| error.to_string())?;
            ids.push(id);
        }
        let cache = Rc::new(RefCell::new(cache));
        let clock = Rc::new(RefCell::new(TestClock::new()));
        let portfolio = Portfolio::new(cache.clone(), clock.clone(), None);
        let config = RiskEngineConfig {
            debug: false,
            bypass: false,
            max_order_submit: RateLimit::new(ORDERS_MAX, 1_000_000_000),
            max_order_modify: RateLimit::new(ORDERS_MAX, 1_000_000_000),
            max_notional_per_order: notional_max,
        };
        let engine = RiskEngine::new(config, portfolio, clock, cache.clone());
        Ok(Self {
            engine,
            cache,
            instruments,
            accounts: ids,
            trader: TraderId::from("TRADER-1"),
            strategy: StrategyId::from("S-1"),
            said: listen(),
            prepared: Vec::new(),
            sent: 0,
        })
    }

    fn order(&self, at: usize, order: &Order) -> OrderAny {
        let side = match order.side {
            Side::Buy => OrderSide::Buy,
            Side::Sell => OrderSide::Sell,
        };
        let mut limit = LimitOrder::new(
            self.trader,
            self.strategy,
            self.instruments[order.instrument as usize],
            client_order_id(at),
            side,
            Quantity::from(order.qty),
            price(order.price),
            TimeInForce::Day,
            None,
            false,
            false,
            false,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            UUID4::new(),
            UnixNanos::from(order.at_ns),
        );
        limit.account_id = Some(self.accounts[order.account as usize]);
        OrderAny::Limit(limit)
    }
}

/// Takes the place of the execution engine on the bus: what reaches it passed, what it is told was
/// denied.
fn listen() -> Rc<Cell<Verdict>> {
    let said = Rc::new(Cell::new(Verdict::Other));
    let passed = said.clone();
    msgbus::register_trading_command_endpoint(
        MessagingSwitchboard::exec_engine_queue_execute(),
        TypedIntoHandler::from(move |_: TradingCommand| passed.set(Verdict::Accepted)),
    );
    let denied = said.clone();
    msgbus::register_order_event_endpoint(
        MessagingSwitchboard::exec_engine_process(),
        TypedIntoHandler::from(move |event: OrderEventAny| denied.set(refusal(&event))),
    );
    said
}

fn refusal(event: &OrderEventAny) -> Verdict {
    let OrderEventAny::Denied(denied) = event else {
        return Verdict::Other;
    };
    let reason = denied.reason.as_str();
    if reason.starts_with("quantity") && reason.contains("maximum trade size") {
        Verdict::TooLarge
    } else if reason.starts_with("MARGIN_EXCEEDS_FREE_BALANCE") {
        Verdict::NoFunds
    } else {
        Verdict::Other
    }
}

fn instrument(id: InstrumentId) -> CryptoPerpetual {
    CryptoPerpetual::new(
        id,
        Symbol::from(id.symbol.as_str()),
        Currency::BTC(),
        Currency::USD(),
        Currency::USD(),
        false,
        0,
        0,
        price(1),
        Quantity::from(1_i64),
        None,
        None,
        Some(Quantity::from(QTY_MAX)),
        Some(Quantity::from(1_i64)),
        None,
        None,
        None,
        None,
        Some(Decimal::new(5, 2)),
        Some(Decimal::new(25, 3)),
        None,
        None,
        None,
        UnixNanos::default(),
        UnixNanos::default(),
    )
}

fn margin_account(id: AccountId, poor: bool) -> MarginAccount {
    let free = Money::from(if poor { "1 USD" } else { "5000000 USD" });
    let balance = AccountBalance::new(free, Money::from("0 USD"), free);
    let state = AccountState::new(
        id,
        AccountType::Margin,
        vec![balance],
        Vec::new(),
        true,
        UUID4::new(),
        UnixNanos::default(),
        UnixNanos::default(),
        Some(Currency::USD()),
    );
    MarginAccount::new(state, false)
}

fn price(ticks: i64) -> Price {
    Price::from_decimal_dp(Decimal::from(ticks), 0).expect("prices of the stream fit")
}

/// Ids are used again by the next batch: their strings are kept for good.
fn client_order_id(at: usize) -> ClientOrderId {
    ClientOrderId::from(format!("O-{at}").as_str())
}

impl Gate for Nautilus {
    fn name(&self) -> &'static str {
        "nautilus-risk 0.57.0, margin"
    }

    fn prepare(&mut self, orders: &[Order]) {
        self.prepared.clear();
        for (at, order) in orders.iter().enumerate() {
            let limit = self.order(at, order);
            let command = SubmitOrder::from_order(
                &limit,
                self.trader,
                None,
                None,
                UUID4::new(),
                UnixNanos::from(order.at_ns),
            );
            self.cache
                .borrow_mut()
                .add_order(limit, None, None, false)
                .expect("an order whose id is free");
            self.prepared.push(Some(command));
        }
    }

    fn decide(&mut self, at: usize) -> Verdict {
        let Some(command) = self.prepared[at].take() else {
            return Verdict::Other;
        };
        self.said.set(Verdict::Other);
        self.engine.execute(TradingCommand::SubmitOrder(command));
        self.sent += 1;
        self.said.get()
    }

    fn settle(&mut self, orders: &[Order]) {
        let mut cache = self.cache.borrow_mut();
        for at in 0..orders.len() {
            cache.purge_order(client_order_id(at));
        }
    }

    fn check(&self) -> Result<(), String> {
        let kept = self
            .cache
            .borrow()
            .orders_total_count(None, None, None, None, None);
        let counted = self.engine.command_count();
        match (kept, counted == self.sent) {
            (0, true) => Ok(()),
            _ => Err(format!(
                "{kept} orders kept, {counted} commands counted of {} sent",
                self.sent
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::*;

    #[test]
    fn it_decides_as_it_must() {
        judge(
            &mut Nautilus::new(1_000).expect("it takes its accounts"),
            1_000,
        );
    }
}
