//! The ledger: the only writer of exposure.
//!
//! Risk thread. Every change of a position or of an order's hold goes through here, so that lots on
//! hold, open notional, counts and the venue's open interest always are the sums they claim to be.
//! Invariants: nothing is ever rounded; cash - cost + n x P x v summed over everything equals
//! deposits less withdrawals and fees once both sides of each trade are in.

mod books;
mod saved;

pub(crate) use books::{Books, Part};

use crate::accounts::Accounts;
use crate::bound::{Bound, BoundLimits, Filled};
use crate::capacities::Capacities;
use crate::instruments::{Instruments, Interest};
use crate::limits::LimitTable;
use crate::order::{Hold, NONE};
use crate::orders::{Entry, Orders};
use crate::positions::{Position, Positions};
use portcullis_domain::{AccountId, HashSeed, InstrumentId, OrderId, quanta};

/// No cash and no cost may pass this, so that two of them and a position's value stay in i64.
pub(crate) const MONEY_MAX: i128 = 1 << 61;

/// No open interest may pass this.
pub(crate) const INTEREST_MAX: i64 = 1 << 61;

/// Accounts, positions, orders and instruments.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) accounts: Accounts,
    pub(crate) positions: Positions,
    pub(crate) orders: Orders,
    pub(crate) instruments: Instruments,
    /// Raised with each day start.
    pub(crate) day: u32,
    /// Raised with each flip; never 0.
    pub(crate) table_version: u32,
}

/// Lots that change hands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trade {
    /// Lots, a buy positive.
    pub(crate) signed: i64,
    /// Ticks.
    pub(crate) price: i64,
    /// Quanta charged for it.
    pub(crate) fee: i64,
}

impl Ledger {
    pub(crate) fn new(capacities: &Capacities, seed: HashSeed) -> Self {
        let accounts = Accounts::new(
            capacities.accounts_max as usize,
            capacities.firms_max as usize,
        );
        Self {
            accounts,
            positions: Positions::new(capacities, seed),
            orders: Orders::new(capacities, seed),
            instruments: Instruments::new(capacities.instruments_max as usize),
            day: 0,
            table_version: 1,
        }
    }

    /// Brings an account up to the day and to the table; the first step of whatever reads or changes
    /// it. The firm stays that of its open orders until it has none. Returns whether anything was to be
    /// done.
    #[inline(always)]
    pub(crate) fn touch(&mut self, account: AccountId, table: &LimitTable) -> bool {
        let behind = self.is_behind(account.raw());
        if behind {
            self.refresh(account, table);
        }
        behind
    }

    /// Whether an account must be brought up to the day or to the table.
    #[inline(always)]
    pub(crate) fn is_behind(&self, account: u32) -> bool {
        let this = self.accounts.get(account);
        this.day != self.day || this.table_version != self.table_version
    }

    #[cold]
    #[inline(never)]
    fn refresh(&mut self, account: AccountId, table: &LimitTable) {
        if self.accounts.get(account.raw()).day != self.day {
            self.begin_day(account, table);
        }
        self.take_row(account, table);
        let this = self.accounts.get_mut(account.raw());
        let firm = table.entry(account).map(|(_, firm)| firm);
        let Some((firm, limits)) = firm.and_then(|firm| Some((firm, table.firm(firm)?))) else {
            this.table_version = 0;
            return;
        };
        let now = (firm.raw(), limits.clearing_member);
        if this.open_orders == 0 {
            (this.firm, this.clearing_member) = now;
        }
        let settled = (this.firm, this.clearing_member) == now;
        this.table_version = if settled { self.table_version } else { 0 };
    }

    /// Takes over the row that the table has for an account. Its bound ends where it was worked out under
    /// other limits.
    pub(crate) fn take_row(&mut self, account: AccountId, table: &LimitTable) {
        let this = self.accounts.get_mut(account.raw());
        this.row = table.entry(account).map_or(NONE, |(row, _)| row);
        let of_bound = table
            .row(this.row)
            .map_or(BoundLimits::NONE, BoundLimits::of);
        if of_bound != this.bound_limits {
            (this.bound, this.unspent) = (Bound::NONE, None);
        }
    }

    /// Another table is in force.
    pub(crate) fn begin_table(&mut self) {
        self.table_version = self.table_version.wrapping_add(1).max(1);
    }

