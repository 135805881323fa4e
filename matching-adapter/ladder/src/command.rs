//! What the ladder can be asked to do.
//!
//! Owned by no thread: plain values. Nothing here is judged yet; a command may hold any number, and
//! the ladder answers it with a report or ignores and counts it. It must never carry money or an
//! account: those are the gateway's.

use portcullis_domain::{
    InstrumentId, Price, Qty, QtyMeaning, SessionId, Side, TimeInForce, UserRef,
};

/// Something an order asks for that the ladder does not do; it is refused by this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Instruction {
    /// The price follows another one.
    Pegged = 0,
    /// The price is the middle of the best two.
    Midpoint = 1,
    /// Must not trade on arrival.
    PostOnly = 2,
    /// Not to be shown.
    Hidden = 3,
    /// Shown in part (maximum floor, random reserve).
    Reserve = 4,
    /// For an auction or cross.
    Cross = 5,
    /// May trade beyond its shown price.
    Discretion = 6,
    /// To be sent to another venue.
    Routed = 7,
    /// Wakes at a trigger price.
    Stop = 8,
    /// Trade the resting rest now.
    TradeNow = 9,
    /// A replace that turns the side.
    SideChange = 10,
}

impl Instruction {
    /// Each of them, by number.
    pub const ALL: [Self; 11] = [
        Self::Pegged,
        Self::Midpoint,
        Self::PostOnly,
        Self::Hidden,
        Self::Reserve,
        Self::Cross,
        Self::Discretion,
        Self::Routed,
        Self::Stop,
        Self::TradeNow,
        Self::SideChange,
    ];
}

/// A new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Whose it is.
    pub session: SessionId,
    /// Its number.
    pub user_ref: UserRef,
    /// Opaque word of the caller, repeated in each report on this version of the order.
    pub tag: u64,
    /// What it trades.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Lots; 1 to the instrument's `qty_max`.
    pub qty: Qty,
    /// Limit in ticks, 1 to the instrument's `price_max`; `None` is market-to-limit.
    pub price: Option<Price>,
    /// Day, immediate-or-cancel or good-till-cancel; good-till-time is refused (there is no clock).
    pub time_in_force: TimeInForce,
    /// Least lots to trade at once, of an immediate-or-cancel order; 0 for none.
    pub qty_min: Qty,
    /// An instruction the ladder does not know, for which it refuses the order.
    pub instruction: Option<Instruction>,
}

/// A new version of a resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replace {
    /// Whose it is.
    pub session: SessionId,
    /// Number of the version that rests now.
    pub original: UserRef,
    /// Number of the new version.
    pub user_ref: UserRef,
    /// Opaque word of the caller for the new version.
    pub tag: u64,
    /// Wanted lots.
    pub qty: Qty,
    /// Whether `qty` is what shall be open, or that and what the chain has executed.
    pub qty_meaning: QtyMeaning,
    /// New limit in ticks; `None` is market-to-limit.
    pub price: Option<Price>,
    /// How long the new version stays.
    pub time_in_force: TimeInForce,
    /// An instruction the ladder does not know, for which it refuses the new version.
    pub instruction: Option<Instruction>,
}

/// Cancel of one order, whole or down to a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// Whose it is.
    pub session: SessionId,
    /// Number of the version that rests now.
    pub user_ref: UserRef,
    /// Lots that are to remain; 0 or below cancels all.
    pub qty: Qty,
    /// Whether `qty` is what shall stay open, or that and what the chain has executed.
    pub qty_meaning: QtyMeaning,
}

/// Cancel of many orders: those that fit all filters given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MassCancel {
    /// Those of this session; `None` for all sessions.
    pub session: Option<SessionId>,
    /// Those in this instrument; `None` for all.
    pub instrument: Option<InstrumentId>,
    /// Those on this side; `None` for both.
    pub side: Option<Side>,
}

impl MassCancel {
    /// Cancels whatever rests.
    pub const ALL: Self = Self {
        session: None,
        instrument: None,
        side: None,
    };
}

/// All that can be submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// A new order.
    New(NewOrder),
    /// A new version of an order.
    Replace(Replace),
    /// Cancel of one order.
    Cancel(Cancel),
    /// Cancel of many.
    MassCancel(MassCancel),
    /// The day ends: day orders are cancelled, good-till-cancel orders stay.
    DayEnd,
    /// Takes a trade back.
    Bust {
        /// Number of the trade.
        match_number: u64,
    },
}
