//! Positions: what an account has in one instrument, and what its open orders could make of it.
//!
//! Risk thread. Invariants: `open_buy` and `open_sell` are the lots on hold of the open orders in
//! the list; a position is in its account's list exactly while it is involved (net or a hold is not
//! zero), and among the idle otherwise; a slot is given away only when it holds nothing that a later
//! decision could read; none moves while it is a position. Which slot a position has decides nothing: it
//! is one of its account's where there is room, so that its lines can be fetched before the index has told.

mod adverse;
mod idle;
mod saved;
mod stretch;
mod vacant;

extern crate alloc;

use crate::approach::LineSink;
use crate::capacities::Capacities;
use crate::key_index::KeyIndex;
use crate::order::NONE;
use crate::orders::List;
use adverse::KeptAt;
use alloc::boxed::Box;
use core::hint::select_unpredictable;
use idle::Idle;
use portcullis_domain::{AccountId, HashSeed, InstrumentId, Side};
use stretch::{Home, Stretches};
use vacant::Vacant;

/// One position: two lines that come together.
#[derive(Clone, Debug)]
#[repr(C, align(128))]
pub(crate) struct Position {
    /// Net lots, long positive.
    pub(crate) net: i64,
    /// Sum of signed lots x price x tick_lot_value since it was last flat, or settled.
    pub(crate) cost: i64,
    pub(crate) open_buy: i64,
    pub(crate) open_sell: i64,
    pub(crate) account: u32,
    pub(crate) instrument: u32,
    /// Head of the list of its open orders.
    pub(crate) first_order: u32,
    /// The next in the account's list of involved positions.
    pub(crate) next: u32,
    /// Theoretical arrival time of the account's volume.
    pub(crate) volume_tat_ns: u64,
    /// Where adverse money is known.
    kept_at: KeptAt,
    // The second line, which an order does not touch that has no others beside it.
    /// Adverse lots x ticks of its orders where they are kept.
    adverse_buys: i128,
    adverse_sells: i128,
    /// Highest limit of an open buy, lowest of an open sell, or beyond.
    buy_limit_max: i64,
    sell_limit_min: i64,
    /// The one before it in the list, once that was traced; see [`Positions::trace`].
    previous: u32,
    /// Settlements of the instrument that it has taken part in.
    pub(crate) settlements: u32,
    /// The second order of its list, while that has not been told which is first; see [`List`].
    untold_order: u32,
    /// Whether its slot stands among the idle.
    queued: bool,
}

const _: () = assert!(core::mem::offset_of!(Position, adverse_buys) == 64);
const _: () = assert!(size_of::<Position>() == 128, "a position is two lines");

impl Position {
    const FREE: Self = Self {
        net: 0,
        cost: 0,
        open_buy: 0,
        open_sell: 0,
        account: NONE,
        instrument: NONE,
        first_order: NONE,
        next: NONE,
        previous: NONE,
        settlements: 0,
        untold_order: NONE,
        kept_at: KeptAt::NOWHERE,
        adverse_buys: 0,
        adverse_sells: 0,
        buy_limit_max: i64::MIN,
        sell_limit_min: i64::MAX,
        volume_tat_ns: 0,
        queued: false,
    };

    /// max(|n + B|, |n - S|), in lots.
    pub(crate) fn worst(net: i64, open_buy: i64, open_sell: i64) -> i128 {
        let (net, buy, sell) = (i128::from(net), i128::from(open_buy), i128::from(open_sell));
        (net + buy).abs().max((net - sell).abs())
    }

    /// Lots on hold of one side.
    pub(crate) const fn on_hold(&self, side: Side) -> i64 {
        match side {
            Side::Buy => self.open_buy,
            Side::Sell => self.open_sell,
        }
    }

    /// The net position as the side sees it, if all its orders of the side filled.
    #[inline(always)]
    pub(crate) const fn would_be(&self, side: Side) -> i64 {
        match side {
            Side::Buy => self.net + self.open_buy,
            Side::Sell => self.open_sell - self.net,
        }
    }

