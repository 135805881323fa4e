//! Which cache lines a record will touch, for whoever fetches them ahead.
//!
//! Risk thread. A line is found in up to three steps, each through what the step before fetched, so
//! that a batch is approached in three stages, some records ahead of the one in hand. Invariants:
//! approaching changes nothing; a record whose approach is wrong or missing is only slower.

use crate::engine::RiskCore;
use crate::orders::Named;
pub use bytemuck::Pod as Word;
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
    [(Stage::Head, 8), (Stage::Index, 5), (Stage::Neighbour, 2)];

impl RiskCore {
    /// Gives the lines of a record at a stage to `lines`. `ahead` new orders come before it.
    #[inline]
    pub fn approach(&self, head: &Head, stage: Stage, ahead: usize, lines: &mut impl LineSink) {
        if head.kind == CommandKind::NewOrder as u8 {
            self.approach_new(head, stage, ahead, lines);
        } else if head.kind == CommandKind::Report as u8
            || head.kind == CommandKind::Cancel as u8
            || head.kind == CommandKind::Replace as u8
        {
            self.approach_named(head, stage, lines);
        }
    }

    #[inline(always)]
    fn approach_new(&self, head: &Head, stage: Stage, ahead: usize, lines: &mut impl LineSink) {
        let (account, instrument) = (
            AccountId::new(head.account),
            InstrumentId::new(head.instrument),
        );
        let session = SessionId::new(head.session);
        let known = account.index() < self.table.accounts_len() && self.sessions.contains(session);
        if !known || self.table.instrument(instrument).is_none() {
            return;
        }
        let ledger = &self.ledger;
        match stage {
            Stage::Head => {
                ledger.accounts.get(account.raw()).visit_lines(lines);
                self.sessions.visit_lines(session, head.row, lines);
                ledger.positions.visit_index(account, instrument, lines);
                ledger.orders.visit_next(ahead, named(head), lines);
            }
            Stage::Index => {
                if let Some(slot) = ledger.positions.find(account, instrument) {
                    ledger.positions.get(slot).visit_lines(lines);
                }
                self.approach_valuation(head, lines);
                ledger.orders.visit_forgotten(ahead, lines);
            }
            Stage::Neighbour => {
                if let Some(slot) = ledger.positions.find(account, instrument) {
                    ledger
                        .orders
                        .visit_order(ledger.positions.get(slot).first_order, lines);
                }
                if let Some(first) = ledger
                    .positions
                    .at(ledger.accounts.get(account.raw()).first_position)
                    && let Some(second) = ledger.positions.at(first.next)
                {
                    second.visit_lines(lines);
                }
                if let Some(limits) = self.table.row(ledger.accounts.get(account.raw()).row) {
                    limits.visit_lines(lines);
                }
            }
        }
    }

    /// What a valuation would read first, where nothing can be proved without one.
    #[inline(always)]
    fn approach_valuation(&self, head: &Head, lines: &mut impl LineSink) {
        let ledger = &self.ledger;
        let account = ledger.accounts.get(head.account);
        let generation = ledger.instruments.drift.generation;
        let stands = account.bound.generation == generation
            && head.timestamp_ns <= account.bound.fresh_until_ns;
        if stands {
            return;
        }
        lines.line(&account.cash);
        if let Some(position) = ledger.positions.at(account.first_position) {
            position.visit_lines(lines);
        }
    }

    #[inline(always)]
    fn approach_named(&self, head: &Head, stage: Stage, lines: &mut impl LineSink) {
        if head.session >= OrderKey::SESSIONS_MAX {
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

/// The key of the order that a head of a known session names, or enters.
fn named(head: &Head) -> OrderKey {
    let user_ref = UserRef {
        row: head.row,
        number: head.number,
    };
    OrderKey::new(SessionId::new(head.session), user_ref)
}
