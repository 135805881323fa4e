//! The latest trades, so that one can be taken back.
//!
//! Owned by the ladder's thread. A ring by match number: the newest trade takes the place of the
//! oldest. Invariant: the place of match number m is m modulo the capacity, and the trades held are
//! the latest ones without a gap. It must never grow.

use portcullis_domain::{InstrumentId, Price, Qty, SessionId, UserRef};

/// One side of a trade: the version that traded, as it was called then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TradeSide {
    pub(crate) session: SessionId,
    pub(crate) user_ref: UserRef,
    pub(crate) tag: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trade {
    pub(crate) instrument: InstrumentId,
    pub(crate) qty: Qty,
    pub(crate) price: Price,
    pub(crate) taker: TradeSide,
    pub(crate) maker: TradeSide,
    pub(crate) busted: bool,
}

pub(crate) struct Trades {
    ring: Box<[Option<Trade>]>,
    /// Number of the latest trade; 0 before the first.
    latest: u64,
}

impl Trades {
    pub(crate) fn new(trades_max: u32) -> Self {
        Self {
            ring: vec![None; trades_max as usize].into_boxed_slice(),
            latest: 0,
        }
    }

    /// Starts after this match number, as if all trades before were forgotten.
    pub(crate) const fn resume_after(&mut self, latest: u64) {
        self.latest = latest;
    }

    pub(crate) const fn latest(&self) -> u64 {
        self.latest
    }

    /// Trades still held, oldest first: as many as there were, or a ring full.
    pub(crate) fn held(&self) -> impl Iterator<Item = &Trade> {
        let oldest = self.latest.saturating_sub(self.ring.len() as u64) + 1;
        (oldest..=self.latest).filter_map(|number| self.get(number))
    }

    /// Keeps the trade and gives it the next match number.
    pub(crate) fn push(&mut self, trade: Trade) -> u64 {
        self.latest += 1;
        let at = self.index(self.latest);
        self.ring[at] = Some(trade);
        self.latest
    }

    /// Marks the trade as busted; `None` if it is unknown, forgotten or was busted before.
    pub(crate) fn bust(&mut self, match_number: u64) -> Option<Trade> {
        self.get(match_number)?;
        let at = self.index(match_number);
        let trade = self.ring[at].as_mut().filter(|trade| !trade.busted)?;
        trade.busted = true;
        Some(*trade)
    }

    fn get(&self, match_number: u64) -> Option<&Trade> {
        let age = self.latest.checked_sub(match_number)?;
        if match_number == 0 || age >= self.ring.len() as u64 {
            return None;
        }
        self.ring[self.index(match_number)].as_ref()
    }

    const fn index(&self, match_number: u64) -> usize {
        (match_number % self.ring.len() as u64) as usize
    }
}
