//! Orders that the engine has no room for yet, by session.
//!
//! Owned by the venue agent. Invariants: what comes of one session leaves in its order; a session
//! stands in the round exactly while it has something; the slab is taken at start and never grows;
//! nothing leaves but by [`Pending::take`].

use crate::item::VenueItem;
use portcullis_domain::{RAW_BYTES_MAX, SessionId};
use std::collections::VecDeque;

/// No slot.
const NONE: u32 = u32::MAX;

/// An item and the message behind it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) item: VenueItem,
    pub(super) raw: [u8; RAW_BYTES_MAX],
}

impl Waiting {
    pub(super) fn new(item: VenueItem, raw: &[u8]) -> Self {
        let mut waiting = Self {
            item,
            raw: [0; RAW_BYTES_MAX],
        };
        waiting.raw[..raw.len()].copy_from_slice(raw);
        waiting
    }
}

#[derive(Debug)]
struct Slot {
    item: Option<Waiting>,
    /// The one behind it, of its session or of the free ones.
    next: u32,
}

/// What a session has, oldest first.
#[derive(Clone, Copy, Debug)]
struct Queue {
    first: u32,
    last: u32,
    len: u32,
}

/// The orders.
#[derive(Debug)]
pub(super) struct Pending {
    slots: Box<[Slot]>,
    free: u32,
    queues: Box<[Queue]>,
    /// Sessions that have any, in the order of their turns.
    round: VecDeque<SessionId>,
}

impl Pending {
    pub(super) fn new(sessions: usize, items: usize) -> Self {
        let slots = (1..=items).map(|next| Slot {
            item: None,
            next: if next == items { NONE } else { next as u32 },
        });
        let empty = Queue {
            first: NONE,
            last: NONE,
            len: 0,
        };
        Self {
            slots: slots.collect(),
            free: if items == 0 { NONE } else { 0 },
            queues: vec![empty; sessions].into_boxed_slice(),
            round: VecDeque::with_capacity(sessions),
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.free == NONE
    }

    pub(super) fn is_empty(&self) -> bool {
        self.round.is_empty()
    }

    /// Items of a session.
    pub(super) fn len(&self, session: SessionId) -> u32 {
        self.queues[session.index()].len
    }

    /// Sessions that have any.
    pub(super) fn sessions(&self) -> usize {
        self.round.len()
    }

    /// The session whose turn it is; its next turn comes after those of all others.
    pub(super) fn next_turn(&mut self) -> Option<SessionId> {
        let session = self.round.pop_front()?;
        self.round.push_back(session);
        Some(session)
    }

    /// Puts an item behind those of its session. Room was looked for.
    pub(super) fn put(&mut self, item: Waiting) {
        let session = item.item.order.get().session;
        let slot = self.fill(item, NONE);
        let queue = &mut self.queues[session.index()];
        queue.len += 1;
        if queue.first == NONE {
            (queue.first, queue.last) = (slot, slot);
            self.round.push_back(session);
            return;
        }
        let last = std::mem::replace(&mut queue.last, slot);
        self.slots[last as usize].next = slot;
    }

    /// Takes the oldest item of a session out.
    pub(super) fn take(&mut self, session: SessionId) -> Option<Waiting> {
        let queue = &mut self.queues[session.index()];
        let slot = queue.first;
        let taken = self.slots.get_mut(slot as usize)?;
        let item = taken.item.take().expect("a queue names filled slots");
        queue.first = std::mem::replace(&mut taken.next, self.free);
        queue.len -= 1;
        self.free = slot;
        if queue.first == NONE {
            queue.last = NONE;
            self.leave_round(session);
        }
        Some(item)
    }

    /// Puts back what was taken last: it stays its session's oldest, and its turn does not change.
    pub(super) fn put_back(&mut self, item: Waiting) {
        let session = item.item.order.get().session;
        let behind = self.queues[session.index()].first;
        let slot = self.fill(item, behind);
        let queue = &mut self.queues[session.index()];
        queue.len += 1;
        queue.first = slot;
        if behind == NONE {
            queue.last = slot;
            self.round.push_back(session);
        }
    }

    fn fill(&mut self, item: Waiting, next: u32) -> u32 {
        let slot = self.free;
        let free = self.slots.get_mut(slot as usize);
        let free = free.expect("room was looked for");
        self.free = std::mem::replace(&mut free.next, next);
        free.item = Some(item);
        slot
    }

    /// Mostly the one whose turn it just was: it stands last.
    fn leave_round(&mut self, session: SessionId) {
        let place = self.round.iter().rposition(|waits| *waits == session);
        let place = place.expect("a session with items stands in the round");
        self.round.remove(place);
    }
}
