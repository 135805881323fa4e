//! The venue agent: approved orders to the engine, its reports back to the sequencer.
//!
//! One thread owns it, with the engine's adapter. Invariants: what the engine has no room for waits
//! behind its own session alone, and is offered again in its order; where a session has much
//! waiting, the core is told that its link is down, and told again when nothing waits any more;
//! nothing is handed over before its record is as durable as it must be, and an adapter that was recalled
//! does not live before the log it was recalled from is; reports are asked for only as
//! far as there is room for them, so that a book that makes thousands resumes instead of deadlocking. It
//! must never drop or reorder an order, nor answer one itself, but for those that could not be made
//! durable and never left.

mod halves;
mod pending;
#[cfg(test)]
mod tests;

pub use halves::VenueHalves;

use crate::durability::{Gate, Passage, Recalled};
use crate::item::VenueItem;
use pending::{Pending, Waiting};
use portcullis_domain::{Command, RAW_BYTES_MAX, Seq, SessionId, Timestamp, VenueReport};
use portcullis_runtime::{
    Agent, HistogramReader, HistogramWriter, Lead, MessageConsumer, RecordProducer,
};
use portcullis_venue::{
    MatchingVenue, NOTE_NOT_SENT, OutboundAction, OutboundOrder, VenueSink, refusal,
};

/// Orders taken from the ring, and orders offered again, in one duty cycle.
const ORDER_BUDGET: usize = 64;

/// Reports taken in one duty cycle at the most.
const REPORT_BUDGET: usize = 64;

/// Items of one session that may wait before the core is told that its link is down.
pub const CONGESTED_AT: u32 = 256;

/// The agent.
#[derive(Debug)]
pub struct Venue<V> {
    venue: V,
    orders: MessageConsumer<VenueItem>,
    reports: RecordProducer,
    pending: Pending,
    links: Links,
    /// The time of this duty cycle.
    now: Timestamp,
    /// Nothing is handed over before its record is durable.
    gate: Gate,
    /// What the adapter was made from again: it connects and sends nothing before.
    recalled: Recalled,
    waited: HistogramWriter,
    engine: HistogramWriter,
    /// Items taken from the ring in this duty cycle.
    taken: u64,
    /// Orders refused because their records could not be made durable.
    undurable: u64,
}

/// What other threads read of the venue agent while it runs.
#[derive(Clone, Debug)]
pub struct VenueReaders {
    /// From the beginning of the duty cycle that decided an order to that of the one that takes it.
    pub gate: HistogramReader,
    /// From then until it is handed over and the engine's words of the cycle are taken.
    pub engine: HistogramReader,
}

/// What the core is told of the sessions' links: up while the venue says so and little waits.
#[derive(Debug)]
struct Links {
    up: Box<[bool]>,
    congested: Box<[bool]>,
    /// A session whose congestion began or ended, of which the core is not told yet.
    untold: Option<SessionId>,
    /// Times that one began.
    congestions: u64,
}

impl Links {
    fn new(sessions: usize) -> Self {
        Self {
            up: vec![false; sessions].into_boxed_slice(),
            congested: vec![false; sessions].into_boxed_slice(),
            untold: None,
            congestions: 0,
        }
    }

    fn is_open(&self, session: SessionId) -> bool {
        self.up[session.index()] && !self.congested[session.index()]
    }

    /// Looks at how much of a session waits.
    fn note(&mut self, session: SessionId, waiting: u32) {
        let congested = &mut self.congested[session.index()];
        let changed = if *congested {
            waiting == 0
        } else {
            waiting >= CONGESTED_AT
        };
        if changed {
            *congested = !*congested;
            self.congestions += u64::from(*congested);
            self.untold = Some(session);
        }
    }
}

