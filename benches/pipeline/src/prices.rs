//! Where references stand, and what is worked out of them.
//!
//! Owned by the market. Invariant: they are those that were sent last; nothing trades, so that open interest is
//! what the endowments made it.

use crate::crowd::Crowd;
use crate::limits::{INSTRUMENTS, oi_bounds};
use crate::market::endowed_side;
use portcullis_bench_market::near::{MARGIN_LOTS, Near, POSITION_LOTS, Quotes};
use portcullis_bench_market::{PRICE_SPAN, PRICE_START};
use portcullis_domain::Side;

/// The prices of a crowd's instruments.
#[derive(Debug)]
pub(crate) struct Prices {
    crowd: Crowd,
    references: [i64; INSTRUMENTS as usize],
    scales_ppm: [u32; INSTRUMENTS as usize],
}

impl Prices {
    /// Where all begin.
    pub(crate) fn new(crowd: Crowd) -> Self {
        let mut longs = [0; INSTRUMENTS as usize];
        for which in 0..crowd.active {
            let lots = match crowd.near(which) {
                Some(Near::Margin) => MARGIN_LOTS,
                _ => POSITION_LOTS,
            };
            let held = (0..2).filter(|instrument| endowed_side(which, *instrument) == Side::Buy);
            for instrument in held {
                longs[crowd.traded(which, instrument) as usize] += lots;
            }
        }
        Self {
            crowd,
            references: [PRICE_START; INSTRUMENTS as usize],
            scales_ppm: longs.map(|open_interest| scale_ppm(crowd, open_interest)),
        }
    }

    /// An instrument's; where the order names none, where all begin.
    #[inline]
    pub(crate) fn of(&self, instrument: u32) -> i64 {
        let reference = self.references.get(instrument as usize);
        reference.copied().unwrap_or(PRICE_START)
    }

    pub(crate) fn move_by(&mut self, instrument: u32, step: i64) {
        let price = &mut self.references[instrument as usize];
        *price = (*price + step).clamp(PRICE_START - PRICE_SPAN, PRICE_START + PRICE_SPAN);
    }

    /// By how much an instrument's margin is scaled.
    #[cfg(test)]
    pub(crate) fn scale_ppm_of(&self, instrument: u32) -> u32 {
        self.scales_ppm[instrument as usize]
    }
}

/// Accounts are named by their place among those that trade.
impl Quotes for Prices {
    fn traded(&self) -> u32 {
        self.crowd.traded_count()
    }

    fn price(&self, account: u32, which: u32) -> i64 {
        self.of(self.crowd.traded(account, which))
    }

    fn scale_ppm(&self, account: u32, which: u32) -> u32 {
        self.scales_ppm[self.crowd.traded(account, which) as usize]
    }

    fn side(&self, account: u32, which: u32) -> Side {
        endowed_side(account, which)
    }
}

/// RULES: how far open interest is between its bounds, rounded up.
fn scale_ppm(crowd: Crowd, open_interest: i64) -> u32 {
    let (lower, upper) = oi_bounds(crowd);
    let above = (open_interest - lower).max(0) * 1_000_000;
    let width = upper - lower;
    ((above + width - 1) / width).min(1_000_000) as u32
}
