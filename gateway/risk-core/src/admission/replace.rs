//! A client's replace: one more version of an order, holding beside those before it.
//!
//! Risk thread. Invariant: a refused replace leaves the order as it was.

use super::{Judgement, Terms};
use crate::approved::{Approved, OutboundAction, OutboundOrder};
use crate::bound::Spent;
use crate::checks::early;
use crate::effect::{AnswerKind, Effect, EffectSink};
use crate::engine::RiskCore;
use crate::limits::instrument::WireUnits;
use crate::order::Version;
use crate::orders::Named;
use portcullis_domain::{
    AccountId, InstrumentId, OrderKey, Price, Qty, QtyMeaning, RejectCode, ReplaceRequest, Units,
    UserRef,
};

impl RiskCore {
    pub(crate) fn replace(
        &mut self,
        request: &ReplaceRequest,
        early: Option<RejectCode>,
        sink: &mut impl EffectSink,
    ) {
        let Some(slot) = self.open_order(request) else {
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
        let (terms, early) = self.replace_terms(request, slot, early);
        let order = self.ledger.orders.whole(slot);
        let original = order.user_ref(order.last_version().number);
        if early.is_none()
            && let Some(rise) = self.book_version(&terms, slot)
        {
            self.send_version(&terms, slot, (original, rise.limit), sink);
            return;
        }
        if self.form_fails(&terms, early) {
            let (failing, explanation) = self.explain_form(&terms, early);
            self.refuse(&terms, failing, explanation, sink);
            return;
        }
        self.judge_replace(&terms, slot, original, sink);
    }

    /// The slot of the open order that a replace names: the one that approach has found, or that in the index.
    #[inline(always)]
    fn open_order(&self, request: &ReplaceRequest) -> Option<u32> {
        let orders = &self.ledger.orders;
        let hint = self.hints.get(self.seq.raw());
        let hinted = orders.hinted(hint, request.session, request.original);
        if hinted.is_some() {
            return Some(hint);
        }
        let key = OrderKey::new(request.session, request.original);
        match orders.named(key) {
            Named::Open(slot) => Some(slot),
            Named::Closed(_) | Named::Nothing => None,
        }
    }

    /// What the request asks, in ticks and lots open; a number that is none of those is refused by
    /// name.
    pub(super) fn replace_terms(
        &self,
        request: &ReplaceRequest,
        slot: u32,
        early: Option<RejectCode>,
    ) -> (Terms, Option<RejectCode>) {
        let order = self.ledger.orders.get(slot);
        let instrument = InstrumentId::new(order.instrument);
        let wire = match request.units {
            Units::TicksAndLots => WireUnits::ONE,
            Units::Wire => self
                .table
                .instrument(instrument)
                .map_or(WireUnits::ONE, |i| i.wire),
        };
        let asked = request.price.map(Price::ticks);
        let price = asked.map(|price| wire.ticks(price).ok_or(early::TICK_INVALID));
        let qty = wire.lots(request.qty.lots()).ok_or(early::LOT_INVALID);
        let fault = price.and_then(Result::err).or(qty.err());
        let executed = match request.qty_meaning {
            QtyMeaning::Open => 0,
            QtyMeaning::Total => order.executed,
        };
        let terms = Terms {
            session: request.session,
            user_ref: request.user_ref,
            account: AccountId::new(order.account),
            instrument,
            side: order.side,
            qty: qty.unwrap_or(request.qty.lots()).saturating_sub(executed),
            price: price.map(|price| price.unwrap_or(asked.unwrap_or(0))),
            time_in_force: request.time_in_force,
            replaces: Some(slot),
        };
        (terms, early.or(fault))
    }

    /// Judges a replace by its whole view.
    #[inline(never)]
    fn judge_replace(
        &mut self,
        terms: &Terms,
        slot: u32,
        original: UserRef,
        sink: &mut impl EffectSink,
    ) {
        let position = self.place(terms);
        let judgement = self.judge(terms, position, None);
        self.note_maintenance(terms, judgement.below_maintenance, sink);
        if !judgement.failing.is_empty() {
            self.refuse(terms, judgement.failing, judgement.explanation, sink);
            return;
        }
        let limit = judgement
            .price
            .expect("REFERENCE_MISSING refused a market order without one");
        let hold_before = self.ledger.orders.whole(slot).hold(None).lots;
        // Point of no return.
        let version = Version {
            price: limit,
            leaves: terms.qty,
            number: terms.user_ref.number,
            time_in_force: terms.time_in_force_sent(),
        };
        self.ledger
            .change_order(slot, &self.table, |orders| orders.ask(slot, version));
        self.ledger.orders.get_mut(slot).set_canceling(false);
        self.spend_version(terms, slot, &judgement, hold_before);
        if let Some(position) = judgement.position.filter(|_| !judgement.reducing) {
            let volume_tat_ns = judgement.volume_tat_ns;
            self.count_volume(terms.instrument, position, judgement.rise, volume_tat_ns);
        }
        self.send_version(terms, slot, (original, limit), sink);
    }

    /// Sends a booked version on: instead of which, and with what limit.
    #[inline(always)]
    fn send_version(
        &mut self,
        terms: &Terms,
        slot: u32,
        (original, limit): (UserRef, i64),
        sink: &mut impl EffectSink,
    ) {
        self.counters.accepted += 1;
        let executed = self.ledger.orders.get(slot).executed;
        let outbound = OutboundOrder {
            order: self.ledger.orders.id(slot),
            session: terms.session,
            account: terms.account,
            instrument: terms.instrument,
            side: terms.side,
            user_ref: terms.user_ref,
            action: OutboundAction::Replace {
                original,
                qty_total: Qty::new(terms.qty.saturating_add(executed)),
                price: Price::new(limit),
                time_in_force: terms.time_in_force_sent(),
                was_market: terms.price.is_none(),
            },
        };
        let approved = Approved::new(self.seq, self.epoch, outbound);
        self.emit(sink, Effect::Approved(approved));
    }

    /// Takes what the new version of an order could need out of its account's bound.
    fn spend_version(&mut self, terms: &Terms, slot: u32, judgement: &Judgement, hold_before: i64) {
        let hold = self.ledger.orders.whole(slot).hold(None).lots;
        let rise = if judgement.reducing {
            0
        } else {
            hold - hold_before
        };
        let instrument = self.ledger.instruments.get(terms.instrument.raw());
        let adverse = i64::try_from(judgement.adverse).ok();
        let spent = Spent {
            instrument: terms.instrument.raw(),
            qty: hold,
            need: adverse.and_then(|adverse| instrument.need(rise, adverse)),
        };
        let account = self.ledger.accounts.get_mut(terms.account.raw());
        account.bound.spend(&spent, instrument);
    }
}
