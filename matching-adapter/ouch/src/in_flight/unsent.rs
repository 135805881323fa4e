//! Which entries are not written on the link of the moment, oldest first.
//!
//! Part of what is in flight. Mostly they are the newest ones; but a cancel that takes the place of one that was sent again
//! already is to be sent in its turn, before them. Invariants: each that is unsent is here; the first here is unsent.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::queue::{At, Queue};

/// More than there are entries: those that are sent or gone make no work but once in as many more.
const fn room_for(entries: usize) -> usize {
    entries + entries / 4 + 1
}

#[derive(Debug)]
pub(super) struct Unsent {
    /// By turn. Some behind the first may be sent or gone since.
    turns: BinaryHeap<Reverse<(u64, u32)>>,
    room: usize,
}

impl Unsent {
    pub(super) fn new(max: usize) -> Self {
        let room = room_for(max);
        Self {
            turns: BinaryHeap::with_capacity(room),
            room,
        }
    }

    /// Makes room for as many as a log leaves.
    pub(super) fn make_room(&mut self, entries: usize) {
        self.room = self.room.max(room_for(entries));
        self.turns.reserve(self.room - self.turns.len());
    }

    #[inline(always)]
    pub(super) fn first(&self) -> Option<At> {
        let Reverse((_, at)) = self.turns.peek()?;
        Some(At(*at))
    }

    /// Notes one that is unsent.
    pub(super) fn put(&mut self, queue: &Queue, at: At) {
        if self.turns.len() == self.room {
            // A quarter as many have come and gone.
            self.gather(queue);
            return;
        }
        self.turns.push(Reverse((queue.entry(at).turn, at.0)));
    }

    /// Notes all that are unsent.
    pub(super) fn gather(&mut self, queue: &Queue) {
        self.turns.clear();
        for at in queue.all() {
            let entry = queue.entry(at);
            if !entry.sent {
                self.turns.push(Reverse((entry.turn, at.0)));
            }
        }
    }

    /// One was sent or is gone: the first is to be one that is neither.
    pub(super) fn settle(&mut self, queue: &Queue) {
        while let Some(Reverse((turn, at))) = self.turns.peek() {
            let entry = queue.entry(At(*at));
            if entry.turn == *turn && !entry.sent {
                return;
            }
            self.turns.pop();
        }
    }
}
