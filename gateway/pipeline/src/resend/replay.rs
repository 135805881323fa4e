//! One asking's way through the journal.
//!
//! Owned by the resender. Invariants: a message is handed over once and in order; none is evicted from the
//! replica's store before it was, since no records are taken while one waits; what egress has not said yet
//! is not handed over, so that nothing leaves by this way before its record is durable.

use super::{Asked, ResendSource, ResentItem};
use crate::recovery::{Follower, RecoveryError};
use portcullis_journal::Storage;
use portcullis_risk_core::EFFECTS_MAX;
use portcullis_venue::RecallVenue;

/// Entries of the journal taken between two looks at what the session was told.
pub(super) const BATCH: usize = 64;

/// Messages that a replica's store must hold at the least, so that none of a batch goes unseen.
pub(super) const STORE_MESSAGES_MIN: usize = BATCH * EFFECTS_MAX + 1;

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Entries were taken or messages handed over.
    Worked(usize),
    /// Nothing to do before the client has taken more.
    ClientWaitedFor,
    /// The journal does not have the records yet.
    JournalWaitedFor,
}

/// A replay for one session.
pub(super) struct Replay<S: Storage, V> {
    asked: Asked,
    follower: Follower<S, V>,
    /// The message to be handed over next.
    next: u64,
}

impl<S: Storage, V: RecallVenue> Replay<S, V> {
    /// Of a follower whose replica still has all from the number asked for.
    pub(super) const fn new(asked: Asked, follower: Follower<S, V>) -> Self {
        Self {
            asked,
            follower,
            next: asked.from,
        }
    }

    pub(super) const fn asked(&self) -> &Asked {
        &self.asked
    }

    /// The message to be handed over next.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// The record that was begun behind.
    pub(super) const fn began(&self) -> u64 {
        self.follower.began()
    }

    /// Hands over what there is, or takes a batch of the journal.
    pub(super) fn turn(&mut self, source: &mut ResendSource) -> Result<Turn, RecoveryError> {
        let (handed, all) = self.hand_over(source);
        if handed > 0 {
            return Ok(Turn::Worked(handed));
        }
        // What egress has itself it sends itself, and then asks for no more.
        if !all || self.next >= source.reach.oldest_stored(self.asked.session) {
            return Ok(Turn::ClientWaitedFor);
        }
        match self.take_batch()? {
            0 => Ok(Turn::JournalWaitedFor),
            taken => Ok(Turn::Worked(taken)),
        }
    }

    /// Hands over what the replica has and egress had said; how many, and whether that is all that the
    /// replica has.
    fn hand_over(&mut self, source: &mut ResendSource) -> (usize, bool) {
        let session = self.asked.session;
        let said = source.reach.oldest_stored(session);
        let streams = self.follower.replica().streams();
        let mut handed = 0;
        while self.next < said
            && let Some(message) = streams.message(session, self.next)
        {
            let item = ResentItem::message(&self.asked, self.next, message);
            if !source.items.write(item, message) {
                break;
            }
            self.next += 1;
            handed += 1;
        }
        source.items.publish();
        (handed, streams.published(session) < self.next)
    }

    fn take_batch(&mut self) -> Result<usize, RecoveryError> {
        let mut taken = 0;
        while taken < BATCH && self.follower.step()?.is_some() {
            taken += 1;
        }
        let oldest = self.follower.replica().streams().oldest(self.asked.session);
        assert!(oldest <= self.next, "a batch fits the replica's store");
        Ok(taken)
    }
}
