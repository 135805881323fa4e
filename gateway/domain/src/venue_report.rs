//! What an engine says of an order, in the gateway's own words.
//!
//! Owned by no thread. Invariant: a report names its order by session and client's number, as the
//! engine does; whether such an order exists is for the risk core to find out.

use crate::{Money, Price, Qty, SessionId, UserRef};

/// One statement of the engine about one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueReport {
    /// The session under which the order went to the engine.
    pub session: SessionId,
    /// The version it is about.
    pub user_ref: UserRef,
    /// What happened.
    pub kind: ReportKind,
    /// The engine's own remark, for the client alone: liquidity flag of a fill, reason of a cancel or
    /// reject. 0 for none. Decides nothing.
    pub note: u8,
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// The engine has it.
    Accepted,
    /// It traded.
    Fill {
        /// Lots of this trade.
        qty: Qty,
        /// Price of this trade.
        price: Price,
        /// The engine's number of the trade, the same on both sides.
        match_number: u64,
        /// What the engine charged for it; negative is a rebate.
        fee: Money,
    },
    /// All that was left is cancelled.
    Canceled,
    /// This many lots are cancelled; the rest lives on.
    Reduced {
        /// Lots cancelled.
        qty: Qty,
    },
    /// The engine refused it, or refused the version that `user_ref` names.
    Rejected,
    /// A version asked for is now the order.
    Replaced {
        /// The version that is now the order.
        new: UserRef,
    },
    /// A version asked for is refused.
    ReplaceRejected {
        /// The version refused.
        new: UserRef,
    },
    /// The engine will cancel it when it can.
    CancelPending,
    /// The engine refused to cancel it.
    CancelRejected,
    /// A trade is taken back.
    BrokenTrade {
        /// The engine's number of that trade.
        match_number: u64,
    },
    /// Anything else that changes neither quantity nor price limit nor life of the order.
    Information,
}
