//! melin-exchange-core 0.15.0: `Exchange::execute`.
//!
//! One thread. It checks that symbol and account exist, that the order id is not live, halt, static
//! price band, lots, notional, open orders and order rate of the account, and reserves the balance
//! that the order could cost: money for a purchase, the instrument itself for a sale. It does not
//! check margin, open interest, volume, positions, losses, repeats, firms or sessions, and marks
//! nothing. Checks and reservation cannot be called without the book that follows them, so it is
//! driven twice: with orders that find nothing on an empty book and lapse, which is the least that
//! can follow and gives the reservation back, and with orders that rest.

use super::Gate;
use crate::stream::{
    BAND, INSTRUMENTS, Order, PRICE_START, QTY_MAX, Side, TRADED, Verdict, is_poor, traded,
};
use melin_exchange_core::exchange::Exchange;
use melin_exchange_core::types::{
    self as theirs, AccountId, CircuitBreakerConfig, CurrencyId, ExecutionReport, InstrumentSpec,
    OrderId, OrderType, Price, Quantity, RejectReason, RiskLimits, SelfTradeProtection, Symbol,
    TimeInForce,
};
use std::num::NonZeroU64;

/// The currency that is paid with; instruments are the currencies below it.
const MONEY: CurrencyId = CurrencyId(INSTRUMENTS);
const BALANCE: u64 = 1_000_000_000_000;
const NOTIONAL_MAX: u64 = 1_000_000_000;
const ORDERS_PER_SECOND: u32 = 1_000_000;
const BURST: u32 = 1_000_000;
/// Sales stand this far above purchases, so that orders which rest do not meet.
const SPREAD: i64 = 100;

/// Whether accepted orders stay in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// They lapse at once.
    No,
    /// They rest until they are cancelled.
    Yes,
}

/// The gate.
pub(crate) struct Melin {
    rest: Rest,
    accounts: u32,
    exchange: Exchange,
    prepared: Vec<(Symbol, theirs::Order, u64)>,
    reports: Vec<ExecutionReport>,
}

impl Melin {
    /// So many accounts, each with money and its four instruments.
    pub(crate) fn new(accounts: u32, rest: Rest) -> Self {
        let mut exchange = Exchange::new();
        // Room for accounts x 3 x 2 balances; an account has five.
        exchange.prefault_seed(accounts as usize, 3);
        exchange.set_max_orders_per_second(ORDERS_PER_SECOND, BURST);
        for instrument in 0..INSTRUMENTS {
            let symbol = Symbol(instrument);
            exchange.add_instrument(InstrumentSpec {
                symbol,
                base: CurrencyId(instrument),
                quote: MONEY,
            });
            exchange.set_risk_limits(
                symbol,
                RiskLimits {
                    max_order_qty: Some(lots(QTY_MAX)),
                    max_order_notional: Some(NOTIONAL_MAX),
                },
            );
            exchange.set_circuit_breaker(
                symbol,
                CircuitBreakerConfig {
                    price_band_lower: Some(ticks(PRICE_START - BAND)),
                    price_band_upper: Some(ticks(PRICE_START + BAND)),
                    halted: false,
                },
            );
        }
        for account in (0..accounts).filter(|account| !is_poor(*account)) {
            exchange.deposit(AccountId(account), MONEY, BALANCE);
            for which in 0..TRADED {
                let instrument = CurrencyId(traded(account, which));
                exchange.deposit(AccountId(account), instrument, BALANCE);
            }
        }
        Self {
            rest,
            accounts,
            exchange,
            prepared: Vec::new(),
            reports: Vec::with_capacity(256),
        }
    }

