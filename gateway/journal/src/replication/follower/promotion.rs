//! A promotion: what it needs, what it gives, and why there is none.
//!
//! **Thread.** The follower machine's.
//! **Invariants.** A follower that may lack what was let out is promoted only by force; a promotion's term is above any
//! that was heard of.
//! **Never.** Say no without what to do about it.

use super::{Follower, FollowerState};
use crate::frame::{Chain, Term};
use crate::replication::message::{Fence, Message};
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

impl Follower {
    /// All that the leader wrote is here: its disk was read to the end, and nobody writes to it.
    pub const fn has_leaders_end(&mut self) {
        self.leader_last = Some(self.at.last_seq);
    }

    /// Whether it has all that its leader had when it was welcomed: what a promotion needs.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.caught_up().is_ok()
    }

    /// What a promotion would give now. It changes nothing, so that all else that may fail can be done first.
    ///
    /// # Errors
    /// What it lacks. `force` overrules where it is only behind, or may be.
    pub fn promotion(&self, force: bool) -> Result<Promotion, PromotionRefused> {
        match self.state {
            FollowerState::Stopped => return Err(PromotionRefused::Stopped),
            FollowerState::Staging => return Err(PromotionRefused::Staging),
            FollowerState::Idle
            | FollowerState::AwaitingWelcome
            | FollowerState::Following
            | FollowerState::Promoted => {}
        }
        if !force {
            self.caught_up()?;
        }
        let number = self.at.term.raw().checked_add(1);
        Ok(Promotion {
            term: Term::new(number.ok_or(PromotionRefused::NoTerm)?),
            last_seq: self.at.last_seq,
            chain: self.at.chain,
        })
    }

    /// Leads from here on, in a term above any that was heard of: [`Self::promotion`] says which, and it is on the disk
    /// before this is called. The leader is told, now or with the next hello. From here on the machine only tells its
    /// term; what it says of its place is that of the promotion.
    ///
    /// # Errors
    /// Those of [`Self::promotion`].
    pub fn promote(&mut self, force: bool) -> Result<Promotion, PromotionRefused> {
        let promotion = self.promotion(force)?;
        let was_following = self.state == FollowerState::Following;
        self.at.term = promotion.term;
        self.state = FollowerState::Promoted;
        if was_following {
            self.out.push(&Message::Fence(Fence {
                term: promotion.term.raw(),
                last_seq: promotion.last_seq,
            }));
        }
        Ok(promotion)
    }

    /// Whether it has all that its leader may have let out before it was welcomed.
    pub(super) fn caught_up(&self) -> Result<(), PromotionRefused> {
        let last_seq = self.at.last_seq;
        match self.leader_last {
            None => Err(PromotionRefused::NeverWelcomed),
            Some(leader_last) if last_seq < leader_last => Err(PromotionRefused::Behind {
                last_seq,
                leader_last,
            }),
            Some(_) => Ok(()),
        }
    }
}
