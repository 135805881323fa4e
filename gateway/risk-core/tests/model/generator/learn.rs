//! What the generator learns from answers: which orders are open, in which versions.
//!
//! Owned by a test. Invariant: rough on purpose; nothing is judged by it.

use super::super::op::{Answer, Op, OrderOp, ReplaceOp, Word};
use super::{Generator, Known};
use portcullis_domain::{AccountId, Scope, TradingState};

impl Generator {
    /// Learns what came of a command.
    pub(crate) fn learn(&mut self, op: &Op, answer: &Answer) {
        self.learn_state(op, answer);
        match (op, answer) {
            (Op::Order(order), Answer::Judged(fails)) if fails.is_empty() => self.admit(order),
            (Op::Replace(replace), Answer::Judged(fails)) if fails.is_empty() => {
                self.admit_version(replace);
            }
            (Op::Fill { id, qty, .. }, Answer::Word(Word::Ok)) => self.filled(*id, *qty),
            (Op::Replaced { id, new }, Answer::Word(Word::Ok)) => self.confirmed(*id, *new),
            (Op::ReplaceRejected { id, new }, Answer::Word(Word::Ok)) => self.refused(*id, *new),
            (Op::Canceled { id } | Op::Rejected { id }, Answer::Word(Word::Ok)) => self.close(*id),
            (_, Answer::Judged(_) | Answer::Word(_)) => {}
        }
    }

    fn learn_state(&mut self, op: &Op, answer: &Answer) {
        let account = |id: u32| {
            let known = self
                .open
                .iter()
                .chain(&self.closed)
                .find(|known| known.names(id))?;
            Some(Scope::Account(AccountId::new(known.account)))
        };
        match (op, answer) {
            (Op::State { scope, state }, Answer::Word(Word::Ok)) => {
                self.strict.retain(|strict| strict != scope);
                if *state != TradingState::Active {
                    self.strict.push(*scope);
                }
            }
            (Op::Fill { id, .. }, Answer::Word(Word::Halt)) => {
                let halted = account(*id);
                self.strict
                    .extend(halted.filter(|scope| !self.strict.contains(scope)));
            }
            (_, Answer::Judged(_) | Answer::Word(_)) => {}
        }
    }

    fn admit(&mut self, order: &OrderOp) {
        let limit = order
            .price
            .unwrap_or(self.prices[order.instrument as usize]);
        self.open.push(Known {
            id: order.id,
            account: order.account,
            instrument: order.instrument,
            side: order.side,
            versions: vec![(order.id, order.qty, limit)],
            gone: Vec::new(),
        });
    }

    fn place(&self, id: u32) -> Option<usize> {
        self.open.iter().position(|known| known.names(id))
    }

    fn admit_version(&mut self, replace: &ReplaceOp) {
        let Some(place) = self.place(replace.original) else {
            return;
        };
        let known = &mut self.open[place];
        let limit = replace
            .price
            .unwrap_or(self.prices[known.instrument as usize]);
        known.versions.push((replace.id, replace.qty, limit));
    }

    fn filled(&mut self, id: u32, lots: i64) {
        let Some(place) = self.place(id) else { return };
        for (_, leaves, _) in &mut self.open[place].versions {
            *leaves = (*leaves - lots).max(0);
        }
        self.close_if_done(place);
    }

    fn confirmed(&mut self, id: u32, new: u32) {
        let Some(place) = self.place(id) else { return };
        let known = &mut self.open[place];
        let end = known
            .versions
            .iter()
            .position(|(id, ..)| *id == new)
            .unwrap_or(0);
        known
            .gone
            .extend(known.versions.drain(..end).map(|(id, ..)| id));
        self.close_if_done(place);
    }

    fn refused(&mut self, id: u32, new: u32) {
        let Some(place) = self.place(id) else { return };
        let known = &mut self.open[place];
        let end = known.versions.iter().position(|(id, ..)| *id == new);
        let end = end.unwrap_or(known.versions.len());
        known
            .gone
            .extend(known.versions.drain(end..).map(|(id, ..)| id));
    }

    fn close_if_done(&mut self, place: usize) {
        if self.open[place]
            .versions
            .first()
            .is_none_or(|(_, leaves, _)| *leaves == 0)
        {
            let known = self.open.remove(place);
            self.closed.push(known);
        }
    }

    fn close(&mut self, id: u32) {
        if let Some(place) = self.place(id) {
            let known = self.open.remove(place);
            self.closed.push(known);
        }
    }
}
