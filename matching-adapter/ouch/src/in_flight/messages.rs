//! The bytes of what is in flight.
//!
//! Part of what is in flight. Invariants: a slot is one message's or free; more slots than there are entries are made for
//! what a log left alone.

use portcullis_wire::ouch50::MESSAGE_BYTES_MAX;

/// Bytes of messages, apart from what is looked through. Those freed last are used first, so that few
/// lines are touched while little is in flight.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) bytes: Vec<[u8; MESSAGE_BYTES_MAX]>,
    pub(super) free: Vec<u32>,
}

impl Messages {
    pub(super) fn new(max: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(max),
            free: Vec::with_capacity(max),
        }
    }

    /// Keeps a message. There is room for as many as there are entries, and what a log leaves makes
    /// its own.
    #[inline]
    pub(super) fn put(&mut self, message: &[u8], recalled: bool) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.more(recalled),
        };
        self.bytes[slot as usize][..message.len()].copy_from_slice(message);
        slot
    }

    #[cold]
    fn more(&mut self, recalled: bool) -> u32 {
        let room = self.bytes.len() < self.bytes.capacity();
        assert!(room || recalled, "one an entry");
        self.bytes.push([0; MESSAGE_BYTES_MAX]);
        (self.bytes.len() - 1) as u32
    }

    pub(super) fn get(&self, slot: u32, len: u8) -> &[u8] {
        &self.bytes[slot as usize][..usize::from(len)]
    }
}
