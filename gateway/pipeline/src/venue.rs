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
use portcullis_domain::{Command, Head, RAW_BYTES_MAX, Seq, SessionId, Timestamp, VenueReport};
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
    waits: Waits,
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

/// How long items waited at the gate. Those that were decided in one duty cycle and are taken in one waited
/// equally, and are recorded together.
#[derive(Debug, Default)]
struct Waits {
    histogram: HistogramWriter,
    /// When those began to wait that are not recorded yet, and how many there are.
    since: Timestamp,
    items: u64,
}

impl Waits {
    fn count(&mut self, since: Timestamp, now: Timestamp) {
        if since != self.since {
            self.record(now);
            self.since = since;
        }
        self.items += 1;
    }

    fn record(&mut self, now: Timestamp) {
        let items = std::mem::take(&mut self.items);
        if items > 0 {
            self.histogram.record(now.since(self.since).ns(), items);
        }
    }
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
            waits: Waits::default(),
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
            gate: self.waits.histogram.reader(),
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

    #[inline]
    fn hand_over(&mut self) -> usize {
        let nothing_waits = self.pending.is_empty() && self.links.untold.is_none();
        if nothing_waits && self.orders.is_empty() {
            return 0;
        }
        self.hand_over_all()
    }

    fn hand_over_all(&mut self) -> usize {
        let mut handed = self.offer_again();
        for _ in 0..ORDER_BUDGET {
            let takes = !self.pending.is_full() && self.venue.takes_orders();
            if !takes || !self.tell_link() || !self.take_next() {
                break;
            }
            handed += 1;
        }
        if handed > 0 {
            self.venue.send(self.now);
            self.waits.record(self.now);
        }
        self.orders.release();
        handed
    }

    /// Takes the next item: to the engine, or behind its session's others. `false` where there is none,
    /// or it may not leave yet.
    fn take_next(&mut self) -> bool {
        let gate = &mut self.gate;
        let may_leave = |item: &VenueItem| {
            let passage = gate.passage(item.order.seq().raw());
            passage == Passage::Open
                || passage == Passage::Degraded && !takes_risk(item.order.get())
        };
        let Some((item, raw)) = self.orders.take_if(may_leave) else {
            return self.refuse_undurable();
        };
        self.waits.count(item.taken, self.now);
        self.taken += 1;
        let session = item.order.get().session;
        let (order, taken) = (item.order, item.taken);
        let waits = if self.pending.len(session) > 0 {
            order
        } else {
            match self.venue.submit(order, raw) {
                Ok(()) => return true,
                Err(given_back) => given_back,
            }
        };
        let item = VenueItem::before(raw, waits, taken);
        self.pending.put(Waiting::new(item, raw));
        self.links.note(session, self.pending.len(session));
        true
    }

    /// Looks why the next item may not leave. Where its record is not durable and may not be for long, what a
    /// crash could lose must not reach the engine: it is refused in the engine's name, which never had it.
    /// `false` where there is none, it waits, or there is no room to refuse it.
    fn refuse_undurable(&mut self) -> bool {
        if self.orders.is_empty() {
            return false;
        }
        let Some((item, _)) = self.orders.front() else {
            return false;
        };
        let passage = self.gate.passage(item.order.seq().raw());
        let refused = passage == Passage::Degraded && takes_risk(item.order.get());
        if !refused || !self.reports.has_room_for(1) {
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
        desk.on_report(report, &[]);
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
    #[inline]
    fn tell_link(&mut self) -> bool {
        match self.links.untold {
            None => true,
            Some(session) => self.tell_congestion(session),
        }
    }

    fn tell_congestion(&mut self, session: SessionId) -> bool {
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
        desk.push_command(Command::VenueLink { session, up });
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
    /// In line where a report is told, so that its head goes from registers to the ring.
    #[inline(always)]
    fn push(&mut self, mut head: Head, raw: &[u8]) {
        head.timestamp_ns = self.now.ns();
        // What is too long to forward is encoded by the gateway itself.
        let raw = if raw.len() > RAW_BYTES_MAX { &[] } else { raw };
        head.raw_len = raw.len() as u16;
        let told = self.reports.write(head, raw);
        assert!(told, "a venue reports within its budget");
    }

    /// What is no report.
    #[inline(never)]
    fn push_command(&mut self, command: Command) {
        self.push(command.encode(), &[]);
    }
}

impl VenueSink for Desk<'_> {
    #[inline(always)]
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        self.push(report.encode(), raw);
    }

    fn on_sequence(&mut self, session: SessionId, sequence: u64) {
        self.push_command(Command::VenueSequence { session, sequence });
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        self.links.up[session.index()] = up;
        let up = self.links.is_open(session);
        self.push_command(Command::VenueLink { session, up });
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
