//! The router: what the core says of a batch's records, to the rings of whom it concerns.
//!
//! The risk agent's, for one batch. Invariants: room for all of it was looked for; the log has a record before any
//! effect of it is shown to anybody. It must never choose what is said, only where it goes.

use super::RiskRings;
use crate::item::{ClientEffect, ControlItem, EgressItem, VenueItem, venue_raw};
use portcullis_domain::{
    Command, InstrumentId, Price, Record, ReferencePrice, ReportKind, Seq, Timestamp,
};
use portcullis_risk_core::{Approved, Effect, EffectSink, OutboundOrder};

/// In a batch of no more records, what goes to the venue is shown as it is decided. In a longer one who waits
/// is served best by the batch: each time it is shown, the line that says so crosses over once more.
pub const SHOWN_ALONE_MAX: usize = 4;

/// Sends the effects of a batch's records on their ways.
pub(super) struct Router<'a> {
    rings: &'a mut RiskRings,
    records: &'a [Record],
    /// The record after the one in hand.
    next: usize,
    last_trade: &'a [bool],
    /// When the duty cycle began.
    taken: Timestamp,
}

impl<'a> Router<'a> {
    /// For the effects of `records`, taken in a duty cycle that began then.
    pub(super) const fn new(
        rings: &'a mut RiskRings,
        records: &'a [Record],
        last_trade: &'a [bool],
        taken: Timestamp,
    ) -> Self {
        Self {
            rings,
            records,
            next: 0,
            last_trade,
            taken,
        }
    }

    /// The record in hand.
    fn record(&self) -> &Record {
        &self.records[self.next - 1]
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::from_ns(self.record().head.timestamp_ns)
    }

    /// To the venue, where few wait shown at once, and only then to egress, which needs its client's words when the engine
    /// answers: a publication comes no sooner than all that was written before it, and the lines of a ring
    /// take their time to come over from the other end's core.
    #[inline(always)]
    fn send(&mut self, order: Approved<OutboundOrder>) {
        let said = ClientEffect::of_order(order.get());
        let record = &self.records[self.next - 1];
        let raw = venue_raw(order.get(), record.raw());
        let units = venue_raw(order.get(), record.raw_units());
        let item = VenueItem::before(raw, order, self.taken);
        let told = self.rings.venue.write_units(item, units);
        assert!(told, "room was looked for");
        if self.records.len() <= SHOWN_ALONE_MAX {
            self.rings.publish_to_venue();
        }
        if let Some(said) = said {
            self.tell_client(said);
        }
    }

    #[inline(always)]
    fn tell_client(&mut self, effect: ClientEffect) {
        let record = &self.records[self.next - 1];
        let at = Timestamp::from_ns(record.head.timestamp_ns);
        let item = EgressItem::before(record.raw(), effect, at, record.head.seq);
        let told = self.rings.egress.write_units(item, record.raw_units());
        assert!(told, "room was looked for");
    }

    /// All but what goes to the venue, and its reports.
    #[inline(never)]
    fn tell(&mut self, effect: &Effect) {
        if let Some(said) = ClientEffect::of(effect) {
            self.tell_client(said);
        }
        match *effect {
            Effect::Approved(_) | Effect::Reported(_) => {
                unreachable!("an order and a report go their own ways");
            }
            Effect::Answered(_) | Effect::SessionChanged(_) => {}
            Effect::Refused(refusal) => {
                self.tell_control(ControlItem::Refused(refusal, self.timestamp()));
            }
            Effect::Controlled(outcome) => {
                let seq = Seq::new(self.record().head.seq);
                self.tell_control(ControlItem::Outcome(outcome, seq));
            }
            Effect::StateChanged { scope, state } => {
                self.tell_control(ControlItem::StateChanged(scope, state, self.timestamp()));
            }
            Effect::Alarmed(alarm) => {
                self.tell_control(ControlItem::Alarmed(alarm, self.timestamp()));
            }
        }
    }

    fn tell_control(&mut self, item: ControlItem) {
        assert!(self.rings.control.push(item).is_ok(), "room was looked for");
    }

    /// A trade, where its instrument's reference is its last one.
    fn note_trade(&mut self, instrument: InstrumentId, price: Price) {
        let wanted = self
            .last_trade
            .get(instrument.index())
            .is_some_and(|wanted| *wanted);
        if !wanted {
            return;
        }
        let reference = ReferencePrice { instrument, price };
        let mut head = Command::Reference(reference).encode();
        head.timestamp_ns = self.record().head.timestamp_ns;
        let told = self.rings.feedback.push(&Record::bare(head));
        assert!(told, "room was looked for");
    }
}

impl EffectSink for Router<'_> {
    #[inline(always)]
    fn on_record(&mut self, record: &Record) {
        let next = &self.records[self.next];
        self.next += 1;
        assert_eq!(record.head.seq, next.head.seq, "batches go in order");
        if let Some(log) = &mut self.rings.log {
            let kept = log.write_units(record.head, record.raw_units());
            assert!(kept, "room was looked for");
        }
    }

    /// In line where the core says it: what it says then goes from registers to the rings. Put down and taken up
    /// again in pieces of other sizes, it would wait each time until all that was stored before it is done.
    #[inline(always)]
    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Approved(order) => self.send(order),
            Effect::Reported(report) => {
                self.tell_client(ClientEffect::Reported(report));
                if let ReportKind::Fill { price, .. } = report.kind {
                    self.note_trade(report.instrument, price);
                }
            }
            Effect::Refused(_)
            | Effect::Answered(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => self.tell(&effect),
        }
    }
}
