//! The taker: one trade a step with the oldest order at the best price, then its rest.
//!
//! Part of the ladder, on its thread. Invariants: a trade happens at the maker's price, which the
//! taker's limit reaches; what traded is taken off both sides before anything is reported. It must
//! never skip an order, its own session's included.

use portcullis_domain::{Money, Price, Qty};

use super::{Ladder, Task};
use crate::orders::Order;
use crate::report::{CancelReason, Liquidity, ReportKind};
use crate::trades::{Trade, TradeSide};

impl Ladder {
    pub(super) fn take(&mut self, taker: Order) {
        let best = self.books.best(taker.instrument, taker.side.opposite());
        match best
            .filter(|level| taker.reaches(level.price))
            .map(|level| level.head)
        {
            Some(maker) => self.trade(taker, maker),
            None => self.finish(taker),
        }
    }

    fn trade(&mut self, taker: Order, slot: u32) {
        let mut taker = taker;
        let mut maker = *self.books.orders().get(slot);
        let qty = taker.leaves.min(maker.leaves);
        for side in [&mut taker, &mut maker] {
            side.leaves -= qty;
            side.executed += qty;
        }
        if maker.leaves == 0 {
            self.books.remove(slot);
        } else {
            self.books.set_lots(slot, maker.leaves, maker.executed);
        }
        self.task = if taker.leaves == 0 {
            Task::Idle
        } else {
            Task::Take(taker)
        };
        self.count_trade(&taker, qty);
        let match_number = self.trades.push(Trade {
            instrument: taker.instrument,
            qty: Qty::new(qty),
            price: maker.price(),
            taker: TradeSide::of(&taker),
            maker: TradeSide::of(&maker),
            busted: false,
        });
        let fees = self.config.instruments[taker.instrument.index()].fees;
        for (order, liquidity, per_lot) in [
            (&taker, Liquidity::Removed, fees.taker_per_lot),
            (&maker, Liquidity::Added, fees.maker_per_lot),
        ] {
            let kind = ReportKind::Executed {
                qty: Qty::new(qty),
                price: Price::new(maker.price),
                match_number,
                liquidity,
                // The configuration's ranges keep the product in i64.
                fee: Money::new(per_lot.quanta() * qty),
                leaves: order.leaves(),
            };
            self.report(order, kind);
        }
    }

    /// Nothing is left to trade with: the rest goes on the book or is cancelled.
    fn finish(&mut self, taker: Order) {
        self.task = Task::Idle;
        if taker.is_immediate() {
            self.report_cancel(&taker, taker.leaves, 0, CancelReason::ImmediateOrCancel);
        } else {
            self.books.rest(taker);
        }
    }

    fn count_trade(&mut self, taker: &Order, qty: i64) {
        let lots = u128::from(qty.unsigned_abs());
        self.counters.trades += 1;
        self.counters.executed_qty += lots;
        let counters = &mut self.by_instrument[taker.instrument.index()];
        counters.trades += 1;
        counters.executed_qty += lots;
    }
}

impl TradeSide {
    const fn of(order: &Order) -> Self {
        Self {
            session: order.session,
            user_ref: order.user_ref,
            tag: order.tag,
        }
    }
}
