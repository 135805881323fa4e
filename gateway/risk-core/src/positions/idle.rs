//! Slots of flat positions, which a new pair of account and instrument may have.
//!
//! Risk thread. Invariants: each flat position is either ready or waits for its account's volume to
//! run off, and no other is here; a slot is found whenever there is one, in a number of steps that
//! does not grow with how many there are (ready) or only as their logarithm (waiting).

use super::slot_set::SlotSet;
use super::waiting::Waiting;

/// Slots whose time has come that are made ready with each that is put here: one more than come, so
/// that those that wait are never many more than must.
const DUE_STEPS: usize = 2;

/// The slots.
#[derive(Debug)]
pub(super) struct Idle {
    ready: SlotSet,
    waiting: Waiting,
    /// Where the search goes on, so that the slot given last is given again last.
    hand: usize,
}

impl Idle {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            ready: SlotSet::new(slots),
            waiting: Waiting::new(slots),
            hand: 0,
        }
    }

    /// Puts in the slot of a position that became flat, and whose volume runs until then.
    pub(super) fn insert(&mut self, slot: usize, volume_until_ns: u64, now_ns: u64) {
        if volume_until_ns <= now_ns {
            self.ready.insert(slot);
        } else {
            self.waiting.insert(slot, volume_until_ns);
        }
        self.note_time(now_ns);
    }

    /// Takes out the slot of a position that is flat no more.
    pub(super) fn remove(&mut self, slot: usize) {
        if self.ready.contains(slot) {
            self.ready.remove(slot);
        } else {
            self.waiting.remove(slot);
        }
    }

    /// Takes out a slot that holds nothing a later decision could read, if there is one.
    pub(super) fn take(&mut self, now_ns: u64) -> Option<usize> {
        self.note_time(now_ns);
        let slot = self.ready.next_round(self.hand)?;
        self.ready.remove(slot);
        self.hand = slot + 1;
        Some(slot)
    }

    fn note_time(&mut self, now_ns: u64) {
        for _ in 0..DUE_STEPS {
            let Some(slot) = self.waiting.take_due(now_ns) else {
                return;
            };
            self.ready.insert(slot);
        }
    }

    /// What the next choice depends on beside the positions themselves.
    pub(super) fn word(&self, slot: usize) -> u64 {
        u64::from(self.ready.contains(slot))
    }

    pub(super) const fn hand(&self) -> usize {
        self.hand
    }
}
