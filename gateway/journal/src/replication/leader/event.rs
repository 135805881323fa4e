//! What a leader tells whoever drives it.
//!
//! **Invariants.** An acknowledgement that is told was held against what was sent.
//! **Never.** Borrow from the connection.

use crate::frame::Term;
use crate::replication::fault::LinkFault;
use crate::replication::message::{Ack, DigestMismatch, Hello, Object};

/// What the follower did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderEvent {
    /// It wants to follow: look up its place and call [`Leader::answer`].
    Hello(Hello),
    /// It has written, synced, applied so much.
    Acked(Ack),
    /// It asks for an object: see [`Leader::wanted`].
    Wants(Object),
    /// It has this object whole.
    Has(Object),
    /// It lives.
    Alive,
    /// Its state is another than the log says. It stopped; acknowledgements of it are worth nothing.
    Mismatch(DigestMismatch),
    /// Somebody leads a term that is not lower than this leader's: never let anything out again.
    Fenced {
        /// That term.
        term: Term,
    },
    /// A node that led a lower term was told of this one.
    Superseded {
        /// Its term.
        term: Term,
    },
    /// It is this very process, and was told so.
    Itself,
    /// It broke the protocol.
    Fault(LinkFault),
}

/// What came of looking at the front of the received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderStep {
    /// The message is not whole: come back with at least this many bytes.
    NeedMore {
        /// Bytes from the front.
        bytes: usize,
    },
    /// The hello has not been answered yet: call [`Leader::answer`].
    Answer,
    /// A message was taken; drop `consumed` bytes from the front.
    Event {
        /// What it means.
        event: LeaderEvent,
        /// Bytes to drop; 0 with a fault.
        consumed: usize,
    },
    /// Nothing is read any more.
    Closed,
}
