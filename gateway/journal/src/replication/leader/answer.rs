//! How a hello is answered: whether what a follower has is a prefix of the log, and where it goes on.
//!
//! **Invariants.** A follower goes on behind a record only if the chain there is the same on both sides.
//! **Never.** Guess about what is no longer in the log: a follower that cannot be held against it is refused, or says
//! itself that a snapshot may take the place of what it has.

use super::LeaderConfig;
use crate::frame::Chain;
use crate::replication::message::Hello;
use crate::replication::refusal::Refusal;

/// What the log and the folder have to offer a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// Number of the first record that is there.
    pub first_seq: u64,
    /// Number of the last; one less than the first where there is none.
    pub last_seq: u64,
    /// The chain behind the follower's last record, if a frame ends there.
    pub chain_at: Option<Chain>,
    /// The snapshot to give, if the follower needs one.
    pub snapshot: Option<SnapshotAt>,
}

/// A snapshot that can be given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotAt {
    /// Number of its last record, with which a frame ends.
    pub seq: u64,
    /// The chain there.
    pub chain: Chain,
    /// Its length.
    pub bytes: u64,
}

/// What became of a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Frames go on behind this record.
    Follows {
        /// Its number.
        seq: u64,
        /// The chain there.
        chain: Chain,
    },
    /// The follower takes this snapshot first.
    Stages(SnapshotAt),
    /// It cannot follow.
    Refused(Refusal),
}

/// Whether what a follower has is a prefix of the log, and where it goes on.
pub(super) fn judge(hello: &Hello, config: &LeaderConfig, log: &LogPosition) -> Answer {
    // Who has no journal yet takes this one's; who was promoted has one.
    let is_new = hello.journal == 0 && !hello.promoted;
    if !is_new && hello.journal != config.journal {
        return Answer::Refused(Refusal::OtherJournal {
            leader: config.journal,
        });
    }
    if hello.last_seq > log.last_seq {
        return Answer::Refused(Refusal::Ahead {
            leader_last: log.last_seq,
        });
    }
    let seq = hello.last_seq;
    let is_gone = seq.saturating_add(1) < log.first_seq;
    // Who has nothing is further with a snapshot, whatever else is still there.
    let newer = log
        .snapshot
        .filter(|snapshot| hello.takes_snapshot && snapshot.seq > seq && snapshot.bytes > 0);
    match newer {
        Some(snapshot) if is_gone || seq == 0 => return Answer::Stages(snapshot),
        None if is_gone => {
            return Answer::Refused(Refusal::TooOld {
                first: log.first_seq,
            });
        }
        Some(_) | None => {}
    }
    match log.chain_at {
        Some(chain) if seq == 0 || chain.raw() == hello.chain => Answer::Follows { seq, chain },
        Some(_) | None => Answer::Refused(Refusal::Diverged { seq }),
    }
}