impl<V: MatchingVenue> Venue<V> {
    /// The agent, for this many sessions; `pending_max` items wait for their links at the most, and
    /// beyond that nothing is taken for anybody.
    #[must_use]
    pub fn new(
        venue: V,
        orders: MessageConsumer<VenueItem>,
        reports: RecordProducer,
        sessions: usize,
        pending_max: usize,
    ) -> Self {
        Self {
            venue,
            orders,
            reports,
            pending: Pending::new(sessions, pending_max),
            links: Links::new(sessions),
            now: Timestamp::ZERO,
            gate: Gate::open(),
            recalled: Recalled::NOTHING,
            waited: HistogramWriter::default(),
            engine: HistogramWriter::default(),
            taken: 0,
            undurable: 0,
        }
    }

    /// Hands nothing over before this gate opens, and does nothing at all before it opens for the record that the
    /// adapter was recalled up to; [`Seq::ZERO`] for one that begins anew.
    #[must_use]
    pub fn behind(mut self, gate: Gate, recalled: Seq) -> Self {
        self.gate = gate;
        self.recalled = Recalled::up_to(recalled);
        self
    }

    /// What other threads may read of it.
    #[must_use]
    pub fn readers(&self) -> VenueReaders {
        VenueReaders {
            gate: self.waited.reader(),
            engine: self.engine.reader(),
        }
    }

    /// The engine's adapter.
    #[must_use]
    pub const fn venue(&self) -> &V {
        &self.venue
    }

    /// How often a session's link was called down because the engine took nothing over it.
    #[must_use]
    pub const fn congestions(&self) -> u64 {
        self.links.congestions
    }

    /// Orders refused because their records could not be made durable.
    #[must_use]
    pub const fn undurable(&self) -> u64 {
        self.undurable
    }

    /// Begins a turn; `false` where nothing may be done in it.
    fn begin(&mut self, now: Timestamp) -> bool {
        self.now = now;
        self.taken = 0;
        !self.recalled.waits(&mut self.gate)
    }

    fn hand_over(&mut self) -> usize {
        let mut handed = self.offer_again();
        for _ in 0..ORDER_BUDGET {
            let takes = !self.pending.is_full() && self.venue.takes_orders();
            if !takes || !self.tell_link() || !self.take_next() {
                break;
            }
            handed += 1;
        }
        self.orders.release();
        if handed > 0 {
            self.venue.send(self.now);
        }
        handed
    }

    /// Takes the next item: to the engine, or behind its session's others. `false` where there is none,
    /// or it may not leave yet.
    fn take_next(&mut self) -> bool {
        if self.orders.is_empty() {
            return false;
        }
        let Some((item, _)) = self.orders.front() else {
            return false;
        };
        match self.gate.passage(item.order.seq().raw()) {
            Passage::Open => {}
            Passage::Shut => return false,
            Passage::Degraded if takes_risk(item.order.get()) => return self.refuse_next(),
            Passage::Degraded => {}
        }
        let Some((item, raw)) = self.orders.take() else {
            return false;
        };
        self.waited.record(self.now.since(item.taken).ns(), 1);
        self.taken += 1;
        let session = item.order.get().session;
        let waits = if self.pending.len(session) == 0 {
            offer(&mut self.venue, item, raw)
        } else {
            Some(item)
        };
        if let Some(item) = waits {
            self.pending.put(Waiting::new(item, raw));
            self.links.note(session, self.pending.len(session));
        }
        true
    }

    /// Refuses the next item in the engine's name, which never had it: its record is not durable and may
    /// not be for long, and what a crash could lose must not reach the engine. `false` where there is no
    /// room to.
    fn refuse_next(&mut self) -> bool {
        if !self.reports.has_room_for(1) {
            return false;
        }
        let Some((item, _)) = self.orders.take() else {
            return false;
        };
        let report = refusal(item.order.get(), NOTE_NOT_SENT);
        let mut desk = Desk {
            reports: &mut self.reports,
            links: &mut self.links,
            now: self.now,
        };
        desk.push(Command::Report(report), &[]);
        self.reports.publish();
        self.undurable += 1;
        true
    }

