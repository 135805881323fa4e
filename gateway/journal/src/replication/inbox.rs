//! What was read from a connection and is not taken yet.
//!
//! **Thread.** The connection's owner.
//! **Invariants.** Room for one message and as much again, taken at the start: a message that is not whole yet always
//! has room to become so.
//! **Never.** Grow.

use super::MESSAGE_BYTES_MAX;

const ROOM: usize = 2 * MESSAGE_BYTES_MAX;

/// Bytes between a socket and a machine.
#[derive(Debug)]
pub struct Inbox {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Inbox {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: vec![0; ROOM].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    /// What is there.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Where to read to; empty only while a whole message waits to be taken.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if ROOM - self.end < MESSAGE_BYTES_MAX {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut self.bytes[self.end..]
    }

    /// So many bytes were read into [`Self::room`].
    ///
    /// # Panics
    /// If there was not so much room.
    pub fn filled(&mut self, count: usize) {
        assert!(count <= ROOM - self.end, "no more than the room");
        self.end += count;
    }

    /// So many bytes were taken from the front.
    ///
    /// # Panics
    /// If there were not so many.
    pub fn consume(&mut self, count: usize) {
        assert!(count <= self.end - self.start, "no more than there is");
        self.start += count;
    }

    /// Drops what is there: the connection is another.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}