    /// The day base becomes the equity of the day's start: nothing of the account has changed since.
    #[cold]
    fn begin_day(&mut self, account: AccountId, table: &LimitTable) {
        let mut base = i128::from(self.accounts.get(account.raw()).cash);
        for slot in self.involved(account.raw()) {
            let position = self.positions.get(slot);
            let instrument = self.instruments.get(position.instrument);
            let limits = table.instrument(InstrumentId::new(position.instrument));
            if let (Some(price), Some(limits)) = (instrument.day_price, limits) {
                let value = i128::from(position.net) * i128::from(price);
                base += value * i128::from(limits.value.quanta()) - i128::from(position.cost);
            }
        }
        let day = self.day;
        let this = self.accounts.get_mut(account.raw());
        this.day = day;
        this.day_base = base.clamp(-MONEY_MAX, MONEY_MAX) as i64;
        this.bound = Bound::NONE;
    }

    /// Slots of the positions an account is involved in.
    pub(crate) fn involved(&self, account: u32) -> impl Iterator<Item = u32> {
        let mut slot = self.accounts.get(account).first_position;
        core::iter::from_fn(move || {
            if slot == NONE {
                return None;
            }
            let this = slot;
            slot = self.positions.get(this).next;
            Some(this)
        })
    }

    /// Takes part in the settlements a position has not taken part in yet. Of several, the last
    /// alone counts, since between them the position did not change. What the account's cash could
    /// not hold stays unsettled: its equity is the same.
    pub(crate) fn settle(&mut self, slot: u32, table: &LimitTable) {
        let position = self.positions.get(slot);
        let instrument = self.instruments.get(position.instrument);
        if position.settlements == instrument.settlements {
            return;
        }
        let Some(limits) = table.instrument(InstrumentId::new(position.instrument)) else {
            return;
        };
        let ticks = i128::from(position.net) * i128::from(instrument.settlement_price);
        let cost = ticks * i128::from(limits.value.quanta());
        let account = position.account;
        let cash = i128::from(self.accounts.get(account).cash) + cost - i128::from(position.cost);
        if cash.abs() > MONEY_MAX || cost.abs() > MONEY_MAX {
            return;
        }
        let settlements = instrument.settlements;
        self.accounts.get_mut(account).cash = cash as i64;
        let position = self.positions.get_mut(slot);
        position.cost = cost as i64;
        position.settlements = settlements;
    }

    /// Moves cash and day base alike; `false`, and nothing moved, where the account could not hold it.
    pub(crate) fn move_cash(&mut self, account: u32, quanta: i64) -> bool {
        let this = self.accounts.get_mut(account);
        let cash = i128::from(this.cash) + i128::from(quanta);
        let base = i128::from(this.day_base) + i128::from(quanta);
        if cash.abs() > MONEY_MAX || base.abs() > MONEY_MAX {
            return false;
        }
        this.cash = cash as i64;
        this.day_base = base as i64;
        this.move_room(quanta);
        true
    }

    /// Opens an order with its hold, that of its one version: so many lots, and `notional` quanta.
    pub(crate) fn open_order(&mut self, entry: &Entry, notional: i128) -> OrderId {
        let account = self.accounts.with_firms(entry.account.raw());
        let (account, firm, member) = account.expect("who has an order is there");
        let mut books = Books {
            account,
            firm,
            member,
            position: self.positions.get_mut(entry.position),
            instrument: self.instruments.get_mut(entry.instrument.raw()),
        };
        let was = books.position.would_be(entry.side);
        let hold = |open: &mut i128| *open += notional;
        books.open(entry, was, hold, &mut self.orders)
    }

    /// Changes an order's versions and, with them, what it holds.
    pub(crate) fn change_order(
        &mut self,
        slot: u32,
        table: &LimitTable,
        change: impl FnOnce(&mut Orders),
    ) {
        let before = self.held(slot);
        change(&mut self.orders);
        let order = self.orders.whole(slot);
        if order.is_open() {
            let (position, side) = (order.position, order.side);
            let newest = order.last_version().price;
            self.positions.get_mut(position).note_limit(side, newest);
        }
        self.rehold(slot, before, table);
    }