    /// Offers what waits again, session by session, until each was given back something.
    fn offer_again(&mut self) -> usize {
        let mut handed = 0;
        for _ in 0..self.pending.sessions().min(ORDER_BUDGET) {
            if !self.tell_link() {
                return handed;
            }
            let Some(session) = self.pending.next_turn() else {
                return handed;
            };
            while handed < ORDER_BUDGET
                && let Some(mut waiting) = self.pending.take(session)
            {
                let raw = &waiting.raw;
                let raw = &raw[..waiting.item.bytes_behind()];
                if let Some(item) = offer(&mut self.venue, waiting.item, raw) {
                    waiting.item = item;
                    self.pending.put_back(waiting);
                    break;
                }
                handed += 1;
            }
            self.links.note(session, self.pending.len(session));
        }
        handed
    }

    /// Tells the core of the session whose congestion changed, if one did; `false` where there is
    /// no room to.
    fn tell_link(&mut self) -> bool {
        let Some(session) = self.links.untold else {
            return true;
        };
        if !self.reports.has_room_for(1) {
            return false;
        }
        self.links.untold = None;
        let up = self.links.is_open(session);
        let mut desk = Desk {
            reports: &mut self.reports,
            links: &mut self.links,
            now: self.now,
        };
        desk.push(Command::VenueLink { session, up }, &[]);
        self.reports.publish();
        true
    }

    /// How many reports there is room for, up to the budget. Nearly always all of them, which is one
    /// question.
    fn room_for_reports(&self) -> usize {
        if self.reports.has_room_for(REPORT_BUDGET) {
            return REPORT_BUDGET;
        }
        let has_room = |budget: &usize| self.reports.has_room_for(*budget);
        (1..REPORT_BUDGET).take_while(has_room).count()
    }

    fn take_reports(&mut self) -> usize {
        if !self.tell_link() {
            return 0;
        }
        let budget = self.room_for_reports();
        let mut desk = Desk {
            reports: &mut self.reports,
            links: &mut self.links,
            now: self.now,
        };
        let done = self.venue.poll(self.now, budget, &mut desk);
        self.reports.publish();
        done
    }
}

/// Whether the engine could do more by it than without it.
const fn takes_risk(order: &OutboundOrder) -> bool {
    match order.action {
        OutboundAction::Enter { .. } | OutboundAction::Replace { .. } => true,
        OutboundAction::Cancel { .. } => false,
    }
}

/// Offers an item to the engine, which gives it back where it has no room.
fn offer(venue: &mut impl MatchingVenue, item: VenueItem, raw: &[u8]) -> Option<VenueItem> {
    let taken = item.taken;
    let given_back = venue.submit(item.order, raw).err()?;
    Some(VenueItem::before(raw, given_back, taken))
}

struct Desk<'a> {
    reports: &'a mut RecordProducer,
    links: &'a mut Links,
    now: Timestamp,
}

impl Desk<'_> {
    fn push(&mut self, command: Command, raw: &[u8]) {
        let mut head = command.encode();
        head.timestamp_ns = self.now.ns();
        // What is too long to forward is encoded by the gateway itself.
        let raw = if raw.len() > RAW_BYTES_MAX { &[] } else { raw };
        head.raw_len = raw.len() as u16;
        let told = self.reports.write(head, raw);
        assert!(told, "a venue reports within its budget");
    }
}

impl VenueSink for Desk<'_> {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        self.push(Command::Report(report), raw);
    }

    fn on_sequence(&mut self, session: SessionId, sequence: u64) {
        self.push(Command::VenueSequence { session, sequence }, &[]);
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        self.links.up[session.index()] = up;
        let up = self.links.is_open(session);
        self.push(Command::VenueLink { session, up }, &[]);
    }
}

impl<V: MatchingVenue> Agent for Venue<V> {
    fn name(&self) -> &'static str {
        "venue"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        if !self.begin(now) {
            return 0;
        }
        self.hand_over() + self.take_reports()
    }

    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        if self.taken > 0 {
            self.engine.record(ended.since(began).ns(), self.taken);
        }
    }

    fn is_drained(&self) -> bool {
        let owes_nothing = self.recalled.is_waiting() || self.venue.is_idle();
        self.pending.is_empty() && self.orders.is_empty() && owes_nothing
    }
}
