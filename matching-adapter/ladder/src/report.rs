//! What the ladder says.
//!
//! Owned by no thread: plain values, in the order in which things happened. A report names the
//! version of the order it is about. Reports must never depend on how the work was cut into polls.

use portcullis_domain::{InstrumentId, Money, Price, Qty, SessionId, UserRef};

use crate::command::Instruction;

/// Why an order, or a new version of one, is refused. Closed: no other reason exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// The session index is at or beyond the configured number.
    SessionUnknown,
    /// No such instrument.
    InstrumentUnknown,
    /// It asks for something the ladder does not do.
    Unsupported(Instruction),
    /// Good-till-time: there is no clock here.
    TimeInForceUnsupported,
    /// Below 1 lot or above the instrument's `qty_max`.
    QtyInvalid,
    /// Minimum quantity below 0 or above the quantity.
    MinQtyInvalid,
    /// A minimum quantity on an order that is not immediate-or-cancel.
    MinQtyNotImmediate,
    /// Below 1 tick or above the instrument's `price_max`.
    PriceInvalid,
    /// A market order, and nothing rests on the other side.
    NoOppositePrice,
    /// As many orders rest as the configuration has room for.
    OrdersFull,
    /// As many price levels exist as the configuration has room for, and none at this price.
    LevelsFull,
}

/// Why lots of an order were cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CancelReason {
    /// Asked for by a cancel.
    User,
    /// The rest of an immediate-or-cancel order.
    ImmediateOrCancel,
    /// Less than the minimum quantity could trade at once.
    MinQty,
    /// Asked for by a mass cancel.
    MassCancel,
    /// The day ended.
    DayEnd,
    /// A replace of it was invalid for this reason, which costs the original its life.
    ReplaceInvalid(RejectReason),
    /// A replace asked for a total that has been executed already.
    ReplaceNothingLeft,
}

/// What became of an order at the moment it was accepted or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// It is on the book.
    Resting,
    /// It crosses: its executions follow, then its rest goes on the book or is cancelled.
    Taking,
    /// It is immediate-or-cancel and cannot trade: its cancel follows at once.
    Dead,
}

/// Whose order was there first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Liquidity {
    /// The maker's: it rested.
    Added,
    /// The taker's.
    Removed,
}

/// One statement about one version of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose order.
    pub session: SessionId,
    /// Number of the version.
    pub user_ref: UserRef,
    /// The caller's word for that version.
    pub tag: u64,
    /// What it trades, as asked.
    pub instrument: InstrumentId,
    /// What happened.
    pub kind: ReportKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// The order is in.
    Accepted {
        /// The ladder's number for it; grows with time priority, never 0.
        order_ref: u64,
        /// Lots.
        qty: Qty,
        /// Its limit; of a market-to-limit order the one it took.
        price: Price,
        /// What becomes of it.
        disposition: Disposition,
    },
    /// It traded.
    Executed {
        /// Lots of this trade.
        qty: Qty,
        /// The maker's price.
        price: Price,
        /// The same on both sides, unique, never 0.
        match_number: u64,
        /// Maker or taker.
        liquidity: Liquidity,
        /// Charged for this trade in quanta; negative is a rebate.
        fee: Money,
        /// Lots still open.
        leaves: Qty,
    },
    /// Lots were cancelled.
    Canceled {
        /// How many.
        qty: Qty,
        /// Lots still open; 0 ends the order.
        leaves: Qty,
        /// Why.
        reason: CancelReason,
    },
    /// The version `user_ref` is now the order.
    Replaced {
        /// The version before, gone from now on.
        original: UserRef,
        /// The same as before if it kept its place, else a new one.
        order_ref: u64,
        /// Lots open, before any trade it makes now.
        open: Qty,
        /// Its limit.
        price: Price,
        /// What becomes of it.
        disposition: Disposition,
    },
    /// The order is refused.
    Rejected {
        /// Why.
        reason: RejectReason,
    },
    /// The version `user_ref` is refused; the original rests as before.
    ReplaceRejected {
        /// The version that stays.
        original: UserRef,
        /// Why.
        reason: RejectReason,
    },
    /// A trade of it is taken back.
    BrokenTrade {
        /// Number of the trade.
        match_number: u64,
        /// Lots of the trade.
        qty: Qty,
        /// Price of the trade.
        price: Price,
    },
}
