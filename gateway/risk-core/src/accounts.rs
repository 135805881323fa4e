//! Accounts and firms: cash, states, counts, schedules, and the bound that proves accepts.
//!
//! Risk thread. Invariants: `open_orders` and `open_notional` are those of the account's open
//! orders; an account that was not touched since the day began still holds the day base of an
//! earlier day, and is rolled before it is read.

pub(crate) mod saved;

extern crate alloc;

use crate::admission::Terms;
use crate::approach::LineSink;
use crate::bound::{Bound, BoundLimits};
use crate::limits::LimitTable;
use crate::limits::firm::FirmLimits;
use crate::order::NONE;
use alloc::boxed::Box;
use core::hint::cold_path;
use portcullis_domain::{FirmId, InstrumentId, Side, TradingState};

/// What the last order looked like, for the repeated-order guard.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct LastOrder {
    pub(crate) at_ns: u64,
    pub(crate) qty: i64,
    /// Limit, or `i64::MIN` for a market order.
    pub(crate) price: i64,
    /// Instrument and side together; see [`LastOrder::place`].
    pub(crate) place: u32,
    pub(crate) count: u32,
}

impl LastOrder {
    const NONE: Self = Self {
        at_ns: 0,
        qty: 0,
        price: 0,
        place: NONE,
        count: 0,
    };

    /// Instrument and side in one word: instruments are fewer than 2^30.
    #[inline(always)]
    pub(crate) const fn place(instrument: InstrumentId, side: Side) -> u32 {
        instrument.raw() << 1 | side as u32
    }
}

/// One account: a line that an order is held against, one that is rewritten by it, and money.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Account {
    pub(crate) open_notional: i128,
    pub(crate) rate_tat_ns: u64,
    pub(crate) bound: Bound,
    // The second line.
    pub(crate) last: LastOrder,
    pub(crate) open_orders: u32,
    /// First position in its list of those involved.
    pub(crate) first_position: u32,
    /// The day its day base is of.
    pub(crate) day: u32,
    /// The table that row, firm and clearing member were last looked up in; 0 where they must be
    /// looked up again.
    pub(crate) table_version: u32,
    /// Its row in the table; none where the table does not know it.
    pub(crate) row: u32,
    /// The firm and clearing member that its open orders count into.
    pub(crate) firm: u32,
    pub(crate) clearing_member: u32,
    /// Slots kept for reducing orders that it uses.
    pub(crate) reserved_used: u16,
    pub(crate) state: TradingState,
    /// Whether it was last found below its maintenance margin.
    pub(crate) below_maintenance: bool,
    // The third line: valuations and trades alone.
    pub(crate) cash: i64,
    pub(crate) day_base: i64,
    /// Headroom and sensitivity of the bound as they would be if no order had taken any, but what
    /// was filled.
    pub(crate) unspent: Option<(i64, i64)>,
    /// The limits that the bound was worked out under.
    pub(crate) bound_limits: BoundLimits,
}

const _: () = assert!(core::mem::offset_of!(Account, last) == 64);
const _: () = assert!(core::mem::offset_of!(Account, cash) == 128);
const _: () = assert!(size_of::<Account>() == 192, "an account is three lines");

impl Account {
    const EMPTY: Self = Self {
        open_notional: 0,
        rate_tat_ns: 0,
        bound: Bound::NONE,
        last: LastOrder::NONE,
        open_orders: 0,
        first_position: NONE,
        day: 0,
        table_version: 0,
        row: NONE,
        firm: 0,
        clearing_member: 0,
        reserved_used: 0,
        state: TradingState::Active,
        below_maintenance: false,
        cash: 0,
        day_base: 0,
        unspent: None,
        bound_limits: BoundLimits::NONE,
    };
}

impl Account {
    /// Orders like `terms` in a row, that one included.
    #[inline(always)]
    pub(crate) fn repeated(&self, terms: &Terms, window_ns: u64, now_ns: u64) -> i64 {
        let last = &self.last;
        let place = LastOrder::place(terms.instrument, terms.side);
        // Nearly no order is like the last, though each field may well be: one branch for the three.
        let differs = u64::from(last.place ^ place)
            | (last.qty ^ terms.qty) as u64
            | (last.price ^ terms.price.unwrap_or(i64::MIN)) as u64;
        if differs == 0 && now_ns - last.at_ns <= window_ns {
            cold_path();
            return i64::from(last.count) + 1;
        }
        1
    }

    /// The lines that an order touches.
    #[inline(always)]
    pub(crate) fn visit_lines(&self, lines: &mut impl LineSink) {
        lines.line(&self.rate_tat_ns);
        lines.line(&self.last.at_ns);
    }

    /// The lines that a change of its limits reads and writes.
    pub(crate) fn visit_limited(&self, lines: &mut impl LineSink) {
        lines.line(&self.last.at_ns);
        lines.line(&self.cash);
    }
}

/// One firm or clearing member.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Firm {
    pub(crate) open_notional: i128,
    pub(crate) rate_tat_ns: u64,
    pub(crate) open_orders: i64,
    pub(crate) state: TradingState,
    /// Those of the table in force, beside what they are held against.
    pub(crate) limits: FirmLimits,
}

