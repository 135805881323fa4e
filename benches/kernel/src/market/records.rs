//! The records of a market, in their order, and what each of them does to what the market must come to.
//!
//! On the measuring thread. Invariant: a record that was made is applied, before the next is made or with it in a batch.

use super::{Market, ORDER_GAP_NS};
use portcullis_bench_market::case::Case;
use portcullis_bench_market::{Ground, PRICE_START};
use portcullis_domain::{
    CancelRequest, Command, Money, Price, Qty, Record, ReplaceRequest, ReportKind, SessionId,
    UserRef, VenueReport,
};

impl Market {
    /// The record of the engine's word: one that ends its order, or answers a replace.
    pub(crate) fn report_record(
        &mut self,
        session: SessionId,
        user_ref: UserRef,
        kind: ReportKind,
    ) -> Record {
        self.reports += 1;
        if let ReportKind::Fill { qty, fee, .. } = kind {
            self.executed_lots += qty.lots() as u64;
            self.fees += i128::from(fee.quanta());
        }
        self.record(Command::Report(VenueReport {
            session,
            user_ref,
            kind,
            note: 0,
        }))
    }

    /// The same of one that leaves its order open.
    pub(crate) fn report_of_open(
        &mut self,
        session: SessionId,
        user_ref: UserRef,
        kind: ReportKind,
    ) -> Record {
        self.leaving_open += 1;
        self.report_record(session, user_ref, kind)
    }

    /// The engine's word that a version asked for is the order now.
    pub(crate) fn answer_record(
        &mut self,
        session: SessionId,
        user_ref: UserRef,
        new: UserRef,
    ) -> Record {
        self.unanswered -= 1;
        self.report_record(session, user_ref, ReportKind::Replaced { new })
    }

    /// A client's cancel.
    pub(crate) fn cancel_record(&mut self, request: CancelRequest) -> Record {
        self.cancels += 1;
        self.record(Command::Cancel(request))
    }

    /// A client's replace, which must be accepted.
    pub(crate) fn replace_record(&mut self, request: ReplaceRequest) -> Record {
        self.sent += 1;
        self.unanswered += 1;
        self.record(Command::Replace(request))
    }

    /// The next order of a case, which must be refused.
    pub(crate) fn next_of_case(&mut self, case: &Case) -> Record {
        self.wait_ns(ORDER_GAP_NS);
        let command = case.command(self);
        let mut record = self.record(command);
        if let Some(code) = case.early() {
            record.head.refuse_early(code);
        }
        self.refusals += 1;
        record
    }

    /// The record of a command, which must be the next to be applied.
    pub fn record(&mut self, command: Command) -> Record {
        self.seq += 1;
        let mut record = Record::bare(command.encode());
        record.head.seq = self.seq;
        record.head.timestamp_ns = self.now_ns;
        record
    }
}

/// A fill at the price where all began.
#[must_use]
pub const fn fill(lots: i64, match_number: u64, fee: Money) -> ReportKind {
    ReportKind::Fill {
        qty: Qty::new(lots),
        price: Price::new(PRICE_START),
        match_number,
        fee,
    }
}
