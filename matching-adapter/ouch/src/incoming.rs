//! An engine's message as a report.
//!
//! On the venue's thread. Invariants: each message gives one report at the most; what cannot be
//! converted exactly is reported so that the core disputes it, never rounded; an appendage that
//! cannot be read costs nothing but itself. It must never guess what an unreadable execution said.

use portcullis_domain::{
    InstrumentId, Money, OrderKey, Price, Qty, RAW_BYTES_MAX, ReportKind, SessionId, UserRef,
    VenueReport,
};
use portcullis_venue::VenueSink;
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    AppendageBuilder, AppendageForm, CancelReason, DecodeError, Element, InstrumentScale,
    OrderAcceptedView, OrderExecutedView, OrderModifiedView, OrderReplacedView, OrderState,
    Outbound, RejectedView,
};

use crate::config::EngineInstrument;
use crate::counters::Counters;
use crate::in_flight::InFlight;
use crate::orders::{EngineOrder, EngineOrders, Place};

/// Bytes of the longest fixed part with room for a short appendage.
pub(crate) const SALVAGE_BYTES: usize = 96;

/// Room for a message without its appendage.
pub(crate) type Shortened = [u8; SALVAGE_BYTES];

/// What a message comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// A report; the client is to have the message itself.
    Report(VenueReport),
    /// Nothing for a client.
    Nothing,
    /// The answer to an account query: all before it has been resent, and of this row the engine has
    /// reached no number from this one on.
    QueryAnswered {
        /// The row of numbers.
        row: u8,
        /// The next number.
        next: u32,
    },
    /// It may have been an execution, and nothing of it can be trusted.
    Unreadable,
}

/// What a message is read against.
pub(crate) struct Desk<'a> {
    pub(crate) session: SessionId,
    pub(crate) instruments: &'a [EngineInstrument],
    pub(crate) orders: &'a mut EngineOrders,
    pub(crate) in_flight: &'a mut InFlight,
    pub(crate) counters: &'a mut Counters,
}

/// A message as the log can carry it: whole, or where it is too long without what stands behind its
/// fixed part. `None` if it is not of a kind that has an appendage.
pub(crate) fn carried<'a>(message: &'a [u8], scratch: &'a mut Shortened) -> Option<&'a [u8]> {
    if message.len() <= RAW_BYTES_MAX {
        return Some(message);
    }
    shorten(message, scratch)
}