const _: () = assert!(size_of::<Firm>() == 128, "a firm is two lines");

impl Firm {
    /// The lines that an order of its accounts reads and writes.
    #[inline(always)]
    fn visit_lines(&self, lines: &mut impl LineSink) {
        lines.warm(&self.open_orders);
        lines.warm(&self.limits.restricted_set);
    }

    /// One more open order of one of its accounts.
    #[inline(always)]
    pub(crate) fn count_opened(&mut self, hold_notional: impl Fn(&mut i128)) {
        // No more than there are slots for orders.
        self.open_orders = self.open_orders.wrapping_add(1);
        hold_notional(&mut self.open_notional);
    }

    /// Moves its schedule on by an order at `now_ns` that it admits.
    #[inline(always)]
    pub(crate) fn move_schedule(&mut self, now_ns: u64) {
        self.rate_tat_ns = self.limits.rate.tat_after(now_ns, self.rate_tat_ns);
    }
}

/// All accounts and firms.
#[derive(Debug)]
pub(crate) struct Accounts {
    accounts: Box<[Account]>,
    firms: Box<[Firm]>,
}

impl Accounts {
    pub(crate) fn new(accounts_max: usize, firms_max: usize) -> Self {
        let firm = Firm {
            open_notional: 0,
            rate_tat_ns: 0,
            open_orders: 0,
            state: TradingState::Active,
            limits: FirmLimits::NONE,
        };
        Self {
            accounts: alloc::vec![Account::EMPTY; accounts_max].into_boxed_slice(),
            firms: alloc::vec![firm; firms_max].into_boxed_slice(),
        }
    }

    /// An account with its firm, and its clearing member where that is another.
    #[inline(always)]
    pub(crate) fn with_firms(
        &mut self,
        index: u32,
    ) -> Option<(&mut Account, &mut Firm, Option<&mut Firm>)> {
        let account = self.accounts.get_mut(index as usize)?;
        let (firm, member) = (account.firm as usize, account.clearing_member as usize);
        if firm == member {
            return Some((account, self.firms.get_mut(firm)?, None));
        }
        let [firm, member] = self.firms.get_disjoint_mut([firm, member]).ok()?;
        Some((account, firm, Some(member)))
    }

    /// Whether an account has a clearing member that is another than its firm.
    #[inline(always)]
    pub(crate) fn has_member(&self, index: u32) -> bool {
        (self.at(index)).is_some_and(|account| account.firm != account.clearing_member)
    }

    /// An account with its firm, where that is its clearing member too.
    #[inline(always)]
    pub(crate) fn with_firm(&mut self, index: u32) -> Option<(&mut Account, &mut Firm)> {
        let account = self.accounts.get_mut(index as usize)?;
        if account.firm != account.clearing_member {
            cold_path();
            return None;
        }
        let firm = self.firms.get_mut(account.firm as usize)?;
        Some((account, firm))
    }

    /// The lines of an account's firm and clearing member.
    #[inline(always)]
    pub(crate) fn visit_firms(&self, account: &Account, lines: &mut impl LineSink) {
        if let Some(firm) = self.firms.get(account.firm as usize) {
            firm.visit_lines(lines);
        }
        if let Some(member) = self.firms.get(account.clearing_member as usize)
            && account.clearing_member != account.firm
        {
            member.visit_lines(lines);
        }
    }

    /// An account, if there is room for one.
    #[inline(always)]
    pub(crate) fn at(&self, index: u32) -> Option<&Account> {
        self.accounts.get(index as usize)
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> &Account {
        &self.accounts[index as usize]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> &mut Account {
        &mut self.accounts[index as usize]
    }

    #[inline]
    pub(crate) fn firm(&self, index: u32) -> &Firm {
        &self.firms[index as usize]
    }

    #[inline]
    pub(crate) fn firm_mut(&mut self, index: u32) -> &mut Firm {
        &mut self.firms[index as usize]
    }

    /// Takes over the firms' limits of another table.
    pub(crate) fn relimit_firms(&mut self, table: &LimitTable) {
        for (firm, id) in self.firms.iter_mut().zip((0..).map(FirmId::new)) {
            firm.limits = table.firm(id).copied().unwrap_or(FirmLimits::NONE);
        }
    }

    /// Gives the canonical words of accounts and firms to `push`. The bound is left out: it is a
    /// cache, and no answer depends on it.
    pub(crate) fn visit_words(&self, push: &mut impl FnMut(u64)) {
        for account in &self.accounts {
            push(account.cash as u64);
            push(account.day_base as u64);
            push(account.rate_tat_ns);
            push(account.open_notional as u64);
            push(u64::from(account.open_orders) << 32 | u64::from(account.day));
            push(u64::from(account.firm) << 32 | u64::from(account.clearing_member));
            let below = u64::from(account.below_maintenance) << 4;
            push(u64::from(account.reserved_used) << 8 | below | account.state as u64);
            let last = &account.last;
            push(last.at_ns);
            push(last.qty as u64);
            push(last.price as u64);
            push(u64::from(last.place) << 32 | u64::from(last.count));
        }
        for firm in &self.firms {
            push(firm.rate_tat_ns);
            push(firm.open_notional as u64);
            push(firm.open_orders as u64);
            push(firm.state as u64);
        }
    }
}
