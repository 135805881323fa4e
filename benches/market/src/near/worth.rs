//! What an account near its margin has and needs.
//!
//! Owned by nobody. Invariant: its positions were made where all prices began, a lot each, long or short.

use super::{MARGIN_DEPOSIT, MARGIN_LOTS, QTY_WIDE, initial_margin};
use crate::PRICE_START;
use crate::limits::TIERS;
use portcullis_domain::Side;

const PPM: i128 = 1_000_000;
/// Share of a positive result that counts as equity.
const PNL_WEIGHT_PPM: i128 = 500_000;

/// Where the instruments of an account stand.
pub trait Quotes {
    /// Instruments that an account trades.
    fn traded(&self) -> u32;
    /// The reference price of one of an account's.
    fn price(&self, account: u32, which: u32) -> i64;
    /// By how much open interest scales its margin.
    fn scale_ppm(&self, account: u32, which: u32) -> u32;
    /// Which way an account's position in it went at first.
    fn side(&self, account: u32, which: u32) -> Side;
}

/// An account near its margin, at a moment.
#[derive(Debug)]
pub struct Worth {
    account: u32,
    /// Admissible equity.
    pub equity: i64,
}

impl Worth {
    /// Of an account.
    #[must_use]
    pub fn of(quotes: &impl Quotes, account: u32) -> Self {
        let results = (0..quotes.traded()).map(|which| {
            let price = quotes.price(account, which);
            i128::from(held(quotes, account, which) * (price - PRICE_START))
        });
        let (mut losses, mut gains) = (0, 0);
        for result in results {
            losses += result.min(0);
            gains += result.max(0);
        }
        let equity = i128::from(MARGIN_DEPOSIT) + losses + gains * PNL_WEIGHT_PPM / PPM;
        Self {
            account,
            equity: equity as i64,
        }
    }

    /// The largest order at this price that so much covers, and what is required with it.
    #[must_use]
    pub fn largest(
        &self,
        quotes: &impl Quotes,
        which: u32,
        side: Side,
        price: i64,
        covered: i64,
    ) -> Option<(i64, i64)> {
        let required = |qty: i64| self.required(quotes, which, side, qty, price);
        let orders = (2..=QTY_WIDE).map(|qty| (qty, required(qty)));
        orders
            .take_while(|(_, used)| *used <= covered)
            .last()
            .filter(|(qty, _)| *qty < QTY_WIDE)
    }

    fn required(
        &self,
        quotes: &impl Quotes,
        ordered: u32,
        side: Side,
        qty: i64,
        price: i64,
    ) -> i64 {
        let mut millionths = 0;
        for which in 0..quotes.traded() {
            let held = held(quotes, self.account, which);
            let with_order = match side {
                _ if which != ordered => held,
                Side::Buy => held + qty,
                Side::Sell => held - qty,
            };
            let worst = held.abs().max(with_order.abs());
            let notional = i128::from(worst * quotes.price(self.account, which));
            let scale_ppm = quotes.scale_ppm(self.account, which);
            millionths += initial_margin(&TIERS, scale_ppm, notional);
        }
        let reference = quotes.price(self.account, ordered);
        let adverse = match side {
            Side::Buy => (price - reference).max(0),
            Side::Sell => (reference - price).max(0),
        };
        let required = (millionths + PPM - 1) / PPM + i128::from(qty * adverse);
        required as i64
    }
}

fn held(quotes: &impl Quotes, account: u32, which: u32) -> i64 {
    match quotes.side(account, which) {
        Side::Buy => MARGIN_LOTS,
        Side::Sell => -MARGIN_LOTS,
    }
}
