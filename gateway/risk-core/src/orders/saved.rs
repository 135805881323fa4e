//! The order slab as words: slots that were used, the queue of those that may be used again, and the
//! numbers of past versions.
//!
//! Risk thread for saving. Slots never used stand first in the queue, in order, so that only their first
//! is told. Which slots are open, who uses the reserve and what numbers name follows from the orders.
//! Invariant: whatever the words, each slot is open or in the queue once, and each number names one order.

use super::{Freed, Order, OrderState, Orders, PENDING_MAX, Past, Version};
use crate::order::{Marks, NO_VERSION, NONE};
use crate::saved::{Read, Words};
use portcullis_domain::{OrderId, OrderKey, SessionId, Side, TimeInForce};

/// No limit, and no price that adverse money is kept at, is above: twice the highest price that loads.
pub(crate) const LIMIT_MAX: i64 = 1 << 61;

/// No version has more lots open.
const LEAVES_MAX: i64 = 1 << 61;

/// How many of what an order names there are.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(crate) accounts: usize,
    pub(crate) instruments: usize,
    pub(crate) sessions: usize,
}

impl Orders {
    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        let used = self.used();
        push(used as u64);
        for slot in 0..used as u32 {
            self.save_order(slot, push);
        }
        let unused = self.slots.len() - used;
        for freed in self.free.iter().skip(unused) {
            push(freed.slot.into());
        }
        push(self.past.len() as u64);
        for past in self.past.iter() {
            push(past.key.raw());
            push(past.id.raw());
        }
    }

    /// Gives the slab's canonical words to `push`.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        for slot in 0..self.slots_len() {
            let order = self.whole(slot);
            if order.state == OrderState::Free {
                continue;
            }
            push(u64::from(slot) << 32 | u64::from(order.generation));
            let flags = u64::from(order.is_reserved()) | u64::from(order.is_canceling()) << 1;
            push(u64::from(order.account) << 32 | u64::from(order.instrument));
            push(u64::from(order.position) << 32 | u64::from(order.session.raw()));
            push(
                flags << 24
                    | (order.side as u64) << 16
                    | (order.state as u64) << 8
                    | u64::from(order.row),
            );
            push(order.executed as u64);
            for version in order.versions() {
                push(version.price as u64);
                push(version.leaves as u64);
                push(u64::from(version.number) << 8 | version.time_in_force as u64);
            }
        }
        push(self.general_used);
        push(self.past.len() as u64);
    }

    /// Slots that were ever used: all before the first that never was.
    fn used(&self) -> usize {
        let unused = |freed: &Freed| {
            let order = self.get(freed.slot);
            order.state == OrderState::Free && order.generation == 0
        };
        self.slots.len() - self.free.iter().take_while(unused).count()
    }

    fn save_order(&self, slot: u32, push: &mut impl FnMut(u64)) {
        let order = self.whole(slot);
        let low = u32::from(order.row)
            | (order.side as u32) << 8
            | (order.state as u32) << 16
            | u32::from(order.marks.raw()) << 24;
        push(u64::from(order.generation) << 32 | u64::from(low));
        if order.state == OrderState::Free {
            return;
        }
        push(u64::from(order.account) << 32 | u64::from(order.instrument));
        push(u64::from(order.position) << 32 | u64::from(order.session.raw()));
        push(order.executed as u64);
        order.versions().for_each(|version| version.save(push));
    }

    pub(crate) fn load(&mut self, known: Known, words: &mut Words<'_>) -> Read<()> {
        words.begin("orders");
        let used = words.at_most(self.slots.len(), "more orders than there is room for")?;
        let mut open = 0;
        for slot in 0..used {
            self.load_order(slot, known, words)?;
            open += usize::from(self.slots[slot].is_open());
        }
        words.begin("order slots");
        self.load_queue(used, open, words)?;
        words.begin("past versions");
        self.load_past(words)
    }

    fn load_order(&mut self, slot: usize, known: Known, words: &mut Words<'_>) -> Read<()> {
        let (generation, low) = words.halves()?;
        let mut order = Order {
            generation,
            ..Order::FREE
        };
        order.row = low as u8;
        let side = Side::from_raw((low >> 8) as u8);
        order.side = side.ok_or(words.wrong("a side that there is not"))?;
        let state = OrderState::from_raw((low >> 16) as u8);
        order.state = state.ok_or(words.wrong("a state that no order has"))?;
        let marks = Marks::from_raw((low >> 24) as u8);
        order.marks = marks.ok_or(words.wrong("marks that no order has"))?;
        if order.state == OrderState::Free {
            // Else it would be saved among those never used.
            words.must(generation > 0, "a used slot that no order ever had")?;
            self.slots[slot] = order;
            return Ok(());
        }
        (order.account, order.instrument) = words.halves()?;
        let (position, session) = words.halves()?;
        (order.position, order.session) = (position, SessionId::new(session));
        let fits = (order.account as usize) < known.accounts
            && (order.instrument as usize) < known.instruments
            && order.session.index() < known.sessions;
        words.must(fits, "an account, instrument or session that there is not")?;
        order.executed = words.amount(i64::MAX, "lots executed below 0")?;
        order.confirmed = Version::load(words)?;
        let (open, leaves) = (order.is_open(), order.confirmed.leaves);
        words.must(
            open == (leaves > 0),
            "an order open without lots, or closed with some",
        )?;
        let pending = order.marks.pending_len();
        words.must(
            open || pending == 0,
            "a closed order with versions unanswered",
        )?;
        let mut versions = [NO_VERSION; PENDING_MAX];
        for version in &mut versions[..pending] {
            *version = Version::load(words)?;
        }
        self.pending[slot] = versions;
        self.slots[slot] = order;
        self.load_numbers(slot, words)
    }

    /// Counts a slot, and lets its numbers name it.
    fn load_numbers(&mut self, slot: usize, words: &Words<'_>) -> Read<()> {
        let order = &self.slots[slot];
        let general = order.is_open() && !order.is_reserved();
        self.general_used += u64::from(general);
        self.pending_used += order.marks.pending_len();
        let fits = self.general_used <= self.general_max && self.pending_used <= self.slots.len();
        words.must(
            fits,
            "more orders open, or versions unanswered, than can be",
        )?;
        let pending = &self.pending[slot][..order.marks.pending_len()];
        for version in core::iter::once(&order.confirmed).chain(pending) {
            let key = order.key(version.number);
            words.must(self.numbers.find(key).is_none(), "a number of two orders")?;
            self.numbers.put(key, slot as u32);
        }
        Ok(())
    }

    /// Slots never used, then those of the words. While they are read, a bit stands for each slot that is
    /// open or has come.
    fn load_queue(&mut self, used: usize, open: usize, words: &mut Words<'_>) -> Read<()> {
        self.mark_open();
        self.free.clear();
        for slot in used..self.slots.len() {
            self.free.put(Freed::unused(slot as u32));
        }
        // As many as are left of the used ones.
        for _ in 0..used - open {
            let slot = words.at_most(used - 1, "a slot that was never used")?;
            let (word, bit) = (slot / 64, 1 << (slot % 64));
            words.must(self.open[word] & bit == 0, "a slot free twice, or open")?;
            self.open[word] |= bit;
            self.free.put(self.freed(slot as u32));
        }
        self.mark_open();
        Ok(())
    }

    fn mark_open(&mut self) {
        self.open.fill(0);
        for (slot, order) in self.slots.iter().enumerate() {
            self.open[slot / 64] |= u64::from(order.is_open()) << (slot % 64);
        }
    }

    fn load_past(&mut self, words: &mut Words<'_>) -> Read<()> {
        let len = words.at_most(self.past.room(), "more than there is room for")?;
        self.past.clear();
        for _ in 0..len {
            let key = OrderKey::from_raw(words.word()?);
            let key = key.ok_or(words.wrong("a number of no session"))?;
            let id = OrderId::from_raw(words.word()?);
            let place = self.past.put(Past { key, id });
            if id == OrderId::NONE {
                continue;
            }
            words.must(id.slot() < self.slots.len(), "a number of no order")?;
            words.must(self.numbers.find(key).is_none(), "a number of two orders")?;
            self.numbers.put(key, (self.slots.len() + place) as u32);
        }
        Ok(())
    }

    /// Puts an open order at the head of its position's list.
    pub(crate) fn link(&mut self, slot: u32, first: &mut u32) {
        let next = core::mem::replace(first, slot);
        if next != NONE {
            self.get_mut(next).previous = slot;
        }
        let order = self.get_mut(slot);
        (order.next, order.previous) = (next, NONE);
    }
}

impl Version {
    fn save(&self, push: &mut impl FnMut(u64)) {
        push(self.price as u64);
        push(self.leaves as u64);
        push(u64::from(self.number) << 8 | self.time_in_force as u64);
    }

    fn load(words: &mut Words<'_>) -> Read<Self> {
        let price = words.amount(LIMIT_MAX, "a limit out of range")?;
        let leaves = words.amount(LEAVES_MAX, "lots out of range")?;
        let word = words.word()?;
        let number = u32::try_from(word >> 8).map_err(|_| words.wrong("a number out of range"))?;
        let time_in_force = TimeInForce::from_raw(word as u8);
        Ok(Self {
            price,
            leaves,
            number,
            time_in_force: time_in_force.ok_or(words.wrong("a time in force that there is not"))?,
        })
    }
}
