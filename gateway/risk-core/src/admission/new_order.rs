//! A client's new order.
//!
//! Risk thread.

use super::{Judgement, Terms};
use crate::approved::{Approved, OutboundAction, OutboundOrder};
use crate::effect::{AnswerKind, Effect, EffectSink};
use crate::engine::RiskCore;
use crate::order::Version;
use crate::orders::Entry;
use crate::valuation::Spent;
use portcullis_domain::{NewOrder, Price, Qty, RejectCode, TimeInForce};

impl RiskCore {
    #[inline(always)]
    pub(crate) fn new_order(
        &mut self,
        order: &NewOrder,
        early: Option<RejectCode>,
        sink: &mut impl EffectSink,
    ) {
        if !self.sessions.is_new(order.session, order.user_ref) {
            self.answer(order.session, order.user_ref, AnswerKind::Resent, sink);
            return;
        }
        self.sessions.take(order.session, order.user_ref);
        let terms = Terms {
            session: order.session,
            user_ref: order.user_ref,
            account: order.account,
            instrument: order.instrument,
            side: order.side,
            qty: order.qty.lots(),
            price: order.price.map(Price::ticks),
            time_in_force: order.time_in_force,
            replaces: None,
        };
        if self.form_fails(&terms, early) {
            let (failing, explanation) = self.explain_form(&terms, early);
            self.refuse(&terms, failing, explanation, sink);
            return;
        }
        self.judge_new(&terms, sink);
    }

    #[inline(always)]
    fn judge_new(&mut self, terms: &Terms, sink: &mut impl EffectSink) {
        let judgement = self.judge(terms);
        self.note_maintenance(terms, &judgement, sink);
        if !judgement.failing.is_empty() {
            self.refuse(terms, judgement.failing, judgement.explanation, sink);
            return;
        }
        let position = judgement
            .position
            .expect("POSITIONS_FULL or a reducing order's position");
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
        // Point of no return.
        let entry = Entry {
            session: terms.session,
            user_ref: terms.user_ref,
            account: terms.account,
            instrument: terms.instrument,
            side: terms.side,
            version: Version {
                price: limit,
                leaves: terms.qty,
                number: terms.user_ref.number,
                time_in_force,
            },
            position,
            reserved: judgement.reserved,
        };
        let slot = self.ledger.open_order(&entry, &self.table);
        self.count_volume(terms, &judgement);
        self.spend(terms, &judgement);
        self.counters.accepted += 1;
        let outbound = OutboundOrder {
            order: self.ledger.orders.id(slot),
            session: terms.session,
            account: terms.account,
            instrument: terms.instrument,
            side: terms.side,
            user_ref: terms.user_ref,
            action: OutboundAction::Enter {
                qty: Qty::new(terms.qty),
                price: Price::new(limit),
                time_in_force,
                was_market,
            },
        };
        let approved = Approved::new(self.seq, self.epoch, outbound);
        self.emit(sink, Effect::Approved(approved));
    }

    /// Takes what an accepted order could need out of its account's bound.
    #[inline(always)]
    fn spend(&mut self, terms: &Terms, judgement: &Judgement) {
        let (account, instrument) = (terms.account.raw(), terms.instrument.raw());
        // A reducing order adds nothing to the worst case; its adverse money it does add.
        let margined = if judgement.reducing { 0 } else { terms.qty };
        let spent = Spent {
            instrument,
            qty: terms.qty,
            need: self.ledger.need(instrument, margined, judgement.adverse),
            fresh_until_ns: judgement.fresh_until_ns,
        };
        self.ledger.spend_bound(account, &spent);
    }

    /// Counts an accepted order's lots into the volumes, unless it reduces.
    #[inline(always)]
    pub(super) fn count_volume(&mut self, terms: &Terms, judgement: &Judgement) {
        if judgement.reducing {
            return;
        }
        if let Some(position) = judgement.position {
            let position = self.ledger.positions.get_mut(position);
            position.volume_tat_ns = judgement.volume_tat_ns;
        }
        let instrument = self.ledger.instruments.get_mut(terms.instrument.raw());
        instrument.window.count(judgement.rise);
    }
}