    /// The one unanswered version of an order becomes the order; `false`, and nothing changed, where more are
    /// unanswered.
    pub(crate) fn confirm_plain(&mut self, slot: u32, table: &LimitTable) -> bool {
        let order = self.orders.whole(slot);
        let [stays] = *order.pending else {
            return false;
        };
        if stays.leaves == 0 {
            return false;
        }
        let (gone, side) = (order.confirmed, order.side);
        let value = table
            .instrument(InstrumentId::new(order.instrument))
            .map_or(0, |limits| limits.value.quanta());
        let account = self.accounts.with_firms(order.account);
        let (account, firm, member) = account.expect("who has an order is there");
        let mut books = Books {
            account,
            firm,
            member,
            position: self.positions.get_mut(order.position),
            instrument: self.instruments.get_mut(order.instrument),
        };
        books.fall(side, &gone, &stays, value);
        self.orders.confirm(slot, 0);
        true
    }

    /// Closes an order and releases all it holds.
    pub(crate) fn close_order(&mut self, slot: u32, table: &LimitTable) {
        if self.orders.get(slot).has_unanswered() {
            self.change_order(slot, table, |orders| orders.refuse(slot, 0));
        }
        let gone = Part::whole(slot, self.orders.get(slot));
        self.close_single(&gone, table);
    }

    /// The same of an order that has one version.
    #[inline(always)]
    fn close_single(&mut self, gone: &Part, table: &LimitTable) {
        let value = table
            .instrument(InstrumentId::new(gone.instrument))
            .map_or(0, |limits| limits.value.quanta());
        let account = self.accounts.with_firms(gone.account);
        let (account, firm, member) = account.expect("who has an order is there");
        let mut books = Books {
            account: &mut *account,
            firm,
            member,
            position: self.positions.get_mut(gone.position),
            instrument: self.instruments.get_mut(gone.instrument),
        };
        // One whose last lots a fill took left its account's list then.
        let was_flat = gone.version.leaves == 0 && books.position.is_flat();
        books.close(gone, gone.version.notional(value), &mut self.orders);
        if books.position.is_flat() && !was_flat {
            let first = &mut account.first_position;
            self.positions.became_flat(gone.position, first);
        }
    }

    /// Closes an order of one version; `false`, and nothing changed, where its account must be brought up to the
    /// day or the table before.
    #[inline(always)]
    pub(crate) fn close_plain(&mut self, gone: &Part, table: &LimitTable) -> bool {
        if self.is_behind(gone.account) {
            return false;
        }
        self.close_single(gone, table);
        true
    }

    /// Books a fill of an order of one version, and gives back what its lots held; `false`, and nothing changed,
    /// where that must go by [`Ledger::fill`], if at all.
    #[inline(always)]
    pub(crate) fn fill_plain(&mut self, part: &Part, trade: &Trade, table: &LimitTable) -> bool {
        let Some(limits) = table.instrument(InstrumentId::new(part.instrument)) else {
            return false;
        };
        let value = limits.value.quanta();
        let behind = self.is_behind(part.account);
        let account = self.accounts.with_firms(part.account);
        let (account, firm, member) = account.expect("who has an order is there");
        let mut books = Books {
            account: &mut *account,
            firm,
            member,
            position: self.positions.get_mut(part.position),
            instrument: self.instruments.get_mut(part.instrument),
        };
        let unsettled = books.position.settlements != books.instrument.settlements;
        let Some(traded) = books.traded(trade, value).filter(|_| !behind && !unsettled) else {
            return false;
        };
        // Point of no return.
        books.fill(part, &traded, part.version.notional(value));
        (books.account).spend_fill(trade, part.instrument, books.instrument, value);
        let order = self.orders.get_mut(part.slot);
        order.executed += part.version.leaves;
        if !part.whole {
            order.confirmed.leaves -= part.version.leaves;
            return true;
        }
        books.count_closed(part, &mut self.orders);
        if books.position.is_flat() {
            let first = &mut account.first_position;
            self.positions.became_flat(part.position, first);
        }
        true
    }

    /// Books a fill against the hold of an open order, whose lots the caller then takes: RULES, Fill.
    /// The fill is no larger than the order and no worse than its limit. `false`, and nothing
    /// booked, as for a trade.
    pub(crate) fn fill(&mut self, order: u32, trade: Trade, table: &LimitTable) -> bool {
        let whole = self.orders.whole(order);
        let (slot, account, alone) = (whole.position, whole.account, whole.pending.is_empty());
        let settlements = self.positions.get(slot).settlements;
        let this = self.accounts.get(account);
        let filled = Filled {
            trade,
            bound: this.bound,
            unspent: this.unspent,
        };
        if !self.trade(slot, trade, table) {
            return false;
        }
        // With more versions its adverse money may fall by less than the fill loses; a settlement
        // may turn profit into loss.
        if alone && self.positions.get(slot).settlements == settlements {
            self.spend_fill(account, slot, &filled, table);
        }
        true
    }

