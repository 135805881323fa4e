//! What comes after an order was accepted: what its client asks of it, and what the engine says.
//!
//! One thread. Orders come in pairs of neighbours that want the two sides of one trade, so that fills balance.
//! Invariants: of each batch every order is at the same step; what a step leaves open is cancelled before the
//! next batch; each step's commands are made here, from what was sent, and never asked of the core.

use crate::limits::{QTY_LARGEST, Shape, limits};
use crate::load::Accounts;
use crate::market::{Market, ORDER_GAP_NS, ORDERS_MAX};
use portcullis_bench_market::{Ground, Random};
use portcullis_domain::{
    CancelRequest, Money, NewOrder, Price, Qty, QtyMeaning, Record, ReplaceRequest, ReportKind,
    Side, Units, UserRef,
};
use portcullis_risk_core::Capacities;

/// A step of an order's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The engine has it.
    Accepted,
    /// It trades, all of it.
    Filled,
    /// Half of it trades.
    FilledInPart,
    /// The engine cancels it.
    Canceled,
    /// The engine refuses it.
    Rejected,
    /// The engine takes another version of it.
    Replaced,
    /// Its client wants it cancelled.
    CancelAsked,
    /// Its client wants another version of it.
    ReplaceAsked,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Filled,
        Self::FilledInPart,
        Self::Canceled,
        Self::Rejected,
        Self::Replaced,
        Self::CancelAsked,
        Self::ReplaceAsked,
    ];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "acceptance report",
            Self::Filled => "fill report",
            Self::FilledInPart => "partial fill report",
            Self::Canceled => "cancel report",
            Self::Rejected => "reject report",
            Self::Replaced => "replace report",
            Self::CancelAsked => "client's cancel",
            Self::ReplaceAsked => "client's replace",
        }
    }
}

/// One order.
#[derive(Clone, Copy)]
struct Life {
    order: NewOrder,
    /// The version that the engine knows, and the one asked for last.
    known: UserRef,
    asked: UserRef,
}

/// Orders, batch by batch, at one step of their lives.
pub struct Lives {
    /// Where.
    pub market: Market,
    step: Step,
    accounts: Accounts,
    random: Random,
    /// Those of the batch in hand.
    orders: Vec<Life>,
    /// The number of the last trade.
    trades: u64,
}

impl Lives {
    /// A market with `remembered` executions and past versions, which are soon as many, and orders at a step.
    ///
    /// # Errors
    /// If it does not load, in words.
    pub fn new(
        shape: Shape,
        accounts: Accounts,
        step: Step,
        remembered: u32,
    ) -> Result<Self, String> {
        let capacities = Capacities {
            orders_max: ORDERS_MAX,
            orders_reserved_per_account: 0,
            positions_max: shape.accounts * shape.traded,
            past_versions_max: remembered,
            executions_max: remembered,
            ..Capacities::default()
        };
        Ok(Self {
            market: Market::with(shape, &limits(&shape), capacities)?,
            step,
            accounts,
            random: Random::new(20_260_103),
            orders: Vec::new(),
            // Beyond those of the endowments.
            trades: 1 << 32,
        })
    }

    /// Enters as many orders as the batch has room for, and makes what comes next of each, which the caller
    /// must apply.
    pub fn prepare(&mut self, batch: &mut [Record]) {
        self.market.keep_prices();
        self.orders.clear();
        while self.orders.len() < batch.len() {
            self.enter_pair();
        }
        if self.step == Step::Replaced {
            for at in 0..batch.len() {
                let replace = self.replace(at);
                self.market.apply(&replace);
            }
        }
        for (at, slot) in batch.iter_mut().enumerate() {
            *slot = self.next(at);
        }
    }

    /// The engine cancels what the step left open.
    pub fn settle(&mut self) {
        if matches!(self.step, Step::Filled | Step::Canceled | Step::Rejected) {
            return;
        }
        for Life { order, known, .. } in &self.orders {
            self.market
                .report(order.session, *known, ReportKind::Canceled);
        }
    }

