//! The memory of the engine's orders: a slot each, found by key.
//!
//! Part of the orders. Invariants: each slot is in one chain or free; an order stays in its slot until it is
//! forgotten; nothing grows.

use portcullis_domain::{InstrumentId, OrderKey};
use portcullis_runtime::prefetch;

use super::EngineOrder;

/// Orders by key, in slots that they keep as long as they are known. Those whose keys scatter alike
/// stand in a chain. Numbers that follow one another have their chains beside one another, sixteen to a
/// line, and their slots mostly too: a session's orders are mostly asked for in their turn.
#[derive(Debug)]
pub(super) struct Table {
    /// The newest order of each chain.
    heads: Box<[u32]>,
    slots: Box<[Slot]>,
    /// The first of the free slots.
    free: u32,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(u32);

#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) key: u64,
    pub(super) order: EngineOrder,
    /// The next one of its chain, or of the free ones.
    next: u32,
}

/// No slot.
const NONE: u32 = u32::MAX;

/// The key of a free slot: no order's, whose session is below [`OrderKey::SESSIONS_MAX`].
const FREE: u64 = u64::MAX;

/// Numbers that stand together: the low bits of a key that are not scattered.
const TOGETHER_BITS: u32 = 4;
const TOGETHER: u64 = 1 << TOGETHER_BITS;

impl Table {
    pub(super) fn new(slots: usize) -> Self {
        let order = EngineOrder {
            instrument: InstrumentId::NONE,
            open_wire: 0,
        };
        let free = |next: usize| Slot {
            key: FREE,
            order,
            next: if next == slots { NONE } else { next as u32 },
        };
        let heads = slots.next_power_of_two().max(1 << TOGETHER_BITS);
        Self {
            heads: vec![NONE; heads].into_boxed_slice(),
            slots: (1..=slots).map(free).collect(),
            free: 0,
        }
    }

    pub(super) fn at(&self, place: Place) -> &EngineOrder {
        &self.slots[place.0 as usize].order
    }

    pub(super) fn at_mut(&mut self, place: Place) -> &mut EngineOrder {
        &mut self.slots[place.0 as usize].order
    }

    /// Slots that hold an order, in no order.
    pub(super) fn held(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.key != FREE)
    }

    pub(super) fn find(&self, key: OrderKey) -> Option<Place> {
        self.find_in(self.chain(key), key)
    }

    pub(super) fn find_in(&self, chain: usize, key: OrderKey) -> Option<Place> {
        let mut at = self.heads[chain];
        while at != NONE {
            let slot = &self.slots[at as usize];
            if slot.key == key.raw() {
                return Some(Place(at));
            }
            at = slot.next;
        }
        None
    }

    pub(super) const fn has_room(&self) -> bool {
        self.free != NONE
    }

    /// Puts an order that is not here into a free slot, of which there is one: there are as many as orders
    /// may be open and closed ones may be kept.
    pub(super) fn insert(&mut self, chain: usize, key: OrderKey, order: EngineOrder) {
        let at = self.free;
        let slot = &mut self.slots[at as usize];
        self.free = slot.next;
        *slot = Slot {
            key: key.raw(),
            order,
            next: self.heads[chain],
        };
        self.heads[chain] = at;
    }

    /// Frees the slot of an order, unless that is open or not here.
    pub(super) fn forget_closed(&mut self, key: OrderKey) {
        let chain = self.chain(key);
        let (mut before, mut at) = (NONE, self.heads[chain]);
        while at != NONE && self.slots[at as usize].key != key.raw() {
            (before, at) = (at, self.slots[at as usize].next);
        }
        let Some(slot) = self.slots.get_mut(at as usize) else {
            return;
        };
        if slot.order.open_wire > 0 {
            return;
        }
        slot.key = FREE;
        let behind = std::mem::replace(&mut slot.next, self.free);
        self.free = at;
        match self.slots.get_mut(before as usize) {
            Some(before) => before.next = behind,
            None => self.heads[chain] = behind,
        }
    }

    /// Asks for the line of an order's chain, and so of those of the numbers beside it.
    pub(super) fn expect(&self, key: OrderKey) {
        prefetch(&self.heads[self.chain(key)]);
    }

    /// Where the first order of a line has come, asks for the line of those that follow: the numbers of a session
    /// mostly do, and a line is far away by the time that it is used again.
    pub(super) fn expect_after(&self, key: OrderKey) {
        if key.raw() % TOGETHER == 0 {
            prefetch(&self.heads[self.chain_of(key.raw().wrapping_add(TOGETHER))]);
        }
    }

    /// The chain that an order with this key is in.
    pub(super) const fn chain(&self, key: OrderKey) -> usize {
        self.chain_of(key.raw())
    }

    const fn chain_of(&self, key: u64) -> usize {
        let scattered = (key >> TOGETHER_BITS).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let together = key & (TOGETHER - 1);
        ((scattered << TOGETHER_BITS | together) as usize) & (self.heads.len() - 1)
    }

    /// How many orders it holds; those free are the others, each once.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let (mut free, mut at) = (0, self.free);
        while let Some(slot) = self.slots.get(at as usize) {
            assert_eq!(slot.key, FREE);
            free += 1;
            at = slot.next;
        }
        let count = self.held().count();
        assert_eq!(free + count, self.slots.len());
        count
    }
}
