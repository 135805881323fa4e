//! Adverse money of a position: its exact sum at one price, and from that a bound at any other.
//!
//! Risk thread. An order's adverse lots x ticks at a price P are the largest over its versions of
//! leaves x how far the limit is through P: a convex function of P that rises, for a tick that P
//! moves against it, by at most the lots the order has on hold. Summed over a side, it is at P at
//! most the sum at P0 and, for each tick by which P is worse than P0, all lots on hold; and at most
//! those lots for each tick by which P is beyond the most aggressive limit. Invariants: the sums
//! are those of the open orders at `adverse_at`, exactly; the limits are those of the open orders,
//! or beyond; a side with no lots on hold has neither.

use super::Position;
use crate::orders::Orders;
use portcullis_domain::Side;

/// Adverse lots x ticks, or somewhat more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Adverse {
    pub(crate) lot_ticks: i128,
    /// Whether it is the very sum.
    pub(crate) exact: bool,
}

/// One side at one price.
struct SideAt {
    /// The sum where it was last known, and the lots on hold.
    sum: i128,
    lots: i64,
    /// Ticks by which the price is worse for the side than where the sum is known; ticks by which the
    /// most aggressive limit is through it.
    worse_by: i128,
    through: i128,
}

impl SideAt {
    fn at_most(&self) -> Adverse {
        let lots = i128::from(self.lots);
        let moved = self.sum + lots * self.worse_by.max(0);
        let lot_ticks = moved.min(lots * self.through.max(0));
        Adverse {
            lot_ticks,
            exact: lot_ticks == 0 || self.worse_by == 0,
        }
    }
}

impl Position {
    /// An order opens whose lots are not yet on hold. The first one's limit is where the sums are kept:
    /// of that order alone, the bound is exact at any price.
    #[inline(always)]
    pub(crate) fn note_opened(&mut self, side: Side, limit: i64, lots: i64) {
        self.note_limit(side, limit);
        if self.open_buy | self.open_sell == 0 {
            self.adverse_at = limit;
            return;
        }
        let at = self.adverse_at;
        match side {
            Side::Buy => {
                let through = (limit - at).max(0);
                self.adverse_buys += i128::from(lots) * i128::from(through);
            }
            Side::Sell => {
                let through = (at - limit).max(0);
                self.adverse_sells += i128::from(lots) * i128::from(through);
            }
        }
    }

    /// Takes an open order's limit into the bounds that say whether any is through the reference.
    #[inline(always)]
    pub(crate) fn note_limit(&mut self, side: Side, limit: i64) {
        match side {
            Side::Buy => self.buy_limit_max = self.buy_limit_max.max(limit),
            Side::Sell => self.sell_limit_min = self.sell_limit_min.min(limit),
        }
    }

    /// The price at which the sums are kept: what an order holds there is what
    /// [`Position::move_adverse`] must be told of.
    #[inline(always)]
    pub(crate) const fn adverse_at(&self) -> i64 {
        self.adverse_at
    }

    /// An order's adverse lots x ticks at [`Position::adverse_at`] changed by so much, and its lots
    /// on hold are what they are now.
    pub(crate) fn move_adverse(&mut self, side: Side, change: i128) {
        let lots = self.on_hold(side);
        let sum = match side {
            Side::Buy => &mut self.adverse_buys,
            Side::Sell => &mut self.adverse_sells,
        };
        *sum += change;
        assert!(*sum >= 0, "more adverse money released than was on hold");
        if lots > 0 {
            return;
        }
        assert!(*sum == 0, "adverse money without lots on hold");
        match side {
            Side::Buy => self.buy_limit_max = i64::MIN,
            Side::Sell => self.sell_limit_min = i64::MAX,
        }
    }

    /// Adverse lots x ticks of its orders at most, at a price, without looking at any.
    #[inline]
    pub(crate) fn adverse_at_most(&self, price: i64) -> Adverse {
        // The usual case: no limit is through.
        if self.buy_limit_max <= price && self.sell_limit_min >= price {
            return Adverse {
                lot_ticks: 0,
                exact: true,
            };
        }
        let wide = |from: i64, to: i64| i128::from(from) - i128::from(to);
        let buys = SideAt {
            sum: self.adverse_buys,
            lots: self.open_buy,
            worse_by: wide(self.adverse_at, price),
            through: wide(self.buy_limit_max, price),
        };
        let sells = SideAt {
            sum: self.adverse_sells,
            lots: self.open_sell,
            worse_by: wide(price, self.adverse_at),
            through: wide(price, self.sell_limit_min),
        };
        let (buys, sells) = (buys.at_most(), sells.at_most());
        Adverse {
            lot_ticks: buys.lot_ticks + sells.lot_ticks,
            exact: buys.exact && sells.exact,
        }
    }

    /// Adverse lots x ticks of its orders at a price, exactly: walks them where that is not known.
    pub(crate) fn adverse(&mut self, price: i64, orders: &Orders) -> i128 {
        let known = self.adverse_at_most(price);
        if known.exact {
            return known.lot_ticks;
        }
        self.walk_orders(price, orders);
        self.adverse_buys + self.adverse_sells
    }

    #[cold]
    pub(super) fn walk_orders(&mut self, price: i64, orders: &Orders) {
        let (mut buys, mut sells, mut highest, mut lowest) = (0, 0, i64::MIN, i64::MAX);
        for order in orders.list(self.first_order) {
            let adverse = order.hold(Some(price)).adverse_lot_ticks;
            let limits = order.versions().map(|version| version.price);
            match order.side {
                Side::Buy => {
                    buys += adverse;
                    highest = limits.fold(highest, i64::max);
                }
                Side::Sell => {
                    sells += adverse;
                    lowest = limits.fold(lowest, i64::min);
                }
            }
        }
        (self.adverse_buys, self.adverse_sells) = (buys, sells);
        self.adverse_at = price;
        (self.buy_limit_max, self.sell_limit_min) = (highest, lowest);
    }
}
