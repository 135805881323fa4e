//! Slots of flat positions, which a new pair of account and instrument may have.
//!
//! Risk thread. A queue: a slot comes to its end when its position becomes flat, unless it stands in
//! it already, and is looked at when it has come to its front. Invariants: a slot stands in it once
//! at the most; each flat position's slot stands in it, and some that were flat when they came; the
//! order of the queue follows from the commands alone. Nothing here is touched by an order but the
//! end of the queue, so that orders do not pay for what a full table alone needs.

extern crate alloc;

use alloc::boxed::Box;

/// The queue.
#[derive(Debug)]
pub(super) struct Idle {
    queue: Box<[u32]>,
    head: usize,
    len: usize,
}

impl Idle {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            queue: alloc::vec![0; slots].into_boxed_slice(),
            head: 0,
            len: 0,
        }
    }

    /// Puts a slot at the end.
    ///
    /// # Panics
    /// If there is no room: a slot stood in it twice.
    #[inline]
    pub(super) fn push(&mut self, slot: u32) {
        assert!(self.len < self.queue.len(), "a slot stands in it once");
        let tail = self.place(self.len);
        self.queue[tail] = slot;
        self.len += 1;
    }

    /// Takes the slot at the front.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let slot = self.front()?;
        self.head = self.place(1);
        self.len -= 1;
        Some(slot)
    }

    /// The slot at the front.
    pub(super) fn front(&self) -> Option<u32> {
        (self.len > 0).then(|| self.queue[self.head])
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The slots, front first.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.len).map(|ahead| self.queue[self.place(ahead)])
    }

    /// The place so far behind the front, without a division.
    const fn place(&self, ahead: usize) -> usize {
        let place = self.head + ahead;
        if place < self.queue.len() {
            place
        } else {
            place - self.queue.len()
        }
    }
}
