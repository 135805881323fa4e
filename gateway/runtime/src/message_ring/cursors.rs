//! Where each end of a ring stands, and what it knows of the other.
//!
//! A position counts the units ever written; an index is where in memory the next unit lies. Each end
//! owns its own and keeps a copy of what it last saw of the other's, so that it reads the other's line
//! only when the copy does not do. Invariants: `taken <= published <= written <= taken + capacity`; a
//! message's units are the consumer's alone from its publication to its release, and the producer's
//! alone otherwise.

use super::RESTART_UNITS;
use crossbeam_utils::CachePadded;
#[cfg(feature = "loom")]
use loom::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::cell::Cell;
#[cfg(not(feature = "loom"))]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The positions that both ends see, a line for each writer.
#[derive(Debug)]
struct Shared {
    producer: CachePadded<Published>,
    /// What the consumer has released.
    taken: CachePadded<AtomicU64>,
}

#[derive(Debug)]
struct Published {
    /// What the consumer may read.
    written: AtomicU64,
    /// The position at which the index became 0 last.
    restarted: AtomicU64,
}

/// The producer's.
///
/// It stores as few words of its own as it can, and none where a message is published alone: a publication
/// waits for its line to come from the other core, every store behind it waits too, and a core holds a few
/// dozen of them before it stands still.
#[derive(Debug)]
pub(super) struct ProducerCursor {
    shared: Arc<Shared>,
    capacity: usize,
    written: u64,
    /// Whether something was written that is not published yet.
    unpublished: bool,
    /// The position that the units end at which were free when the consumer was last looked at.
    free_to: Cell<u64>,
    /// The position of index 0.
    origin: u64,
    /// From this position on it looks whether the index goes on.
    look_at: u64,
}

/// The consumer's.
#[derive(Debug)]
pub(super) struct ConsumerCursor {
    shared: Arc<Shared>,
    capacity: usize,
    index: usize,
    position: u64,
    released: u64,
    written: u64,
}

/// Both, of an empty ring of so many units.
pub(super) fn cursors(capacity: usize) -> (ProducerCursor, ConsumerCursor) {
    let shared = Arc::new(Shared {
        producer: CachePadded::new(Published {
            written: AtomicU64::new(0),
            restarted: AtomicU64::new(0),
        }),
        taken: CachePadded::new(AtomicU64::new(0)),
    });
    let producer = ProducerCursor {
        shared: Arc::clone(&shared),
        capacity,
        written: 0,
        unpublished: false,
        free_to: Cell::new(capacity as u64),
        origin: 0,
        look_at: RESTART_UNITS.min(capacity) as u64,
    };
    let consumer = ConsumerCursor {
        shared,
        capacity,
        index: 0,
        position: 0,
        released: 0,
        written: 0,
    };
    (producer, consumer)
}

impl ProducerCursor {
    /// The index of the first of `units` units that are free; `None` where so many are not.
    #[inline(always)]
    pub(super) fn claim(&mut self, units: usize) -> Option<usize> {
        if !self.has_room_for(units) {
            return None;
        }
        if self.written >= self.look_at {
            self.go_on();
        }
        Some((self.written - self.origin) as usize)
    }

    /// Behind the last unit the index begins anew; and it does where the consumer has all, which holds no
    /// reference then, and looks whether there was a restart before it reads what comes next.
    #[cold]
    fn go_on(&mut self) {
        let end = self.origin + self.capacity as u64;
        if self.written >= end {
            self.origin = end;
        } else if self.taken() == self.written {
            let restarted = &self.shared.producer.restarted;
            // Seen with the publication that follows it.
            restarted.store(self.written, Ordering::Relaxed);
            self.origin = self.written;
        }
        let end = self.origin + self.capacity as u64;
        self.look_at = end.min(self.written + RESTART_UNITS as u64);
    }

    /// The units that were claimed are written.
    #[inline(always)]
    pub(super) const fn written(&mut self, units: usize) {
        self.written += units as u64;
        self.unpublished = true;
    }

    /// The same, and shows them with all that was written before.
    #[inline(always)]
    pub(super) fn written_and_published(&mut self, units: usize) {
        self.written += units as u64;
        if self.unpublished {
            self.unpublished = false;
        }
        self.show();
    }

    #[inline(always)]
    pub(super) fn publish(&mut self) {
        if self.unpublished {
            self.unpublished = false;
            self.show();
        }
    }

    #[inline(always)]
    fn show(&self) {
        let written = &self.shared.producer.written;
        written.store(self.written, Ordering::Release);
    }

    #[inline(always)]
    pub(super) fn has_room_for(&self, units: usize) -> bool {
        let end = self.written + units as u64;
        end <= self.free_to.get() || end <= self.taken() + self.capacity as u64
    }

    /// Units that are free.
    pub(super) fn room(&self) -> usize {
        self.capacity - (self.written - self.taken()) as usize
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) const fn position(&self) -> u64 {
        self.written
    }

    /// What the consumer has released by now.
    #[inline]
    pub(super) fn taken(&self) -> u64 {
        let taken = self.shared.taken.load(Ordering::Acquire);
        self.free_to.set(taken + self.capacity as u64);
        taken
    }
}

impl ConsumerCursor {
    /// The index of the next message; `None` where there is none.
    #[inline]
    pub(super) fn front(&mut self) -> Option<usize> {
        if self.position == self.written && !self.sees_more() {
            return None;
        }
        Some(self.index)
    }

    /// Where the next message will begin, unless the producer begins anew.
    #[inline]
    pub(super) const fn index(&self) -> usize {
        self.index
    }

    /// All that was in sight is taken: released, and looked for more.
    #[inline]
    fn sees_more(&mut self) -> bool {
        self.release();
        let producer = &self.shared.producer;
        self.written = producer.written.load(Ordering::Acquire);
        if self.position == self.written {
            return false;
        }
        // Since this position no restart can have been but one at it: the next one waits until what
        // stands here is released.
        if producer.restarted.load(Ordering::Relaxed) == self.position {
            self.index = 0;
        }
        true
    }

    #[inline]
    pub(super) fn advance(&mut self, units: usize) {
        self.position += units as u64;
        assert!(self.position <= self.written, "only what was seen is taken");
        self.index += units;
        if self.index >= self.capacity {
            self.index -= self.capacity;
        }
    }

    #[inline]
    pub(super) fn release(&mut self) {
        if self.released != self.position {
            self.released = self.position;
            self.shared.taken.store(self.position, Ordering::Release);
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.position == self.written
            && self.position == self.shared.producer.written.load(Ordering::Acquire)
    }
}
