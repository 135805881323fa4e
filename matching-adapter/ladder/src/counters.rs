//! The engine's own figures.
//!
//! Owned by the ladder's thread. Counted where the thing happens, not where it is reported, and
//! never taken back: a busted trade is counted beside, not off. They must never be read to decide.

/// Figures over all instruments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counters {
    /// New orders accepted.
    pub accepted: u64,
    /// Replaces that took effect.
    pub replaced: u64,
    /// New orders refused.
    pub rejected: u64,
    /// Replaces refused with the original left as it was.
    pub replaces_rejected: u64,
    /// Trades.
    pub trades: u64,
    /// Lots traded; each trade counts once, not once a side.
    pub executed_qty: u128,
    /// Lots cancelled, for whatever reason.
    pub canceled_qty: u128,
    /// Trades taken back.
    pub busted_trades: u64,
    /// Lots of the trades taken back.
    pub busted_qty: u128,
    /// New orders ignored because their number names a live order.
    pub news_ignored: u64,
    /// Replaces ignored: dead original or used new number.
    pub replaces_ignored: u64,
    /// Cancels ignored: nothing live, or nothing to take away.
    pub cancels_ignored: u64,
    /// Busts ignored: trade unknown, forgotten or busted already.
    pub busts_ignored: u64,
}

/// Figures of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InstrumentCounters {
    /// New orders accepted.
    pub accepted: u64,
    /// New orders refused.
    pub rejected: u64,
    /// Trades.
    pub trades: u64,
    /// Lots traded; each trade counts once, not once a side.
    pub executed_qty: u128,
    /// Lots cancelled, for whatever reason.
    pub canceled_qty: u128,
}
