//! Objects beside the frames, as a follower takes them: offered, asked for, come, and here.
//!
//! **Thread.** The follower machine's.
//! **Invariants.** A block is taken only where it was asked for, behind the one before it; a snapshot moves the place
//! only once it is whole and installed.
//! **Never.** Ask for an object by itself, or for one longer than the configuration takes: whoever drives it asks.

use super::{Follower, FollowerEvent, FollowerState};
use crate::frame::Term;
use crate::replication::fault::LinkFault;
use crate::replication::message::{Block, Message, Object, ObjectKind, Offer, Want};
use crate::snapshot::SnapshotHeader;

impl Follower {
    /// Asks for an object that was offered, or for the snapshot, from an offset on; from 0 again where what came was
    /// not what it is named by. False if it is not under way, or the offset is not before its end.
    pub fn want(&mut self, object: Object, offset: u64) -> bool {
        let Some(transfer) = self.transfers.find(object).filter(|it| offset < it.total) else {
            return false;
        };
        transfer.next = Some(offset);
        self.out.push(&Message::Want(Want { object, offset }));
        true
    }

    /// The object is here whole, and is what it is named by. False if it is not under way, or is the snapshot, which
    /// is [`Self::snapshot_installed`].
    pub fn has(&mut self, object: Object) -> bool {
        object.kind != ObjectKind::Snapshot && self.tell_has(object)
    }

    /// Whether a snapshot that says this of itself is the one that was announced: of the journal that is followed, behind
    /// the record and chain of the welcome, and of no term beyond the leader's.
    #[must_use]
    pub fn is_awaited(&self, header: &SnapshotHeader) -> bool {
        self.snapshot == Some((header.seq, header.chain))
            && header.journal == self.at.journal
            && header.term <= self.leader_term
    }

    /// The snapshot took the place of what was here; the record that it ends with is of this term. False if none is
    /// under way.
    pub fn snapshot_installed(&mut self, log_term: Term) -> bool {
        let Some((seq, chain)) = self.snapshot else {
            return false;
        };
        if !self.tell_has(Object::snapshot(seq)) {
            return false;
        }
        self.snapshot = None;
        self.at.last_seq = seq;
        self.at.chain = chain;
        self.at.log_term = log_term;
        self.at.staged_snapshot = 0;
        self.acked.written = seq;
        self.acked.chain = chain.raw();
        self.state = FollowerState::Following;
        true
    }

    fn tell_has(&mut self, object: Object) -> bool {
        let Some(total) = self.transfers.find(object).map(|it| it.total) else {
            return false;
        };
        self.transfers.remove(object);
        let offset = total;
        self.out.push(&Message::Want(Want { object, offset }));
        true
    }

    pub(super) fn on_offer<'a>(&mut self, offer: Offer) -> FollowerEvent<'a> {
        let (object, bytes) = (offer.object, offer.bytes);
        if object.kind == ObjectKind::Snapshot || self.transfers.find(object).is_some() {
            return self.fault(LinkFault::Transfer { id: object.id });
        }
        if bytes > self.config.object_bytes_max || !self.transfers.add(object, bytes) {
            return self.fault(LinkFault::TooMuch { id: object.id });
        }
        FollowerEvent::Offered(offer)
    }

    pub(super) fn on_block<'a>(&mut self, block: Block<'a>) -> FollowerEvent<'a> {
        let end = block.offset + block.bytes.len() as u64;
        let id = block.object.id;
        match self.transfers.find(block.object) {
            Some(it) if it.total == block.total && it.next == Some(block.offset) => {
                it.next = Some(end);
            }
            Some(_) | None => return self.fault(LinkFault::Transfer { id }),
        }
        self.taken_bytes += block.bytes.len() as u64;
        if block.object.kind == ObjectKind::Snapshot {
            self.at.staged_snapshot = id;
        }
        FollowerEvent::Block(block)
    }
}
