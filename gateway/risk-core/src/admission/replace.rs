//! A client's replace: one more version of an order, holding beside those before it.
//!
//! Risk thread. Invariant: a refused replace leaves the order as it was.

use super::Terms;
use crate::accounts::Bound;
use crate::approved::{Approved, OutboundAction, OutboundOrder};
use crate::effect::{AnswerKind, Effect, EffectSink};
use crate::engine::RiskCore;
use crate::orders::{Named, Version};
use portcullis_domain::{
    AccountId, InstrumentId, OrderKey, Price, Qty, QtyMeaning, RejectCode, ReplaceRequest,
    TimeInForce,
};

impl RiskCore {
    pub(crate) fn replace(
        &mut self,
        request: &ReplaceRequest,
        early: Option<RejectCode>,
        sink: &mut impl EffectSink,
    ) {
        let key = OrderKey::new(request.session, request.original);
        let Named::Open(slot) = self.ledger.orders.named(key) else {
            // Its number is not used up: OUCH ignores a replace of a dead order.
            self.answer(
                request.session,
                request.user_ref,
                AnswerKind::OrderUnknown,
                sink,
            );
            return;
        };
        if !self.sessions.is_new(request.session, request.user_ref) {
            self.answer(request.session, request.user_ref, AnswerKind::Resent, sink);
            return;
        }
        self.sessions.take(request.session, request.user_ref);
        let order = self.ledger.orders.get(slot);
        let executed = match request.qty_meaning {
            QtyMeaning::Open => 0,
            QtyMeaning::Total => order.executed,
        };
        let terms = Terms {
            session: request.session,
            user_ref: request.user_ref,
            account: AccountId::new(order.account),
            instrument: InstrumentId::new(order.instrument),
            side: order.side,
            qty: request.qty.lots().saturating_sub(executed),
            price: request.price.map(Price::ticks),
            time_in_force: request.time_in_force,
            replaces: Some(slot),
        };
        let (failing, explanation) = self.judge_form(&terms, early);
        if !failing.is_empty() {
            self.refuse(&terms, failing, explanation, sink);
            return;
        }
        self.judge_replace(&terms, slot, sink);
    }

    fn judge_replace(&mut self, terms: &Terms, slot: u32, sink: &mut impl EffectSink) {
        let judgement = self.judge(terms, self.now.ns());
        self.note_maintenance(terms, &judgement, sink);
        if !judgement.failing.is_empty() {
            self.refuse(terms, judgement.failing, judgement.explanation, sink);
            return;
        }
        let limit = judgement
            .price
            .expect("REFERENCE_MISSING refused a market order without one");
        let was_market = terms.price.is_none();
        let immediate = TimeInForce::ImmediateOrCancel;
        let time_in_force = if was_market {
            immediate
        } else {
            terms.time_in_force
        };
        let order = self.ledger.orders.get(slot);
        let original = order.user_ref(order.last_version().number);
        let qty_total = Qty::new(terms.qty.saturating_add(order.executed));
        let number = terms.user_ref.number;
        // Point of no return.
        let version = Version {
            price: limit,
            leaves: terms.qty,
            number,
            time_in_force,
        };
        self.ledger
            .change_order(slot, &self.table, |orders| orders.ask(slot, version));
        self.ledger.orders.get_mut(slot).canceling = false;
        self.ledger.accounts.get_mut(terms.account.raw()).bound = Bound::NONE;
        self.count_volume(terms, &judgement);
        self.counters.accepted += 1;
        let outbound = OutboundOrder {
            order: self.ledger.orders.id(slot),
            session: terms.session,
            account: terms.account,
            instrument: terms.instrument,
            side: terms.side,
            user_ref: terms.user_ref,
            action: OutboundAction::Replace {
                original,
                qty_total,
                price: Price::new(limit),
                time_in_force,
                was_market,
            },
        };
        self.emit(sink, Effect::Approved(Approved::new(self.seq, outbound)));
    }
}
