//! One thing to do, before it has a number, bytes and a socket.
//!
//! **Thread.** Plain values, made by a feed, consumed by the driver on the same thread.
//! **Invariants.** An intent names orders by handles of the feed's own choice; numbers of the wire
//! appear only when it is sent.
//! **Never.** Say how an order was answered.

use portcullis_domain::Side;
use portcullis_wire::ouch50::TimeInForce;

/// Index of an account of a session, counted through all sessions in the order of the
/// configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(pub usize);

/// One thing to do at a planned time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// When, in ns of the source's time since its start.
    pub due_ns: u64,
    /// It is meant to meet what rests: without a pace ([`crate::Pace::Unpaced`]) it waits until
    /// everything sent before is answered, and what follows waits for its end.
    pub meets: bool,
    /// What.
    pub act: Act,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Enter an order.
    Enter(Enter),
    /// Replace the order of this handle.
    Replace {
        /// The order.
        handle: u64,
        /// Shares that should be open afterwards. What was executed is added when it is sent.
        open: u32,
        /// New price in wire units.
        price: u64,
    },
    /// Cancel the order of this handle, or a part of it.
    Cancel {
        /// The order.
        handle: u64,
        /// Shares that should be open afterwards; 0 = all are cancelled.
        open: u32,
    },
    /// Replace an order of this lane's session that is closed: nothing answers it.
    ReplaceDead(Lane),
    /// Cancel an order of this lane's session that is closed: nothing answers it.
    CancelDead(Lane),
    /// Send an order of this lane's session that was answered once more, byte for byte: nothing
    /// answers it.
    Resend(Lane),
}

/// An order to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enter {
    /// The feed's name of the order; `None` if it is never named again.
    pub handle: Option<u64>,
    /// Whose.
    pub lane: Lane,
    /// What.
    pub listing: Listing,
    /// Side.
    pub side: Side,
    /// Shares.
    pub quantity: u32,
    /// Price in wire units.
    pub price: u64,
    /// How long it lives.
    pub time_in_force: TimeInForce,
    /// What is wrong with its form.
    pub flaw: Flaw,
}

/// What an order names as its instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The instrument of this index in the configuration.
    Known(usize),
    /// A symbol that no configuration has.
    Unknown,
}

/// What is wrong with the form of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// Its firm code is nobody's.
    UnknownFirm,
    /// It is pegged to the middle.
    Pegged,
    /// It is not to be displayed.
    Hidden,
    /// The byte of its time in force is no letter of the protocol.
    Malformed,
}
