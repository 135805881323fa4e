//! SoupBinTCP 3.x, 4.0 and 4.1: frames, and the session machines of both roles.
//!
//! | part | what |
//! |---|---|
//! | [`parse`], [`Packet`] | one packet off the front of a byte slice, borrowed |
//! | [`encode`] | packets into the caller's buffer |
//! | [`ServerInbound`] | what a client sends: login, orders, logout, silence |
//! | [`ServerOutbound`], [`ResendStore`] | what a client gets: numbering, heartbeats, resend |
//! | [`ClientSession`] | the other end, for a link to an engine |
//!
//! **Thread.** None of its own; the two halves of a server session may belong to different threads,
//! since they share nothing.
//! **Invariants.** No I/O and no clock: bytes and times are arguments. A packet longer than
//! [`PACKET_BYTES_MAX`] ends the session, so a receive buffer of that size never fills for good.
//! **Never.** Allocate, block, or read a password into a log.

mod client;
pub mod encode;
mod frame;
mod login;
mod number;
mod outbound;
mod server;
mod store;

pub use client::{
    ClientConfig, ClientError, ClientEvent, ClientSession, ClientState, ClientStep, ClientTimer,
};
pub use frame::{FrameError, FrameFault, Packet, Parsed, parse};
pub use login::{LoginAccepted, LoginRejectReason, LoginRequest, Password, SessionName, UserName};
pub use outbound::{Lagged, LoginAnswer, ServerOutbound};
pub use server::{
    ServerEvent, ServerInbound, ServerLimits, ServerState, ServerStep, ServerTimer, SessionFault,
};
pub use store::{MessageTooLong, ResendError, ResendStore, StoreSlot};

pub use encode::NoRoom;

/// The longest packet, its length field included. The protocol names no maximum; this one is ours,
/// and a longer announcement ends the session.
pub const PACKET_BYTES_MAX: usize = 4096;

/// The longest payload of a packet.
pub const PAYLOAD_BYTES_MAX: usize = PACKET_BYTES_MAX - 3;

/// After this much silence of its own a side sends a heartbeat.
pub const HEARTBEAT_EVERY: portcullis_domain::Duration =
    portcullis_domain::Duration::from_ns(1_000_000_000);

/// After this much silence of the other side a link counts as dead, unless a 4.1 login says
/// otherwise.
pub const SILENCE_MAX: portcullis_domain::Duration =
    portcullis_domain::Duration::from_ns(15_000_000_000);

#[cfg(test)]
mod tests;
