//! The engine's reports, and the disputes that they begin.

use super::{Auditor, Known, verdict};
use crate::model::op::{Answer, Machine, Op, Word};
use crate::violation::Violation;
use portcullis_domain::{AccountId, ReportKind, Scope, VenueReport};
use portcullis_risk_core::Effect;

impl Auditor<'_> {
    pub(super) fn report(&mut self, now: u64, report: &VenueReport) -> Result<(), Violation> {
        let id = self.id(report.session, report.user_ref);
        let op = match report.kind {
            ReportKind::Fill { qty, price, .. } => Op::Fill {
                id,
                qty: qty.lots(),
                price: price.ticks(),
            },
            ReportKind::Canceled => Op::Canceled { id },
            // OUCH says it of an order and of a version alike: the number tells which.
            ReportKind::Rejected if self.firsts.get(&id).is_some_and(|first| *first != id) => {
                Op::ReplaceRejected { id, new: id }
            }
            ReportKind::Rejected => Op::Rejected { id },
            ReportKind::Replaced { new } => Op::Replaced {
                id,
                new: self.id(report.session, new),
            },
            ReportKind::ReplaceRejected { new } => Op::ReplaceRejected {
                id,
                new: self.id(report.session, new),
            },
            ReportKind::Accepted
            | ReportKind::CancelPending
            | ReportKind::CancelRejected
            | ReportKind::Information => {
                let known = self.firsts.contains_key(&id);
                let predicted = if known { Word::Ok } else { Word::Alarm };
                return self.effects.expect_reported(predicted);
            }
            ReportKind::Reduced { .. } | ReportKind::BrokenTrade { .. } => {
                return Err(verdict("no engine here says that".to_owned()));
            }
        };
        let Answer::Word(predicted) = self.model.apply(now, &op) else {
            unreachable!("a report is answered in a word");
        };
        if let (ReportKind::Fill { qty, .. }, Some(first)) = (report.kind, self.firsts.get(&id)) {
            match predicted {
                Word::Ok => self.known(*first).executed += qty.lots(),
                Word::Halt => self.dispute_begun(),
                Word::Refused | Word::Forwarded | Word::Unknown | Word::Ignored | Word::Alarm => {}
            }
        }
        self.effects.expect_reported(predicted)
    }

    fn known(&mut self, first: u32) -> &mut Known {
        self.orders.get_mut(&first).expect("admitted")
    }

    /// The account is named by the core's own alarm: that it is the right one shows in the figures.
    fn dispute_begun(&mut self) {
        let account = self.effects.0.iter().find_map(|effect| match effect {
            Effect::StateChanged {
                scope: Scope::Account(account),
                ..
            } => Some(account.raw()),
            Effect::Approved(_)
            | Effect::Refused(_)
            | Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => None,
        });
        if let Some(account) = account {
            *self.disputes.entry(account).or_default() += 1;
        }
    }

    pub(super) fn dispute(&mut self, account: AccountId) -> Result<(), Violation> {
        let disputes = self.disputes.entry(account.raw()).or_default();
        let predicted = if *disputes > 0 {
            Word::Ok
        } else {
            Word::Refused
        };
        *disputes = disputes.saturating_sub(1);
        self.effects.expect_outcome(predicted)
    }
}
