//! What a machine wants sent.
//!
//! **Thread.** The machine's.
//! **Invariants.** Bytes leave in the order in which they were written. What it holds is bounded by the machine that
//! writes: by its window, and a few short messages.
//! **Never.** Drop a part of a message.

use super::encode::encode;
use super::message::Message;

/// Bytes between a machine and a socket.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, message: &Message<'_>) {
        encode(message, &mut self.bytes);
    }

    pub(super) fn pending(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub(super) fn sent(&mut self, count: usize) {
        assert!(count <= self.pending().len(), "no more than there is");
        self.sent += count;
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        } else if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
    }
}
