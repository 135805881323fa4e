//! The agent that decides nothing: what the pipeline costs without the risk core.
//!
//! Stands in the place of the risk agent, on the same thread with the same rings. Invariants: each
//! record that would lead to items leads to as many of the same size; the room of each ring is looked
//! at, the clock read and the latency kept as the risk agent does. It must never look at a limit.

use portcullis_domain::{
    AccountId, CommandKind, Head, InstrumentId, OrderId, Price, Qty, Record, ReportKind, Seq,
    SessionId, Side, TimeInForce, Timestamp, UserRef,
};
use portcullis_pipeline::item::{ClientEffect, ControlItem, EgressItem, VenueItem};
use portcullis_pipeline::risk::{Arrivals, LatencySink, SHOWN_ALONE_MAX};
use portcullis_risk_core::{
    ClientReport, ControlOutcome, Done, EFFECTS_MAX, OutboundAction, OutboundOrder,
};
use portcullis_runtime::{
    Agent, Lead, MessageProducer, RecordConsumer, RecordProducer, RingProducer,
};

/// Records taken in one duty cycle, and together, as the risk agent does.
const RECORD_BUDGET: usize = 64;
const BATCH: usize = 16;

/// What goes to the venue unjudged: of the size of what goes there approved.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    /// The order.
    pub order: Unjudged,
    /// When the duty cycle began.
    pub taken: Timestamp,
    raw_len: u8,
}

impl Lead for Passed {
    fn bytes_behind(&self) -> usize {
        usize::from(self.raw_len)
    }
}

/// An order in the place of an approved one.
#[derive(Clone, Copy, Debug)]
pub struct Unjudged {
    /// Its place among the records.
    pub seq: Seq,
    /// No limits judged it.
    pub epoch: u32,
    /// What the client asked for.
    pub inner: OutboundOrder,
}

const _: () = assert!(size_of::<Passed>() == size_of::<VenueItem>());

/// The rings that it is at an end of: those of the risk agent.
#[derive(Debug)]
pub struct UndecidedRings {
    /// Sequenced records.
    pub records: RecordConsumer,
    /// What goes to the venue.
    pub venue: MessageProducer<Passed>,
    /// What clients are told.
    pub egress: MessageProducer<EgressItem>,
    /// What the control thread is told.
    pub control: RingProducer<ControlItem>,
    /// Looked at for room, never used.
    pub feedback: RecordProducer,
}

/// The agent.
#[derive(Debug)]
pub struct Undecided<L> {
    rings: UndecidedRings,
    latency: L,
    arrivals: Arrivals,
    batch: [Record; BATCH],
    /// Records all of whose items have room, as was seen when the last batch was on its way.
    room: usize,
    /// When the duty cycle began.
    taken: Timestamp,
}

impl<L: LatencySink> Undecided<L> {
    /// The agent.
    #[must_use]
    pub fn new(rings: UndecidedRings, latency: L) -> Self {
        let batch = [Record::bare(Head::blank(CommandKind::Tick as u8)); BATCH];
        Self {
            rings,
            latency,
            arrivals: Arrivals::of_records(RECORD_BUDGET),
            batch,
            room: 0,
            taken: Timestamp::ZERO,
        }
    }

    /// Records all of whose items have room, up to a batch.
    fn look_for_room(&self) -> usize {
        let rings = &self.rings;
        let effects = BATCH * EFFECTS_MAX;
        if rings.venue.has_room_for(effects)
            && rings.egress.has_room_for(2 * effects)
            && rings.feedback.has_room_for(effects)
            && rings.control.slots() >= effects
        {
            return BATCH;
        }
        BATCH
            .min(rings.venue.room() / EFFECTS_MAX)
            .min(rings.egress.room() / (2 * EFFECTS_MAX))
            .min(rings.control.slots() / EFFECTS_MAX)
            .min(rings.feedback.room() / EFFECTS_MAX)
    }

    /// Takes the next batch; returns how many records it has.
    fn take_batch(&mut self, most: usize) -> usize {
        if self.rings.records.is_empty() {
            return 0;
        }
        if self.room < BATCH {
            self.room = self.look_for_room();
        }
        let room = most.min(self.room);
        self.room = 0;
        let mut taken = 0;
        while taken < room && self.rings.records.pop_into(&mut self.batch[taken]) {
            taken += 1;
        }
        taken
    }

