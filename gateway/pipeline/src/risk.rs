//! The risk agent: records to the core, effects to whom they concern.
//!
//! One thread owns it, and with it the core. Invariants: a record is taken only when every ring its
//! effects could go to has room for all of them; the log gets each record before any effect of it
//! leaves. It must never decide anything itself.

use crate::item::{ClientEffect, ControlItem, EgressItem, Look, Raw, VenueItem, VenueView, View};
use crate::signals::RiskSignals;
use portcullis_domain::{Command, CommandKind, Record, ReferencePrice, ReportKind, Seq, Timestamp};
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{
    ClientReport, EFFECTS_MAX, Effect, EffectSink, OutboundAction, RiskCore,
};
use portcullis_runtime::{
    Agent, Clock, RecordConsumer, RecordProducer, RingConsumer, RingProducer,
};

/// Records taken in one duty cycle.
const RECORD_BUDGET: usize = 64;

/// Looks into the core answered in one duty cycle.
const LOOK_BUDGET: usize = 4;

/// The rings that the risk agent is at an end of.
#[derive(Debug)]
pub struct RiskRings {
    /// Sequenced records.
    pub records: RecordConsumer,
    /// Approved orders.
    pub venue: RingProducer<VenueItem>,
    /// What clients are told.
    pub egress: RingProducer<EgressItem>,
    /// What the control thread is told. It only copies, so it keeps up; while it does not, records
    /// wait.
    pub control: RingProducer<ControlItem>,
    /// Each record, where a log is kept.
    pub log: Option<RecordProducer>,
    /// Commands that follow from effects.
    pub feedback: RecordProducer,
    /// Tables that the next flip may name.
    pub tables: RingConsumer<Box<LimitTable>>,
    /// Tables out of force, to be freed on the control thread.
    pub retired: RingProducer<Box<LimitTable>>,
    /// Looks asked for.
    pub looks: RingConsumer<Look>,
}

/// Called with the time an order took from its bytes' arrival to its verdict.
pub trait LatencySink {
    /// An order's record was applied after this long.
    fn on_order(&mut self, taken_ns: u64);
}

/// The agent.
#[derive(Debug)]
pub struct Risk<C, L> {
    core: Box<RiskCore>,
    rings: RiskRings,
    clock: C,
    latency: L,
    /// Instruments whose reference price is the venue's own last trade.
    last_trade: Box<[bool]>,
    signals: RiskSignals,
}

impl<C: Clock, L: LatencySink> Risk<C, L> {
    /// The agent. `last_trade` says by instrument whether its trades make its reference.
    #[must_use]
    pub fn new(
        core: Box<RiskCore>,
        rings: RiskRings,
        clock: C,
        latency: L,
        last_trade: Vec<bool>,
        signals: RiskSignals,
    ) -> Self {
        let last_trade = last_trade.into_boxed_slice();
        Self {
            core,
            rings,
            clock,
            latency,
            last_trade,
            signals,
        }
    }

    /// The core and the latencies, when all is over.
    #[must_use]
    pub fn into_parts(self) -> (Box<RiskCore>, L) {
        (self.core, self.latency)
    }

    /// The core.
    #[must_use]
    pub const fn core(&self) -> &RiskCore {
        &self.core
    }

    /// The latencies taken.
    #[must_use]
    pub const fn latency(&self) -> &L {
        &self.latency
    }

    fn has_room(&self) -> bool {
        let rings = &self.rings;
        rings.venue.slots() >= EFFECTS_MAX
            && rings.egress.slots() >= 2 * EFFECTS_MAX
            && rings.control.slots() >= EFFECTS_MAX
            && rings.feedback.has_room_for(EFFECTS_MAX)
            && rings.log.as_ref().is_none_or(|log| log.has_room_for(1))
    }

    fn apply(&mut self, record: &Record) {
        if let Some(log) = &mut self.rings.log {
            assert!(log.push(record), "room was looked for");
        }
        let timestamp = Timestamp::from_ns(record.head.timestamp_ns);
        let raw = Raw::copy_of(record.raw());
        let last_trade = &self.last_trade;
        let mut router = Router {
            rings: &mut self.rings,
            raw,
            timestamp,
            seq: Seq::new(record.head.seq),
            last_trade,
        };
        self.core.apply(record, &mut router);
        let order = record.head.kind == CommandKind::NewOrder as u8
            || record.head.kind == CommandKind::Replace as u8;
        if order {
            let now = self.clock.now();
            self.latency.on_order(now.since(timestamp).ns());
        }
    }

    /// Tables come and go beside the records: a flip names one by its digest. Freeing one takes
    /// milliseconds and is the control thread's.
    fn exchange_tables(&mut self) {
        while let Ok(table) = self.rings.tables.pop() {
            if let Some(unused) = self.core.stage(table) {
                self.retire(unused);
            }
        }
        if let Some(table) = self.core.take_retired() {
            self.retire(table);
        }
    }

    fn retire(&mut self, table: Box<LimitTable>) {
        if let Err(rtrb_full) = self.rings.retired.push(table) {
            // The control thread is gone: freeing here stalls nobody any more.
            drop(rtrb_full);
        }
    }

