//! Positions as words: the slots that were used, and the queue of those that are idle.
//!
//! Risk thread for saving. Lots on hold, adverse sums and the accounts' lists are worked out anew from the
//! open orders; the order of a list decides nothing. Where a position's sums are kept, and how far its
//! limits are said to reach, is saved: what is told of it without a look depends on them.

use super::adverse::KeptAt;
use super::{Position, Positions, key};
use crate::instruments::Interest;
use crate::ledger::{INTEREST_MAX, Ledger, MONEY_MAX};
use crate::order::NONE;
use crate::orders::{LIMIT_MAX, Orders};
use crate::saved::{Read, Words};
use portcullis_domain::{AccountId, InstrumentId, Side};

impl Positions {
    pub(crate) fn save(&self, push: &mut impl FnMut(u64)) {
        push(self.used as u64);
        let mut from = 0;
        while let Some(slot) = self.next_used(from) {
            push(slot.into());
            self.get(slot).save(push);
            from = slot + 1;
        }
        push(self.idle.len() as u64);
        self.idle.iter().for_each(|slot| push(slot.into()));
    }

    /// The slots, without what open orders make of them, and the idle. `known` says how many accounts
    /// and instruments there are.
    pub(crate) fn load(&mut self, known: (usize, usize), words: &mut Words<'_>) -> Read<()> {
        words.begin("positions");
        self.used = words.at_most(self.slots.len(), "more positions than there is room for")?;
        let mut from = 0;
        for _ in 0..self.used {
            let last = self.slots.len() - 1;
            let slot = words.at_most(last, "a position where there is no room for one")? as u32;
            words.must(slot >= from, "positions out of order")?;
            from = slot + 1;
            self.load_at(slot, Position::load(known, words)?, words)?;
        }
        let idle = words.at_most(self.used, "more idle positions than there are")?;
        for _ in 0..idle {
            let last = self.slots.len() - 1;
            let slot = words.at_most(last, "an idle position that is none")?;
            let used = !self.vacant.is_vacant(slot as u32);
            words.must(used, "an idle position that is none")?;
            let again = core::mem::replace(&mut self.slots[slot].queued, true);
            words.must(!again, "a position that is idle twice")?;
            self.idle.push(slot as u32);
        }
        Ok(())
    }

    fn load_at(&mut self, slot: u32, position: Position, words: &Words<'_>) -> Read<()> {
        let account = AccountId::new(position.account);
        let instrument = InstrumentId::new(position.instrument);
        let new = self.find(account, instrument).is_none();
        words.must(new, "two positions of an account in an instrument")?;
        let name = key(position.account, position.instrument);
        self.index.insert(name, slot.into());
        self.vacant.take(slot);
        self.slots[slot as usize] = position;
        Ok(())
    }

    /// Takes an open order into the position it says it has, at the head of its list.
    pub(crate) fn load_order(
        &mut self,
        slot: u32,
        orders: &mut Orders,
        words: &Words<'_>,
    ) -> Read<()> {
        let order = orders.whole(slot);
        let (side, lots) = (order.side, order.hold(None).lots);
        let found = self.slots.get_mut(order.position as usize);
        let position = found.ok_or(words.wrong("an open order of no position"))?;
        let same = (position.account, position.instrument) == (order.account, order.instrument);
        words.must(same, "an open order of another's position")?;
        let held = position.on_hold_mut(side);
        let total = held.checked_add(lots).filter(|lots| *lots <= INTEREST_MAX);
        *held = total.ok_or(words.wrong("more lots on hold than can be"))?;
        orders.link(slot, &mut position.first_order);
        Ok(())
    }
}

impl Ledger {
    /// Sums each position's orders up, adds it to open interest, and puts it into its account's list.
    pub(crate) fn load_positions(&mut self, words: &Words<'_>) -> Read<()> {
        let mut from = 0;
        while let Some(slot) = self.positions.next_used(from) {
            from = slot + 1;
            let position = self.positions.get_mut(slot);
            position.load_adverse(&self.orders, words)?;
            let (account, instrument) = (position.account, position.instrument);
            let interest = Interest::of(position);
            let placed = !position.is_flat() || position.queued;
            words.must(placed, "a flat position that is not idle")?;
            let instrument = self.instruments.get_mut(instrument);
            instrument.load_interest(&interest, words)?;
            let first = &mut self.accounts.get_mut(account).first_position;
            self.positions.relink(slot, true, first);
        }
        Ok(())
    }
}

impl Position {
    fn save(&self, push: &mut impl FnMut(u64)) {
        let holds = self.first_order != NONE;
        push(key(self.account, self.instrument));
        push(self.net as u64);
        push(self.cost as u64);
        push(self.volume_tat_ns);
        push(u64::from(self.settlements) << 32 | u64::from(holds));
        if holds {
            let (buy_limit_max, sell_limit_min) = self.reach();
            push(self.kept_at.word());
            push(buy_limit_max as u64);
            push(sell_limit_min as u64);
        }
    }

    fn load((accounts, instruments): (usize, usize), words: &mut Words<'_>) -> Read<Self> {
        let (account, instrument) = words.halves()?;
        let known = AccountId::new(account).index() < accounts
            && InstrumentId::new(instrument).index() < instruments;
        words.must(known, "an account or instrument that there is not")?;
        let mut position = Self {
            account,
            instrument,
            net: words.signed_within(INTEREST_MAX, "lots out of range")?,
            cost: words.signed_within(MONEY_MAX as i64, "a cost out of range")?,
            volume_tat_ns: words.word()?,
            ..Self::FREE
        };
        let (settlements, marks) = words.halves()?;
        words.must(marks <= 1, "marks that no position has")?;
        position.settlements = settlements;
        if marks == 1 {
            let kept_at = KeptAt::of_word(words.word()?);
            let known = kept_at.price() <= LIMIT_MAX;
            words.must(known, "a price out of range")?;
            position.kept_at = kept_at;
            position.buy_limit_max = words.signed()?;
            position.sell_limit_min = words.signed()?;
        }
        Ok(position)
    }

    /// The adverse sums at the price at which they are kept. The limits must be those of the orders, or
    /// beyond.
    fn load_adverse(&mut self, orders: &Orders, words: &Words<'_>) -> Read<()> {
        let kept_at = self.kept_at;
        let reach = (self.buy_limit_max, self.sell_limit_min);
        self.walk_orders(self.adverse_at(), orders);
        for (side, far, true_one) in [
            (Side::Buy, reach.0, self.buy_limit_max),
            (Side::Sell, -reach.1.max(-i64::MAX), -self.sell_limit_min),
        ] {
            let beyond = far >= true_one && far <= LIMIT_MAX;
            let holds = self.on_hold(side) > 0;
            words.must(
                if holds { beyond } else { far == true_one },
                "a limit that its orders are beyond",
            )?;
        }
        (self.buy_limit_max, self.sell_limit_min) = reach;
        if !kept_at.is_one_limit() {
            return Ok(());
        }
        let one = self.has_one_limit(orders) && reach == kept_at.reach(self.open_buy > 0);
        words.must(one, "orders of more limits than one")?;
        self.kept_at = kept_at;
        Ok(())
    }
}