    fn order(&self, order: &Order) -> theirs::Order {
        let (side, price) = match order.side {
            Side::Buy => (theirs::Side::Buy, order.price),
            Side::Sell => (theirs::Side::Sell, order.price + SPREAD),
        };
        theirs::Order {
            id: OrderId(order.number),
            account: AccountId(order.account),
            side,
            order_type: OrderType::Limit {
                price: ticks(price),
                post_only: false,
            },
            time_in_force: match self.rest {
                Rest::No => TimeInForce::IOC,
                Rest::Yes => TimeInForce::Day,
            },
            quantity: lots(order.qty),
            stp: SelfTradeProtection::Allow,
            expiry_ns: 0,
        }
    }

    fn verdict(&self) -> Verdict {
        match (self.reports.as_slice(), self.rest) {
            ([ExecutionReport::Placed { .. }], Rest::Yes)
            | ([ExecutionReport::Cancelled { .. }], Rest::No) => Verdict::Accepted,
            ([ExecutionReport::Rejected { reason, .. }], _) => {
                if *reason == RejectReason::ExceedsMaxOrderQty {
                    Verdict::TooLarge
                } else if *reason == RejectReason::InsufficientBalance {
                    Verdict::NoFunds
                } else {
                    Verdict::Other
                }
            }
            _ => Verdict::Other,
        }
    }
}

fn lots(qty: i64) -> Quantity {
    Quantity(positive(qty))
}

fn ticks(price: i64) -> Price {
    Price(positive(price))
}

fn positive(value: i64) -> NonZeroU64 {
    let value = u64::try_from(value).ok().and_then(NonZeroU64::new);
    value.expect("lots and ticks of the stream are positive")
}

impl Gate for Melin {
    fn name(&self) -> &'static str {
        match self.rest {
            Rest::No => "melin-exchange-core 0.15.0, lapses",
            Rest::Yes => "melin-exchange-core 0.15.0, rests",
        }
    }

    fn prepare(&mut self, orders: &[Order]) {
        self.prepared.clear();
        for order in orders {
            let prepared = (Symbol(order.instrument), self.order(order), order.at_ns);
            self.prepared.push(prepared);
        }
    }

    fn decide(&mut self, at: usize) -> Verdict {
        let (symbol, order, at_ns) = self.prepared[at];
        self.reports.clear();
        self.exchange.set_current_event_ts_ns(at_ns);
        self.exchange.execute(symbol, order, &mut self.reports);
        self.verdict()
    }

    fn settle(&mut self, _orders: &[Order]) {
        if self.rest == Rest::No {
            return;
        }
        for (symbol, order, _) in &self.prepared {
            self.reports.clear();
            self.exchange
                .cancel(*symbol, order.account, order.id, &mut self.reports);
        }
    }

    fn check(&self) -> Result<(), String> {
        for account in (0..self.accounts).map(AccountId) {
            let open = self.exchange.open_order_count(account);
            let money = self.exchange.accounts().balance(account, MONEY);
            let must = if is_poor(account.0) { 0 } else { BALANCE };
            if (open, money.available, money.reserved) != (0, must, 0) {
                return Err(format!("{account:?}: {open} open orders, {money:?}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::*;

    #[test]
    fn it_decides_as_it_must() {
        for rest in [Rest::No, Rest::Yes] {
            judge(&mut Melin::new(1_000, rest), 1_000);
        }
    }

    #[test]
    fn what_is_reserved_cannot_be_spent_twice() {
        let mut gate = Melin::new(2, Rest::Yes);
        let spent = BALANCE - 2 * 10 * PRICE_START as u64;
        let withdrawn = gate.exchange.withdraw(AccountId(0), MONEY, spent);
        assert_eq!(withdrawn, Ok(()));
        let order = |number| Order {
            number,
            at_ns: 1,
            account: 0,
            instrument: traded(0, 0),
            side: Side::Buy,
            qty: 10,
            price: PRICE_START,
        };
        gate.prepare(&[order(1), order(2), order(3)]);
        let verdicts = [0, 1, 2].map(|at| gate.decide(at));
        let (accepted, refused) = (Verdict::Accepted, Verdict::NoFunds);
        assert_eq!(verdicts, [accepted, accepted, refused]);
    }
}
