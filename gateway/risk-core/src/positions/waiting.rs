//! Slots that wait for a time: a binary heap that knows where each slot stands.
//!
//! Risk thread. Invariants: never grows; a slot is in it once at the most; the time of a slot does
//! not change while it waits; equal times go by slot, so that equal histories give equal answers.

extern crate alloc;

use alloc::boxed::Box;
use alloc::vec::Vec;

/// A slot that does not wait.
const NOWHERE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    until_ns: u64,
    slot: u32,
}

/// The heap.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Children of place n stand at 2n + 1 and 2n + 2, and are not before it.
    heap: Vec<Entry>,
    /// By slot.
    places: Box<[u32]>,
}

impl Waiting {
    /// None waiting, of slots below `slots`.
    pub(super) fn new(slots: usize) -> Self {
        Self {
            heap: Vec::with_capacity(slots),
            places: alloc::vec![NOWHERE; slots].into_boxed_slice(),
        }
    }

    pub(super) fn insert(&mut self, slot: usize, until_ns: u64) {
        assert!(self.places[slot] == NOWHERE, "a slot waits once");
        let place = self.heap.len();
        assert!(place < self.places.len(), "each slot waits once");
        let slot = slot as u32;
        self.heap.push(Entry { until_ns, slot });
        self.rise(place);
    }

    /// Takes a slot out; nothing happens if it does not wait.
    pub(super) fn remove(&mut self, slot: usize) {
        let place = self.places[slot] as usize;
        if place >= self.heap.len() {
            return;
        }
        self.places[slot] = NOWHERE;
        let last = self.heap.pop().expect("the slot is in it");
        if place < self.heap.len() {
            self.heap[place] = last;
            self.places[last.slot as usize] = place as u32;
            self.rise(place);
            self.sink(place);
        }
    }

    /// Takes out the first slot whose time has come.
    pub(super) fn take_due(&mut self, now_ns: u64) -> Option<usize> {
        let first = *self.heap.first()?;
        if first.until_ns > now_ns {
            return None;
        }
        self.remove(first.slot as usize);
        Some(first.slot as usize)
    }

    /// Moves an entry towards the front as far as it belongs.
    fn rise(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent] <= entry {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        self.put(place, entry);
    }

    /// Moves an entry towards the end as far as it belongs.
    fn sink(&mut self, mut place: usize) {
        let entry = self.heap[place];
        loop {
            let children = (2 * place + 1)..(2 * place + 3).min(self.heap.len());
            let Some(child) = children.min_by_key(|child| self.heap[*child]) else {
                break;
            };
            if entry <= self.heap[child] {
                break;
            }
            self.put(place, self.heap[child]);
            place = child;
        }
        self.put(place, entry);
    }

    fn put(&mut self, place: usize, entry: Entry) {
        self.heap[place] = entry;
        self.places[entry.slot as usize] = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Random slots come, go and fall due, beside a tree.
    #[test]
    fn agrees_with_a_tree() {
        const SLOTS: usize = 97;
        let (mut waiting, mut tree) = (Waiting::new(SLOTS), BTreeSet::new());
        let mut until = [None; SLOTS];
        let mut state = 11_u64;
        for now_ns in 0..20_000_u64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let slot = (state >> 33) as usize % SLOTS;
            match until[slot].take() {
                Some(at) => {
                    tree.remove(&(at, slot));
                    waiting.remove(slot);
                }
                None => {
                    let at = now_ns + (state >> 50) % 64;
                    until[slot] = Some(at);
                    tree.insert((at, slot));
                    waiting.insert(slot, at);
                }
            }
            let due = tree.first().copied().filter(|(at, _)| *at <= now_ns);
            assert_eq!(waiting.take_due(now_ns), due.map(|(_, slot)| slot));
            if let Some((at, slot)) = due {
                tree.remove(&(at, slot));
                until[slot] = None;
            }
        }
        assert!(tree.len() > 1, "the test must leave some waiting");
    }
}