    /// Books a trade into a position: RULES, Fill. `false`, and nothing booked, where cash, cost or
    /// open interest could not hold it.
    pub(crate) fn trade(&mut self, slot: u32, trade: Trade, table: &LimitTable) -> bool {
        self.settle(slot, table);
        let Trade { signed, price, fee } = trade;
        let position = self.positions.get(slot);
        let (account, net, instrument) = (position.account, position.net, position.instrument);
        let Some(limits) = table.instrument(InstrumentId::new(instrument)) else {
            return false;
        };
        let per_lot = i128::from(price) * i128::from(limits.value.quanta());
        let opposes = (signed > 0) != (net > 0) && net != 0;
        let closing = if opposes {
            signed.abs().min(net.abs()) * signed.signum()
        } else {
            0
        };
        let mut cost = i128::from(position.cost) + i128::from(closing) * per_lot;
        let mut cash = i128::from(self.accounts.get(account).cash) - i128::from(fee);
        if opposes && net + closing == 0 {
            cash -= cost;
            cost = 0;
        }
        cost += i128::from(signed - closing) * per_lot;
        let interest = self.instruments.get(instrument);
        let room = interest
            .open_interest
            .max(interest.long_would_be)
            .max(interest.short_would_be);
        let too_large = signed
            .checked_abs()
            .is_none_or(|lots| lots > INTEREST_MAX - room);
        if cash.abs() > MONEY_MAX || cost.abs() > MONEY_MAX || too_large {
            return false;
        }
        let this = self.accounts.get_mut(account);
        this.cash = cash as i64;
        (this.bound, this.unspent) = (Bound::NONE, None);
        self.change_position(slot, |position| {
            position.net += signed;
            position.cost = cost as i64;
        });
        true
    }

    /// What an order holds now, its adverse money at the price at which its position keeps it.
    fn held(&self, slot: u32) -> Hold {
        let order = self.orders.whole(slot);
        if !order.is_open() {
            return Hold::default();
        }
        let at = self.positions.get(order.position).adverse_at();
        order.hold(Some(at))
    }

    /// Makes position, account and firms hold what the order holds now instead of `before`.
    fn rehold(&mut self, slot: u32, before: Hold, table: &LimitTable) {
        let after = self.held(slot);
        let order = self.orders.get(slot);
        let (position, side, account) = (order.position, order.side, order.account);
        let instrument = InstrumentId::new(order.instrument);
        let value = table
            .instrument(instrument)
            .map_or(0, |limits| limits.value.quanta());
        self.change_position(position, |position| {
            *position.on_hold_mut(side) += after.lots - before.lots;
            assert!(
                position.on_hold(side) >= 0,
                "more lots released than were on hold"
            );
            let adverse = after.adverse_lot_ticks - before.adverse_lot_ticks;
            position.move_adverse(side, adverse);
        });
        let notional = quanta(after.lot_ticks - before.lot_ticks, value);
        self.count_notional(account, notional);
    }

    #[inline(always)]
    fn count_notional(&mut self, account: u32, change: i128) {
        let this = self.accounts.get_mut(account);
        this.open_notional += change;
        assert!(
            this.open_notional >= 0,
            "more notional released than was on hold"
        );
        let (firm, member) = (this.firm, this.clearing_member);
        self.accounts.firm_mut(firm).open_notional += change;
        if member != firm {
            self.accounts.firm_mut(member).open_notional += change;
        }
    }

    fn change_position(&mut self, slot: u32, change: impl FnOnce(&mut Position)) {
        let position = self.positions.get_mut(slot);
        let (was_flat, before) = (position.is_flat(), Interest::of(position));
        change(position);
        let after = Interest::of(position);
        let instrument = position.instrument;
        self.instruments
            .get_mut(instrument)
            .move_interest(&before, &after);
        self.relink(slot, was_flat);
    }

    /// Puts a position into its account's list or takes it out, as its lots demand.
    fn relink(&mut self, slot: u32, was_flat: bool) {
        let account = self.positions.get(slot).account;
        let mut first = self.accounts.get(account).first_position;
        self.positions.relink(slot, was_flat, &mut first);
        self.accounts.get_mut(account).first_position = first;
    }
}