    fn look(&mut self) -> usize {
        for looked in 0..LOOK_BUDGET {
            if self.rings.control.is_full() {
                return looked;
            }
            let Ok(look) = self.rings.looks.pop() else {
                return looked;
            };
            let view = self.view(look);
            let told = self.rings.control.push(ControlItem::Viewed(view));
            assert!(told.is_ok(), "room was looked for");
        }
        LOOK_BUDGET
    }

    fn view(&self, look: Look) -> View {
        match look {
            Look::Account(account) => View::Account(self.core.account(account)),
            Look::Position(account, instrument) => {
                View::Position(self.core.position(account, instrument))
            }
            Look::Instrument(instrument) => View::Instrument(self.core.instrument(instrument)),
            Look::Order(session, user_ref) => View::Order(self.core.order(session, user_ref)),
            Look::Venue => {
                let counters = self.core.counters();
                View::Venue(VenueView {
                    state: self.core.venue_state(),
                    seq: self.core.seq().raw(),
                    epoch: self.core.epoch(),
                    digest: self.core.digest(),
                    accepted: counters.accepted,
                    refused: counters.refused,
                    open_orders: self.core.open_orders(),
                    alarms: counters.alarms,
                })
            }
        }
    }
}

impl<C: Clock, L: LatencySink> Agent for Risk<C, L> {
    fn name(&self) -> &'static str {
        "risk"
    }

    fn do_work(&mut self, _now: Timestamp) -> usize {
        self.exchange_tables();
        let mut work = self.look();
        for _ in 0..RECORD_BUDGET {
            if !self.has_room() {
                break;
            }
            let Some(record) = self.rings.records.pop() else {
                break;
            };
            // Its table was sent before it, but may have come since the cycle began.
            if record.head.kind == CommandKind::FlipLimits as u8 {
                self.exchange_tables();
            }
            // A tick that finds no sliced work is no work, or an idle gateway would never idle.
            let idle = record.head.kind == CommandKind::Tick as u8 && !self.core.work_pending();
            self.apply(&record);
            work += usize::from(!idle);
        }
        self.signals.tell_work_pending(self.core.work_pending());
        let venue = &self.rings.venue;
        let crowded = venue.slots() < venue.buffer().capacity() / 2;
        self.signals.tell_venue_crowded(crowded);
        work
    }

    fn is_drained(&self) -> bool {
        self.rings.records.is_empty() && !self.core.work_pending()
    }
}

/// Sends the effects of one record on their ways.
struct Router<'a> {
    rings: &'a mut RiskRings,
    raw: Raw,
    timestamp: Timestamp,
    seq: Seq,
    last_trade: &'a [bool],
}

impl Router<'_> {
    fn tell_client(&mut self, effect: ClientEffect) {
        let item = EgressItem {
            effect,
            timestamp: self.timestamp,
            raw: self.raw,
        };
        assert!(self.rings.egress.push(item).is_ok(), "room was looked for");
    }

    fn tell_control(&mut self, item: ControlItem) {
        assert!(self.rings.control.push(item).is_ok(), "room was looked for");
    }

    /// A trade of an instrument whose reference is its last trade.
    fn note_trade(&mut self, report: &ClientReport) {
        let ReportKind::Fill { price, .. } = report.kind else {
            return;
        };
        let wanted = self
            .last_trade
            .get(report.instrument.index())
            .is_some_and(|wanted| *wanted);
        if !wanted {
            return;
        }
        let reference = ReferencePrice {
            instrument: report.instrument,
            price,
        };
        let mut head = Command::Reference(reference).encode();
        head.timestamp_ns = self.timestamp.ns();
        let told = self.rings.feedback.push(&Record::bare(head));
        assert!(told, "room was looked for");
    }
}

impl EffectSink for Router<'_> {
    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Approved(order) => {
                let outbound = *order.get();
                let by_gateway = matches!(
                    outbound.action,
                    OutboundAction::Cancel {
                        by_gateway: true,
                        ..
                    }
                );
                let raw = if by_gateway { Raw::NONE } else { self.raw };
                if !matches!(outbound.action, OutboundAction::Cancel { .. }) {
                    self.tell_client(ClientEffect::Entered(outbound));
                }
                let told = self.rings.venue.push(VenueItem { order, raw });
                assert!(told.is_ok(), "room was looked for");
            }
            Effect::Refused(refusal) => {
                self.tell_client(ClientEffect::Refused(refusal));
                self.tell_control(ControlItem::Refused(refusal, self.timestamp));
            }
            Effect::Answered(answer) => self.tell_client(ClientEffect::Answered(answer)),
            Effect::Reported(report) => {
                self.tell_client(ClientEffect::Reported(report));
                self.note_trade(&report);
            }
            Effect::SessionChanged(change) => {
                self.tell_client(ClientEffect::SessionChanged(change));
            }
            Effect::Controlled(outcome) => {
                self.tell_control(ControlItem::Outcome(outcome, self.seq));
            }
            Effect::StateChanged { scope, state } => {
                self.tell_control(ControlItem::StateChanged(scope, state, self.timestamp));
            }
            Effect::Alarmed(alarm) => {
                self.tell_control(ControlItem::Alarmed(alarm, self.timestamp));
            }
        }
    }
}

#[cfg(test)]
mod tests;
