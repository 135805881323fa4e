//! A client's new order.
//!
//! Risk thread.

use super::plain::{Closer, Unproved};
use super::{Judgement, Terms};
use crate::approach::LineSink;
use crate::approved::{Approved, OutboundAction, OutboundOrder};
use crate::bound::Spent;
use crate::counters::count;
use crate::effect::{AnswerKind, Effect, EffectSink, Unnumbered};
use crate::engine::RiskCore;
use crate::order::Version;
use crate::orders::Entry;
use crate::valuation::Valuation;
use core::hint::cold_path;
use portcullis_domain::{
    AccountId, Head, InstrumentId, NewOrder, OrderId, Price, Qty, RejectCode, TimeInForce, quanta,
};

/// An order that passed and is on the books.
pub(super) struct Booked {
    pub(super) order: OrderId,
    /// The limit that goes to the engine.
    pub(super) limit: i64,
    pub(super) reducing: bool,
}

impl RiskCore {
    #[inline(always)]
    pub(crate) fn new_order(
        &mut self,
        order: &NewOrder,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        if !self.sessions.is_new(order.session, order.user_ref) {
            cold_path();
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
        let early = head.early_refusal();
        if early.is_some() {
            cold_path();
            self.judge_early(terms, early, sink);
            return;
        }
        if terms.price.is_none() {
            cold_path();
            self.new_order_apart(terms, head, lines, sink);
            return;
        }
        let words = self.words(&terms, terms.price.unwrap_or(0));
        match self.book_plain::<false>(&terms) {
            Ok(booked) => self.send_proved(&terms, &booked, words, sink),
            Err(closer) => {
                cold_path();
                // Asked here: a look at the account's line before all else would wait for it.
                if self.ledger.accounts.has_member(terms.account.raw()) {
                    return self.new_order_apart(terms, head, lines, sink);
                }
                self.look_closer(terms, closer, head, lines, sink);
            }
        }
    }

    /// An order while its account is likely to be behind day or table: brought up first, as a glance at one that is
    /// behind is for nothing. Asks what the glance would, since nothing may be left behind by an order that is only
    /// answered, or by what is no order.
    #[inline(never)]
    pub(crate) fn apply_new_behind(
        &mut self,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        if let Ok(order) = NewOrder::decode(head)
            && self.sessions.contains(order.session)
            && self.sessions.is_new(order.session, order.user_ref)
        {
            self.bring_up(order.account);
        }
        self.apply_new(head, lines, sink);
    }

    /// Brings an account up to day and table, if there is such an account. Returns whether anything was to be done.
    fn bring_up(&mut self, account: AccountId) -> bool {
        let known = account.index() < self.table.accounts_len();
        let behind = known && self.ledger.touch(account, &self.table);
        // One that stays behind (the table lacks it, or its open orders are another firm's) tells nothing of others.
        if behind && !self.ledger.is_behind(account.raw()) {
            self.expect_behind();
        }
        behind
    }

    /// A market order, or one of an account with a clearing member, apart from all others: these then have their
    /// price, and no member, without asking each time.
    #[inline(never)]
    fn new_order_apart(
        &mut self,
        terms: Terms,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        match self.book_plain_again(&terms) {
            Ok(booked) => {
                let words = self.words(&terms, booked.limit);
                self.send_proved(&terms, &booked, words, sink);
            }
            Err(closer) => self.look_closer(terms, closer, head, lines, sink),
        }
    }

    /// Judges an order that ingress has found to be wrong. Its terms are its own copy, as in
    /// [`RiskCore::look_closer`].
    #[inline(never)]
    fn judge_early(&mut self, terms: Terms, early: Option<RejectCode>, sink: &mut impl EffectSink) {
        self.judge_new(&terms, early, None, sink);
    }

    /// Judges an order that the first glance did not admit: once more where its account had yet to be
    /// brought up to day and table, else closer. Takes a copy of the terms, so that those of an order that
    /// passes need not stand in memory.
    #[inline(never)]
    fn look_closer(
        &mut self,
        terms: Terms,
        closer: Closer,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        if core::mem::replace(&mut self.covered, false) {
            // Its worth was not all that it lacked: whoever found that goes on.
            return;
        }
        let closer = if self.bring_up(terms.account) {
            match self.book_plain_again(&terms) {
                Ok(booked) => {
                    let words = self.words(&terms, booked.limit);
                    return self.send_proved(&terms, &booked, words, sink);
                }
                Err(closer) => closer,
            }
        } else {
            closer
        };
        match closer {
            Closer::Unproved(need) => {
                let position = self.approach_worth(&terms, lines);
                let unproved = position.and_then(|slot| self.unproved(&terms, slot, need));
                match unproved {
                    Some(unproved) => self.value_and_judge(&terms, &unproved, head, lines, sink),
                    None => self.judge_new(&terms, None, None, sink),
                }
            }
            Closer::NotPlain => self.judge_new(&terms, None, None, sink),
        }
    }

    /// Judges an order whose account must be valued: at a glance, with what follows from its worth, or by
    /// its whole view.
    #[inline(never)]
    fn value_and_judge(
        &mut self,
        terms: &Terms,
        unproved: &Unproved,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        let need = unproved.need;
        let proved = self.counters.proved_by_bound;
        if self.ledger.restore_bound(terms.account.raw(), need)
            && self.is_bound_enough(terms, need)
            && self.book_covered(terms, head, lines, sink)
        {
            return;
        }
        let Some(narrow) = self.value_narrowly(terms, need, unproved.position) else {
            let valuation = self.value_widely(terms, need);
            self.judge_new(terms, None, Some(valuation), sink);
            return;
        };
        self.note_maintenance(terms, Some(narrow.is_below_maintenance()), sink);
        if self.suffices(terms, unproved, &narrow) && self.book_covered(terms, head, lines, sink) {
            // Not by its bound.
            self.counters.proved_by_bound = proved;
            return;
        }
        self.judge_new(terms, None, Some(narrow.widened()), sink);
    }

    /// Books and sends an order of an account whose worth is known to suffice, if a glance shows that the rest
    /// passes; `false`, and nothing done, if not. By the way that all other orders go: its code is near, and one
    /// of its own is not.
    fn book_covered(
        &mut self,
        terms: &Terms,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) -> bool {
        assert!(!self.covered, "a covered order is applied once more only");
        let accepted = self.counters.accepted;
        self.sessions.give_back(terms.session, terms.user_ref);
        self.covered = true;
        self.apply_new(head, lines, sink);
        let booked = core::mem::replace(&mut self.covered, false);
        assert!(
            booked == (self.counters.accepted > accepted),
            "an order that nobody goes on with was sent, and no other"
        );
        booked
    }

    /// Gives the lines by which an account is valued that its order has not fetched: asked for together
    /// before the first is read. Of more positions than two each tells only where the next is. Returns the slot
    /// of the order's own.
    #[inline(always)]
    fn approach_worth(&self, terms: &Terms, lines: &mut impl LineSink) -> Option<u32> {
        let ledger = &self.ledger;
        let account = ledger.accounts.get(terms.account.raw());
        lines.line(&account.cash);
        let first = ledger.positions.at(account.first_position);
        if let Some(first) = first {
            first.visit_lines(lines);
        }
        let instrument = ledger.instruments.get(terms.instrument.raw());
        instrument.visit_valued(lines);
        let slot = ledger.positions.find(terms.account, terms.instrument)?;
        // Whoever looks again finds it here.
        self.hints.set(self.seq.raw(), slot);
        let own = ledger.positions.get(slot);
        own.visit_second(lines);
        let next = ledger.positions.at(own.next);
        if let Some(next) = next {
            next.visit_lines(lines);
        }
        for position in [first, next].into_iter().flatten() {
            if let Some(instrument) = ledger.instruments.at(position.instrument) {
                instrument.visit_valued(lines);
            }
        }
        Some(slot)
    }

    /// Judges an order by its whole view.
    #[inline(never)]
    fn judge_new(
        &mut self,
        terms: &Terms,
        early: Option<RejectCode>,
        valued: Option<Valuation>,
        sink: &mut impl EffectSink,
    ) {
        if self.form_fails(terms, early) {
            let (failing, explanation) = self.explain_form(terms, early);
            self.refuse(terms, failing, explanation, sink);
            return;
        }
        let position = self.place(terms);
        let judgement = self.judge(terms, position, valued);
        self.note_maintenance(terms, judgement.below_maintenance, sink);
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
        // Point of no return.
        let booked = self.open_judged(terms, &judgement, position, limit);
        let words = self.words(terms, limit);
        self.send(terms, &booked, words, sink);
    }

    /// Books an order that passed.
    fn open_judged(
        &mut self,
        terms: &Terms,
        judgement: &Judgement,
        position: u32,
        limit: i64,
    ) -> Booked {
        let value = self.table.instrument(terms.instrument);
        let value = value.map_or(0, |limits| limits.value.quanta());
        let lot_ticks = i128::from(terms.qty) * i128::from(limit);
        let entry = terms.entry(position, limit, judgement.reserved);
        let order = self.ledger.open_order(&entry, quanta(lot_ticks, value));
        if !judgement.reducing {
            let volume_tat_ns = judgement.volume_tat_ns;
            self.count_volume(terms.instrument, position, terms.qty, volume_tat_ns);
        }
        let instrument = self.ledger.instruments.get(terms.instrument.raw());
        let adverse = i64::try_from(judgement.adverse).ok();
        let spent = Spent {
            instrument: terms.instrument.raw(),
            qty: terms.qty,
            need: adverse
                .and_then(|adverse| instrument.need(terms.margined(judgement.reducing), adverse)),
        };
        let account = self.ledger.accounts.get_mut(terms.account.raw());
        account.bound.spend(&spent, instrument);
        Booked {
            order,
            limit,
            reducing: judgement.reducing,
        }
    }

    /// Sends an order on whose account's worth was known to suffice, if it had to.
    #[inline(always)]
    fn send_proved(
        &mut self,
        terms: &Terms,
        booked: &Booked,
        words: Unnumbered,
        sink: &mut impl EffectSink,
    ) {
        if !booked.reducing {
            count(&mut self.counters.proved_by_bound);
        }
        self.send(terms, booked, words, sink);
    }

    /// Sends a booked order on.
    #[inline(always)]
    fn send(
        &mut self,
        terms: &Terms,
        booked: &Booked,
        words: Unnumbered,
        sink: &mut impl EffectSink,
    ) {
        count(&mut self.counters.accepted);
        let outbound = terms.outbound(booked.order, booked.limit);
        let approved = Approved::new(self.seq, self.epoch, outbound);
        self.emit_as(
            Effect::Approved(approved),
            words.numbered(booked.order),
            sink,
        );
    }

    /// The words of an order as it is sent if it passes.
    #[inline(always)]
    fn words(&self, terms: &Terms, limit: i64) -> Unnumbered {
        let outbound = terms.outbound(Unnumbered::ORDER, limit);
        Unnumbered::new(self.seq, self.epoch, &outbound)
    }

    /// Counts lots of an accepted order that does not reduce into the volumes.
    pub(super) fn count_volume(
        &mut self,
        instrument: InstrumentId,
        position: u32,
        rise: i64,
        volume_tat_ns: u64,
    ) {
        self.ledger.positions.get_mut(position).volume_tat_ns = volume_tat_ns;
        let instrument = self.ledger.instruments.get_mut(instrument.raw());
        instrument.window.count(rise);
    }
}

impl Terms {
    /// A market order is immediate or cancel, whatever it asked for.
    #[inline(always)]
    pub(super) fn time_in_force_sent(&self) -> TimeInForce {
        match self.price {
            Some(_) => self.time_in_force,
            None => TimeInForce::ImmediateOrCancel,
        }
    }

    /// What is sent of it.
    #[inline(always)]
    fn outbound(&self, order: OrderId, limit: i64) -> OutboundOrder {
        OutboundOrder {
            order,
            session: self.session,
            account: self.account,
            instrument: self.instrument,
            side: self.side,
            user_ref: self.user_ref,
            action: OutboundAction::Enter {
                qty: Qty::new(self.qty),
                price: Price::new(limit),
                time_in_force: self.time_in_force_sent(),
                was_market: self.price.is_none(),
            },
        }
    }

    /// Lots that margin is needed for: a reducing order adds nothing to the worst case. Its adverse money
    /// it does add.
    #[inline(always)]
    pub(super) fn margined(&self, reducing: bool) -> i64 {
        if reducing { 0 } else { self.qty }
    }

    /// What a new order is opened with.
    #[inline(always)]
    pub(super) fn entry(&self, position: u32, limit: i64, reserved: bool) -> Entry {
        Entry {
            session: self.session,
            user_ref: self.user_ref,
            account: self.account,
            instrument: self.instrument,
            side: self.side,
            version: Version {
                price: limit,
                leaves: self.qty,
                number: self.user_ref.number,
                time_in_force: self.time_in_force_sent(),
            },
            position,
            reserved,
        }
    }
}
