//! A warm standby follows the log: the protocol between a leader and its follower, without I/O.
//!
//! **Thread.** A machine is owned by the thread that owns its connection; none of them is on the data plane.
//! **Invariants.** What a follower yields is a prefix of its leader's chain, whatever the link does; what it
//! acknowledges never goes back; a machine that has heard of a higher term sends no frame again. Bytes in, bytes out,
//! events: time is given, memory is bounded by constants and by the window.
//! **Never.** Touch a socket, a file or a clock; take a byte whose checksum is wrong; wait for more than a message.
//!
//! The messages to the byte, the order they come in and the rule of terms: `docs/reference/replication.md`.

mod checksum;
mod decode;
mod encode;
mod fault;
mod follower;
mod heard_file;
mod inbox;
mod leader;
mod link;
mod message;
mod outbox;
mod process_number;
mod refusal;
mod transfer;
mod window;

#[cfg(test)]
mod tests;

pub use decode::{Parsed, parse};
pub use encode::encode;
pub use fault::{LinkFault, MessageFault};
pub use follower::{
    Follower, FollowerConfig, FollowerEvent, FollowerPosition, FollowerState, FollowerStep,
    Promotion, PromotionRefused,
};
pub use heard_file::{read_heard, write_heard};
pub use inbox::Inbox;
pub use leader::{
    Answer, Leader, LeaderConfig, LeaderEvent, LeaderState, LeaderStep, LogPosition, NotSent,
    SnapshotAt, Wanted,
};
pub use link::Timer;
pub use message::{
    Ack, Block, DigestMismatch, Fence, Heartbeat, Hello, Message, MessageKind, Object, ObjectKind,
    Offer, SegmentNotice, Want, Welcome,
};
pub use process_number::ProcessNumber;
pub use refusal::Refusal;

use crate::frame::FRAME_BYTES_MAX;

/// Bytes in front of each payload.
pub const HEADER_BYTES: usize = 16;

/// What a hello and a welcome begin with.
pub const MAGIC: u64 = u64::from_le_bytes(*b"PCREPLIC");

/// The protocol that is spoken here.
pub const VERSION: u16 = 2;

/// Bytes of an object in one block.
pub const BLOCK_BYTES_MAX: usize = 1 << 16;

/// The longest text that names a build.
pub const BUILD_BYTES_MAX: usize = 64;

/// Objects that are under way on one connection.
pub const TRANSFERS_MAX: usize = 16;

/// Frames that were sent and are not acknowledged.
pub const FRAMES_IN_FLIGHT_MAX: usize = 1 << 13;

/// The longest payload of any message.
pub const PAYLOAD_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// The longest message.
pub const MESSAGE_BYTES_MAX: usize = HEADER_BYTES + PAYLOAD_BYTES_MAX;
