//! What a follower tells whoever drives it.
//!
//! **Invariants.** What an event borrows was verified.
//! **Never.** Outlive the bytes it came in.

use crate::frame::{Frame, Term};
use crate::replication::fault::LinkFault;
use crate::replication::message::{Block, Heartbeat, Offer, SegmentNotice, Welcome};
use crate::replication::refusal::Refusal;

/// What the leader did.
#[derive(Clone, Copy, Debug)]
pub enum FollowerEvent<'a> {
    /// It was taken. Where the term is higher than any before, write it down before the next step.
    Welcomed {
        /// What the leader says.
        welcome: Welcome,
        /// Whether its term is new here.
        is_term_raised: bool,
    },
    /// It was not taken; the machine is idle.
    Refused(Refusal),
    /// The frames behind it stand in this segment of the leader's, which begins with the next one, or before it.
    Segment(SegmentNotice<'a>),
    /// The next frame, verified: write it.
    Frame(Frame<'a>),
    /// The leader has an object: call [`Follower::want`] or [`Follower::has`].
    Offered(Offer),
    /// A piece of an object that was asked for.
    Block(Block<'a>),
    /// A sign of life.
    Alive(Heartbeat),
    /// The leader's term is lower than one that is known here. It was told, and nothing of it taken; close.
    Superseded {
        /// Its term.
        term: Term,
    },
    /// There is a term above the one known here: write it down. Whoever was promoted leads no more.
    Fenced {
        /// That term.
        term: Term,
    },
    /// The leader broke the protocol; the machine is idle, close.
    Fault(LinkFault),
}

/// What came of looking at the front of the received bytes.
#[derive(Clone, Copy, Debug)]
pub enum FollowerStep<'a> {
    /// The message is not whole: come back with at least this many bytes.
    NeedMore {
        /// Bytes from the front.
        bytes: usize,
    },
    /// A message was taken; drop `consumed` bytes from the front.
    Event {
        /// What it means.
        event: FollowerEvent<'a>,
        /// Bytes to drop; 0 with a fault.
        consumed: usize,
    },
    /// There is no connection; nothing is read.
    Closed,
}
