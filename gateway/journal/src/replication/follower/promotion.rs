//! What a promotion gives, and why there is none.
//!
//! **Invariants.** A follower that may lack what was let out is promoted only by force.
//! **Never.** Say no without what to do about it.

use crate::frame::{Chain, Term};
use std::fmt;

/// Why a follower is not promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromotionRefused {
    /// It found another digest than its leader's: what it has is not to be trusted.
    Stopped,
    /// It is in the middle of a snapshot: it has no state to go on from.
    Staging,
    /// It has not heard of its leader since it started, and cannot know what it lacks. May be overruled.
    NeverWelcomed,
    /// It has not reached where its leader was when it was welcomed. May be overruled.
    Behind {
        /// Its last record.
        last_seq: u64,
        /// What the leader had.
        leader_last: u64,
    },
    /// There is no higher term.
    NoTerm,
}

impl fmt::Display for PromotionRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str(
                "it stopped because its state differs from the log; empty its journal folder and follow anew",
            ),
            Self::Staging => f.write_str("it is taking a snapshot and has no state yet; wait for its end"),
            Self::NeverWelcomed => f.write_str(
                "it has not reached its leader since it started, so it cannot know what it lacks; force it if the \
                 leader is lost and its journal with it",
            ),
            Self::Behind { last_seq, leader_last } => write!(
                f,
                "it has record {last_seq}, its leader had {leader_last} when it was welcomed: what lies between may \
                 have been let out; force it if the leader is lost and its journal with it"
            ),
            Self::NoTerm => f.write_str("there is no higher term"),
        }
    }
}

impl std::error::Error for PromotionRefused {}

/// What came of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The term that it leads.
    pub term: Term,
    /// The last record of the log that it goes on.
    pub last_seq: u64,
    /// The chain there.
    pub chain: Chain,
}
