//! Every check's word on an order, with its numbers: what a verdict was made of, for whoever asks later.
//!
//! A follower's thread, off the path. Invariants: the checks that fail here are those that the verdict names, if the
//! record is applied next; asking changes no effect and no later verdict: what it brings up to date (settlements, the
//! volume window, the position's slot) the order itself would.

use super::{Facts, Known, NOT_OF_REDUCING, RiskCore, Terms, checks};
use crate::effect::Explanation;
use crate::orders::Named;
use portcullis_domain::{
    CheckMask, Command, Head, NewOrder, OrderKey, Price, RejectCode, ReplaceRequest, Timestamp,
};

/// What a check says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It passes.
    Passes,
    /// It fails.
    Fails,
    /// It was not asked: the order provably reduces, or its form failed.
    NotJudged,
}

/// A check's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckWord {
    /// Which check.
    pub code: RejectCode,
    /// What it says.
    pub outcome: CheckOutcome,
    /// Its numbers, in its own unit; all zero where it has none. `qty_passing` says something of a check that fails
    /// alone.
    pub numbers: Explanation,
}

impl RiskCore {
    /// Gives each check's word on the order or replace of a record that is to be applied next, in order of
    /// precedence; `false`, and nothing, where no check would be asked: it is no order, a resend, or a replace of no
    /// open order.
    pub fn explain_all(&mut self, head: &Head, tell: &mut impl FnMut(CheckWord)) -> bool {
        if head.timestamp_ns < self.now.ns() {
            return false;
        }
        let Some((terms, early)) = self.terms_of(head) else {
            return false;
        };
        self.now = Timestamp::from_ns(head.timestamp_ns);
        let form_failing = if self.form_fails(&terms, early) {
            self.explain_form(&terms, early).0
        } else {
            CheckMask::EMPTY
        };
        let form = self.form(&terms, early);
        for descriptor in checks::form() {
            let code = descriptor.code();
            tell(CheckWord {
                code,
                outcome: outcome(form_failing, code),
                numbers: checks::explain_form(code, &form),
            });
        }
        if form_failing.is_empty() {
            self.explain_judged(&terms, tell);
            return true;
        }
        for descriptor in checks::judged() {
            tell(CheckWord {
                code: descriptor.code(),
                outcome: CheckOutcome::NotJudged,
                numbers: Explanation::default(),
            });
        }
        true
    }

    fn explain_judged(&mut self, terms: &Terms, tell: &mut impl FnMut(CheckWord)) {
        let position = self.place(terms);
        let reducing = self.facts(terms, position).reducing;
        let (account, now_ns) = (terms.account.raw(), self.now.ns());
        let (limits, _) = self
            .table
            .account(terms.account)
            .expect("the form checks found it");
        let valuation =
            (!reducing).then(|| self.ledger.value(account, limits, &self.table, now_ns));
        let known = valuation.as_ref().map_or(Known::Enough, Known::Exact);
        let facts: Facts = self.facts(terms, position);
        let view = self.view(terms, &facts, known);
        let failing = checks::evaluate(&view);
        for descriptor in checks::judged() {
            let code = descriptor.code();
            let outcome = if reducing && NOT_OF_REDUCING.contains(code) {
                CheckOutcome::NotJudged
            } else {
                outcome(failing, code)
            };
            tell(CheckWord {
                code,
                outcome,
                numbers: checks::explain(code, &view),
            });
        }
    }

    /// What a record asks, where checks would be asked about it.
    fn terms_of(&self, head: &Head) -> Option<(Terms, Option<RejectCode>)> {
        let early = head.early_refusal();
        match Command::decode(head).ok()? {
            Command::NewOrder(order) => {
                let known = self.sessions.contains(order.session)
                    && self.sessions.is_new(order.session, order.user_ref);
                known.then(|| (new_terms(&order), early))
            }
            Command::Replace(request) => self.open_terms(&request, early),
            Command::Cancel(_)
            | Command::MassCancel(_)
            | Command::OrderEntry { .. }
            | Command::AccountQuery { .. }
            | Command::Report(_)
            | Command::VenueLink { .. }
            | Command::VenueSequence { .. }
            | Command::JournalLink { .. }
            | Command::Session(_)
            | Command::Deposit(_)
            | Command::Withdraw(_)
            | Command::Settle(_)
            | Command::Reference(_)
            | Command::SetState(_)
            | Command::Restart { .. }
            | Command::DayStart
            | Command::DayRoll
            | Command::FlipLimits(_)
            | Command::SetCell(_)
            | Command::MovePosition(_)
            | Command::Dispute { .. }
            | Command::StateHash
            | Command::ValueAccounts
            | Command::Tick => None,
        }
    }

    fn open_terms(
        &self,
        request: &ReplaceRequest,
        early: Option<RejectCode>,
    ) -> Option<(Terms, Option<RejectCode>)> {
        if !self.sessions.contains(request.session) {
            return None;
        }
        let key = OrderKey::new(request.session, request.original);
        let Named::Open(slot) = self.ledger.orders.named(key) else {
            return None;
        };
        let new = self.sessions.is_new(request.session, request.user_ref);
        new.then(|| self.replace_terms(request, slot, early))
    }
}

fn new_terms(order: &NewOrder) -> Terms {
    Terms {
        session: order.session,
        user_ref: order.user_ref,
        account: order.account,
        instrument: order.instrument,
        side: order.side,
        qty: order.qty.lots(),
        price: order.price.map(Price::ticks),
        time_in_force: order.time_in_force,
        replaces: None,
    }
}

const fn outcome(failing: CheckMask, code: RejectCode) -> CheckOutcome {
    if failing.contains(code) {
        CheckOutcome::Fails
    } else {
        CheckOutcome::Passes
    }
}
