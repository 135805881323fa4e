//! What an order says, in the gateway's own words.
//!
//! Owned by no thread.

use crate::{OrderKey, Price, Qty, SessionId, UserRef};

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Buy.
    Buy = 0,
    /// Sell, short or not.
    Sell = 1,
}

impl Side {
    /// The side with this raw value.
    #[must_use]
    pub const fn from_raw(raw: u8) -> Option<Self> {
        match raw {
            0 => Some(Self::Buy),
            1 => Some(Self::Sell),
            _ => None,
        }
    }

    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// `qty` with the sign a position takes from it.
    #[must_use]
    pub const fn signed(self, qty: Qty) -> Qty {
        match self {
            Self::Buy => qty,
            Self::Sell => Qty::new(-qty.lots()),
        }
    }
}

/// How long an order stays (FIX TimeInForce).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum TimeInForce {
    /// Until the end of the day.
    #[default]
    Day = 0,
    /// At once or not at all.
    ImmediateOrCancel = 1,
    /// Until cancelled: carried over the day roll.
    GoodTillCancel = 2,
    /// For a number of seconds that stands in the raw message.
    GoodTillTime = 3,
}

impl TimeInForce {
    /// The value with this raw number.
    #[must_use]
    pub const fn from_raw(raw: u8) -> Option<Self> {
        match raw {
            0 => Some(Self::Day),
            1 => Some(Self::ImmediateOrCancel),
            2 => Some(Self::GoodTillCancel),
            3 => Some(Self::GoodTillTime),
            _ => None,
        }
    }
}

/// What the quantity of a replace or a partial cancel counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum QtyMeaning {
    /// Lots open if it succeeds now.
    Open = 0,
    /// Lots of the whole chain, executed ones included (as in OUCH).
    Total = 1,
}

/// What the numbers of a request count, where the wire does not name the instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Units {
    /// Ticks and lots of the order's instrument.
    TicksAndLots = 0,
    /// Units of the client's protocol: the core, which knows the order's instrument, converts them.
    Wire = 1,
}

/// A request to replace an order by a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplaceRequest {
    /// Whose it is.
    pub session: SessionId,
    /// Any version of the order ever admitted.
    pub original: UserRef,
    /// The new version's number.
    pub user_ref: UserRef,
    /// What `qty` and `price` are counted in.
    pub units: Units,
    /// Wanted quantity.
    pub qty: Qty,
    /// What `qty` counts.
    pub qty_meaning: QtyMeaning,
    /// New limit; `None` is a replace to market.
    pub price: Option<Price>,
    /// How long the new version stays.
    pub time_in_force: TimeInForce,
}

/// A request to cancel an order, whole or down to a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelRequest {
    /// Whose it is.
    pub session: SessionId,
    /// Any version of the order ever admitted.
    pub user_ref: UserRef,
    /// What `qty_total` is counted in.
    pub units: Units,
    /// What is to remain, executed lots included; 0 cancels all.
    pub qty_total: Qty,
}

impl CancelRequest {
    /// The key it names.
    #[must_use]
    pub fn key(&self) -> OrderKey {
        OrderKey::new(self.session, self.user_ref)
    }
}
