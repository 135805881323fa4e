//! Cancels: a client's, a client's many, and the gateway's own.
//!
//! Risk thread. Invariant: a cancel of an open order is never refused; holds stay until the engine
//! has spoken.

use crate::approach::LineSink;
use crate::approved::{Approved, OutboundAction, OutboundOrder};
use crate::effect::{AlarmKind, AnswerKind, EFFECTS_MAX, Effect, EffectSink, SessionChange};
use crate::engine::{About, RiskCore};
use crate::order::PENDING_MAX;
use crate::orders::Named;
use crate::sweeps::{Filter, ORDERS_A_SLICE, Slice};
use portcullis_domain::{
    AccountId, CancelRequest, InstrumentId, MassCancel, OrderKey, Qty, RejectCode, Scope,
    SessionEvent, SessionEventKind, SessionId, Units, UserRef,
};

impl RiskCore {
    pub(crate) fn cancel(&mut self, request: &CancelRequest, sink: &mut impl EffectSink) {
        let Named::Open(slot) = self.ledger.orders.named(request.key()) else {
            self.answer(
                request.session,
                request.user_ref,
                AnswerKind::OrderUnknown,
                sink,
            );
            return;
        };
        let order = self.ledger.orders.whole(slot);
        // The engine knows live versions alone: a past one's number is replaced by the newest.
        let asked = request.user_ref.number;
        let live = order.versions().any(|version| version.number == asked);
        let number = if live {
            asked
        } else {
            order.last_version().number
        };
        let instrument = self.table.instrument(InstrumentId::new(order.instrument));
        let lots = request.qty_total.lots();
        let lots = match (request.units, instrument) {
            (Units::Wire, Some(limits)) => limits.wire.lots_remaining(lots),
            (Units::TicksAndLots, _) | (_, None) => lots,
        };
        self.send_cancel(slot, number, Qty::new(lots), false, sink);
    }

    /// One that ingress could not read is refused: which orders it means is not known.
    pub(crate) fn mass_cancel(
        &mut self,
        request: &MassCancel,
        early: Option<RejectCode>,
        sink: &mut impl EffectSink,
    ) {
        let filter = Filter::Client {
            session: request.session,
            account: request.account,
            instrument: request.instrument,
            side: request.side,
        };
        let taken = early.is_none() && self.sweeps.begin(filter);
        let kind = if taken {
            AnswerKind::MassCancelTaken
        } else {
            AnswerKind::MassCancelRefused
        };
        self.answer(request.session, request.user_ref, kind, sink);
    }

    pub(crate) fn order_entry(
        &mut self,
        session: SessionId,
        user_ref: UserRef,
        enabled: bool,
        sink: &mut impl EffectSink,
    ) {
        self.sessions.get_mut(session).entry_enabled = enabled;
        let kind = if enabled {
            AnswerKind::EntryEnabled
        } else {
            AnswerKind::EntryDisabled
        };
        self.answer(session, user_ref, kind, sink);
    }

    pub(crate) fn session_event(&mut self, event: &SessionEvent, sink: &mut impl EffectSink) {
        let session = self.sessions.get_mut(event.session);
        let ends = event.kind != SessionEventKind::Up;
        if ends && session.connection != Some(event.connection) {
            // An old connection's end; the session already lives on another.
            return;
        }
        session.connection = (!ends).then_some(event.connection);
        let lost = matches!(event.kind, SessionEventKind::Lost | SessionEventKind::Ended);
        let limits = self.table.session(event.session);
        let canceling = lost && limits.is_some_and(|limits| limits.cancel_on_disconnect);
        if canceling {
            self.begin_sweep(Filter::Scope(Scope::Session(event.session)), sink);
        }
        let change = SessionChange {
            session: event.session,
            kind: event.kind,
            connection: event.connection,
            sequence: event.sequence,
            canceling,
        };
        self.emit(sink, Effect::SessionChanged(change));
    }

    /// Begins a sweep that must not be lost: an alarm where the queue is full.
    pub(crate) fn begin_sweep(&mut self, filter: Filter, sink: &mut impl EffectSink) {
        if !self.sweeps.begin(filter) {
            self.alarm(AlarmKind::SweepQueueFull, None, sink);
        }
    }

    /// One slice of the work under way, or where there is none some tidying: never more than an order
    /// behind it can wait for.
    pub(crate) fn tick(&mut self, lines: &mut impl LineSink, sink: &mut impl EffectSink) {
        if self.sweeps.is_pending() {
            self.cancel_slice(sink);
            self.sweeps.visit_lines(&self.ledger.orders, lines);
        } else if self.valuations.is_pending() {
            self.value_slice(lines, sink);
        } else {
            self.ledger.positions.tick();
        }
    }

    /// One slice of the sweeps under way. An order of many versions is many effects, and counts so.
    fn cancel_slice(&mut self, sink: &mut impl EffectSink) {
        let mut slice = Slice::WHOLE;
        while self.effects_left() > EFFECTS_MAX - ORDERS_A_SLICE as usize {
            let ledger = &self.ledger;
            let firms_of = |account| {
                let account = ledger.accounts.get(account);
                (account.firm, account.clearing_member)
            };
            let Some(slot) = self.sweeps.next(&ledger.orders, &mut slice, firms_of) else {
                return;
            };
            self.cancel_every_version(slot, sink);
        }
    }

    /// Which version the engine holds is not known while some are unanswered, so each is named; it
    /// ignores those that are dead.
    fn cancel_every_version(&mut self, slot: u32, sink: &mut impl EffectSink) {
        self.ledger.orders.get_mut(slot).set_canceling(true);
        let order = self.ledger.orders.whole(slot);
        let mut numbers = [0; PENDING_MAX + 1];
        let mut len = 0;
        for version in order.versions() {
            numbers[len] = version.number;
            len += 1;
        }
        for number in &numbers[..len] {
            self.send_cancel(slot, *number, Qty::ZERO, true, sink);
        }
    }

    fn send_cancel(
        &mut self,
        slot: u32,
        number: u32,
        qty_total: Qty,
        by_gateway: bool,
        sink: &mut impl EffectSink,
    ) {
        let order = self.ledger.orders.get(slot);
        let outbound = OutboundOrder {
            order: self.ledger.orders.id(slot),
            session: order.session,
            account: AccountId::new(order.account),
            instrument: InstrumentId::new(order.instrument),
            side: order.side,
            user_ref: order.user_ref(number),
            action: OutboundAction::Cancel {
                qty_total,
                by_gateway,
            },
        };
        let approved = Approved::new(self.seq, self.epoch, outbound);
        self.emit(sink, Effect::Approved(approved));
    }

    /// What an alarm about an order says.
    pub(crate) fn about(&self, key: OrderKey, session: SessionId, user_ref: UserRef) -> About {
        let mut about = About {
            session,
            user_ref,
            ..About::NOTHING
        };
        if let Named::Open(slot) | Named::Closed(slot) = self.ledger.orders.named(key) {
            let order = self.ledger.orders.get(slot);
            about.account = AccountId::new(order.account);
            about.instrument = InstrumentId::new(order.instrument);
        }
        about
    }
}
