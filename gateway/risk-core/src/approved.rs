//! Approved: the witness that the core let something through.
//!
//! Made on the risk thread, handed by value to the venue adapter. Invariant: only this crate can
//! make one, and it cannot be copied, so nothing reaches an engine that the core did not decide,
//! and nothing reaches it twice. It names the epoch of the limits it passed, as a refusal does.

use portcullis_domain::{
    AccountId, InstrumentId, OrderId, Price, Qty, Seq, SessionId, Side, TimeInForce, UserRef,
};

/// Something that passed the core at a place in the log.
#[derive(Debug, PartialEq, Eq)]
pub struct Approved<T> {
    seq: Seq,
    epoch: u32,
    inner: T,
}

impl<T> Approved<T> {
    pub(crate) const fn new(seq: Seq, epoch: u32, inner: T) -> Self {
        Self { seq, epoch, inner }
    }

    /// The command that was decided.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// The limits that were in force then.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What was approved, to look at.
    #[must_use]
    pub const fn get(&self) -> &T {
        &self.inner
    }

    /// What was approved, to send.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }
}

/// What an adapter sends to its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboundOrder {
    /// The gateway's number of the order.
    pub order: OrderId,
    /// The session under which the engine knows it.
    pub session: SessionId,
    /// The account it trades for.
    pub account: AccountId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// The number of this version.
    pub user_ref: UserRef,
    /// What is asked of the engine.
    pub action: OutboundAction,
}

/// What is asked of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundAction {
    /// Enter the order.
    Enter {
        /// Lots.
        qty: Qty,
        /// Limit. A market order has the protection price here and is immediate or cancel.
        price: Price,
        /// How long it stays.
        time_in_force: TimeInForce,
        /// Whether the client asked for a market order: the price in its bytes must be patched.
        was_market: bool,
    },
    /// Replace the version `original` by this one.
    Replace {
        /// The version that the engine is told to replace.
        original: UserRef,
        /// Lots of the whole chain, executed ones included.
        qty_total: Qty,
        /// New limit.
        price: Price,
        /// How long the new version stays.
        time_in_force: TimeInForce,
        /// Whether the client asked for a replace to market.
        was_market: bool,
    },
    /// Cancel down to this many lots, executed ones included; 0 cancels all.
    Cancel {
        /// Lots that are to remain, executed ones included.
        qty_total: Qty,
        /// Whether the gateway itself asks: there are no client bytes to forward.
        by_gateway: bool,
    },
}
