//! Why a leader does not take a follower.
//!
//! **Invariants.** Each reason says what a person does about it.
//! **Never.** Stand for a broken link: those are tried again.

use std::fmt;

/// Why a leader does not take a follower. None of them passes by itself, but [`Self::Occupied`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It speaks another protocol.
    Version {
        /// The leader's.
        leader: u16,
    },
    /// Its log is one of another core.
    OtherJournal {
        /// Digest of the leader's prelude.
        leader: u64,
    },
    /// Its last record is not the leader's with that number.
    Diverged {
        /// That number.
        seq: u64,
    },
    /// It has records that the leader has not.
    Ahead {
        /// The leader's last record.
        leader_last: u64,
    },
    /// The leader's term is lower than the follower's: the leader has stopped.
    TermLower {
        /// The leader's.
        leader_term: u64,
    },
    /// What it needs next is gone, and there is no snapshot, or it takes none.
    TooOld {
        /// The first record that is left.
        first: u64,
    },
    /// Another connection took its place.
    Occupied,
    /// It is this very process.
    Itself,
}

impl Refusal {
    /// The number of the reason, and what goes with it.
    pub(super) const fn to_words(self) -> (u32, u64) {
        match self {
            Self::Version { leader } => (1, leader as u64),
            Self::OtherJournal { leader } => (2, leader),
            Self::Diverged { seq } => (3, seq),
            Self::Ahead { leader_last } => (4, leader_last),
            Self::TermLower { leader_term } => (5, leader_term),
            Self::TooOld { first } => (6, first),
            Self::Occupied => (7, 0),
            Self::Itself => (8, 0),
        }
    }

    /// The reason with this number.
    pub(super) fn from_words(reason: u32, value: u64) -> Option<Self> {
        Some(match reason {
            1 => Self::Version {
                leader: u16::try_from(value).ok()?,
            },
            2 => Self::OtherJournal { leader: value },
            3 => Self::Diverged { seq: value },
            4 => Self::Ahead { leader_last: value },
            5 => Self::TermLower { leader_term: value },
            6 => Self::TooOld { first: value },
            7 if value == 0 => Self::Occupied,
            8 if value == 0 => Self::Itself,
            _ => return None,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { leader } => write!(
                f,
                "the leader speaks protocol {leader}; run the same version on both sides"
            ),
            Self::OtherJournal { leader } => write!(
                f,
                "the leader's journal {leader:016x} is another: it was made from another config; \
                 give this standby an empty journal folder"
            ),
            Self::Diverged { seq } => write!(
                f,
                "record {seq} here is not the leader's record {seq}: this journal went another way; \
                 keep it for inspection and start the standby with an empty journal folder"
            ),
            Self::Ahead { leader_last } => write!(
                f,
                "this journal goes beyond the leader's, which ends with record {leader_last}: the \
                 leader lost records that were acknowledged; stop it and promote this standby, or \
                 start the standby with an empty journal folder if what it has is to be given up"
            ),
            Self::TermLower { leader_term } => write!(
                f,
                "the leader's term {leader_term} is lower than one that is known here; it has \
                 stopped: point this standby at the leader of the higher term"
            ),
            Self::TooOld { first } => write!(
                f,
                "the leader's journal begins with record {first}, and it gave no snapshot; wait for \
                 its next snapshot, and start the standby with an empty journal folder"
            ),
            Self::Occupied => f.write_str(
                "another standby took this one's place; a leader has one standby, stop the other",
            ),
            Self::Itself => f.write_str(
                "that address leads to this gateway itself; `leader` in [replication] is the address of the \
                 other machine, and none that moves with the leader",
            ),
        }
    }
}