impl Desk<'_> {
    /// What the gateway itself said of something that never left it, or that the adapter could not
    /// say: known from the log. `false` if it is nothing of the kind.
    pub(crate) fn take_own(&mut self, report: &VenueReport) -> bool {
        match report.kind {
            ReportKind::Rejected => {
                self.ended(report.user_ref, report.kind, report.note);
            }
            ReportKind::ReplaceRejected { new } => self.in_flight.gone(new),
            ReportKind::CancelRejected => self.in_flight.cancel_answered(report.user_ref),
            ReportKind::Accepted
            | ReportKind::Fill { .. }
            | ReportKind::Canceled
            | ReportKind::Reduced { .. }
            | ReportKind::Replaced { .. }
            | ReportKind::CancelPending
            | ReportKind::BrokenTrade { .. }
            | ReportKind::Information => return false,
        }
        true
    }

    /// Takes a message and reports it, if it is an acceptance that the log can carry whole: what each order has
    /// goes a way of its own, on which its report is never put down.
    #[inline(always)]
    pub(crate) fn hear_acceptance(
        &mut self,
        message: &[u8],
        sink: &mut impl VenueSink,
    ) -> Option<VenueReport> {
        if message.len() > RAW_BYTES_MAX {
            return None;
        }
        let report = self.accepted(&OrderAcceptedView::of(message)?);
        sink.on_report(report, message);
        Some(report)
    }

    /// Takes a message, and reports it if it is one to report.
    #[inline(never)]
    pub(crate) fn hear(&mut self, message: &[u8], sink: &mut impl VenueSink) -> Taken {
        if message.len() > RAW_BYTES_MAX {
            return self.hear_long(message, sink);
        }
        let taken = self.take_in_place(message);
        if let Taken::Report(report) = taken {
            sink.on_report(report, message);
        }
        taken
    }

    #[cold]
    fn hear_long(&mut self, message: &[u8], sink: &mut impl VenueSink) -> Taken {
        let mut scratch = [0; SALVAGE_BYTES];
        let Some(carried) = carried(message, &mut scratch) else {
            return self.take_long(message);
        };
        let taken = self.take(carried);
        if let Taken::Report(report) = taken {
            sink.on_report(report, carried);
        }
        taken
    }

    /// A message that is too long for the log even without its appendage.
    fn take_long(&mut self, message: &[u8]) -> Taken {
        match Outbound::parse(message) {
            Err(error) if error.is_unknown_type() => {
                self.counters.unknown_type += 1;
                self.counters.unattributed += 1;
                Taken::Nothing
            }
            Ok(_) | Err(_) => Taken::Unreadable,
        }
    }

    pub(crate) fn take(&mut self, message: &[u8]) -> Taken {
        self.take_in_place(message)
    }

    #[inline(always)]
    fn take_in_place(&mut self, message: &[u8]) -> Taken {
        match Outbound::parse_in_place(message) {
            Ok(parsed) => self.parsed(&parsed),
            Err(error) => self.faulty(message, &error),
        }
    }

    #[cold]
    fn faulty(&mut self, message: &[u8], error: &DecodeError) -> Taken {
        if error.is_unknown_type() {
            return self.unknown_type(message);
        }
        let mut scratch = [0; SALVAGE_BYTES];
        match shorten(message, &mut scratch) {
            Some(fixed) if Outbound::parse(fixed).is_ok() => {
                self.counters.appendage_unreadable += 1;
                self.take(fixed)
            }
            Some(_) | None => Taken::Unreadable,
        }
    }

    #[inline(always)]
    fn parsed(&mut self, message: &Outbound<'_>) -> Taken {
        match message {
            Outbound::OrderAccepted(view) => Taken::Report(self.accepted(view)),
            Outbound::OrderReplaced(view) => self.replaced(view),
            Outbound::OrderCanceled(view) => {
                let order = user_ref(view.user_ref_num().get(), view.user_ref_idx());
                self.canceled(order, view.quantity(), view.reason())
            }
            Outbound::AiqCanceled(view) => {
                let order = user_ref(view.user_ref_num().get(), view.user_ref_idx());
                self.canceled(order, view.decrement(), CancelReason::from_code(b'Q'))
            }
            Outbound::OrderExecuted(view) => self.executed(view),
            Outbound::BrokenTrade(view) => {
                let order = user_ref(view.user_ref_num().get(), view.user_ref_idx());
                let match_number = view.match_number();
                let note = view.reason().byte();
                self.report(order, ReportKind::BrokenTrade { match_number }, note)
            }
            Outbound::Rejected(view) => self.rejected(view),
            Outbound::CancelPending(view) => {
                let order = user_ref(view.user_ref_num().get(), view.user_ref_idx());
                self.in_flight.cancel_answered(order);
                self.report(order, ReportKind::CancelPending, 0)
            }
            Outbound::CancelReject(view) => {
                let order = user_ref(view.user_ref_num().get(), view.user_ref_idx());
                self.in_flight.cancel_answered(order);
                self.report(order, ReportKind::CancelRejected, 0)
            }
            Outbound::OrderModified(view) => self.modified(view),
            Outbound::PriorityUpdate(view) => {
                self.information(user_ref(view.user_ref_num().get(), view.user_ref_idx()))
            }
            Outbound::OrderRestated(view) => {
                self.information(user_ref(view.user_ref_num().get(), view.user_ref_idx()))
            }
            Outbound::AccountQueryResponse(view) => Taken::QueryAnswered {
                row: view.user_ref_idx(),
                next: view.next_user_ref_num().get(),
            },
            // Answers to what the gateway itself answers, and events of the engine's own day.
            Outbound::SystemEvent(_)
            | Outbound::MassCancelResponse(_)
            | Outbound::DisableOrderEntryResponse(_)
            | Outbound::EnableOrderEntryResponse(_) => {
                self.counters.unattributed += 1;
                Taken::Nothing
            }
        }
    }

    #[inline(always)]
    fn accepted(&mut self, view: &OrderAcceptedView<'_>) -> VenueReport {
        let order = user_ref(view.user_ref_num().get(), view.user_ref_idx());
        if view.order_state() == OrderState::Dead {
            // One message to the client, one report to the core: the one that matters.
            self.end(order);
            return self.report_of(order, ReportKind::Canceled, 0);
        }
        self.in_flight.answered(order);
        let key = self.key(order);
        if self.orders.get(key).is_none() {
            self.learn(order, view.symbol(), view.quantity());
        }
        self.report_of(order, ReportKind::Accepted, 0)
    }

    /// Notes an order that this adapter did not send: it began after the engine's day.
    fn learn(&mut self, order: UserRef, symbol: Alpha<8>, open_wire: u32) {
        let index = self.instruments.iter().position(|one| one.symbol == symbol);
        let Some(index) = index else {
            self.counters.orders_not_kept += 1;
            return;
        };
        let instrument = InstrumentId::new(index as u32);
        self.note_open(order, instrument, open_wire);
        self.counters.orders_learned += 1;
    }

    fn note_open(&mut self, order: UserRef, instrument: InstrumentId, open_wire: u32) {
        let key = self.key(order);
        let engine_order = EngineOrder {
            instrument,
            open_wire,
        };
        if !self.orders.open(key, engine_order) {
            self.counters.orders_not_kept += 1;
        }
    }

    fn replaced(&mut self, view: &OrderReplacedView<'_>) -> Taken {
        let row = view.user_ref_idx();
        let original = user_ref(view.orig_user_ref_num().get(), row);
        let new = user_ref(view.user_ref_num().get(), row);
        let key = self.key(original);
        let place = self.orders.find(key);
        let instrument = place.map(|place| self.orders.at(place).instrument);
        // Answered first: what still names the original will never be.
        self.in_flight.answered(new);
        self.in_flight.gone(original);
        if let Some(place) = place {
            self.orders.take_at(place, key, u32::MAX);
        }
        if view.order_state() == OrderState::Dead {
            return self.ended(new, ReportKind::Canceled, 0);
        }
        match instrument {
            Some(instrument) => self.note_open(new, instrument, view.quantity()),
            None => self.learn(new, view.symbol(), view.quantity()),
        }
        self.report(original, ReportKind::Replaced { new }, 0)
    }

    fn canceled(&mut self, order: UserRef, decrement_wire: u32, reason: CancelReason) -> Taken {
        self.in_flight.answered(order);
        self.in_flight.cancel_answered(order);
        self.reduced(order, decrement_wire, reason.code())
    }

    /// Takes a decrement off an order. Always told as a decrement: an order that has none left by
    /// it is closed by the core.
    fn reduced(&mut self, order: UserRef, decrement_wire: u32, note: u8) -> Taken {
        let key = self.key(order);
        let place = self.orders.find(key);
        // 1 for an order that is not known, which the core does not know either.
        let lot_wire = place.map_or(1, |place| self.scale(place).lot_wire().get());
        self.take_open(order, place, decrement_wire);
        if !decrement_wire.is_multiple_of(lot_wire) {
            self.counters.not_convertible += 1;
        }
        // Down: what is left of a lot stays on hold.
        let lots = if cfg!(feature = "planted-bug") {
            decrement_wire.div_ceil(lot_wire)
        } else {
            decrement_wire / lot_wire
        };
        let qty = Qty::new(i64::from(lots));
        self.report(order, ReportKind::Reduced { qty }, note)
    }

    fn modified(&mut self, view: &OrderModifiedView<'_>) -> Taken {
        let order = user_ref(view.user_ref_num().get(), view.user_ref_idx());
        self.in_flight.cancel_answered(order);
        let known = self.orders.get(self.key(order));
        let open_wire = known.map_or(0, |order| order.open_wire);
        match open_wire.checked_sub(view.quantity()) {
            Some(less) if less > 0 => self.reduced(order, less, b'U'),
            Some(_) | None => self.information(order),
        }
    }

    fn executed(&mut self, view: &OrderExecutedView<'_>) -> Taken {
        let order = user_ref(view.user_ref_num().get(), view.user_ref_idx());
        let (qty_wire, price_wire) = (view.quantity(), view.price());
        self.in_flight.answered(order);
        let place = self.orders.find(self.key(order));
        let converted = place.and_then(|place| {
            let scale = self.scale(place);
            let qty = scale.qty_from_wire(qty_wire).ok()?;
            Some((qty, scale.price_from_wire(price_wire).ok()?))
        });
        self.take_open(order, place, qty_wire);
        let (qty, price) = converted.unwrap_or_else(|| {
            self.counters.not_convertible += 1;
            // No lots: the core disputes it, and a person reads the message itself.
            (Qty::ZERO, Price::new(0))
        });
        let kind = ReportKind::Fill {
            qty,
            price,
            match_number: view.match_number(),
            fee: Money::ZERO,
        };
        self.report(order, kind, view.liquidity_flag().byte())
    }

    fn rejected(&mut self, view: &RejectedView<'_>) -> Taken {
        if view.user_ref_num() == 0 {
            self.counters.unattributed += 1;
            return Taken::Nothing;
        }
        let order = user_ref(view.user_ref_num(), view.user_ref_idx());
        let [_, note] = view.reason().code().to_be_bytes();
        self.ended(order, ReportKind::Rejected, note)
    }

    /// The order, or version, is over, which is reported.
    fn ended(&mut self, order: UserRef, kind: ReportKind, note: u8) -> Taken {
        self.end(order);
        self.report(order, kind, note)
    }

    /// The order, or version, is over.
    #[inline(always)]
    fn end(&mut self, order: UserRef) {
        self.in_flight.gone(order);
        let key = self.key(order);
        self.orders.close(key);
    }

    /// Takes units off an order's open quantity, where it is known.
    fn take_open(&mut self, order: UserRef, place: Option<Place>, wire: u32) {
        let key = self.key(order);
        if place.is_some_and(|place| self.orders.take_at(place, key, wire)) {
            self.in_flight.gone(order);
        }
    }

    fn unknown_type(&mut self, message: &[u8]) -> Taken {
        self.counters.unknown_type += 1;
        let number = message
            .get(9..13)
            .and_then(|bytes| bytes.first_chunk::<4>());
        let order = number.map(|bytes| UserRef::new(u32::from_be_bytes(*bytes)));
        match order.filter(|order| self.orders.get(self.key(*order)).is_some()) {
            Some(order) => self.information(order),
            None => {
                self.counters.unattributed += 1;
                Taken::Nothing
            }
        }
    }

    fn information(&self, order: UserRef) -> Taken {
        self.report(order, ReportKind::Information, 0)
    }

    const fn report(&self, user_ref: UserRef, kind: ReportKind, note: u8) -> Taken {
        Taken::Report(self.report_of(user_ref, kind, note))
    }

    #[inline]
    const fn report_of(&self, user_ref: UserRef, kind: ReportKind, note: u8) -> VenueReport {
        VenueReport {
            session: self.session,
            user_ref,
            kind,
            note,
        }
    }

    fn key(&self, order: UserRef) -> OrderKey {
        OrderKey::new(self.session, order)
    }

    /// The units of an order's instrument.
    fn scale(&self, place: Place) -> &InstrumentScale {
        let instrument = self.orders.at(place).instrument;
        &self.instruments[instrument.index()].scale
    }
}

