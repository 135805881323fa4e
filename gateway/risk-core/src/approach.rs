//! Which cache lines a record will touch, for whoever fetches them ahead.
//!
//! Risk thread. A line is found in up to three steps, each through what the step before fetched, so
//! that a batch is approached in three stages, some records ahead of the one in hand. Invariants:
//! approaching changes nothing; a record whose approach is wrong or missing is only slower.

use crate::accounts::Account;
use crate::engine::RiskCore;
use crate::ledger::Ledger;
use crate::order::{NONE, Order};
pub use bytemuck::Pod as Word;
use core::cell::Cell;
use portcullis_domain::{
    AccountId, CommandKind, Head, InstrumentId, OrderKey, ReportDetail, SessionId, UserRef,
};

/// Takes cache lines, each by a word in it: to prefetch them, or to read them.
pub trait LineSink {
    /// A line that an order of another account would not have fetched.
    fn line<W: Word>(&mut self, word: &W);

    /// A line that most records touch, which stays near by itself.
    fn warm<W: Word>(&mut self, word: &W) {
        let _ = word;
    }
}

/// Fetches nothing: for whoever applies one record after the other.
pub(crate) struct Unfetched;

impl LineSink for Unfetched {
    fn line<W: Word>(&mut self, _word: &W) {}
}

/// How far a record's lines have been found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From its head: account, session, index entries, order slot.
    Head,
    /// Through the index entries: position, order.
    Index,
    /// Through position and order: their neighbours, the account's limits.
    Neighbour,
}

/// How many records ahead of the one in hand each stage goes.
pub const STAGES: [(Stage, usize); 3] =
    [(Stage::Head, 12), (Stage::Index, 8), (Stage::Neighbour, 4)];

impl RiskCore {
    /// Gives the lines of a record at a stage to `lines`. `ahead` new orders come before it.
    pub fn approach(&self, head: &Head, stage: Stage, ahead: usize, lines: &mut impl LineSink) {
        self.approach_apart::<false>(head, stage, ahead, lines);
    }

    /// The same; `BEHIND` is whether a new order's account is expected to have to be brought up to table or day.
    pub(crate) fn approach_apart<const BEHIND: bool>(
        &self,
        head: &Head,
        stage: Stage,
        ahead: usize,
        lines: &mut impl LineSink,
    ) {
        self.approach_at::<BEHIND>(head, stage, ahead, lines);
    }

    /// The lines of a record that comes alone. Of a new order those that its head tells, at once: what is found
    /// through them is found as soon by applying it, while a look at a line that has not come yet holds up
    /// all that is behind it.
    #[inline(never)]
    pub(crate) fn approach_alone<const BEHIND: bool>(
        &self,
        head: &Head,
        lines: &mut impl LineSink,
    ) {
        if head.kind != CommandKind::NewOrder as u8 {
            self.approach_other_alone(head, lines);
            return;
        }
        let account = AccountId::new(head.account);
        let instrument = InstrumentId::new(head.instrument);
        self.ledger
            .positions
            .visit_likely(account, instrument, lines);
        self.approach_new::<BEHIND>(head, Stage::Head, 0, lines);
    }

    /// The same of what is no new order. To find them waits for number and order as applying it would, but
    /// what is beyond these then comes at once.
    #[inline(never)]
    fn approach_other_alone(&self, head: &Head, lines: &mut impl LineSink) {
        if !names_order(head) {
            self.approach_number(head, lines);
            self.approach_order(head, lines);
            self.approach_owner(head, lines);
            return;
        }
        if let Some(slot) = self.ledger.orders.visit_named(named(head), lines) {
            self.hints.set(head.seq, slot);
            self.approach_owner_of(slot, head, lines);
        }
    }

    /// The same, to be made part of a loop over a batch.
    #[inline(always)]
    pub(crate) fn approach_at<const BEHIND: bool>(
        &self,
        head: &Head,
        stage: Stage,
        ahead: usize,
        lines: &mut impl LineSink,
    ) {
        if head.kind == CommandKind::NewOrder as u8 {
            self.approach_new::<BEHIND>(head, stage, ahead, lines);
        } else {
            self.approach_other(head, stage, lines);
        }
    }

    /// The lines of what is no new order, at each stage by itself: most of it names an order.
    #[inline(always)]
    fn approach_other(&self, head: &Head, stage: Stage, lines: &mut impl LineSink) {
        match stage {
            Stage::Head => self.approach_number(head, lines),
            Stage::Index => self.approach_order(head, lines),
            Stage::Neighbour => self.approach_owner(head, lines),
        }
    }