    #[inline(always)]
    pub(crate) const fn on_hold_mut(&mut self, side: Side) -> &mut i64 {
        match side {
            Side::Buy => &mut self.open_buy,
            Side::Sell => &mut self.open_sell,
        }
    }

    /// Its lines.
    #[inline(always)]
    pub(crate) fn visit_lines(&self, lines: &mut impl LineSink) {
        self.visit_first(lines);
        self.visit_second(lines);
    }

    /// The line that an order touches.
    #[inline(always)]
    pub(crate) fn visit_first(&self, lines: &mut impl LineSink) {
        lines.line(&self.net);
    }

    /// The line that an order touches which has others beside it.
    #[inline(always)]
    pub(crate) fn visit_second(&self, lines: &mut impl LineSink) {
        lines.line(&self.buy_limit_max);
    }

    /// Puts it at the head of its account's list, which begins with `first`, unless it was in it already:
    /// without a branch, since half of the orders find it in, and without a line of another position.
    #[inline(always)]
    pub(crate) fn join(&mut self, listed: bool, slot: u32, first: &mut u32) {
        self.next = select_unpredictable(listed, self.next, *first);
        *first = select_unpredictable(listed, *first, slot);
    }

    /// The list of its open orders.
    #[inline(always)]
    pub(crate) const fn orders(&mut self) -> List<'_> {
        List {
            first: &mut self.first_order,
            untold: &mut self.untold_order,
        }
    }

    /// Whether it has open orders.
    #[inline(always)]
    pub(crate) const fn has_orders(&self) -> bool {
        self.open_buy | self.open_sell != 0
    }

    /// Whether it is nothing, and in no list.
    #[inline(always)]
    pub(crate) const fn is_flat(&self) -> bool {
        self.net | self.open_buy | self.open_sell == 0
    }
}

/// All positions.
#[derive(Debug)]
pub(crate) struct Positions {
    slots: Box<[Position]>,
    used: usize,
    vacant: Vacant,
    stretches: Stretches,
    index: KeyIndex,
    /// Those that became flat.
    idle: Idle,
}

/// Idle slots looked at in one claim of a full table: enough that it finds one where there is one,
/// unless hundreds of others became idle before it and have nothing to give yet.
const CLAIM_STEPS: usize = 256;

/// Slots at the front that are idle no more, dropped with each that comes, and in each tick: so
/// that those of a full table are idle, nearly all.
const DROPS_A_PUSH: usize = 2;
const DROPS_A_TICK: usize = 16;

fn key(account: u32, instrument: u32) -> u64 {
    u64::from(account) << 32 | u64::from(instrument)
}

impl Positions {
    pub(crate) fn new(capacities: &Capacities, seed: HashSeed) -> Self {
        let slots = capacities.positions_max as usize;
        Self {
            slots: alloc::vec![Position::FREE; slots].into_boxed_slice(),
            used: 0,
            vacant: Vacant::new(slots),
            stretches: Stretches::new(capacities.positions_max, capacities.accounts_max),
            index: KeyIndex::new(slots, seed),
            idle: Idle::new(slots),
        }
    }

