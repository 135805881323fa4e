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
        let Some(report) = self.report_of(head, ReportKind::Accepted) else {
            self.apply_other(head, lines, sink);
            return;
        };
        let Some((slot, order)) = self.plain(report.session, report.user_ref) else {
            self.report(&report, sink);
            return;
        };
        let passed = passed(&report, slot, order);
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
        match self.report_of(head, ReportKind::Canceled) {
            Some(report) => self.gone(&report, sink),
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
        match self.report_of(head, ReportKind::Rejected) {
            Some(report) => self.gone(&report, sink),
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
        match self.report_of(head, ReportKind::decode_fill(head)) {
            Some(report) => self.filled(&report, sink),
            None => self.apply_other(head, lines, sink),
        }
    }

    /// A client wants an order cancelled.
    #[inline(never)]
    pub(crate) fn apply_cancel(
        &mut self,
        head: &Head,
        lines: &mut impl LineSink,
        sink: &mut impl EffectSink,
    ) {
        let request = CancelRequest::decode(head).ok();
        match request.filter(|request| self.sessions.contains(request.session)) {
            Some(request) => self.cancel_plain(&request, sink),
            None => self.apply_other(head, lines, sink),
        }
    }

    /// The report of a head whose detail says that it is of this kind; none where the head is wrong elsewhere.
    #[inline(always)]
    fn report_of(&self, head: &Head, kind: ReportKind) -> Option<VenueReport> {
        let report = VenueReport::decode_as(head, kind).ok();
        report.filter(|report| self.sessions.contains(report.session))
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

    /// All that is left of an order is gone.
    #[inline(always)]
    fn gone(&mut self, report: &VenueReport, sink: &mut impl EffectSink) {
        let Some((slot, order)) = self.plain(report.session, report.user_ref) else {
            self.report(report, sink);
            return;
        };
        let passed = ClientReport {
            qty: Qty::new(order.confirmed.leaves),
            leaves: Qty::ZERO,
            ..passed(report, slot, order)
        };
        let whole = Part::whole(slot, order);
        if !self.ledger.close_plain(&whole, &self.table) {
            cold_path();
            self.report(report, sink);
            return;
        }
        self.emit(sink, Effect::Reported(passed));
    }

    /// Some of an order's lots traded, or all.
    #[inline(always)]
    fn filled(&mut self, report: &VenueReport, sink: &mut impl EffectSink) {
        let plain = self.plain(report.session, report.user_ref);
        let Some(((slot, order), fill)) = plain.zip(Fill::of(report.kind)) else {
            self.report(report, sink);
            return;
        };
        let leaves = order.confirmed.leaves;
        if fill.qty < 1 || fill.qty > leaves || fill.is_worse(order) {
            cold_path();
            self.report(report, sink);
            return;
        }
        let passed = ClientReport {
            qty: Qty::new(fill.qty),
            leaves: Qty::new(leaves - fill.qty),
            ..passed(report, slot, order)
        };
        let execution = fill.execution(report.session, order);
        let part = Part::of(slot, order, fill.qty);
        if !self
            .ledger
            .fill_plain(&part, &execution.trade(), &self.table)
        {
            cold_path();
            self.report(report, sink);
            return;
        }
        self.executions.remember(execution);
        self.counters.executed_qty += fill.qty as u64;
        self.counters.fees += i128::from(fill.fee);
        self.emit(sink, Effect::Reported(passed));
    }

    /// The whole order is to be cancelled, by the number under which the engine knows it.
    #[inline(always)]
    fn cancel_plain(&mut self, request: &CancelRequest, sink: &mut impl EffectSink) {
        let whole = request.qty_total == Qty::ZERO;
        let plain = self.plain(request.session, request.user_ref);
        let Some((slot, order)) = plain.filter(|_| whole) else {
            self.cancel(request, sink);
            return;
        };
        let outbound = OutboundOrder {
            order: OrderId::new(slot, order.generation),
            session: request.session,
            account: AccountId::new(order.account),
            instrument: InstrumentId::new(order.instrument),
            side: order.side,
            user_ref: request.user_ref,
            action: OutboundAction::Cancel {
                qty_total: Qty::ZERO,
                by_gateway: false,
            },
        };
        let approved = Approved::new(self.seq, self.epoch, outbound);
        self.emit(sink, Effect::Approved(approved));
    }
}
