//! The order slab: every open order, the versions asked of it, and the numbers that name them.
//!
//! Risk thread. Invariants: a slot is used again only after all slots closed before it, so that a
//! late report still finds its order; slots kept for reducing orders are counted an account. Never
//! grows.

mod lines;
mod list;
mod numbers;
mod queue;
mod saved;

extern crate alloc;

pub(crate) use list::List;
pub(crate) use saved::{Known, LIMIT_MAX};

use crate::capacities::Capacities;
use crate::order::{Marks, NO_VERSION, NONE, Order, OrderState, PENDING_MAX, Version, WholeOrder};
use alloc::boxed::Box;
use core::hint::cold_path;
use numbers::{Home, Numbers};
use portcullis_domain::{
    AccountId, HashSeed, InstrumentId, OrderId, OrderKey, SessionId, Side, UserRef,
};
use queue::Queue;

/// What a slot is opened with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) session: SessionId,
    pub(crate) user_ref: UserRef,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) version: Version,
    pub(crate) position: u32,
    pub(crate) reserved: bool,
}

/// What a client's number names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// An open order, in this slot.
    Open(u32),
    /// An order that is closed but still known, in this slot.
    Closed(u32),
    /// Nothing that was ever admitted, or that is still remembered.
    Nothing,
}

/// A slot that may be used, and where the number of the order that stood last on it will be forgotten: so
/// that its line is known before that of the order has come.
#[derive(Clone, Copy, Debug)]
struct Freed {
    slot: u32,
    /// Of no number in particular where the slot was never used, or not since numbers began anew.
    forgotten: Home,
}

impl Freed {
    /// One that no order stood on.
    const fn unused(slot: u32) -> Self {
        Self {
            slot,
            forgotten: Home::FIRST,
        }
    }
}

/// A version that is gone. Its slot may have another order by now: then it names none.
#[derive(Clone, Copy, Debug)]
struct Past {
    key: OrderKey,
    id: OrderId,
}

impl Past {
    /// None yet.
    const NONE: Self = Self {
        key: OrderKey::NONE,
        id: OrderId::NONE,
    };
}

/// The slab.
#[derive(Debug)]
pub(crate) struct Orders {
    slots: Box<[Order]>,
    /// By slot, its unanswered versions: as many of them as the order says.
    pending: Box<[[Version; PENDING_MAX]]>,
    /// Slots free for use, a queue: those never used, then those closed longest ago.
    free: Queue<Freed>,
    general_used: u64,
    general_max: u64,
    /// Unanswered versions of all orders together; at most one a slot on average.
    pending_used: usize,
    /// From order key to slot, or to a place among the past behind all slots, for each version still
    /// remembered.
    numbers: Numbers,
    /// Versions that are gone, oldest first.
    past: Queue<Past>,
    /// One bit a slot: is it open. Sweeps walk this.
    open: Box<[u64]>,
}

impl Orders {
    pub(crate) fn new(capacities: &Capacities, seed: HashSeed) -> Self {
        let slots = capacities.orders_max as usize;
        let past = capacities.past_versions_max as usize;
        assert!(
            slots + past < NONE as usize,
            "what a number names is a word of 32 bits"
        );
        Self {
            slots: alloc::vec![Order::FREE; slots].into_boxed_slice(),
            pending: alloc::vec![[NO_VERSION; PENDING_MAX]; slots].into_boxed_slice(),
            free: Queue::full((0..capacities.orders_max).map(Freed::unused).collect()),
            general_used: 0,
            general_max: capacities.orders_general_max(),
            pending_used: 0,
            // Each slot's confirmed number, an equal number unanswered, and those that are past.
            numbers: Numbers::new(2 * slots + past, seed),
            past: Queue::empty(alloc::vec![Past::NONE; past].into_boxed_slice()),
            open: alloc::vec![0; slots.div_ceil(64)].into_boxed_slice(),
        }
    }

