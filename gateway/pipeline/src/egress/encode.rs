//! What the gateway itself says, in OUCH 5.0.
//!
//! Owned by egress. Invariants: each report and refusal becomes at most one message; the engine's
//! own bytes are forwarded as they came; a refusal carries the reason that the registry documents
//! for its primary check, or the one the malformed message earned.

use super::echo::{Echoes, VersionWords, Words};
use crate::tables::{Symbol, SymbolTable};
use portcullis_domain::{InstrumentId, Price, Qty, ReportKind, Timestamp, UserRef};
use portcullis_risk_core::checks;
use portcullis_risk_core::{Answer, AnswerKind, ClientReport, OutboundAction, Refusal};
use portcullis_wire::Alpha;
use portcullis_wire::field::Letter;
use portcullis_wire::ouch50::{
    AccountQueryResponse, Appendage, AppendageBuilder, BrokenReason, BrokenTrade, CancelPending,
    CancelReason, CancelReject, DisableOrderEntryResponse, Element, EnableOrderEntryResponse,
    EncodeError, Inbound, MESSAGE_BYTES_MAX, MassCancelResponse, OrderAccepted, OrderCanceled,
    OrderExecuted, OrderReplaced, OrderState, RejectReason, Rejected, UserRefNum, salvage,
};

const DAY_NS: u64 = 86_400_000_000_000;

/// A message's bytes.
pub(super) struct Buffer {
    bytes: [u8; MESSAGE_BYTES_MAX],
    len: usize,
}

impl Buffer {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What became of something to be said.
pub(super) enum Message {
    /// This.
    Encoded(Buffer),
    /// Nothing: the client is told by another message.
    Nothing,
    /// It cannot be said: a fault.
    Unencodable,
}

/// Encodes.
#[derive(Debug)]
pub(super) struct Encoder {
    symbols: SymbolTable,
}

impl Encoder {
    pub(super) const fn new(symbols: SymbolTable) -> Self {
        Self { symbols }
    }

    /// The wire price of what goes to the venue; 0 where it cannot be said.
    pub(super) fn price(&self, instrument: InstrumentId, action: OutboundAction) -> u64 {
        let price = match action {
            OutboundAction::Enter { price, .. } | OutboundAction::Replace { price, .. } => price,
            OutboundAction::Cancel { .. } => return 0,
        };
        self.symbol(instrument)
            .and_then(|s| s.scale.price_to_wire(price).ok())
            .unwrap_or(0)
    }

    fn symbol(&self, instrument: InstrumentId) -> Option<&Symbol> {
        self.symbols.of(instrument)
    }

    /// A refusal.
    pub(super) fn refused(&self, refusal: &Refusal, raw: &[u8], at: Timestamp) -> Message {
        let documented = checks::descriptor(refusal.primary).map_or(RejectReason::Other, |check| {
            RejectReason::from_code(check.ouch_reason)
        });
        let reason = match Inbound::parse(raw) {
            Ok(_) => documented,
            Err(error) => error.reject_reason(),
        };
        let cl_ord_id = salvage(raw).map_or(Alpha::BLANK, |salvaged| salvaged.cl_ord_id);
        let rejected = Rejected {
            timestamp: since_midnight(at),
            user_ref_num: refusal.user_ref.number,
            reason,
            cl_ord_id,
        };
        encoded(|out| with_row(refusal.user_ref, |app| rejected.encode(app, out)))
    }

