//! The columns of each kind of line.
//!
//! Pure. Invariant: a line has as many fields as its header; a field that does not apply is empty.

use super::facts::Facts;
use crate::journal::naming::{Naming, Scales};
use crate::journal::words::side;
use portcullis_domain::{
    AccountId, Head, InstrumentId, Price, ReportKind, SessionId, Side, UserRef, VenueReport,
};
use portcullis_risk_core::checks;
use portcullis_risk_core::{ClientReport, OutboundAction, OutboundOrder, Refusal};

/// The columns of a record.
pub(super) const RECORDS: [&str; 14] = [
    "seq",
    "timestamp_ns",
    "kind",
    "session",
    "row",
    "number",
    "account",
    "instrument",
    "side",
    "qty_lots",
    "price",
    "money",
    "what",
    "refused_at_the_door",
];

/// The columns of a verdict.
pub(super) const VERDICTS: [&str; 18] = [
    "seq",
    "timestamp_ns",
    "epoch",
    "session",
    "row",
    "number",
    "account",
    "instrument",
    "request",
    "side",
    "qty_lots",
    "price",
    "verdict",
    "failing",
    "limit",
    "used",
    "asked",
    "qty_passing_lots",
];

/// The columns of a fill.
pub(super) const FILLS: [&str; 14] = [
    "seq",
    "timestamp_ns",
    "session",
    "row",
    "number",
    "order",
    "account",
    "instrument",
    "side",
    "qty_lots",
    "price",
    "match_number",
    "fee",
    "leaves_lots",
];

/// How fields are written.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) naming: &'a Naming,
    pub(super) scales: Scales<'a>,
}

impl Columns<'_> {
    pub(super) fn record(&self, head: &Head) -> [String; 14] {
        let facts = Facts::of(head);
        let early = head.early_refusal().map_or("", checks::name);
        let (row, number) = match facts.user_ref {
            Some(UserRef { row, number }) => (row.to_string(), number.to_string()),
            None => (String::new(), String::new()),
        };
        [
            head.seq.to_string(),
            head.timestamp_ns.to_string(),
            facts.kind.to_owned(),
            self.session(facts.session),
            row,
            number,
            self.account(facts.account),
            self.instrument(facts.instrument),
            facts.side.map_or("", side).to_owned(),
            facts.qty.map_or_else(String::new, |qty| qty.to_string()),
            facts
                .price
                .map_or_else(String::new, |price| self.price(facts.instrument, price)),
            facts
                .money
                .map_or_else(String::new, |money| self.scales.money(money.into())),
            facts.what,
            early.to_owned(),
        ]
    }

    /// An order or replace that went on to the venue; `None` for a cancel.
    pub(super) fn accepted(
        &self,
        head: &Head,
        order: &OutboundOrder,
        epoch: u32,
    ) -> Option<[String; 18]> {
        let (request, qty, price) = match order.action {
            OutboundAction::Enter { qty, price, .. } => ("order", qty, price),
            OutboundAction::Replace {
                qty_total, price, ..
            } => ("replace", qty_total, price),
            OutboundAction::Cancel { .. } => return None,
        };
        let judged = Judged {
            session: order.session,
            user_ref: order.user_ref,
            account: order.account,
            instrument: order.instrument,
            request,
            side: order.side,
            qty: qty.lots(),
            price: Some(price),
            epoch,
        };
        Some(self.verdict(head, &judged, "accepted", String::new(), None))
    }

    pub(super) fn refused(&self, head: &Head, refusal: &Refusal) -> [String; 18] {
        let judged = Judged {
            session: refusal.session,
            user_ref: refusal.user_ref,
            account: refusal.account,
            instrument: refusal.instrument,
            request: if refusal.replace { "replace" } else { "order" },
            side: refusal.side,
            qty: refusal.qty.lots(),
            price: refusal.price,
            epoch: refusal.epoch,
        };
        let failing: Vec<_> = refusal.failing.codes().map(checks::name).collect();
        let numbers = &refusal.explanation;
        let numbers = [
            numbers.limit,
            numbers.used,
            numbers.asked,
            numbers.qty_passing,
        ];
        self.verdict(head, &judged, "refused", failing.join(" "), Some(numbers))
    }

    fn verdict(
        &self,
        head: &Head,
        judged: &Judged,
        verdict: &str,
        failing: String,
        numbers: Option<[i64; 4]>,
    ) -> [String; 18] {
        let number =
            |index: usize| numbers.map_or_else(String::new, |numbers| numbers[index].to_string());
        [
            head.seq.to_string(),
            head.timestamp_ns.to_string(),
            judged.epoch.to_string(),
            self.session(judged.session),
            judged.user_ref.row.to_string(),
            judged.user_ref.number.to_string(),
            self.account(judged.account),
            self.instrument(judged.instrument),
            judged.request.to_owned(),
            side(judged.side).to_owned(),
            judged.qty.to_string(),
            judged.price.map_or("market".to_owned(), |price| {
                self.scales.price(judged.instrument, price)
            }),
            verdict.to_owned(),
            failing,
            number(0),
            number(1),
            number(2),
            number(3),
        ]
    }

    pub(super) fn fill(
        &self,
        head: &Head,
        report: &ClientReport,
        told: &VenueReport,
    ) -> [String; 14] {
        let (price, number, fee) = match told.kind {
            ReportKind::Fill {
                price,
                match_number,
                fee,
                ..
            } => (
                self.scales.price(report.instrument, price),
                match_number.to_string(),
                self.scales.money(fee.quanta().into()),
            ),
            ReportKind::Accepted
            | ReportKind::Canceled
            | ReportKind::Reduced { .. }
            | ReportKind::Rejected
            | ReportKind::Replaced { .. }
            | ReportKind::ReplaceRejected { .. }
            | ReportKind::CancelPending
            | ReportKind::CancelRejected
            | ReportKind::BrokenTrade { .. }
            | ReportKind::Information => (String::new(), String::new(), String::new()),
        };
        [
            head.seq.to_string(),
            head.timestamp_ns.to_string(),
            self.session(report.session),
            report.user_ref.row.to_string(),
            report.user_ref.number.to_string(),
            report.order.raw().to_string(),
            self.account(report.account),
            self.instrument(report.instrument),
            side(report.side).to_owned(),
            report.qty.lots().to_string(),
            price,
            number,
            fee,
            report.leaves.lots().to_string(),
        ]
    }

    /// A price in a record. Where that names no instrument, nothing says its tick, and no decimals can be given.
    fn price(&self, instrument: InstrumentId, price: Price) -> String {
        if instrument == InstrumentId::NONE && self.scales.0.is_some() {
            return String::new();
        }
        self.scales.price(instrument, price)
    }

    fn session(&self, session: SessionId) -> String {
        if session == SessionId::NONE {
            return String::new();
        }
        self.naming.session(session)
    }

    fn account(&self, account: AccountId) -> String {
        if account == AccountId::NONE {
            return String::new();
        }
        self.naming.account(account)
    }

    fn instrument(&self, instrument: InstrumentId) -> String {
        if instrument == InstrumentId::NONE {
            return String::new();
        }
        self.naming.instrument(instrument)
    }
}

/// What was judged.
struct Judged {
    session: SessionId,
    user_ref: UserRef,
    account: AccountId,
    instrument: InstrumentId,
    request: &'static str,
    side: Side,
    qty: i64,
    price: Option<Price>,
    epoch: u32,
}