const fn user_ref(number: u32, row: u8) -> UserRef {
    UserRef { row, number }
}

/// A message with nothing in its appendage but the row of numbers, where that is to be found: engines
/// may have tags that are not in the document. `None` where even the fixed part is not whole.
fn shorten<'a>(message: &[u8], scratch: &'a mut Shortened) -> Option<&'a [u8]> {
    let layout =
        (Outbound::LAYOUTS.iter()).find(|layout| message.first() == Some(&layout.type_byte))?;
    if layout.appendage == AppendageForm::Never {
        return None;
    }
    let fixed = message.get(..layout.head_len)?;
    let mut row = AppendageBuilder::new();
    if let Some(index) = row_of(message.get(layout.head_len + 2..).unwrap_or_default()) {
        row.push(Element::UserRefIdx(index)).ok()?;
    }
    let row = row.finish();
    let len = layout.head_len + 2 + row.bytes().len();
    let target = scratch.get_mut(..len)?;
    let (head, tail) = target.split_at_mut(layout.head_len);
    head.copy_from_slice(fixed);
    let (length, elements) = tail.split_first_chunk_mut::<2>()?;
    *length = (row.bytes().len() as u16).to_be_bytes();
    elements.copy_from_slice(row.bytes());
    Some(target)
}

/// The value of the tag UserRefIdx, looked for element by element.
fn row_of(elements: &[u8]) -> Option<u8> {
    const USER_REF_IDX: u8 = portcullis_wire::ouch50::Tag::UserRefIdx as u8;
    let mut rest = elements;
    while let [len, after @ ..] = rest {
        let element = after.get(..usize::from(*len))?;
        if let [USER_REF_IDX, index] = element {
            return Some(*index);
        }
        rest = &after[element.len()..];
        if *len == 0 {
            return None;
        }
    }
    None
}