    /// An answer that changed nothing.
    pub(super) fn answered(&self, answer: &Answer, raw: &[u8], at: Timestamp) -> Message {
        let timestamp = since_midnight(at);
        let row = UserRef {
            number: 0,
            ..answer.user_ref
        };
        if let AnswerKind::NextNumber(next) = answer.kind {
            let Some(next_user_ref_num) = UserRefNum::new(next) else {
                return Message::Unencodable;
            };
            let response = AccountQueryResponse {
                timestamp,
                next_user_ref_num,
            };
            return encoded(|out| with_row(row, |app| response.encode(app, out)));
        }
        let Some(user_ref_num) = UserRefNum::new(answer.user_ref.number) else {
            return Message::Unencodable;
        };
        match Inbound::parse(raw) {
            Ok(Inbound::MassCancel(_)) if answer.kind == AnswerKind::MassCancelRefused => {
                // OUCH has no refusal of its own for it; the number says which message is meant.
                let rejected = Rejected {
                    timestamp,
                    user_ref_num: answer.user_ref.number,
                    reason: RejectReason::ProcessingError,
                    cl_ord_id: Alpha::BLANK,
                };
                encoded(|out| with_row(row, |app| rejected.encode(app, out)))
            }
            Ok(Inbound::MassCancel(view)) => {
                let (firm, symbol) = (view.firm(), view.symbol());
                let response = MassCancelResponse {
                    timestamp,
                    user_ref_num,
                    firm,
                    symbol,
                };
                let options = view.appendage().unwrap_or(Appendage::EMPTY);
                encoded(|out| response.encode(Some(options), out))
            }
            Ok(Inbound::DisableOrderEntry(view)) => {
                let firm = view.firm();
                let response = DisableOrderEntryResponse {
                    timestamp,
                    user_ref_num,
                    firm,
                };
                encoded(|out| with_row_always(row, |app| response.encode(app, out)))
            }
            Ok(Inbound::EnableOrderEntry(view)) => {
                let firm = view.firm();
                let response = EnableOrderEntryResponse {
                    timestamp,
                    user_ref_num,
                    firm,
                };
                encoded(|out| with_row_always(row, |app| response.encode(app, out)))
            }
            _ => Message::Unencodable,
        }
    }

    /// An engine's report that came without bytes of its own.
    pub(super) fn reported(
        &self,
        report: &ClientReport,
        echoes: &Echoes,
        at: Timestamp,
    ) -> Message {
        let Some(symbol) = self.symbol(report.instrument) else {
            return Message::Unencodable;
        };
        let Some(user_ref_num) = UserRefNum::new(report.user_ref.number) else {
            return Message::Unencodable;
        };
        let say = Say {
            report,
            symbol,
            user_ref_num,
            timestamp: since_midnight(at),
        };
        let words = echoes.of(report.order);
        match report.kind {
            ReportKind::Accepted => say.accepted(words),
            ReportKind::Fill {
                qty,
                price,
                match_number,
                ..
            } => say.executed(qty, price, match_number),
            ReportKind::Canceled | ReportKind::Reduced { .. } => say.canceled(),
            ReportKind::Rejected => say.rejected(report.user_ref, words),
            ReportKind::Replaced { new } => say.replaced(new, words),
            ReportKind::ReplaceRejected { new } => say.rejected(new, words),
            ReportKind::CancelPending => {
                let pending = CancelPending {
                    timestamp: say.timestamp,
                    user_ref_num,
                };
                encoded(|out| with_row(report.user_ref, |app| pending.encode(app, out)))
            }
            ReportKind::CancelRejected => {
                let reject = CancelReject {
                    timestamp: say.timestamp,
                    user_ref_num,
                };
                encoded(|out| with_row(report.user_ref, |app| reject.encode(app, out)))
            }
            ReportKind::BrokenTrade { match_number } => say.broken(match_number, words),
            ReportKind::Information => Message::Nothing,
        }
    }
}

/// One report about to be said.
struct Say<'a> {
    report: &'a ClientReport,
    symbol: &'a Symbol,
    user_ref_num: UserRefNum,
    timestamp: u64,
}