    /// Lines that the key which ever had to go furthest passed by.
    pub(crate) const fn passed_max(&self) -> u32 {
        self.numbers.passed_max()
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> &Order {
        &self.slots[slot as usize]
    }

    /// The order in a slot, if there is such a slot.
    #[inline(always)]
    pub(crate) fn at(&self, slot: u32) -> Option<&Order> {
        self.slots.get(slot as usize)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> &mut Order {
        &mut self.slots[slot as usize]
    }

    /// An order with its unanswered versions.
    #[inline]
    pub(crate) fn whole(&self, slot: u32) -> WholeOrder<'_> {
        let order = self.get(slot);
        let pending = &self.pending[slot as usize][..order.marks.pending_len()];
        WholeOrder { order, pending }
    }

    /// Takes lots from every version, none below 0.
    pub(crate) fn take(&mut self, slot: u32, lots: i64) {
        let order = self.get_mut(slot);
        order.confirmed.leaves = (order.confirmed.leaves - lots).max(0);
        let len = order.marks.pending_len();
        for version in &mut self.pending[slot as usize][..len] {
            version.leaves = (version.leaves - lots).max(0);
        }
    }

    pub(crate) fn slots_len(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Whether an order that may not use the reserve still finds a slot.
    pub(crate) const fn general_has_room(&self) -> bool {
        self.general_used < self.general_max
    }

    /// Whether one more unanswered version can be named.
    pub(crate) const fn has_room_for_version(&self) -> bool {
        self.pending_used < self.slots.len()
    }

    pub(crate) fn id(&self, slot: u32) -> OrderId {
        OrderId::new(slot, self.get(slot).generation)
    }

    /// What a client's number names.
    #[inline]
    pub(crate) fn named(&self, key: OrderKey) -> Named {
        match self.find(key) {
            None => Named::Nothing,
            Some((slot, order)) if order.is_open() => Named::Open(slot),
            Some((slot, _)) => Named::Closed(slot),
        }
    }

    /// The order that a client's number names, be it open or closed, and its slot.
    #[inline(always)]
    pub(crate) fn find(&self, key: OrderKey) -> Option<(u32, &Order)> {
        let (slot, generation) = self.slot_of(key)?;
        let order = &self.slots[slot as usize];
        let gone = generation.is_some_and(|generation| generation != order.generation);
        (!gone).then_some((slot, order))
    }

    /// The slot that a number names, and for a past version which of the orders that stood there.
    #[inline(always)]
    fn slot_of(&self, key: OrderKey) -> Option<(u32, Option<u32>)> {
        let named = self.numbers.find(key)?;
        let Some(place) = (named as usize).checked_sub(self.slots.len()) else {
            return Some((named, None));
        };
        cold_path();
        let id = self.past.at(place).id;
        Some((id.slot() as u32, Some(id.generation())))
    }

    /// The open order of one version in a slot, if its number is this one: which then names it, as one number
    /// names one order at the most.
    #[inline(always)]
    pub(crate) fn hinted(
        &self,
        slot: u32,
        session: SessionId,
        user_ref: UserRef,
    ) -> Option<&Order> {
        let order = self.at(slot)?;
        let named = (order.confirmed.number == user_ref.number)
            & (order.session == session)
            & (order.row == user_ref.row);
        (named && order.is_open() && !order.has_unanswered()).then_some(order)
    }

    /// Opens an order on the slot closed longest ago, at the head of its position's list.
    ///
    /// # Panics
    /// If no slot is free: admission counts them.
    #[inline(always)]
    pub(crate) fn open(&mut self, entry: &Entry, mut list: List<'_>) -> OrderId {
        let freed = self.free.take();
        let Freed { slot, forgotten } = freed.expect("order slots overrun");
        let next = list.join(slot, &mut self.slots);
        let order = &mut self.slots[slot as usize];
        let generation = match order.state {
            OrderState::Free => order.generation,
            OrderState::Open => panic!("an open order's slot stood in the free queue"),
            OrderState::Closed => {
                let gone = order.key(order.confirmed.number);
                self.numbers.remove_from(forgotten, gone);
                order.generation.wrapping_add(1)
            }
        };
        *order = Order {
            confirmed: entry.version,
            executed: 0,
            position: entry.position,
            account: entry.account.raw(),
            instrument: entry.instrument.raw(),
            session: entry.session,
            generation,
            next,
            previous: NONE,
            row: entry.user_ref.row,
            side: entry.side,
            state: OrderState::Open,
            marks: Marks::with_reserved(entry.reserved),
        };
        if !entry.reserved {
            // No more than there are slots.
            self.general_used = self.general_used.wrapping_add(1);
        }
        self.open[slot as usize / 64] |= 1 << (slot % 64);
        let key = OrderKey::new(entry.session, entry.user_ref);
        self.numbers.put(key, slot);
        OrderId::new(slot, generation)
    }

    /// Closes an order of one version and takes it out of its position's list: its confirmed number stays
    /// known until the slot is used again.
    #[inline(always)]
    pub(crate) fn close(&mut self, slot: u32, mut list: List<'_>) {
        let order = &mut self.slots[slot as usize];
        assert!(order.is_open(), "an order closes once");
        assert!(!order.has_unanswered(), "its other versions went before");
        order.confirmed.leaves = 0;
        order.state = OrderState::Closed;
        let forgotten = (self.numbers).home(order.key(order.confirmed.number));
        self.general_used -= u64::from(!order.is_reserved());
        list.leave(slot, &mut self.slots);
        self.open[slot as usize / 64] &= !(1 << (slot % 64));
        self.free.put(Freed { slot, forgotten });
    }

    /// What a slot with no open order is in the queue as.
    fn freed(&self, slot: u32) -> Freed {
        let order = self.get(slot);
        if order.state == OrderState::Free {
            return Freed::unused(slot);
        }
        let key = order.key(order.confirmed.number);
        let forgotten = self.numbers.home(key);
        Freed { slot, forgotten }
    }

    /// Adds an unanswered version.
    pub(crate) fn ask(&mut self, slot: u32, version: Version) {
        let len = self.get(slot).marks.pending_len();
        assert!(
            len < PENDING_MAX,
            "more versions asked for than can be unanswered"
        );
        self.pending[slot as usize][len] = version;
        self.set_pending_len(slot, len + 1);
        let order = self.get(slot);
        let key = OrderKey::new(order.session, order.user_ref(version.number));
        self.numbers.put(key, slot);
    }

    /// The unanswered version at `index` becomes the order; those before it are gone.
    pub(crate) fn confirm(&mut self, slot: u32, index: usize) {
        let pending = self.pending[slot as usize];
        let len = self.get(slot).marks.pending_len();
        assert!(
            index < len,
            "the version confirmed is one that was asked for"
        );
        self.remember_past(slot, self.get(slot).confirmed.number);
        for gone in &pending[..index] {
            self.remember_past(slot, gone.number);
        }
        self.get_mut(slot).confirmed = pending[index];
        self.pending[slot as usize].copy_within(index + 1.., 0);
        self.set_pending_len(slot, len - index - 1);
    }

    /// The unanswered version at `index` is refused; it and those after it are gone.
    pub(crate) fn refuse(&mut self, slot: u32, index: usize) {
        while self.get(slot).marks.pending_len() > index {
            let last = self.get(slot).marks.pending_len() - 1;
            self.set_pending_len(slot, last);
            self.remember_past(slot, self.pending[slot as usize][last].number);
        }
    }

    fn set_pending_len(&mut self, slot: u32, len: usize) {
        let marks = &mut self.get_mut(slot).marks;
        let before = marks.pending_len();
        marks.set_pending_len(len);
        self.pending_used = self.pending_used + len - before;
    }

    /// The next open slot at or after `from`.
    pub(crate) fn next_open(&self, from: u32) -> Option<u32> {
        let first = from as usize / 64;
        let mut mask = u64::MAX << (from % 64);
        for (index, word) in self.open.iter().enumerate().skip(first) {
            let bits = word & mask;
            if bits != 0 {
                return Some((index * 64) as u32 + bits.trailing_zeros());
            }
            mask = u64::MAX;
        }
        None
    }

    /// Which of the slots from this one to the end of its word of 64 are open, the first in the
    /// lowest bit; `None` behind the last word.
    #[inline]
    pub(crate) fn open_from(&self, slot: u32) -> Option<u64> {
        let word = self.open.get(slot as usize / 64)?;
        Some(word >> (slot % 64))
    }

    /// The orders of a position's list.
    pub(crate) fn list(&self, first: u32) -> impl Iterator<Item = WholeOrder<'_>> {
        let mut slot = first;
        core::iter::from_fn(move || {
            if slot == NONE {
                return None;
            }
            let order = self.whole(slot);
            slot = order.next;
            Some(order)
        })
    }

    /// A past version's number goes on naming its order until the ring comes round.
    fn remember_past(&mut self, slot: u32, number: u32) {
        let order = self.get(slot);
        let key = OrderKey::new(order.session, order.user_ref(number));
        let id = self.id(slot);
        if self.past.is_full()
            && let Some(oldest) = self.past.take()
        {
            self.numbers.remove(oldest.key);
        }
        let place = self.past.put(Past { key, id });
        self.numbers.put(key, (self.slots.len() + place) as u32);
    }

    /// Drops the confirmed number of the order that stood on a slot last.
    fn forget(&mut self, slot: u32) {
        let order = self.get(slot);
        if order.state == OrderState::Closed {
            self.numbers.remove(order.key(order.confirmed.number));
        }
    }

    /// Forgets every order that is closed and every past version's number: client numbers start
    /// anew. Touches each slot that was ever used.
    pub(crate) fn forget_closed(&mut self) {
        while let Some(past) = self.past.take() {
            self.numbers.remove(past.key);
        }
        for slot in 0..self.slots_len() {
            self.forget(slot);
            let order = self.get_mut(slot);
            if order.state == OrderState::Closed {
                order.state = OrderState::Free;
                order.generation = order.generation.wrapping_add(1);
            }
        }
    }
}
