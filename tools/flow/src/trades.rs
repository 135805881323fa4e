//! Both sides of each trade, brought together by match number.
//!
//! **Thread.** The driver's.
//! **Invariants.** A match number stays in the table until as many shares were bought as sold under
//! it; only then do its shares count, once.
//! **Never.** Count a trade of which one side has come.

use crate::checker::Fill;
use portcullis_domain::Side;
use std::collections::HashMap;

/// The most match numbers with one side missing that are kept; beyond, further ones only count as
/// one-sided.
const OPEN_MAX: usize = 1 << 16;

/// Trades by match number.
#[derive(Debug, Default)]
pub(crate) struct Trades {
    open: HashMap<(usize, u64), Sides>,
    matched_qty: u64,
    matched_by_instrument: Vec<u64>,
    overflow_qty: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sides {
    bought: u64,
    sold: u64,
}

impl Trades {
    pub(crate) fn book(&mut self, fill: &Fill) {
        let key = (fill.instrument, fill.match_number);
        let quantity = u64::from(fill.quantity);
        if self.open.len() >= OPEN_MAX && !self.open.contains_key(&key) {
            self.overflow_qty += quantity;
            return;
        }
        let sides = self.open.entry(key).or_default();
        match fill.side {
            Side::Buy => sides.bought += quantity,
            Side::Sell => sides.sold += quantity,
        }
        if sides.bought == sides.sold {
            self.matched_qty += sides.bought;
            let places = self.matched_by_instrument.len().max(fill.instrument + 1);
            self.matched_by_instrument.resize(places, 0);
            self.matched_by_instrument[fill.instrument] += sides.bought;
            self.open.remove(&key);
        }
    }

    /// Shares of trades of which both sides came, each trade once.
    pub(crate) fn matched_qty(&self) -> u64 {
        self.matched_qty
    }

    /// The same, each instrument's apart, up to the last one that traded.
    pub(crate) fn matched_by_instrument(&self) -> &[u64] {
        &self.matched_by_instrument
    }

    /// Shares that lack their other side.
    pub(crate) fn one_sided_qty(&self) -> u64 {
        let open: u64 = self
            .open
            .values()
            .map(|sides| sides.bought.abs_diff(sides.sold))
            .sum();
        open + self.overflow_qty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(side: Side, quantity: u32, match_number: u64) -> Fill {
        Fill {
            account: 0,
            instrument: 0,
            side,
            quantity,
            price: 1,
            match_number,
        }
    }

    #[test]
    fn a_trade_counts_once_and_only_with_both_sides() {
        let mut trades = Trades::default();
        trades.book(&fill(Side::Buy, 5, 1));
        assert_eq!((trades.matched_qty(), trades.one_sided_qty()), (0, 5));
        trades.book(&fill(Side::Sell, 5, 1));
        assert_eq!((trades.matched_qty(), trades.one_sided_qty()), (5, 0));
        trades.book(&fill(Side::Sell, 3, 2));
        trades.book(&fill(Side::Buy, 1, 2));
        assert_eq!((trades.matched_qty(), trades.one_sided_qty()), (5, 2));
        trades.book(&fill(Side::Buy, 2, 2));
        assert_eq!((trades.matched_qty(), trades.one_sided_qty()), (8, 0));
        assert_eq!(trades.matched_by_instrument(), [8]);
    }
}
