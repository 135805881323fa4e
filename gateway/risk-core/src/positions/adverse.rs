//! Adverse money of a position: its exact sum at one price, and from that a bound at any other.
//!
//! Risk thread. An order's adverse lots x ticks at a price P are the largest over its versions of
//! leaves x how far the limit is through P: a convex function of P that rises, for a tick that P
//! moves against it, by at most the lots the order has on hold. Summed over a side, it is at P at
//! most the sum at P0 and, for each tick by which P is worse than P0, all lots on hold; and at most
//! those lots for each tick by which P is beyond the most aggressive limit. Most positions have orders of
//! one side at one limit alone, mostly one order: their lots and that limit are all there is to know, and
//! stand in the position's first line. Invariants: the sums are those of the open orders at the price where
//! they are kept, exactly; the limits are those of the open orders, or beyond; a side with no lots on hold
//! has neither; while a position is marked as one of one limit, no version of its orders has another, one
//! side has no lots on hold, and sums and limits of the second line say nothing.

use super::Position;
use crate::order::Version;
use crate::orders::Orders;
use portcullis_domain::Side;

/// Adverse lots x ticks, or somewhat more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Adverse {
    pub(crate) lot_ticks: i128,
    /// Whether it is the very sum.
    pub(crate) exact: bool,
}

/// The price at which the sums are kept; or, as its complement, the one limit of all orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptAt(i64);

impl KeptAt {
    /// Of a position that has no orders: its sums are 0 at any price.
    pub(super) const NOWHERE: Self = Self(0);

    /// Where sums are kept.
    pub(super) const fn sums(price: i64) -> Self {
        Self(price)
    }

    /// The limit of all orders: no limit is below 0.
    #[inline(always)]
    const fn one_limit(limit: i64) -> Self {
        Self(!limit)
    }

    #[inline(always)]
    pub(super) const fn is_one_limit(self) -> bool {
        self.0 < 0
    }

    /// The price, or the limit, at which each order's sum is 0.
    #[inline(always)]
    pub(super) const fn price(self) -> i64 {
        self.0 ^ (self.0 >> 63)
    }

    /// Highest limit of a buy, lowest of a sell, or beyond, where all orders are of the one side and have this
    /// limit.
    pub(super) const fn reach(self, buys: bool) -> (i64, i64) {
        if buys {
            (self.price(), i64::MAX)
        } else {
            (i64::MIN, self.price())
        }
    }

    /// As it is saved.
    pub(super) const fn word(self) -> u64 {
        self.0 as u64
    }

    /// What [`KeptAt::word`] gave.
    pub(super) const fn of_word(word: u64) -> Self {
        Self(word as i64)
    }
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
    /// An order opens whose lots are not yet on hold. The first one's limit is where the sums are kept.
    #[inline(always)]
    pub(crate) fn note_opened(&mut self, side: Side, limit: i64, lots: i64) {
        if !self.has_orders() {
            self.kept_at = KeptAt::one_limit(limit);
            return;
        }
        self.note_another(side, limit, lots);
    }

    /// An order opens beside others.
    #[inline(never)]
    fn note_another(&mut self, side: Side, limit: i64, lots: i64) {
        self.note_limit(side, limit);
        let at = self.adverse_at();
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
        if self.kept_at.is_one_limit() {
            if limit == self.adverse_at() && self.on_hold(side) > 0 {
                return;
            }
            self.begin_sums();
        }
        match side {
            Side::Buy => self.buy_limit_max = self.buy_limit_max.max(limit),
            Side::Sell => self.sell_limit_min = self.sell_limit_min.min(limit),
        }
    }

    /// Whether it is marked as one whose orders have one limit.
    #[cfg(test)]
    pub(super) fn is_of_one_limit(&self) -> bool {
        self.kept_at.is_one_limit()
    }

    /// Sums and limits, of orders that have one limit no longer: up to now each was 0 there.
    fn begin_sums(&mut self) {
        (self.buy_limit_max, self.sell_limit_min) = self.reach();
        (self.adverse_buys, self.adverse_sells) = (0, 0);
        self.kept_at = KeptAt::sums(self.adverse_at());
    }

    /// Highest limit of an open buy, lowest of an open sell, or beyond.
    pub(super) fn reach(&self) -> (i64, i64) {
        if !self.kept_at.is_one_limit() {
            return (self.buy_limit_max, self.sell_limit_min);
        }
        self.kept_at.reach(self.open_buy > 0)
    }

    /// Whether all orders are of one side, and each version has the limit where sums are kept.
    pub(super) fn has_one_limit(&self, orders: &Orders) -> bool {
        let limit = self.adverse_at();
        let mut versions = orders
            .list(self.first_order)
            .flat_map(|order| order.versions());
        let one_side = self.open_buy == 0 || self.open_sell == 0;
        one_side && versions.all(|version| version.price == limit)
    }

    /// The price at which the sums are kept: what an order holds there is what
    /// [`Position::move_adverse`] must be told of.
    #[inline(always)]
    pub(crate) const fn adverse_at(&self) -> i64 {
        self.kept_at.price()
    }

    /// An order's adverse lots x ticks at [`Position::adverse_at`] changed by so much, and its lots
    /// on hold are what they are now.
    #[inline(always)]
    pub(crate) fn move_adverse(&mut self, side: Side, change: i128) {
        if self.kept_at.is_one_limit() {
            assert!(change == 0, "an order is through the limit that it has");
            return;
        }
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

    /// Lots of an order of one version go: what they were adverse by at [`Position::adverse_at`] goes with them, and
    /// its lots on hold are what they are now.
    #[inline(always)]
    pub(crate) fn release_adverse(&mut self, side: Side, gone: &Version) {
        if self.kept_at.is_one_limit() {
            let limit = self.adverse_at();
            assert!(gone.price == limit, "an order has the limit that all have");
            return;
        }
        self.release_of_sums(side, gone);
    }

    #[inline(never)]
    fn release_of_sums(&mut self, side: Side, gone: &Version) {
        let adverse = gone.adverse_lot_ticks(side, self.adverse_at());
        self.move_adverse(side, -adverse);
    }

    /// Adverse lots x ticks of its orders at most, at a price, without looking at any.
    #[inline]
    pub(crate) fn adverse_at_most(&self, price: i64) -> Adverse {
        if self.kept_at.is_one_limit() {
            return self.adverse_of_one_limit(price);
        }
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
            worse_by: wide(self.adverse_at(), price),
            through: wide(self.buy_limit_max, price),
        };
        let sells = SideAt {
            sum: self.adverse_sells,
            lots: self.open_sell,
            worse_by: wide(price, self.adverse_at()),
            through: wide(price, self.sell_limit_min),
        };
        let (buys, sells) = (buys.at_most(), sells.at_most());
        Adverse {
            lot_ticks: buys.lot_ticks + sells.lot_ticks,
            exact: buys.exact && sells.exact,
        }
    }

    /// The same where all orders have one limit.
    #[inline(always)]
    fn adverse_of_one_limit(&self, price: i64) -> Adverse {
        let limit = self.adverse_at();
        let (lots, through) = if self.open_buy > 0 {
            (self.open_buy, i128::from(limit) - i128::from(price))
        } else {
            (self.open_sell, i128::from(price) - i128::from(limit))
        };
        Adverse {
            lot_ticks: i128::from(lots) * through.max(0),
            exact: true,
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
        self.kept_at = KeptAt::sums(price);
        (self.buy_limit_max, self.sell_limit_min) = (highest, lowest);
    }
}
