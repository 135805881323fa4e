//! What a leader has sent and its follower has not acknowledged.
//!
//! **Thread.** The leader machine's.
//! **Invariants.** Bytes and frames under way are bounded; an acknowledgement is taken only if it names the end of a
//! frame that was sent on this connection, with its chain, and nothing in it goes back.
//! **Never.** Believe a number that was not sent.

use super::FRAMES_IN_FLIGHT_MAX;
use super::message::Ack;
use crate::frame::Chain;
use std::collections::VecDeque;

/// The end of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FrameEnd {
    seq: u64,
    chain: Chain,
}

/// Frames and bytes under way.
#[derive(Debug)]
pub(super) struct Window {
    bytes_max: u64,
    sent_bytes: u64,
    ends: VecDeque<FrameEnd>,
    acked: Ack,
}

impl Window {
    /// Nothing is under way behind this record.
    pub(super) fn new(bytes_max: u64, seq: u64, chain: Chain) -> Self {
        Self {
            bytes_max,
            sent_bytes: 0,
            ends: VecDeque::new(),
            acked: Ack {
                written: seq,
                chain: chain.raw(),
                ..Ack::default()
            },
        }
    }

    pub(super) const fn acked(&self) -> Ack {
        self.acked
    }

    const fn in_flight(&self) -> u64 {
        self.sent_bytes - self.acked.taken_bytes
    }

    /// Whether so many bytes may follow. One message always may where nothing is under way.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        let in_flight = self.in_flight();
        let fits = in_flight.saturating_add(bytes as u64) <= self.bytes_max;
        (fits || in_flight == 0) && self.ends.len() < FRAMES_IN_FLIGHT_MAX
    }

    pub(super) const fn sent_block(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
    }

    pub(super) fn sent_frame(&mut self, bytes: usize, seq: u64, chain: Chain) {
        self.sent_bytes += bytes as u64;
        self.ends.push_back(FrameEnd { seq, chain });
    }

    /// The follower has a snapshot in place of all that went before.
    pub(super) const fn installed(&mut self, seq: u64, chain: Chain) {
        self.acked.written = seq;
        self.acked.chain = chain.raw();
    }

    /// Takes an acknowledgement; false if it cannot be true.
    pub(super) fn acknowledge(&mut self, ack: &Ack) -> bool {
        let was = self.acked;
        let goes_back = ack.written < was.written
            || ack.synced < was.synced
            || ack.applied < was.applied
            || ack.taken_bytes < was.taken_bytes;
        let beyond = ack.synced > ack.written
            || ack.applied > ack.written
            || ack.taken_bytes > self.sent_bytes;
        if goes_back || beyond || !self.is_known(ack) {
            return false;
        }
        while self.ends.front().is_some_and(|end| end.seq <= ack.written) {
            self.ends.pop_front();
        }
        self.acked = *ack;
        true
    }

    /// Whether it names where the last one did, or the end of a frame that is under way.
    fn is_known(&self, ack: &Ack) -> bool {
        if ack.written == self.acked.written {
            return ack.chain == self.acked.chain;
        }
        let found = self.ends.binary_search_by_key(&ack.written, |end| end.seq);
        found.is_ok_and(|at| self.ends[at].chain.raw() == ack.chain)
    }
}
