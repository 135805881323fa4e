//! What a leader sends a follower that it welcomed: segments, frames, objects.
//!
//! **Thread.** The leader machine's.
//! **Invariants.** Frames go out in the order of the log, each behind the one before it; a block goes out only where it
//! was asked for, and neither beyond the window.
//! **Never.** Read the log or an object itself: it says what it needs, and is given it.

use super::{Leader, LeaderState, NotSent, Wanted};
use crate::frame::{FRAME_BYTES_MAX, Frame};
use crate::replication::BLOCK_BYTES_MAX;
use crate::replication::message::{Block, Message, Object, Offer, SegmentNotice};

impl Leader {
    /// Says that the frames behind it stand in this segment: at first, in which the next one stands, later, which
    /// begins with it.
    ///
    /// # Errors
    /// The follower is not there, or the segment begins elsewhere.
    pub fn segment(&mut self, notice: &SegmentNotice<'_>) -> Result<(), NotSent> {
        self.is_following()?;
        let expected = self.next_seq;
        let begins = notice.first_seq == expected;
        if notice.first_seq > expected || (begins && notice.previous != self.chain.raw()) {
            return Err(NotSent::OutOfChain { expected });
        }
        self.out.push(&Message::Segment(*notice));
        Ok(())
    }

    /// Sends the next frame.
    ///
    /// # Errors
    /// The follower is not there, the window is full, or the frame is another.
    ///
    /// # Panics
    /// If the frame's term is above the leader's: it is not this leader's log.
    pub fn frame(&mut self, frame: &Frame<'_>) -> Result<(), NotSent> {
        self.is_following()?;
        let header = &frame.header;
        let expected = self.next_seq;
        if header.seq_first != expected || header.previous != self.chain {
            return Err(NotSent::OutOfChain { expected });
        }
        assert!(
            header.term <= self.config.term,
            "no frame is above its leader's term"
        );
        let bytes = frame.bytes();
        if !self.window.has_room(bytes.len()) {
            return Err(NotSent::WindowFull);
        }
        self.out.push(&Message::Frame(bytes));
        self.window
            .sent_frame(bytes.len(), header.seq_last(), header.chain);
        self.next_seq = header.seq_last() + 1;
        self.chain = header.chain;
        self.log_last = self.log_last.max(header.seq_last());
        Ok(())
    }

    /// Whether the longest frame there is would go out now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.state == LeaderState::Following && self.window.has_room(FRAME_BYTES_MAX)
    }

    /// The log has grown to here; heartbeats say so.
    pub fn log_reached(&mut self, last_seq: u64) {
        self.log_last = self.log_last.max(last_seq);
    }

    /// Tells the follower that there is an object, so that it can ask for it.
    ///
    /// # Errors
    /// The follower is not there, or too many are under way.
    pub fn offer(&mut self, object: Object, bytes: u64) -> Result<(), NotSent> {
        match self.state {
            LeaderState::Staging | LeaderState::Following => {}
            LeaderState::AwaitingHello | LeaderState::Answering | LeaderState::Closed => {
                return Err(NotSent::NotFollowing);
            }
        }
        if self.transfers.find(object).is_some() || !self.transfers.add(object, bytes) {
            return Err(NotSent::Transfer);
        }
        self.out.push(&Message::Offer(Offer { object, bytes }));
        Ok(())
    }

    /// The piece that goes out next, where one is waited for and the window has room for it.
    #[must_use]
    pub fn wanted(&self) -> Option<Wanted> {
        let transfer = self.transfers.pending()?;
        let offset = transfer.next?;
        let bytes_max = usize::try_from(transfer.total - offset)
            .unwrap_or(BLOCK_BYTES_MAX)
            .min(BLOCK_BYTES_MAX);
        let object = transfer.object;
        let open = self.state != LeaderState::Closed && self.window.has_room(bytes_max);
        open.then_some(Wanted {
            object,
            offset,
            bytes_max,
        })
    }

    /// Sends a piece of the object that [`Self::wanted`] names.
    ///
    /// # Errors
    /// It is not the piece that is wanted.
    ///
    /// # Panics
    /// If it is empty.
    pub fn block(&mut self, object: Object, offset: u64, bytes: &[u8]) -> Result<(), NotSent> {
        let wanted = self.wanted().ok_or(NotSent::WindowFull)?;
        if (wanted.object, wanted.offset) != (object, offset) || bytes.len() > wanted.bytes_max {
            return Err(NotSent::Transfer);
        }
        let Some(transfer) = self.transfers.find(object) else {
            unreachable!("what is wanted is under way");
        };
        let total = transfer.total;
        transfer.next = Some(offset + bytes.len() as u64);
        let block = Block {
            object,
            total,
            offset,
            bytes,
        };
        self.out.push(&Message::Block(block));
        self.window.sent_block(bytes.len());
        Ok(())
    }

    const fn is_following(&self) -> Result<(), NotSent> {
        match self.state {
            LeaderState::Following => Ok(()),
            LeaderState::AwaitingHello
            | LeaderState::Answering
            | LeaderState::Staging
            | LeaderState::Closed => Err(NotSent::NotFollowing),
        }
    }
}