    /// Lines that the key which ever had to go furthest passed by.
    pub(crate) const fn passed_max(&self) -> u32 {
        self.index.passed_max()
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> &Position {
        &self.slots[slot as usize]
    }

    /// The position in a slot, if it is one.
    #[inline(always)]
    pub(crate) fn at(&self, slot: u32) -> Option<&Position> {
        self.slots.get(slot as usize)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> &mut Position {
        &mut self.slots[slot as usize]
    }

    /// The slot of an account's position in an instrument, if it has one.
    #[inline]
    pub(crate) fn find(&self, account: AccountId, instrument: InstrumentId) -> Option<u32> {
        self.index
            .find(key(account.raw(), instrument.raw()))
            .map(|slot| slot as u32)
    }

    /// The position in a slot, if it is that of this account in this instrument.
    #[inline(always)]
    pub(crate) fn hinted(
        &self,
        slot: u32,
        account: AccountId,
        instrument: InstrumentId,
    ) -> Option<&Position> {
        let position = self.slots.get(slot as usize)?;
        let named = (position.account == account.raw()) & (position.instrument == instrument.raw());
        named.then_some(position)
    }

    /// An account's position in an instrument and its slot, if it has one: the hinted one, or that in the
    /// index.
    #[inline(always)]
    pub(crate) fn find_from(
        &mut self,
        hint: u32,
        account: AccountId,
        instrument: InstrumentId,
    ) -> Option<(u32, &mut Position)> {
        let hinted = self.hinted(hint, account, instrument).is_some();
        if hinted {
            return Some((hint, &mut self.slots[hint as usize]));
        }
        let slot = self.find(account, instrument)?;
        Some((slot, self.get_mut(slot)))
    }

    /// Where the slot of an account's position in an instrument stands written.
    #[inline(always)]
    pub(crate) fn visit_index(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        lines: &mut impl LineSink,
    ) {
        lines.line(self.index.home_of(key(account.raw(), instrument.raw())));
    }

    /// The rows in which an account's position in an instrument stands if it found its place, before the
    /// index has told: for who has nothing else to do meanwhile.
    #[inline(always)]
    pub(crate) fn visit_likely(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        lines: &mut impl LineSink,
    ) {
        let rows = self.stretches.home(account, instrument).rows();
        let rows = self.slots.get(rows).unwrap_or_default();
        // A whole group, as nearly all are: one address and no loop.
        if let [first, second, third, fourth] = rows {
            first.visit_first(lines);
            second.visit_first(lines);
            third.visit_first(lines);
            fourth.visit_first(lines);
            return;
        }
        rows.iter().for_each(|row| row.visit_first(lines));
    }

    /// A slot for a new pair: one never used, or one that nothing needs any more. `None` if a bounded
    /// search finds none. The pair's slot is idle until it is involved, so that another claim may
    /// take it.
    pub(crate) fn claim(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        settlements: u32,
        now_ns: u64,
    ) -> Option<u32> {
        let home = self.stretches.home(account, instrument);
        let slot = match self.vacant_for(home) {
            Some(slot) => {
                self.vacant.take(slot);
                self.used += 1;
                slot
            }
            None => self.reclaim(now_ns)?,
        };
        self.slots[slot as usize] = Position {
            account: account.raw(),
            instrument: instrument.raw(),
            settlements,
            queued: true,
            ..Position::FREE
        };
        self.index
            .insert(key(account.raw(), instrument.raw()), slot.into());
        self.idle.push(slot);
        self.drop_involved(DROPS_A_PUSH);
        Some(slot)
    }

    /// A slot never used: at home, else in its group, else the next from where the key says, so that an
    /// account with many positions does not take all from its neighbours.
    fn vacant_for(&self, home: Home) -> Option<u32> {
        if self.used == self.slots.len() {
            return None;
        }
        let near = home.group().find(|row| self.vacant.is_vacant(*row));
        near.or_else(|| {
            let scattered = u64::from(home.row()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let rows = self.slots.len() as u64;
            let from = (u128::from(scattered) * u128::from(rows)) >> 64;
            self.vacant.near(from as u32)
        })
    }

    /// The first idle slot that holds nothing: those that are involved again leave the idle, those
    /// whose volume still runs go to the end.
    fn reclaim(&mut self, now_ns: u64) -> Option<u32> {
        for _ in 0..CLAIM_STEPS.min(self.idle.len()) {
            let slot = self.idle.pop()?;
            let position = self.get_mut(slot);
            position.queued = false;
            if !position.is_flat() {
                continue;
            }
            if position.volume_tat_ns > now_ns {
                position.queued = true;
                self.idle.push(slot);
                continue;
            }
            let gone = key(position.account, position.instrument);
            self.index.remove(gone);
            return Some(slot);
        }
        None
    }

    /// Drops some that are idle no more, so that claims need not.
    pub(crate) fn tick(&mut self) {
        self.drop_involved(DROPS_A_TICK);
    }

    /// Drops slots that are idle no more from the front of the queue.
    fn drop_involved(&mut self, most: usize) {
        for _ in 0..most {
            let Some(slot) = self.idle.front() else {
                return;
            };
            if self.get(slot).is_flat() {
                return;
            }
            self.idle.pop();
            self.get_mut(slot).queued = false;
        }
    }

    /// Puts a position that was flat or not into its account's list or among the idle, as its lots demand.
    pub(crate) fn relink(&mut self, slot: u32, was_flat: bool, first: &mut u32) {
        let position = self.get_mut(slot);
        if !position.is_flat() {
            position.join(!was_flat, slot, first);
            return;
        }
        if !was_flat {
            self.became_flat(slot, first);
        }
    }

    /// Takes a position that became flat out of its account's list: mostly the first one of it, which stands among
    /// the idle still.
    #[inline(always)]
    pub(crate) fn became_flat(&mut self, slot: u32, first: &mut u32) {
        let position = self.get(slot);
        if *first == slot && position.previous == NONE && position.queued {
            let next = position.next;
            *first = next;
            if let Some(next) = self.slots.get_mut(next as usize) {
                next.previous = NONE;
            }
            return;
        }
        self.became_idle(slot, first);
    }

    /// The same of any, which is idle from then on.
    #[inline(never)]
    fn became_idle(&mut self, slot: u32, first: &mut u32) {
        let queued = core::mem::replace(&mut self.get_mut(slot).queued, true);
        self.leave(slot, first);
        if !queued {
            self.idle.push(slot);
            self.drop_involved(DROPS_A_PUSH);
        }
    }

    /// Takes a position out of its account's list.
    fn leave(&mut self, slot: u32, first: &mut u32) {
        if *first != slot && self.get(slot).previous == NONE {
            self.trace(slot, *first);
        }
        let (next, previous) = (self.get(slot).next, self.get(slot).previous);
        match previous {
            NONE => *first = next,
            _ => self.get_mut(previous).next = next,
        }
        if next != NONE {
            self.get_mut(next).previous = previous;
        }
        self.get_mut(slot).previous = NONE;
    }

    /// Tells each position of a list, from the first to this one, which is before it. A position that joins
    /// does not tell the one that was first: its line is another, and most leave before others have joined.
    /// Each is told once for having joined, so that leaving takes no longer, all in all.
    #[inline(never)]
    fn trace(&mut self, slot: u32, first: u32) {
        let mut before = first;
        while before != slot {
            let next = self.get(before).next;
            assert!(next != NONE, "a position is in its account's list");
            self.get_mut(next).previous = before;
            before = next;
        }
    }

    /// The first slot from this one on that is a position's.
    pub(crate) fn next_used(&self, from: u32) -> Option<u32> {
        self.vacant.next_taken(from, self.slots.len())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Position> {
        let mut from = 0;
        core::iter::from_fn(move || {
            let slot = self.next_used(from)?;
            from = slot + 1;
            Some(self.get(slot))
        })
    }

    /// Gives the canonical words of all positions to `push`.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        push(self.idle.len() as u64);
        self.idle.iter().for_each(|slot| push(slot.into()));
        for position in self.iter() {
            push(key(position.account, position.instrument));
            push(position.net as u64);
            push(position.cost as u64);
            push(position.open_buy as u64);
            push(position.open_sell as u64);
            push(position.settlements.into());
            push(position.volume_tat_ns);
        }
    }
}

#[cfg(test)]
mod tests;
