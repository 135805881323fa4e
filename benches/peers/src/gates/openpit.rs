//! openpit 0.11.0: `Engine::execute_pre_trade` and the commit of its reservation, all five policies.
//!
//! One thread, without locking. Its policies check the form of an order, lots and notional, order
//! rate of the broker and of the account, realised losses, and free funds, which it reserves: money
//! for a purchase, the instrument itself for a sale. It does not check margin, collars, open
//! interest, volume, open orders, repeats, firms or sessions, and marks nothing. Its order rate
//! reads the clock of the system; its reservation is dropped outside the timed part.

use super::Gate;
use crate::stream::{INSTRUMENTS, Order, QTY_MAX, Side, TRADED, Verdict, is_poor, traded};
use ::openpit as theirs;
use rust_decimal::Decimal;
use std::time::Duration;
use theirs::param::{
    AccountId, AdjustmentAmount, Asset, Fee, Pnl, PositionSize, Price, Quantity, TradeAmount,
    Volume,
};
use theirs::pretrade::policies::{
    OrderSizeBrokerBarrier, OrderSizeLimit, OrderSizeLimitPolicy, OrderSizeLimitSettings,
    OrderValidationPolicy, PnlBoundsBrokerBarrier, PnlBoundsKillSwitchPolicy,
    PnlBoundsKillSwitchSettings, RateLimit, RateLimitAccountBarrier, RateLimitBrokerBarrier,
    RateLimitPolicy, RateLimitSettings, SpotFundsPolicy, SpotFundsPricingSource, SpotFundsSettings,
};
use theirs::pretrade::{PreTradeReservation, RejectCode, Rejects};
use theirs::storage::NoLocking;
use theirs::{
    AccountAdjustmentAmount, AccountAdjustmentBalanceOperation, AccountAdjustmentBounds, Engine,
    ExecutionReportFillDetails, ExecutionReportOperation, FinancialImpact, Instrument, LocalEngine,
    LocalSync, OrderOperation, SpotFundsMarketData, WithAccountAdjustmentAmount,
    WithAccountAdjustmentBalanceOperation, WithAccountAdjustmentBounds,
    WithExecutionReportFillDetails, WithExecutionReportOperation, WithFinancialImpact,
};

type Report = WithFinancialImpact<WithExecutionReportOperation<WithExecutionReportFillDetails<()>>>;
type Adjustment = WithAccountAdjustmentAmount<
    WithAccountAdjustmentBounds<WithAccountAdjustmentBalanceOperation<AccountAdjustmentAmount>>,
>;

const BALANCE: i64 = 1_000_000_000_000;
const NOTIONAL_MAX: i64 = 1_000_000_000;
const LOSS_MAX: i64 = 1_000_000_000;
/// Rate limits that are kept and never reached.
const ORDERS_MAX: usize = 1 << 40;
const WINDOW: Duration = Duration::from_millis(1);

/// The gate.
pub(crate) struct OpenPit {
    engine: LocalEngine<OrderOperation, Report, Adjustment>,
    instruments: Vec<Instrument>,
    prepared: Vec<Option<OrderOperation>>,
    held: Vec<Option<PreTradeReservation>>,
    settled: u64,
    faults: u64,
}

impl OpenPit {
    /// So many accounts, each with money and its four instruments.
    ///
    /// # Errors
    /// A policy does not take its settings, or an account its funds.
    pub(crate) fn new(accounts: u32) -> Result<Self, String> {
        let money = asset("USD")?;
        let bases: Vec<Asset> = (0..INSTRUMENTS)
            .map(|instrument| asset(&format!("I{instrument}")))
            .collect::<Result<_, _>>()?;
        let engine = engine(&money, accounts)?;
        for account in (0..accounts).filter(|account| !is_poor(*account)) {
            let of = |which| bases[traded(account, which) as usize].clone();
            let mut funds = vec![funds(money.clone())];
            funds.extend((0..TRADED).map(|which| self::funds(of(which))));
            engine
                .apply_account_adjustment(AccountId::from_u64(account.into()), &funds)
                .map_err(|error| format!("account {account} takes no funds: {error:?}"))?;
        }
        let instrument = |base: &Asset| Instrument::new(base.clone(), money.clone());
        Ok(Self {
            engine,
            instruments: bases.iter().map(instrument).collect(),
            prepared: Vec::new(),
            held: Vec::new(),
            settled: 0,
            faults: 0,
        })
    }