    /// Two orders of neighbours, which could trade with each other.
    fn enter_pair(&mut self) {
        let account = self.accounts.draw(&mut self.random);
        let which = self.random.below(self.market.shape.traded.into()) as u32;
        let instrument = self.market.traded(account, which);
        let side = [Side::Buy, Side::Sell][self.random.below(2) as usize];
        let qty = 2 + self.random.below(QTY_LARGEST as u64 - 1) as i64;
        let price = self.market.price(instrument) + self.random.below(11) as i64 - 5;
        for (account, side) in [(account, side), (account ^ 1, side.opposite())] {
            self.market.wait_ns(ORDER_GAP_NS);
            let order = self.market.order(account, instrument, side, qty, price);
            self.market.enter(order, None);
            self.orders.push(Life {
                order,
                known: order.user_ref,
                asked: order.user_ref,
            });
        }
    }

    /// What comes next of an order.
    fn next(&mut self, at: usize) -> Record {
        let Life {
            order,
            known,
            asked,
        } = self.orders[at];
        let lots = order.qty.lots();
        let market = &mut self.market;
        match self.step {
            Step::Accepted => market.report_of_open(order.session, known, ReportKind::Accepted),
            Step::Filled => {
                let fill = self.fill(at, lots);
                self.market.report_record(order.session, known, fill)
            }
            Step::FilledInPart => {
                let fill = self.fill(at, lots / 2);
                self.market.report_of_open(order.session, known, fill)
            }
            Step::Canceled => market.report_record(order.session, known, ReportKind::Canceled),
            Step::Rejected => market.report_record(order.session, known, ReportKind::Rejected),
            Step::Replaced => {
                self.orders[at].known = asked;
                market.answer_record(order.session, known, asked)
            }
            Step::CancelAsked => market.cancel_record(CancelRequest {
                session: order.session,
                user_ref: known,
                units: Units::TicksAndLots,
                qty_total: Qty::ZERO,
            }),
            Step::ReplaceAsked => self.replace(at),
        }
    }

    /// A trade of so many lots at the order's limit: two neighbours have one number. Who sells is paid for it,
    /// and who buys pays twice that.
    fn fill(&mut self, at: usize, lots: i64) -> ReportKind {
        let order = self.orders[at].order;
        self.trades += u64::from(at.is_multiple_of(2));
        let per_lot = match order.side {
            Side::Buy => 2,
            Side::Sell => -1,
        };
        ReportKind::Fill {
            qty: Qty::new(lots),
            price: order.price.expect("orders of the load have limits"),
            match_number: self.trades,
            fee: Money::new(per_lot * lots),
        }
    }

    /// Asks for an order of other lots at a price beside its own.
    fn replace(&mut self, at: usize) -> Record {
        let Life { order, known, .. } = self.orders[at];
        let price = order.price.expect("orders of the load have limits").ticks();
        let beside = self.random.below(3) as i64 - 1;
        let lots = 1 + self.random.below(QTY_LARGEST as u64) as i64;
        let asked = self.market.next_number(order.session.raw());
        self.orders[at].asked = asked;
        self.market.replace_record(ReplaceRequest {
            session: order.session,
            original: known,
            user_ref: asked,
            units: Units::TicksAndLots,
            qty: Qty::new(lots),
            qty_meaning: QtyMeaning::Open,
            price: Some(Price::new(price + beside)),
            time_in_force: order.time_in_force,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Choice;
    use crate::measured::apply_all;
    use portcullis_domain::Command;

    fn lives(step: Step) -> Lives {
        let shape = Shape::of(100);
        let accounts = Accounts::new(Choice::Uniform, shape.accounts);
        Lives::new(shape, accounts, step, 256).expect("it loads")
    }

    #[test]
    fn each_step_is_taken_and_the_books_balance() {
        for step in Step::ALL {
            let mut lives = lives(step);
            let mut batch = [Record::bare(Command::Tick.encode()); 64];
            for _ in 0..8 {
                lives.prepare(&mut batch);
                apply_all(&mut lives.market, &batch);
                lives.settle();
            }
            assert_eq!(lives.market.check(), Ok(()), "{step:?}");
        }
    }

    #[test]
    fn a_step_that_is_not_taken_is_noticed() {
        for step in Step::ALL {
            let mut lives = lives(step);
            let mut batch = [Record::bare(Command::Tick.encode()); 4];
            lives.prepare(&mut batch);
            assert!(lives.market.check().is_err(), "{step:?}");
        }
    }
}
