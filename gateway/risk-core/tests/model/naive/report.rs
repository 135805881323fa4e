//! What the engine says: fills, answers to replaces, the end of an order.
//!
//! Part of the naive model. Invariant: an execution that does not fit its order changes nothing
//! but the account's state.

use super::book::{Order, Position};
use super::{Naive, Side, TradingState, Word, signed};

impl Position {
    /// Books lots at a price in quanta a lot; returns what goes to cash.
    fn fill(&mut self, lots_signed: i128, per_lot: i128) -> i128 {
        let opposes = self.net.signum() * lots_signed.signum() < 0;
        let closing = if opposes {
            lots_signed.abs().min(self.net.abs())
        } else {
            0
        };
        let closing = closing * lots_signed.signum();
        let mut to_cash = 0;
        self.cost += closing * per_lot;
        self.net += closing;
        if closing != 0 && self.net == 0 {
            to_cash = -self.cost;
            self.cost = 0;
        }
        let rest = lots_signed - closing;
        self.cost += rest * per_lot;
        self.net += rest;
        to_cash
    }
}

impl Naive {
    /// The open order that a number names.
    pub(super) fn open_order(&self, id: u32) -> Option<&Order> {
        self.open.get(self.first_ids.get(&id)?)
    }

    pub(super) fn cancel(&self, id: u32) -> Word {
        if self.open_order(id).is_some() {
            Word::Forwarded
        } else {
            Word::Unknown
        }
    }

    pub(super) fn fill(&mut self, id: u32, lots: i128, price: i128) -> Word {
        let Some(first) = self.first_ids.get(&id).copied() else {
            return Word::Alarm;
        };
        let Some(mut order) = self.open.get(&first).cloned() else {
            let account = self.closed[&first].account;
            return self.halt(account);
        };
        let worse = match order.side {
            Side::Buy => price > order.confirmed.limit,
            Side::Sell => price < order.confirmed.limit,
        };
        if worse || lots > order.confirmed.leaves {
            return self.halt(order.account);
        }
        let per_lot = price * self.value(order.instrument);
        let account = self.accounts.get_mut(&order.account).expect("of an order");
        let position = account.positions.entry(order.instrument).or_default();
        account.cash += position.fill(signed(order.side, lots), per_lot);
        order.confirmed.leaves -= lots;
        for version in &mut order.pending {
            version.leaves = (version.leaves - lots).max(0);
        }
        self.put_back(order);
        Word::Ok
    }

    fn halt(&mut self, account: u32) -> Word {
        self.accounts.get_mut(&account).expect("of an order").state = TradingState::Halted;
        Word::Halt
    }

    /// Stores an order again; one whose confirmed version has nothing left is closed.
    fn put_back(&mut self, mut order: Order) {
        let first = order.first_id;
        if order.confirmed.leaves > 0 {
            self.open.insert(first, order);
        } else {
            order.pending.clear();
            self.open.remove(&first);
            self.closed.insert(first, order);
        }
    }

    pub(super) fn replaced(&mut self, id: u32, new: u32) -> Word {
        let (mut order, place) = match self.answered(id, new) {
            Ok(found) => found,
            Err(word) => return word,
        };
        order.confirmed = order.pending[place];
        order.pending.drain(..=place);
        self.put_back(order);
        Word::Ok
    }

    pub(super) fn replace_rejected(&mut self, id: u32, new: u32) -> Word {
        let (mut order, place) = match self.answered(id, new) {
            Ok(found) => found,
            Err(word) => return word,
        };
        order.pending.truncate(place);
        self.put_back(order);
        Word::Ok
    }

    /// The order and the place of an unanswered version in it, or what else the answer is.
    fn answered(&self, id: u32, new: u32) -> Result<(Order, usize), Word> {
        let first = self.first_ids.get(&id).ok_or(Word::Alarm)?;
        let order = self.open.get(first).unwrap_or_else(|| &self.closed[first]);
        if !order.ever.contains(&new) {
            return Err(Word::Alarm);
        }
        let place = order.pending.iter().position(|version| version.id == new);
        Ok((order.clone(), place.ok_or(Word::Ignored)?))
    }

    pub(super) fn close(&mut self, id: u32) -> Word {
        let Some(first) = self.first_ids.get(&id).copied() else {
            return Word::Alarm;
        };
        let Some(mut order) = self.open.remove(&first) else {
            return Word::Ignored;
        };
        order.pending.clear();
        self.closed.insert(first, order);
        Word::Ok
    }
}