    fn operation(&self, order: &Order) -> OrderOperation {
        OrderOperation {
            instrument: self.instruments[order.instrument as usize].clone(),
            account_id: AccountId::from_u64(order.account.into()),
            trade_amount: TradeAmount::Quantity(lots(order.qty)),
            price: Some(Price::new(Decimal::from(order.price))),
            side: side(order.side),
        }
    }

    /// The report that an order was cancelled with nothing filled.
    fn cancelled(&self, order: &Order, reservation: &PreTradeReservation) -> Report {
        WithFinancialImpact {
            inner: WithExecutionReportOperation {
                inner: WithExecutionReportFillDetails {
                    inner: (),
                    fill: ExecutionReportFillDetails {
                        last_trade: None,
                        fee: None,
                        remaining_reserved_quantity: lots(order.qty),
                        lock: reservation.lock().clone(),
                        is_final: true,
                    },
                },
                operation: ExecutionReportOperation {
                    instrument: self.instruments[order.instrument as usize].clone(),
                    account_id: AccountId::from_u64(order.account.into()),
                    side: side(order.side),
                },
            },
            financial_impact: FinancialImpact {
                pnl: Pnl::ZERO,
                fee: Fee::ZERO,
            },
        }
    }
}

fn engine(
    money: &Asset,
    accounts: u32,
) -> Result<LocalEngine<OrderOperation, Report, Adjustment>, String> {
    let builder = Engine::builder::<OrderOperation, Report, Adjustment>().no_sync();
    let size = OrderSizeLimitSettings::new(
        Some(OrderSizeBrokerBarrier {
            limit: OrderSizeLimit {
                max_quantity: Some(lots(QTY_MAX)),
                max_notional: Some(
                    Volume::new(Decimal::from(NOTIONAL_MAX)).map_err(|error| error.to_string())?,
                ),
            },
        }),
        [],
        [],
    )
    .map_err(|error| error.to_string())?;
    let limit = RateLimit {
        max_orders: ORDERS_MAX,
        window: WINDOW,
    };
    let account = |account: u32| RateLimitAccountBarrier {
        account_id: AccountId::from_u64(account.into()),
        limit: limit.clone(),
    };
    let rate = RateLimitSettings::new(
        Some(RateLimitBrokerBarrier {
            limit: limit.clone(),
        }),
        [],
        (0..accounts).map(account),
        [],
    )
    .map_err(|error| error.to_string())?;
    let losses = PnlBoundsKillSwitchSettings::new(
        [PnlBoundsBrokerBarrier {
            settlement_asset: money.clone(),
            lower_bound: Some(Pnl::new(Decimal::from(-LOSS_MAX))),
            upper_bound: None,
        }],
        [],
    )
    .map_err(|error| error.to_string())?;
    let funds = SpotFundsSettings::new(0, SpotFundsPricingSource::Mark, [])
        .map_err(|error| error.to_string())?;
    let rate = RateLimitPolicy::new(rate, builder.storage_builder());
    let losses = PnlBoundsKillSwitchPolicy::new(losses, builder.storage_builder());
    let funds = SpotFundsPolicy::<LocalSync, LocalSync>::new(
        funds,
        None::<SpotFundsMarketData<LocalSync>>,
        builder.storage_builder(),
    );
    builder
        .pre_trade(OrderValidationPolicy::new())
        .pre_trade(OrderSizeLimitPolicy::<NoLocking>::new(size))
        .pre_trade(rate)
        .pre_trade(losses)
        .pre_trade(funds)
        .build()
        .map_err(|error| error.to_string())
}

