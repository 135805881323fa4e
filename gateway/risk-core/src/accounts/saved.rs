//! Accounts and firms as words.
//!
//! Risk thread for saving. What open orders make of an account (counts, notional, list of positions) is
//! not saved: the ledger works it out anew from the orders. Invariant: what is read back cannot make a
//! later sum leave its range.

use super::{Account, Accounts, LastOrder};
use crate::bound::{Bound, BoundLimits};
use crate::ledger::MONEY_MAX;
use crate::limits::LimitTable;
use crate::saved::{Read, Words};
use portcullis_domain::{AccountId, TradingState};

const BELOW: u32 = 1 << 2;
/// Row and firm are those of the table in force: they need not be looked up again.
const CURRENT: u32 = 1 << 3;
const BOUND: u32 = 1 << 4;
const UNSPENT: u32 = 1 << 5;
const BOUND_LIMITS: u32 = 1 << 6;
const KNOWN: u32 = 0b111_1111;

/// What a saved account is held against.
pub(crate) struct Circumstances<'a> {
    pub(crate) table: &'a LimitTable,
    pub(crate) table_version: u32,
    pub(crate) now_ns: u64,
}

impl Accounts {
    /// Gives those that a table knows to `push`: nothing ever happens to others.
    pub(crate) fn save(&self, table: &LimitTable, table_version: u32, push: &mut impl FnMut(u64)) {
        for account in &self.accounts[..table.accounts_len()] {
            account.save(table_version, push);
        }
        for firm in &self.firms[..table.firms_len()] {
            push(firm.rate_tat_ns);
            push(firm.state as u64);
        }
    }

    pub(crate) fn load(&mut self, of: &Circumstances<'_>, words: &mut Words<'_>) -> Read<()> {
        words.begin("accounts");
        let firms_max = self.firms.len();
        let known = of.table.accounts_len();
        for (account, id) in self.accounts[..known]
            .iter_mut()
            .zip((0..).map(AccountId::new))
        {
            account.load(id, firms_max, of, words)?;
        }
        words.begin("firms");
        for firm in &mut self.firms[..of.table.firms_len()] {
            firm.rate_tat_ns = words.word()?;
            firm.state = state(words.word()?, words)?;
        }
        Ok(())
    }

    /// Adds what the open orders of each account have to its firm and clearing member.
    pub(crate) fn load_counts(&mut self, firms_len: usize, words: &Words<'_>) -> Read<()> {
        for account in self
            .accounts
            .iter()
            .filter(|account| account.open_orders > 0)
        {
            let (firm, member) = (account.firm as usize, account.clearing_member as usize);
            words.must(firm.max(member) < firms_len, "an open order of no firm")?;
            let member = (member != firm).then_some(member);
            for index in [Some(firm), member].into_iter().flatten() {
                let firm = &mut self.firms[index];
                firm.open_orders += i64::from(account.open_orders);
                let notional = firm.open_notional.checked_add(account.open_notional);
                firm.open_notional = notional.ok_or(words.wrong("notional out of range"))?;
            }
        }
        Ok(())
    }
}

impl Account {
    fn save(&self, table_version: u32, push: &mut impl FnMut(u64)) {
        let mark = |mark, holds: bool| if holds { mark } else { 0 };
        let marks = self.state as u32
            | mark(BELOW, self.below_maintenance)
            | mark(CURRENT, self.table_version == table_version)
            | mark(BOUND, self.bound != Bound::NONE)
            | mark(UNSPENT, self.unspent.is_some())
            | mark(BOUND_LIMITS, self.bound_limits != BoundLimits::NONE);
        push(u64::from(self.day) << 32 | u64::from(marks));
        push(u64::from(self.firm) << 32 | u64::from(self.clearing_member));
        push(self.cash as u64);
        push(self.day_base as u64);
        push(self.rate_tat_ns);
        push(self.last.at_ns);
        push(self.last.qty as u64);
        push(self.last.price as u64);
        push(u64::from(self.last.place) << 32 | u64::from(self.last.count));
        if marks & BOUND != 0 {
            self.bound.save(push);
        }
        if let Some((headroom, sensitivity)) = self.unspent {
            push(headroom as u64);
            push(sensitivity as u64);
        }
        if marks & BOUND_LIMITS != 0 {
            self.bound_limits.save(push);
        }
    }

    fn load(
        &mut self,
        id: AccountId,
        firms_max: usize,
        of: &Circumstances<'_>,
        words: &mut Words<'_>,
    ) -> Read<()> {
        let (day, marks) = words.halves()?;
        words.must(marks & !KNOWN == 0, "marks that no account has")?;
        self.day = day;
        self.state = state(u64::from(marks & 3), words)?;
        self.below_maintenance = marks & BELOW != 0;
        (self.firm, self.clearing_member) = words.halves()?;
        let firm = self.firm.max(self.clearing_member) as usize;
        words.must(firm < firms_max, "a firm that there is no room for")?;
        if marks & CURRENT != 0 {
            self.load_current(id, of, words)?;
        }
        let money_max = MONEY_MAX as i64;
        self.cash = words.signed_within(money_max, "cash out of range")?;
        self.day_base = words.signed_within(money_max, "a day base out of range")?;
        self.rate_tat_ns = words.word()?;
        self.last = load_last(of.now_ns, words)?;
        if marks & BOUND != 0 {
            self.bound = Bound::load(words)?;
        }
        if marks & UNSPENT != 0 {
            let headroom = words.signed()?;
            self.unspent = Some((headroom, words.amount(i64::MAX, "a sensitivity below 0")?));
        }
        if marks & BOUND_LIMITS != 0 {
            self.bound_limits = BoundLimits::load(words)?;
        }
        Ok(())
    }

    /// What the table says of it, which must be what it had.
    fn load_current(
        &mut self,
        id: AccountId,
        of: &Circumstances<'_>,
        words: &Words<'_>,
    ) -> Read<()> {
        let known = of.table.entry(id).and_then(|(row, firm)| {
            let member = of.table.firm(firm)?.clearing_member;
            Some((row, (firm.raw(), member)))
        });
        let (row, firms) = known.ok_or(words.wrong("limits of an account without any"))?;
        let same = firms == (self.firm, self.clearing_member);
        words.must(same, "another firm than its table says")?;
        (self.row, self.table_version) = (row, of.table_version);
        Ok(())
    }
}

fn load_last(now_ns: u64, words: &mut Words<'_>) -> Read<LastOrder> {
    let at_ns = words.word()?;
    words.must(at_ns <= now_ns, "an order after the last command")?;
    let (qty, price) = (words.signed()?, words.signed()?);
    let (place, count) = words.halves()?;
    Ok(LastOrder {
        at_ns,
        qty,
        price,
        place,
        count,
    })
}

/// A trading state of its raw value.
pub(crate) fn state(raw: u64, words: &Words<'_>) -> Read<TradingState> {
    let state = u8::try_from(raw).ok().and_then(TradingState::from_raw);
    state.ok_or(words.wrong("a trading state that there is not"))
}
