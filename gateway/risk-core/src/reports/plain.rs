//! What most orders have after they were accepted, by a straight way each: the engine's acceptance, fills, cancel and
//! reject, and the client's cancel.
//!
//! Risk thread. Plain is an order that approach has found, open and of one version. Invariants: each way does what
//! the long one does with the same record; whatever is not plain goes the long way, before anything has changed.

use super::{Fill, passed};
use crate::approach::LineSink;
use crate::approved::{Approved, OutboundAction, OutboundOrder};
use crate::effect::{ClientReport, Effect, EffectSink};
use crate::engine::RiskCore;
use crate::ledger::Part;
use crate::order::Order;
use crate::orders::Named;
use core::hint::cold_path;
use portcullis_domain::{
    AccountId, CancelRequest, Head, InstrumentId, OrderId, OrderKey, Qty, ReportKind, SessionId,
    UserRef, VenueReport,
};

impl RiskCore {
    /// The engine has an order.
    #[inline(never)]
    pub(crate) fn apply_accepted(
        &mut self,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        let plain = self.plain_of(head, ReportKind::Accepted);
        let Some(passed) = plain.map(|(report, slot, order)| passed(&report, slot, order)) else {
            self.apply_other(head, lines, sink);
            return;
        };
        self.ledger.touch(passed.account, &self.table);
        self.emit(sink, Effect::Reported(passed));
    }

    /// What was left of an order is cancelled.
    #[inline(never)]
    pub(crate) fn apply_canceled(
        &mut self,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        match self.closed(head, ReportKind::Canceled) {
            Some(passed) => self.emit(sink, Effect::Reported(passed)),
            None => self.apply_other(head, lines, sink),
        }
    }

    /// The engine refuses an order.
    #[inline(never)]
    pub(crate) fn apply_rejected(
        &mut self,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        match self.closed(head, ReportKind::Rejected) {
            Some(passed) => self.emit(sink, Effect::Reported(passed)),
            None => self.apply_other(head, lines, sink),
        }
    }

    /// An order traded.
    #[inline(never)]
    pub(crate) fn apply_fill(
        &mut self,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        match self.filled(head) {
            Some(passed) => self.emit(sink, Effect::Reported(passed)),
            None => self.apply_other(head, lines, sink),
        }
    }

    /// A client wants an order cancelled, all of it, by the number under which the engine knows it.
    #[inline(never)]
    pub(crate) fn apply_cancel(
        &mut self,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        let request = CancelRequest::decode(head).ok();
        let request = request.filter(|request| request.qty_total == Qty::ZERO);
        let plain = request.and_then(|request| {
            let user_ref = request.user_ref;
            Some((user_ref, self.plain(request.session, user_ref)?))
        });
        let Some((user_ref, (slot, order))) = plain else {
            self.apply_other(head, lines, sink);
            return;
        };
        let outbound = OutboundOrder {
            order: OrderId::new(slot, order.generation),
            session: order.session,
            account: AccountId::new(order.account),
            instrument: InstrumentId::new(order.instrument),
            side: order.side,
            user_ref,
            action: OutboundAction::Cancel {
                qty_total: Qty::ZERO,
                by_gateway: false,
            },
        };
        let approved = Approved::new(self.seq, self.epoch, outbound);
        self.emit(sink, Effect::Approved(approved));
    }

    /// Closes the order that a head names, if it is plain: all that was left of it is gone.
    #[inline(always)]
    fn closed(&mut self, head: &Head, kind: ReportKind) -> Option<ClientReport> {
        let (report, slot, order) = self.plain_of(head, kind)?;
        let passed = ClientReport {
            qty: Qty::new(order.confirmed.leaves),
            leaves: Qty::ZERO,
            ..passed(&report, slot, order)
        };
        let whole = Part::whole(slot, order);
        let closed = self.ledger.close_plain(&whole, &self.table);
        closed.then_some(passed)
    }

    /// Books the fill that a head holds, if its order is plain.
    #[inline(always)]
    fn filled(&mut self, head: &Head) -> Option<ClientReport> {
        let (report, slot, order) = self.plain_of(head, ReportKind::decode_fill(head))?;
        let fill = Fill::of(report.kind)?;
        let leaves = order.confirmed.leaves;
        if fill.qty < 1 || fill.qty > leaves || fill.is_worse(order) {
            cold_path();
            return None;
        }
        let passed = ClientReport {
            qty: Qty::new(fill.qty),
            leaves: Qty::new(leaves - fill.qty),
            ..passed(&report, slot, order)
        };
        let execution = fill.execution(report.session, order);
        let part = Part::of(slot, order, fill.qty);
        let trade = execution.trade();
        if !self.ledger.fill_plain(&part, &trade, &self.table) {
            cold_path();
            return None;
        }
        self.executions.remember(execution);
        self.counters.executed_qty += fill.qty as u64;
        self.counters.fees += i128::from(fill.fee);
        Some(passed)
    }

    /// The report of a head whose detail says that it is of this kind, and its order, if that is plain. One of a
    /// session that there is not names none.
    #[inline(always)]
    fn plain_of(&self, head: &Head, kind: ReportKind) -> Option<(VenueReport, u32, &Order)> {
        let report = VenueReport::decode_as(head, kind).ok()?;
        let (slot, order) = self.plain(report.session, report.user_ref)?;
        Some((report, slot, order))
    }

    /// The order that a record names, if it is plain.
    #[inline(always)]
    fn plain(&self, session: SessionId, user_ref: UserRef) -> Option<(u32, &Order)> {
        let slot = self.hints.get(self.seq.raw());
        let orders = &self.ledger.orders;
        let Some(order) = orders.hinted(slot, session, user_ref) else {
            cold_path();
            return None;
        };
        debug_assert_eq!(
            orders.named(OrderKey::new(session, user_ref)),
            Named::Open(slot),
            "a number names one order"
        );
        Some((slot, order))
    }
}
