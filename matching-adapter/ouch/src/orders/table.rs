//! The memory of the engine's orders: a slot each, found by key.
//!
//! Part of the orders. Clients choose the numbers, so which chain one is in follows from a secret as well: see
//! [`HashSeed`]. Invariants: each slot is in one chain or free; an order stays in its slot until it is
//! forgotten; nothing grows.

use portcullis_domain::{HashSeed, InstrumentId, OrderKey};
use portcullis_runtime::prefetch;

use super::EngineOrder;
use crate::chains::{Chains, TOGETHER};

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
    chains: Chains,
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

impl Table {
    pub(super) fn new(slots: usize, seed: HashSeed) -> Self {
        let order = EngineOrder {
            instrument: InstrumentId::NONE,
            open_wire: 0,
        };
        let free = |next: usize| Slot {
            key: FREE,
            order,
            next: if next == slots { NONE } else { next as u32 },
        };
        let (chains, heads) = Chains::new(slots, seed);
        Self {
            heads: vec![NONE; heads].into_boxed_slice(),
            slots: (1..=slots).map(free).collect(),
            free: 0,
            chains,
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

    /// The same, in the chain that it is in.
    #[inline]
    pub(super) fn find_in(&self, chain: usize, key: OrderKey) -> Option<Place> {
        let mut at = self.heads[chain];
        while let Some(slot) = self.slots.get(at as usize) {
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
    #[inline]
    pub(super) fn expect(&self, key: OrderKey) {
        prefetch(&self.heads[self.chain(key)]);
    }

    /// Where the first order of a line has come, asks for the line of those that follow: the numbers of a session
    /// mostly do, and a line is far away by the time that it is used again. Once it is there, also for what stands in
    /// their chains, of which as many hold an order of long ago as do not.
    #[inline]
    pub(super) fn expect_after(&self, key: OrderKey) {
        let raw = key.raw();
        if raw.is_multiple_of(TOGETHER) {
            prefetch(&self.heads[self.chains.of(raw.wrapping_add(TOGETHER))]);
        }
        self.expect_newest_of(self.chains.of(raw.wrapping_add(TOGETHER / 2)));
    }

    /// Asks for the newest order of the chain that this key is in, whose line was asked for.
    #[inline]
    pub(super) fn expect_newest(&self, key: OrderKey) {
        self.expect_newest_of(self.chain(key));
    }

    #[inline]
    fn expect_newest_of(&self, chain: usize) {
        if let Some(slot) = self.slots.get(self.heads[chain] as usize) {
            prefetch(slot);
        }
    }

    /// The chain that an order with this key is in.
    pub(super) const fn chain(&self, key: OrderKey) -> usize {
        self.chains.of(key.raw())
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

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{SessionId, UserRef};

    fn key(number: u32) -> OrderKey {
        OrderKey::new(SessionId::new(3), UserRef::new(number))
    }

    /// Orders that those with these keys passed by, all in all, and the most that one did.
    fn passed(slots: usize, seed: HashSeed, keys: &[OrderKey]) -> (usize, u32) {
        let mut table = Table::new(slots, seed);
        let order = EngineOrder {
            instrument: InstrumentId::NONE,
            open_wire: 1,
        };
        let (mut passed, mut most) = (0, 0);
        for key in keys {
            let chain = table.chain(*key);
            assert!(table.find_in(chain, *key).is_none());
            let (mut at, mut before) = (table.heads[chain], 0);
            while at != NONE {
                before += 1;
                at = table.slots[at as usize].next;
            }
            table.insert(chain, *key, order);
            passed += before as usize;
            most = most.max(before);
        }
        (passed, most)
    }

    /// A client picks its numbers. Where it knows how they are scattered each walks past all before it; where
    /// it does not, its picks are as good as any.
    #[test]
    fn who_does_not_know_the_seed_cannot_pick_numbers_of_one_chain() {
        const SLOTS: usize = 2_048;
        const PICKED: usize = 1_000;
        let known = HashSeed::FIXED;
        let table = Table::new(SLOTS, known);
        let chain = table.chain(key(1));
        let picked = (1..u32::MAX).map(key);
        let picked = picked.filter(|key| table.chain(*key) == chain);
        let picked: Vec<OrderKey> = picked.take(PICKED).collect();
        let all = PICKED * (PICKED - 1) / 2;
        assert_eq!(passed(SLOTS, known, &picked), (all, PICKED as u32 - 1));
        for word in 1..64_u64 {
            let words = [word, word + 64].map(|word| known.scatter(word));
            let (walked, longest) = passed(SLOTS, HashSeed::from_words(words), &picked);
            assert!(walked < PICKED, "{walked} under seed {word}");
            assert!(longest < 16, "{longest} under seed {word}");
        }
    }

    /// Every sixteenth number alone would leave the other heads of each line free.
    #[test]
    fn numbers_that_end_alike_use_all_chains() {
        let keys: Vec<OrderKey> = (1..=1_000).map(|at| key(at * TOGETHER as u32)).collect();
        let (walked, longest) = passed(1_024, HashSeed::FIXED, &keys);
        assert!(walked < keys.len() && longest < 16, "{walked}, {longest}");
    }

    #[test]
    fn the_smallest_table_has_a_chain_for_each_key() {
        for slots in [1, 2, 16, 31, 32, 33, 64] {
            let table = Table::new(slots, HashSeed::FIXED);
            let chains = (1..4_096).map(|number| table.chain(key(number)));
            let highest = chains.max();
            assert_eq!(highest, Some(table.heads.len() - 1), "{slots}");
        }
    }
}