    /// Where the number of the order that is named stands written.
    #[inline(never)]
    fn approach_number(&self, head: &Head, lines: &mut impl LineSink) {
        if names_order(head) {
            self.ledger.orders.visit_number(named(head), lines);
        } else if head.kind == CommandKind::SetCell as u8 {
            self.approach_cell(head, Stage::Head, lines);
        } else {
            self.approach_replace(head, Stage::Head, lines);
        }
    }

    /// The order that is named.
    #[inline(never)]
    fn approach_order(&self, head: &Head, lines: &mut impl LineSink) {
        if names_order(head) {
            let slot = self.ledger.orders.visit_named(named(head), lines);
            self.hints.set(head.seq, slot.unwrap_or(NONE));
        } else if head.kind == CommandKind::SetCell as u8 {
            self.approach_cell(head, Stage::Index, lines);
        } else {
            self.approach_replace(head, Stage::Index, lines);
        }
    }

    /// Account and position of the order that is named, and its neighbours in the position's list.
    #[inline(never)]
    fn approach_owner(&self, head: &Head, lines: &mut impl LineSink) {
        if names_order(head) {
            self.approach_owner_of(self.hints.get(head.seq), head, lines);
        } else {
            self.approach_replace(head, Stage::Neighbour, lines);
        }
    }

    /// The lines of a client's replace, if it is one: the number in its head is that of the version it asks for, and
    /// its word names the order.
    #[inline(never)]
    fn approach_replace(&self, head: &Head, stage: Stage, lines: &mut impl LineSink) {
        if head.kind != CommandKind::Replace as u8 || head.session >= OrderKey::SESSIONS_MAX {
            return;
        }
        let Ledger {
            orders,
            accounts,
            positions,
            ..
        } = &self.ledger;
        match stage {
            Stage::Head => {
                orders.visit_number(named(head), lines);
                orders.visit_number(original(head), lines);
            }
            Stage::Index => {
                let slot = orders.visit_named(original(head), lines).unwrap_or(NONE);
                orders.visit_versions(slot, lines);
                self.hints.set(head.seq, slot);
            }
            Stage::Neighbour => {
                let Some(order) = orders.at(self.hints.get(head.seq)) else {
                    return;
                };
                if let Some(account) = accounts.at(order.account) {
                    account.visit_lines(lines);
                }
                if let Some(position) = positions.at(order.position) {
                    position.visit_lines(lines);
                }
            }
        }
    }

    #[inline(always)]
    fn approach_owner_of(&self, slot: u32, head: &Head, lines: &mut impl LineSink) {
        let ledger = &self.ledger;
        let Some(order) = ledger.orders.at(slot) else {
            return;
        };
        // A hint of another record may name a slot that was never used.
        if let Some(account) = ledger.accounts.at(order.account) {
            account.visit_lines(lines);
        }
        if let Some(position) = ledger.positions.at(order.position) {
            // The second as well: one that becomes flat leaves its account's list, which is written there.
            position.visit_lines(lines);
        }
        ledger.orders.visit_neighbours(order, lines);
        if head.detail == ReportDetail::Fill as u8 && head.kind == CommandKind::Report as u8 {
            self.approach_fill(order, head, lines);
        }
    }

    /// What a fill moves beside: money, and the executions that are remembered.
    #[inline(never)]
    fn approach_fill(&self, order: &Order, head: &Head, lines: &mut impl LineSink) {
        if let Some(account) = self.ledger.accounts.at(order.account) {
            lines.line(&account.cash);
        }
        // Fills, all that come before it, or else a line is fetched for nothing.
        let ahead = head.seq.wrapping_sub(self.seq.raw()).wrapping_sub(1) as usize;
        let trade = (order.session, head.word, order.side);
        self.executions.visit_next(ahead, trade, lines);
    }

    /// The lines of the account whose cell changes, and of its limits.
    #[cold]
    fn approach_cell(&self, head: &Head, stage: Stage, lines: &mut impl LineSink) {
        // Whose word this is, if it is an account's at all: otherwise a line is fetched for nothing.
        let account = AccountId::new(head.word as u32);
        match stage {
            Stage::Head => {
                self.table.visit_entry(account, lines);
                if let Some(this) = self.ledger.accounts.at(account.raw()) {
                    this.visit_limited(lines);
                }
            }
            Stage::Index => self.table.visit_own(account, lines),
            Stage::Neighbour => {}
        }
    }