    /// As the risk agent: few are shown to the venue one by one, each before egress is told of it.
    fn pass(&mut self, at: usize, taken: usize) {
        let record = &self.batch[at];
        let head = record.head;
        let raw = record.raw();
        let orders = [CommandKind::NewOrder as u8, CommandKind::Replace as u8];
        if orders.contains(&head.kind) {
            let order = outbound(&head);
            let unjudged = Unjudged {
                seq: Seq::new(head.seq),
                epoch: 0,
                inner: order,
            };
            let item = Passed {
                order: unjudged,
                taken: self.taken,
                raw_len: raw.len() as u8,
            };
            let told = self.rings.venue.write_units(item, record.raw_units());
            assert!(told, "room was looked for");
            if taken <= SHOWN_ALONE_MAX {
                self.rings.venue.publish();
            }
            let effect = ClientEffect::Entered(order);
            tell_client(&mut self.rings.egress, effect, record);
        } else if head.kind == CommandKind::Report as u8 {
            let effect = ClientEffect::Reported(report(&head));
            tell_client(&mut self.rings.egress, effect, record);
        } else if head.kind >= CommandKind::Deposit as u8 && head.kind < CommandKind::Tick as u8 {
            let outcome = ControlOutcome {
                request: head.number,
                result: Ok(Done::Applied),
            };
            let item = ControlItem::Outcome(outcome, Seq::new(head.seq));
            assert!(self.rings.control.push(item).is_ok(), "room was looked for");
        }
    }
}

fn tell_client(egress: &mut MessageProducer<EgressItem>, effect: ClientEffect, record: &Record) {
    let timestamp = Timestamp::from_ns(record.head.timestamp_ns);
    let item = EgressItem::before(record.raw(), effect, timestamp, record.head.seq);
    let told = egress.write_units(item, record.raw_units());
    assert!(told, "room was looked for");
}

impl<L: LatencySink> Agent for Undecided<L> {
    fn name(&self) -> &'static str {
        "undecided"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        self.taken = now;
        self.arrivals.begin_turn();
        let mut work = 0;
        let mut left = RECORD_BUDGET;
        while left > 0 {
            let taken = self.take_batch(left);
            if taken == 0 {
                break;
            }
            for at in 0..taken {
                self.pass(at, taken);
                work += usize::from(self.batch[at].head.kind != CommandKind::Tick as u8);
            }
            self.rings.venue.publish();
            self.rings.egress.publish();
            for record in &self.batch[..taken] {
                self.arrivals.note(&record.head);
            }
            left -= taken;
        }
        self.rings.records.release();
        if self.room == 0 {
            self.room = self.look_for_room();
        }
        work
    }

    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        self.arrivals.tell(began, ended, &mut self.latency);
    }

    fn is_drained(&self) -> bool {
        self.rings.records.is_empty()
    }
}

fn side(head: &Head) -> Side {
    if head.flags & 1 == 0 {
        Side::Buy
    } else {
        Side::Sell
    }
}

fn outbound(head: &Head) -> OutboundOrder {
    OutboundOrder {
        order: OrderId::NONE,
        session: SessionId::new(head.session),
        account: AccountId::new(head.account),
        instrument: InstrumentId::new(head.instrument),
        side: side(head),
        user_ref: UserRef::new(head.number),
        action: OutboundAction::Enter {
            qty: Qty::new(head.qty),
            price: Price::new(head.price),
            time_in_force: TimeInForce::Day,
            was_market: false,
        },
    }
}

fn report(head: &Head) -> ClientReport {
    ClientReport {
        session: SessionId::new(head.session),
        user_ref: UserRef::new(head.number),
        order: OrderId::NONE,
        account: AccountId::new(head.account),
        instrument: InstrumentId::new(head.instrument),
        side: side(head),
        kind: ReportKind::Canceled,
        qty: Qty::new(head.qty),
        leaves: Qty::ZERO,
        note: 0,
    }
}
