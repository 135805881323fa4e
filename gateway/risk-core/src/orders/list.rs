//! The list of a position's open orders, the newest first.
//!
//! Risk thread. An order that joins does not tell the one that was first which is before it now: that has a line
//! of its own, and many an order is gone before another comes. The next that joins tells it. Invariants: each
//! order knows the next; each knows the one before it, but the first, which knows none, and the second while it
//! is untold, which knows none either; so one at the most is untold, and none is walked to.

use crate::order::{NONE, Order};

/// A position's list.
pub(crate) struct List<'a> {
    pub(crate) first: &'a mut u32,
    /// The second, while it has not been told which is first. Not looked at for an order without others.
    pub(crate) untold: &'a mut u32,
}

impl List<'_> {
    /// Puts an order at the head; returns which is next. The order itself is written by the caller, and knows none
    /// before it.
    #[inline(always)]
    pub(super) fn join(&mut self, slot: u32, slots: &mut [Order]) -> u32 {
        let next = core::mem::replace(self.first, slot);
        if next != NONE {
            // None is no slot either.
            if let Some(order) = slots.get_mut(*self.untold as usize) {
                order.previous = next;
            }
            *self.untold = next;
        }
        next
    }

    /// Takes an order out of it.
    #[inline(always)]
    pub(super) fn leave(&mut self, slot: u32, slots: &mut [Order]) {
        let Order { next, previous, .. } = slots[slot as usize];
        if *self.first == slot {
            self.leave_first(next, slots);
            return;
        }
        let told = *self.untold != slot;
        let previous = if told { previous } else { *self.first };
        if !told {
            *self.untold = NONE;
        }
        assert!(
            previous != NONE,
            "an order that is not the first has one before it"
        );
        slots[previous as usize].next = next;
        if let Some(next) = slots.get_mut(next as usize) {
            next.previous = previous;
        }
    }

    /// Takes the first out: the next is first then, and knows none before it.
    #[inline(always)]
    fn leave_first(&mut self, next: u32, slots: &mut [Order]) {
        *self.first = next;
        if next == NONE {
            return;
        }
        if *self.untold == NONE {
            slots[next as usize].previous = NONE;
            return;
        }
        assert!(*self.untold == next, "an order that is untold is second");
        *self.untold = NONE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const SLOTS: usize = 12;

    struct Tested {
        slots: Vec<Order>,
        first: u32,
        untold: u32,
        /// Newest first.
        naive: Vec<u32>,
    }

    impl Tested {
        fn join(&mut self, slot: u32) {
            let mut list = List {
                first: &mut self.first,
                untold: &mut self.untold,
            };
            let next = list.join(slot, &mut self.slots);
            let order = &mut self.slots[slot as usize];
            (order.next, order.previous) = (next, NONE);
            self.naive.insert(0, slot);
        }

        fn leave(&mut self, slot: u32) {
            let mut list = List {
                first: &mut self.first,
                untold: &mut self.untold,
            };
            list.leave(slot, &mut self.slots);
            self.naive.retain(|other| *other != slot);
        }

        fn check(&self) {
            let mut before = NONE;
            let mut at = self.first;
            for (place, slot) in self.naive.iter().enumerate() {
                assert_eq!(at, *slot, "{:?}", self.naive);
                let order = &self.slots[at as usize];
                if at == self.untold {
                    assert_eq!((place, order.previous), (1, NONE), "{:?}", self.naive);
                } else {
                    assert_eq!(order.previous, before, "{:?}", self.naive);
                }
                (before, at) = (at, order.next);
            }
            assert_eq!(at, NONE);
            assert!(self.naive.len() > 1 || self.untold == NONE);
        }
    }

    /// Orders that come and go at random beside a naive list; by turns most come and most go, so that
    /// it is empty, has one, two and many.
    #[test]
    fn each_order_knows_its_neighbours_but_one() {
        let mut tested = Tested {
            slots: std::vec![Order::FREE; SLOTS],
            first: NONE,
            untold: NONE,
            naive: Vec::new(),
        };
        let (mut state, mut untold) = (7_u64, 0);
        for step in 0..40_000_u64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(step | 1);
            let slot = (state >> 40) as u32 % SLOTS as u32;
            let comes = (state >> 60) < if step / 64 % 2 == 0 { 12 } else { 4 };
            match tested.naive.contains(&slot) {
                true if !comes => tested.leave(slot),
                false if comes => tested.join(slot),
                true | false => {}
            }
            tested.check();
            untold += u32::from(tested.untold != NONE);
        }
        assert!((4_000..36_000).contains(&untold), "{untold}");
    }
}