    #[inline(always)]
    fn approach_new<const BEHIND: bool>(
        &self,
        head: &Head,
        stage: Stage,
        ahead: usize,
        lines: &mut impl LineSink,
    ) {
        let (account, instrument) = (
            AccountId::new(head.account),
            InstrumentId::new(head.instrument),
        );
        let ledger = &self.ledger;
        match stage {
            Stage::Head => {
                let session = SessionId::new(head.session);
                let Some(this) = ledger.accounts.at(head.account) else {
                    return;
                };
                if !self.sessions.contains(session) {
                    return;
                }
                this.visit_lines(lines);
                if BEHIND {
                    self.approach_entry(account, this, lines);
                }
                self.sessions.visit_lines(session, head.row, lines);
                ledger.positions.visit_index(account, instrument, lines);
                ledger.orders.visit_next(ahead, named(head), lines);
                self.approach_instrument(instrument, lines);
            }
            Stage::Index => {
                let Some(this) = ledger.accounts.at(head.account) else {
                    return;
                };
                if let Some(slot) = ledger.positions.find(account, instrument) {
                    ledger.positions.get(slot).visit_first(lines);
                    self.hints.set(head.seq, slot);
                }
                let entry = self.table.entry(account).filter(|_| BEHIND);
                let row = entry.map_or(this.row, |(row, _)| row);
                if let Some(limits) = self.table.row(row) {
                    limits.visit_lines(lines);
                }
                ledger.accounts.visit_firms(this, lines);
                if self.expects_valuation(head, this) {
                    lines.line(&this.cash);
                    if let Some(first) = ledger.positions.at(this.first_position) {
                        first.visit_lines(lines);
                    }
                }
            }
            Stage::Neighbour => {
                let Some(this) = ledger.accounts.at(head.account) else {
                    return;
                };
                let hint = self.hints.get(head.seq);
                if let Some(position) = ledger.positions.hinted(hint, account, instrument)
                    && position.has_orders()
                {
                    position.visit_second(lines);
                }
                if self.expects_valuation(head, this)
                    && let Some(first) = ledger.positions.at(this.first_position)
                    && let Some(second) = ledger.positions.at(first.next)
                {
                    second.visit_lines(lines);
                }
            }
        }
    }

    /// What an account is brought up by: its entry in the table, and what its bound was worked out under.
    #[inline(always)]
    fn approach_entry(&self, id: AccountId, account: &Account, lines: &mut impl LineSink) {
        self.table.visit_entry(id, lines);
        lines.line(&account.cash);
    }

    /// What the orders of many accounts share in an instrument.
    #[inline(always)]
    fn approach_instrument(&self, instrument: InstrumentId, lines: &mut impl LineSink) {
        if let Some(this) = self.ledger.instruments.at(instrument.raw()) {
            this.visit_lines(lines);
        }
        if let Some(limits) = self.table.instrument(instrument) {
            limits.visit_lines(lines);
        }
        self.ledger.instruments.drift.visit_lines(lines);
    }

    /// Whether an account's worth must be expected to be worked out.
    #[inline(always)]
    fn expects_valuation(&self, head: &Head, account: &Account) -> bool {
        let drift = &self.ledger.instruments.drift;
        !account.bound.stands(drift, head.timestamp_ns)
    }
}

/// Where the positions of new orders that are approached were found, and the orders that other records
/// name, by sequence number.
///
/// A hint is looked at and believed only if it names what it should.
#[derive(Debug)]
pub(crate) struct Hints([Cell<u32>; HINTS]);

/// More than the records between the stage that leaves a hint and the record's turn.
const HINTS: usize = 32;

impl Hints {
    pub(crate) const fn new() -> Self {
        Self([const { Cell::new(NONE) }; HINTS])
    }

    #[inline(always)]
    pub(crate) fn set(&self, seq: u64, slot: u32) {
        self.0[seq as usize % HINTS].set(slot);
    }

    #[inline(always)]
    pub(crate) const fn get(&self, seq: u64) -> u32 {
        self.0[seq as usize % HINTS].get()
    }
}

/// Whether a head's number names an order that is there already.
#[inline(always)]
fn names_order(head: &Head) -> bool {
    const NAMES: u32 = 1 << CommandKind::Report as u32 | 1 << CommandKind::Cancel as u32;
    let names = head.kind < 32 && NAMES >> head.kind & 1 != 0;
    names && head.session < OrderKey::SESSIONS_MAX
}

/// The key of the order that a head of a known session names, or enters.
#[inline(always)]
fn named(head: &Head) -> OrderKey {
    let user_ref = UserRef {
        row: head.row,
        number: head.number,
    };
    OrderKey::new(SessionId::new(head.session), user_ref)
}

/// The key of the order that a replace of a known session names.
#[inline(always)]
fn original(head: &Head) -> OrderKey {
    let user_ref = UserRef {
        row: (head.word >> 32) as u8,
        number: head.word as u32,
    };
    OrderKey::new(SessionId::new(head.session), user_ref)
}
