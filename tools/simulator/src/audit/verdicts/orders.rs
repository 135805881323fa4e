//! Orders, replaces and cancels.

use super::{Auditor, Known, is_cancel, verdict};
use crate::model::op::{Answer, Machine, Op, OrderOp, ReplaceOp, Word};
use crate::violation::Violation;
use portcullis_domain::{NewOrder, Price, RejectCode, ReplaceRequest, SessionId, UserRef};
use portcullis_risk_core::{AnswerKind, OutboundAction, OutboundOrder, checks};

impl Auditor<'_> {
    pub(super) fn new_order(
        &mut self,
        now: u64,
        order: &NewOrder,
        early: Option<RejectCode>,
    ) -> Result<(), Violation> {
        if self.is_resent(order.session, order.user_ref) {
            return self.effects.expect_answer(AnswerKind::Resent);
        }
        let op = OrderOp {
            account: order.account.raw(),
            instrument: order.instrument.raw(),
            id: self.id(order.session, order.user_ref),
            side: order.side,
            qty: order.qty.lots(),
            price: order.price.map(Price::ticks),
        };
        let predicted = match early {
            Some(code) => self.form(op.account, op.instrument, op.qty, op.price, code),
            None => self.judged(now, &Op::Order(op)),
        };
        if predicted.is_empty() {
            self.firsts.insert(op.id, op.id);
            let known = Known {
                executed: 0,
                session: order.session.raw(),
                account: op.account,
                instrument: op.instrument,
                side: op.side,
            };
            self.orders.insert(op.id, known);
        }
        self.expect_verdict(&predicted, |sent| {
            let action = matches!(
                sent.action,
                OutboundAction::Enter { qty, price, .. }
                    if qty == order.qty && order.price.is_none_or(|asked| asked == price)
            );
            action && sent.account == order.account && sent.user_ref == order.user_ref
        })
    }

    pub(super) fn replace(
        &mut self,
        now: u64,
        request: &ReplaceRequest,
        early: Option<RejectCode>,
    ) -> Result<(), Violation> {
        let original = self.id(request.session, request.original);
        if !self.is_open(now, original) {
            return self.effects.expect_answer(AnswerKind::OrderUnknown);
        }
        if self.is_resent(request.session, request.user_ref) {
            return self.effects.expect_answer(AnswerKind::Resent);
        }
        let first = self.firsts[&original];
        let total = request.qty.lots();
        let op = ReplaceOp {
            original,
            id: self.id(request.session, request.user_ref),
            qty: total - self.orders[&first].executed,
            price: request.price.map(Price::ticks),
        };
        if let Some(code) = early {
            // An order that is open has an account that is known.
            let instrument = self.orders[&first].instrument;
            let predicted = self.form(0, instrument, op.qty, op.price, code);
            return self.expect_refusal(&predicted);
        }
        let predicted = self.judged(now, &Op::Replace(op));
        if predicted.is_empty() {
            self.firsts.insert(op.id, first);
        }
        self.expect_verdict(&predicted, |sent| {
            let action = matches!(
                sent.action,
                OutboundAction::Replace { qty_total, price, .. }
                    if qty_total.lots() == total
                        && request.price.is_none_or(|asked| asked == price)
            );
            action && sent.user_ref == request.user_ref
        })
    }

    /// Takes a number; whether it was taken before.
    fn is_resent(&mut self, session: SessionId, user_ref: UserRef) -> bool {
        let facts = &mut self.sessions[session.index()];
        let resent = user_ref.number <= facts.taken;
        facts.taken = facts.taken.max(user_ref.number);
        resent
    }

    /// Whether the model has an open order under this id.
    pub(super) fn is_open(&mut self, now: u64, id: u32) -> bool {
        self.model.apply(now, &Op::Cancel { id }) == Answer::Word(Word::Forwarded)
    }

    fn judged(&mut self, now: u64, op: &Op) -> Vec<String> {
        match self.model.apply(now, op) {
            Answer::Judged(failing) => failing,
            Answer::Word(word) => unreachable!("an order is judged, not {}", word.name()),
        }
    }

    /// The failing checks of an order that ingress found wrong: form alone, and what it found.
    fn form(
        &self,
        account: u32,
        instrument: u32,
        qty: i64,
        price: Option<i64>,
        early: RejectCode,
    ) -> Vec<String> {
        let config = &self.market.config;
        let limits = config.instruments.get(instrument as usize);
        let price_max = limits.map_or(i64::MAX, |limits| limits.price_max);
        let outside = price.is_some_and(|price| price < 1 || price > price_max);
        let failing = [
            ("ACCOUNT_UNKNOWN", account as usize >= config.accounts.len()),
            ("INSTRUMENT_UNKNOWN", limits.is_none()),
            ("QUANTITY_INVALID", qty < 1),
            ("PRICE_INVALID", outside),
        ];
        let failing = failing.into_iter().filter(|(_, fails)| *fails);
        let names = failing.map(|(name, _)| name.to_owned());
        names.chain([checks::name(early).to_string()]).collect()
    }

    pub(super) fn cancel(&mut self, now: u64, id: u32) -> Result<(), Violation> {
        if !self.is_open(now, id) {
            return self.effects.expect_answer(AnswerKind::OrderUnknown);
        }
        let sent: Vec<&OutboundOrder> = self.effects.approved().collect();
        let passes = matches!(sent[..], [order] if is_cancel(order));
        if passes {
            self.note_asked(id);
            return Ok(());
        }
        Err(verdict(format!(
            "a cancel of an open order goes to the engine; came {:?}",
            self.effects.0
        )))
    }

    fn expect_verdict(
        &mut self,
        predicted: &[String],
        is_what_was_asked: impl Fn(&OutboundOrder) -> bool,
    ) -> Result<(), Violation> {
        if !predicted.is_empty() {
            return self.expect_refusal(predicted);
        }
        self.audited.judged += 1;
        self.audited.accepted += 1;
        self.effects.expect_approval(is_what_was_asked)
    }

    fn expect_refusal(&mut self, predicted: &[String]) -> Result<(), Violation> {
        self.audited.judged += 1;
        self.effects.expect_refusal(predicted)
    }
}