impl Say<'_> {
    fn accepted(&self, words: Option<Words<'_>>) -> Message {
        let found = words.and_then(|words| Some((words, words.version(self.report.user_ref)?)));
        let Some((words, version)) = found else {
            return Message::Unencodable;
        };
        let accepted = OrderAccepted {
            timestamp: self.timestamp,
            user_ref_num: self.user_ref_num,
            side: words.side(),
            quantity: version.quantity,
            symbol: words.symbol(),
            price: version.price,
            time_in_force: version.time_in_force,
            display: version.display,
            order_ref_num: self.report.order.raw(),
            capacity: words.capacity(),
            iso_eligible: version.iso_eligible,
            cross_type: words.cross_type(),
            order_state: OrderState::Live,
            cl_ord_id: version.cl_ord_id,
        };
        // The options come back as they were entered.
        encoded(|out| accepted.encode(Some(words.options()), out))
    }

    fn replaced(&self, new: UserRef, words: Option<Words<'_>>) -> Message {
        let found = words.and_then(|words| Some((words, words.version(new)?)));
        let (Some((words, version)), Some(number)) = (found, UserRefNum::new(new.number)) else {
            return Message::Unencodable;
        };
        let Ok(quantity) = self.symbol.scale.qty_to_wire(self.report.leaves) else {
            return Message::Unencodable;
        };
        let replaced = OrderReplaced {
            timestamp: self.timestamp,
            orig_user_ref_num: self.user_ref_num,
            user_ref_num: number,
            side: words.side(),
            quantity,
            symbol: words.symbol(),
            price: version.price,
            time_in_force: version.time_in_force,
            display: version.display,
            order_ref_num: self.report.order.raw(),
            capacity: words.capacity(),
            iso_eligible: version.iso_eligible,
            cross_type: words.cross_type(),
            order_state: OrderState::Live,
            cl_ord_id: version.cl_ord_id,
        };
        encoded(|out| with_row_always(new, |app| replaced.encode(app, out)))
    }

    fn executed(&self, qty: Qty, price: Price, match_number: u64) -> Message {
        let scale = &self.symbol.scale;
        let (Ok(quantity), Ok(price)) = (scale.qty_to_wire(qty), scale.price_to_wire(price)) else {
            return Message::Unencodable;
        };
        let note = if self.report.note == 0 {
            b' '
        } else {
            self.report.note
        };
        let Some(liquidity_flag) = Letter::new(note) else {
            return Message::Unencodable;
        };
        let executed = OrderExecuted {
            timestamp: self.timestamp,
            user_ref_num: self.user_ref_num,
            quantity,
            price,
            liquidity_flag,
            match_number,
        };
        encoded(|out| with_row_always(self.report.user_ref, |app| executed.encode(app, out)))
    }

    fn canceled(&self) -> Message {
        let Ok(quantity) = self.symbol.scale.qty_to_wire(self.report.qty) else {
            return Message::Unencodable;
        };
        let reason = match self.report.note {
            0 => CancelReason::User,
            note => CancelReason::from_code(note),
        };
        let canceled = OrderCanceled {
            timestamp: self.timestamp,
            user_ref_num: self.user_ref_num,
            quantity,
            reason,
        };
        encoded(|out| with_row(self.report.user_ref, |app| canceled.encode(app, out)))
    }

    fn rejected(&self, version: UserRef, words: Option<Words<'_>>) -> Message {
        let said = words.and_then(|words| words.version(version));
        let reason = match self.report.note {
            0 => RejectReason::Other,
            note => RejectReason::from_code(note.into()),
        };
        let rejected = Rejected {
            timestamp: self.timestamp,
            user_ref_num: version.number,
            reason,
            cl_ord_id: client_id(said),
        };
        encoded(|out| with_row(version, |app| rejected.encode(app, out)))
    }

    fn broken(&self, match_number: u64, words: Option<Words<'_>>) -> Message {
        let said = words.and_then(|words| words.version(self.report.user_ref));
        let broken = BrokenTrade {
            timestamp: self.timestamp,
            user_ref_num: self.user_ref_num,
            match_number,
            reason: BrokenReason::Erroneous,
            cl_ord_id: client_id(said),
        };
        encoded(|out| with_row(self.report.user_ref, |app| broken.encode(app, out)))
    }
}

fn client_id(version: Option<VersionWords>) -> Alpha<14> {
    version.map_or(Alpha::BLANK, |version| version.cl_ord_id)
}

const fn since_midnight(at: Timestamp) -> u64 {
    at.ns() % DAY_NS
}

fn encoded<E>(write: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Message {
    let mut buffer = Buffer {
        bytes: [0; MESSAGE_BYTES_MAX],
        len: 0,
    };
    match write(&mut buffer.bytes) {
        Ok(len) => {
            buffer.len = len;
            Message::Encoded(buffer)
        }
        Err(_) => Message::Unencodable,
    }
}

/// With the row of the number as an option, where it is not the first one.
fn with_row(
    user_ref: UserRef,
    write: impl FnOnce(Option<Appendage<'_>>) -> Result<usize, EncodeError>,
) -> Result<usize, EncodeError> {
    if user_ref.row == 0 {
        return write(None);
    }
    with_row_always(user_ref, write)
}

/// The same for messages whose options always have their length field.
fn with_row_always(
    user_ref: UserRef,
    write: impl FnOnce(Option<Appendage<'_>>) -> Result<usize, EncodeError>,
) -> Result<usize, EncodeError> {
    let mut options = AppendageBuilder::new();
    if user_ref.row != 0 {
        let pushed = options.push(Element::UserRefIdx(user_ref.row));
        assert!(pushed.is_ok(), "the first element is no duplicate");
    }
    write(Some(options.finish()))
}
