//! Which cache lines a record will touch, for whoever fetches them ahead.
//!
//! Risk thread. A line is found in up to three steps, each through what the step before fetched, so
//! that a batch is approached in three stages, some records ahead of the one in hand. Invariants:
//! approaching changes nothing; a record whose approach is wrong or missing is only slower.

use crate::accounts::Account;
use crate::engine::RiskCore;
use crate::order::NONE;
use crate::orders::Named;
pub use bytemuck::Pod as Word;
use core::cell::Cell;
use portcullis_domain::{AccountId, CommandKind, Head, InstrumentId, OrderKey, SessionId, UserRef};

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
        self.approach_at(head, stage, ahead, lines);
    }

    /// The lines of a record that comes alone. Of a new order those that its head tells, at once: what is found
    /// through them is found as soon by applying it, while a look at a line that has not come yet holds up
    /// all that is behind it.
    #[inline(never)]
    pub(crate) fn approach_alone(&self, head: &Head, lines: &mut impl LineSink) {
        if head.kind == CommandKind::NewOrder as u8 {
            let account = AccountId::new(head.account);
            let instrument = InstrumentId::new(head.instrument);
            self.ledger
                .positions
                .visit_likely(account, instrument, lines);
            self.approach_new(head, Stage::Head, 0, lines);
            return;
        }
        for (stage, _) in STAGES {
            self.approach_other(head, stage, lines);
        }
    }

    /// The same, to be made part of a loop over a batch.
    #[inline(always)]
    pub(crate) fn approach_at(
        &self,
        head: &Head,
        stage: Stage,
        ahead: usize,
        lines: &mut impl LineSink,
    ) {
        if head.kind == CommandKind::NewOrder as u8 {
            self.approach_new(head, stage, ahead, lines);
        } else {
            self.approach_other(head, stage, lines);
        }
    }

    #[inline(never)]
    fn approach_other(&self, head: &Head, stage: Stage, lines: &mut impl LineSink) {
        if head.kind == CommandKind::SetCell as u8 {
            self.approach_cell(head, stage, lines);
        } else {
            self.approach_named(head, stage, lines);
        }
    }

    /// The lines of the account whose cell changes, and of its limits.
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
    fn approach_new(&self, head: &Head, stage: Stage, ahead: usize, lines: &mut impl LineSink) {
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
                if let Some(limits) = self.table.row(this.row) {
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
                    ledger.orders.visit_order(position.first_order, lines);
                }
                let first = ledger.positions.at(this.first_position);
                if let Some(first) = first.filter(|_| self.expects_valuation(head, this))
                    && let Some(second) = ledger.positions.at(first.next)
                {
                    second.visit_lines(lines);
                }
            }
        }
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

    /// The lines of what names an order, if it does.
    #[inline(always)]
    fn approach_named(&self, head: &Head, stage: Stage, lines: &mut impl LineSink) {
        let names = head.kind == CommandKind::Report as u8
            || head.kind == CommandKind::Cancel as u8
            || head.kind == CommandKind::Replace as u8;
        if !names || head.session >= OrderKey::SESSIONS_MAX {
            return;
        }
        let orders = &self.ledger.orders;
        if stage == Stage::Head {
            orders.visit_number(named(head), lines);
            return;
        }
        let (Named::Open(slot) | Named::Closed(slot)) = orders.named(named(head)) else {
            return;
        };
        if stage == Stage::Index {
            orders.visit_order(slot, lines);
            return;
        }
        let order = orders.get(slot);
        self.ledger.accounts.get(order.account).visit_lines(lines);
        if order.is_open() {
            self.ledger.positions.get(order.position).visit_lines(lines);
        }
    }
}

/// Where the positions of records that are approached were found, by sequence number.
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
    fn set(&self, seq: u64, slot: u32) {
        self.0[seq as usize % HINTS].set(slot);
    }

    #[inline(always)]
    pub(crate) const fn get(&self, seq: u64) -> u32 {
        self.0[seq as usize % HINTS].get()
    }
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
