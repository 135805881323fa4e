//! What is in flight, in the order of sending.
//!
//! Part of what is in flight. Invariants: an entry stays in its slot, and its bytes with it, until it is taken out; a slot
//! holds an entry or is free; more slots than entries may be kept are made for what a log left alone.

use portcullis_wire::ouch50::MESSAGE_BYTES_MAX;

use super::Asked;
use super::index::Links;
use portcullis_domain::UserRef;

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At(pub(super) u32);

impl At {
    /// No entry: the slot by which the ends of the queue hold on to each other.
    pub(super) const NONE: Self = Self(0);
}

/// What is kept of a message beside its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) asked: Asked,
    /// How many came before it: it keeps that of a cancel whose place it takes.
    pub(super) turn: u64,
    pub(super) len: u8,
    /// Written on the link of the moment.
    pub(super) sent: bool,
    /// Names an order that is gone: forgotten once it is sent.
    pub(super) once: bool,
    /// Known from the log alone: it may never have left.
    pub(super) recalled: bool,
    /// Found by its number, if it has one.
    pub(super) indexed: bool,
}

impl Entry {
    pub(super) const fn new(asked: Asked, message: &[u8], sent: bool, recalled: bool) -> Self {
        Self {
            asked,
            len: message.len() as u8,
            sent,
            recalled,
            ..Self::NONE
        }
    }

    const NONE: Self = Self {
        asked: Asked::Cancel {
            target: UserRef::new(0),
            remain_wire: 0,
        },
        turn: 0,
        len: 0,
        sent: true,
        once: false,
        recalled: false,
        indexed: false,
    };
}

#[derive(Debug)]
struct Slot {
    entry: Entry,
    /// The one sent before it.
    older: At,
    /// The one sent after it; of a free slot the next free one.
    newer: At,
    links: [Links; 2],
    message: [u8; MESSAGE_BYTES_MAX],
}

impl Slot {
    const FREE: Self = Self {
        entry: Entry::NONE,
        older: At::NONE,
        newer: At::NONE,
        links: [Links::NONE; 2],
        message: [0; MESSAGE_BYTES_MAX],
    };
}

/// Entries in the order of sending. Slots freed last are used first, so that few lines are touched while little is
/// in flight.
#[derive(Debug)]
pub(super) struct Queue {
    /// The first holds no entry: its neighbours are the oldest and the newest.
    slots: Vec<Slot>,
    free: At,
    len: usize,
    turns: u64,
    /// Times that an entry was looked at.
    #[cfg(test)]
    pub(super) looked_at: std::cell::Cell<usize>,
}

impl Queue {
    pub(super) fn new(max: usize) -> Self {
        let mut slots = Vec::with_capacity(max + 1);
        slots.push(Slot::FREE);
        Self {
            slots,
            free: At::NONE,
            len: 0,
            turns: 0,
            #[cfg(test)]
            looked_at: std::cell::Cell::new(0),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Of an empty queue none.
    #[inline(always)]
    pub(super) fn oldest(&self) -> At {
        self.newer(At::NONE)
    }

    /// The one sent after this one.
    #[inline(always)]
    pub(super) fn newer(&self, at: At) -> At {
        self.slots[at.0 as usize].newer
    }

    #[inline(always)]
    pub(super) fn entry(&self, at: At) -> &Entry {
        #[cfg(test)]
        self.looked_at.update(|so_far| so_far + 1);
        &self.slots[at.0 as usize].entry
    }

    #[inline(always)]
    pub(super) fn entry_mut(&mut self, at: At) -> &mut Entry {
        #[cfg(test)]
        self.looked_at.update(|so_far| so_far + 1);
        &mut self.slots[at.0 as usize].entry
    }

    pub(super) fn links(&self, at: At) -> &[Links; 2] {
        &self.slots[at.0 as usize].links
    }

    pub(super) fn links_mut(&mut self, at: At) -> &mut [Links; 2] {
        &mut self.slots[at.0 as usize].links
    }

    pub(super) fn message(&self, at: At) -> &[u8] {
        let slot = &self.slots[at.0 as usize];
        &slot.message[..usize::from(slot.entry.len)]
    }

    /// All of them, oldest first.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = At> {
        let mut at = At::NONE;
        (0..self.len).map(move |_| {
            at = self.newer(at);
            at
        })
    }

    /// Puts one behind all others, whose turn is the next. There is room for as many as may be kept, and what a log
    /// leaves makes its own.
    #[inline]
    pub(super) fn push(&mut self, entry: Entry, message: &[u8]) -> At {
        let at = match self.free {
            At::NONE => self.more(entry.recalled),
            free => free,
        };
        let newest = std::mem::replace(&mut self.slots[0].older, at);
        self.slots[newest.0 as usize].newer = at;
        let turn = self.turns;
        self.turns += 1;
        self.len += 1;
        let slot = &mut self.slots[at.0 as usize];
        self.free = std::mem::replace(&mut slot.newer, At::NONE);
        slot.older = newest;
        slot.entry = Entry { turn, ..entry };
        slot.message[..message.len()].copy_from_slice(message);
        at
    }

    /// Puts another message in the place, and the turn, of one.
    pub(super) fn put_in_place(&mut self, at: At, entry: Entry, message: &[u8]) {
        let slot = &mut self.slots[at.0 as usize];
        let Entry { turn, indexed, .. } = slot.entry;
        slot.entry = Entry {
            turn,
            indexed,
            ..entry
        };
        slot.message[..message.len()].copy_from_slice(message);
    }

    /// Takes one out of its place. Its slot stays its own until it is [freed](Self::free).
    #[inline]
    pub(super) fn unlink(&mut self, at: At) {
        let Slot { older, newer, .. } = self.slots[at.0 as usize];
        self.slots[older.0 as usize].newer = newer;
        self.slots[newer.0 as usize].older = older;
        self.len -= 1;
    }

    /// Takes the oldest one out; returns the one that is the oldest then.
    #[inline(always)]
    pub(super) fn pop(&mut self, oldest: At) -> At {
        let slot = &mut self.slots[oldest.0 as usize];
        let newer = std::mem::replace(&mut slot.newer, self.free);
        self.free = oldest;
        self.slots[0].newer = newer;
        self.slots[newer.0 as usize].older = At::NONE;
        self.len -= 1;
        newer
    }

    /// Frees the slot of one that was taken out.
    #[inline]
    pub(super) fn free(&mut self, at: At) {
        self.slots[at.0 as usize].newer = self.free;
        self.free = at;
    }

    /// Notes which one was taken out before this one, which was taken out too.
    pub(super) fn lay_on(&mut self, at: At, before: At) {
        self.slots[at.0 as usize].newer = before;
    }

    #[cold]
    fn more(&mut self, recalled: bool) -> At {
        let room = self.slots.len() < self.slots.capacity();
        assert!(room || recalled, "one an entry");
        self.slots.push(Slot::FREE);
        At((self.slots.len() - 1) as u32)
    }

    /// Whether each slot is free or an entry's.
    #[cfg(test)]
    pub(super) fn is_whole(&self) -> bool {
        let (mut free, mut at) = (0, self.free);
        while at != At::NONE {
            free += 1;
            at = self.newer(at);
        }
        let last = self.all().last().unwrap_or(At::NONE);
        self.newer(last) == At::NONE
            && self.slots[0].older == last
            && free + self.len + 1 == self.slots.len()
    }
}