fn funds(asset: Asset) -> Adjustment {
    WithAccountAdjustmentAmount {
        inner: WithAccountAdjustmentBounds {
            inner: WithAccountAdjustmentBalanceOperation {
                inner: AccountAdjustmentAmount::default(),
                operation: AccountAdjustmentBalanceOperation {
                    asset,
                    average_entry_price: None,
                },
            },
            bounds: AccountAdjustmentBounds::default(),
        },
        amount: AccountAdjustmentAmount {
            balance: Some(AdjustmentAmount::Absolute(PositionSize::new(
                Decimal::from(BALANCE),
            ))),
            held: None,
            incoming: None,
        },
    }
}

fn asset(name: &str) -> Result<Asset, String> {
    Asset::new(name).map_err(|error| format!("{name}: {error}"))
}

fn lots(qty: i64) -> Quantity {
    Quantity::new(Decimal::from(qty)).expect("lots of the stream are positive")
}

const fn side(side: Side) -> theirs::param::Side {
    match side {
        Side::Buy => theirs::param::Side::Buy,
        Side::Sell => theirs::param::Side::Sell,
    }
}

fn refusal(rejects: &Rejects) -> Verdict {
    match rejects.first().map(|reject| &reject.code) {
        Some(RejectCode::OrderQtyExceedsLimit) => Verdict::TooLarge,
        Some(RejectCode::InsufficientFunds) => Verdict::NoFunds,
        _ => Verdict::Other,
    }
}

impl Gate for OpenPit {
    fn name(&self) -> &'static str {
        "openpit 0.11.0, five policies"
    }

    fn prepare(&mut self, orders: &[Order]) {
        self.prepared.clear();
        for order in orders {
            let operation = self.operation(order);
            self.prepared.push(Some(operation));
        }
        self.held.clear();
        self.held.resize_with(orders.len(), || None);
    }

    fn decide(&mut self, at: usize) -> Verdict {
        let Some(operation) = self.prepared[at].take() else {
            return Verdict::Other;
        };
        match self.engine.execute_pre_trade(operation) {
            Ok(mut reservation) => {
                reservation.commit();
                self.held[at] = Some(reservation);
                Verdict::Accepted
            }
            Err(rejects) => refusal(&rejects),
        }
    }

    fn settle(&mut self, orders: &[Order]) {
        for (at, order) in orders.iter().enumerate() {
            let Some(reservation) = self.held[at].take() else {
                continue;
            };
            let report = self.cancelled(order, &reservation);
            let result = self.engine.apply_execution_report(&report);
            self.settled += 1;
            self.faults += u64::from(!result.account_blocks.is_empty());
        }
    }

    fn check(&self) -> Result<(), String> {
        let held = self.held.iter().filter(|held| held.is_some()).count();
        match (held, self.faults, self.settled) {
            (0, 0, 1..) => Ok(()),
            (_, faults, settled) => Err(format!(
                "{held} held, {settled} settled, {faults} that blocked an account"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::*;
    use crate::stream::PRICE_START;

    #[test]
    fn it_decides_as_it_must() {
        judge(
            &mut OpenPit::new(1_000).expect("it takes its settings"),
            1_000,
        );
    }

    #[test]
    fn what_is_reserved_cannot_be_spent_twice_and_comes_back() {
        let mut gate = OpenPit::new(2).expect("it takes its settings");
        let mut two = funds(asset("USD").expect("a name"));
        let enough = PositionSize::new(Decimal::from(2 * 10 * PRICE_START));
        two.amount.balance = Some(AdjustmentAmount::Absolute(enough));
        let account = AccountId::from_u64(0);
        gate.engine
            .apply_account_adjustment(account, &[two])
            .expect("funds for two orders");
        let order = Order {
            number: 1,
            at_ns: 1,
            account: 0,
            instrument: traded(0, 0),
            side: Side::Buy,
            qty: 10,
            price: PRICE_START,
        };
        let orders = [order; 3];
        let (accepted, refused) = (Verdict::Accepted, Verdict::NoFunds);
        for _ in 0..2 {
            gate.prepare(&orders);
            let verdicts = [0, 1, 2].map(|at| gate.decide(at));
            assert_eq!(verdicts, [accepted, accepted, refused]);
            gate.settle(&orders);
        }
    }
}
