//! The risk agent: records to the core, effects to whom they concern.
//!
//! One thread owns it, and with it the core. Invariants: a record is taken only when every ring its
//! effects could go to has room for all of them; the log gets each record before any effect of it
//! leaves. It must never decide anything itself.

mod arrivals;
mod router;

pub use arrivals::Arrivals;
pub use router::SHOWN_ALONE_MAX;

use crate::item::{ControlItem, EgressItem, Look, VenueItem, VenueView, View};
use crate::log::digest_note;
use crate::signals::RiskSignals;
use portcullis_domain::{Command, CommandKind, Head, Record, Timestamp};
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{EFFECTS_MAX, LineSink, RiskCore, Word};
use portcullis_runtime::{
    Agent, MessageProducer, RecordConsumer, RecordProducer, RingConsumer, RingProducer, prefetch,
};
use router::Router;

/// Records taken in one duty cycle.
const RECORD_BUDGET: usize = 64;

/// Records applied together, the lines of those behind the one in hand being fetched meanwhile.
const BATCH: usize = 16;

/// Looks into the core answered in one duty cycle.
const LOOK_BUDGET: usize = 4;

/// Records after which the digest is told to the log.
const NOTE_EVERY: u64 = 4_096;

/// After how long it is told, with the next record; ticks are records.
const NOTE_EVERY_NS: u64 = 50_000_000;

/// The rings that the risk agent is at an end of.
#[derive(Debug)]
pub struct RiskRings {
    /// Sequenced records.
    pub records: RecordConsumer,
    /// Approved orders.
    pub venue: MessageProducer<VenueItem>,
    /// What clients are told.
    pub egress: MessageProducer<EgressItem>,
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

impl RiskRings {
    /// Shows the others what a batch led to: its records to the log first.
    fn publish(&mut self) {
        self.publish_to_venue();
        self.egress.publish();
    }

    /// The same of what goes to the venue alone.
    fn publish_to_venue(&mut self) {
        if let Some(log) = &mut self.log {
            log.publish();
        }
        self.venue.publish();
    }
}

/// Called with the times an order takes.
pub trait LatencySink {
    /// So many orders were applied in a duty cycle that began `waited_ns` after their bytes' arrival and ended
    /// `taken_ns` after it.
    fn on_orders(&mut self, waited_ns: u64, taken_ns: u64, orders: u64);

    /// A duty cycle that did work took this long; the core has accepted and refused so many in all.
    fn on_cycle(&mut self, took_ns: u64, accepted: u64, refused: u64) {
        let _ = (took_ns, accepted, refused);
    }
}

/// The agent.
#[derive(Debug)]
pub struct Risk<L> {
    core: Box<RiskCore>,
    rings: RiskRings,
    latency: L,
    /// When the orders of this duty cycle arrived.
    arrivals: Arrivals,
    /// Instruments whose reference price is the venue's own last trade.
    last_trade: Box<[bool]>,
    signals: RiskSignals,
    /// The records of the batch in hand.
    batch: Box<[Record]>,
    /// Records all of whose effects have room, as was seen behind all that this agent put into a ring: others only
    /// make more. 0 while a batch is in hand.
    room: usize,
    /// Whether what is done in each turn beside its records is still to be done of the last one.
    rest_is_due: bool,
    /// Whether looks waited when that was done.
    looks_wait: bool,
    /// When this duty cycle began.
    taken: Timestamp,
    /// Where the digest was told to the log last, and when.
    noted: (u64, Timestamp),
}

impl<L: LatencySink> Risk<L> {
    /// The agent. `last_trade` says by instrument whether its trades make its reference.
    #[must_use]
    pub fn new(
        core: Box<RiskCore>,
        rings: RiskRings,
        latency: L,
        last_trade: Vec<bool>,
        signals: RiskSignals,
    ) -> Self {
        let last_trade = last_trade.into_boxed_slice();
        Self {
            noted: (core.seq().raw(), Timestamp::ZERO),
            core,
            rings,
            latency,
            arrivals: Arrivals::of_records(RECORD_BUDGET),
            last_trade,
            signals,
            batch: vec![Record::bare(Command::Tick.encode()); BATCH].into_boxed_slice(),
            room: 0,
            rest_is_due: false,
            looks_wait: false,
            taken: Timestamp::ZERO,
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

    /// Records all of whose effects have room in each ring they could go to, up to a batch. Nearly
    /// always that many, which costs no look at the other end of a ring.
    fn look_for_room(&self) -> usize {
        let rings = &self.rings;
        let effects = BATCH * EFFECTS_MAX;
        if rings.venue.has_room_for(effects)
            && rings.egress.has_room_for(2 * effects)
            && rings.feedback.has_room_for(effects)
            && rings.control.slots() >= effects
            && (rings.log.as_ref()).is_none_or(|log| log.has_room_for(BATCH + 1))
        {
            return BATCH;
        }
        // One is kept for a note of the digest.
        let log = (rings.log.as_ref()).map_or(BATCH, |log| log.room().saturating_sub(1));
        BATCH
            .min(rings.venue.room() / EFFECTS_MAX)
            .min(rings.egress.room() / (2 * EFFECTS_MAX))
            .min(rings.control.slots() / EFFECTS_MAX)
            .min(rings.feedback.room() / EFFECTS_MAX)
            .min(log)
    }

    /// Whether sliced work waits for a tick. A valuation may say more than those on duty can read, and
    /// goes on slowly while what it has said has not been taken.
    fn wants_ticks(&self) -> bool {
        if !self.core.work_pending() || self.core.sweeps_pending() {
            return self.core.sweeps_pending();
        }
        let control = &self.rings.control;
        control.slots() >= control.buffer().capacity() / 2
    }

    /// Takes the next batch: as many records as there are and have room, a flip always alone.
    fn take_batch(&mut self, most: usize) -> Taken {
        let mut taken = Taken::default();
        if self.rings.records.is_empty() {
            return taken;
        }
        if self.room < BATCH {
            self.room = self.look_for_room();
        }
        let room = most.min(self.room);
        // What it leads to takes some of it.
        self.room = 0;
        let is_flip = |head: &Head| head.kind == CommandKind::FlipLimits as u8;
        for record in &mut self.batch[..room] {
            let fits = |head: &Head| taken.records == 0 || !is_flip(head);
            if !self.rings.records.pop_into_if(record, fits) {
                break;
            }
            taken.count(&record.head);
            if is_flip(&record.head) {
                // Its table was sent before it, but may have come since the cycle began.
                self.exchange_tables();
                break;
            }
        }
        taken
    }

    /// Applies the batch; returns how much work that was.
    fn apply_batch(&mut self, taken: &Taken) -> usize {
        let records = &self.batch[..taken.records];
        // A tick that finds no sliced work is no work, or an idle gateway would never idle.
        let idle = if self.core.work_pending() {
            0
        } else {
            taken.ticks
        };
        let mut router = Router::new(&mut self.rings, records, &self.last_trade, self.taken);
        self.core.apply_batch(records, &mut Fetch, &mut router);
        self.note_digest();
        self.rings.publish();
        for record in &self.batch[..taken.records] {
            self.arrivals.note(&record.head);
        }
        taken.records - idle
    }

    /// What is done in each turn beside its records: tables, the room for the next batch, what others are told, and
    /// whether looks wait. Of a turn that did work it is done when that is over, so that nothing of it stands before
    /// what was decided is sent; where nobody says that it is, at the beginning of the next. No look is answered here:
    /// it may take long, and behind a turn nobody would count it.
    fn see_to_the_rest(&mut self) {
        self.rest_is_due = false;
        self.exchange_tables();
        self.looks_wait = !self.rings.looks.is_empty();
        if self.room == 0 {
            self.room = self.look_for_room();
        }
        self.signals.tell_work_pending(self.wants_ticks());
        self.signals
            .tell_venue_crowded(self.rings.venue.is_half_full());
        if let Some(log) = &self.rings.log {
            self.signals.tell_log_crowded(log.is_half_full());
        }
    }

    /// Tables come and go beside the records: a flip names one by its digest. Freeing one takes
    /// milliseconds and is the control thread's.
    #[inline]
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

    /// Tells the log where the digest stands after the batch, so that whoever follows it can tell whether
    /// it has the same: often while there is much, and at each tick while there is little. With the batch's
    /// own records, so that it comes with the last of them.
    fn note_digest(&mut self) {
        let Some(log) = &mut self.rings.log else {
            return;
        };
        let seq = self.core.seq().raw();
        let since = seq - self.noted.0;
        let due = since >= NOTE_EVERY || self.taken.since(self.noted.1).ns() >= NOTE_EVERY_NS;
        if due && since > 0 {
            let noted = log.write(digest_note(seq, self.core.digest()), &[]);
            assert!(noted, "room was looked for");
            self.noted = (seq, self.taken);
        }
    }

    /// Answers looks that wait, as a part of a turn. An answer takes room that was looked for.
    fn look(&mut self) -> usize {
        if !self.looks_wait {
            return 0;
        }
        self.looks_wait = false;
        let looked = self.answer_looks();
        self.room = self.look_for_room();
        looked
    }

    fn answer_looks(&mut self) -> usize {
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
            Look::Readiness => View::Readiness(self.core.readiness(), self.core.seq()),
            Look::Venue => {
                let counters = self.core.counters();
                View::Venue(VenueView {
                    state: self.core.venue_state().stricter(self.core.restart_state()),
                    seq: self.core.seq().raw(),
                    epoch: self.core.epoch(),
                    digest: self.core.digest(),
                    accepted: counters.accepted,
                    refused: counters.refused,
                    open_orders: self.core.open_orders(),
                    alarms: counters.alarms,
                    passed_max: self.core.passed_max(),
                })
            }
        }
    }
}

impl<L: LatencySink> Agent for Risk<L> {
    fn name(&self) -> &'static str {
        "risk"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        if self.rest_is_due {
            self.see_to_the_rest();
        }
        self.taken = now;
        self.arrivals.begin_turn();
        let mut work = self.look();
        let mut left = RECORD_BUDGET;
        while left > 0 {
            let taken = self.take_batch(left);
            if taken.records == 0 {
                break;
            }
            work += self.apply_batch(&taken);
            left -= taken.records;
        }
        self.rings.records.release();
        if work > 0 {
            // What is decided goes first.
            self.rest_is_due = true;
            return work;
        }
        self.see_to_the_rest();
        self.look()
    }

    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        if self.rest_is_due {
            self.see_to_the_rest();
        }
        self.arrivals.tell(began, ended, &mut self.latency);
        let counters = self.core.counters();
        let took_ns = ended.since(began).ns();
        self.latency
            .on_cycle(took_ns, counters.accepted, counters.refused);
    }

    fn is_drained(&self) -> bool {
        self.rings.records.is_empty() && !self.core.work_pending()
    }
}

/// What a batch is of.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    records: usize,
    ticks: usize,
}

impl Taken {
    #[inline(always)]
    fn count(&mut self, head: &Head) {
        self.records += 1;
        self.ticks += usize::from(head.kind == CommandKind::Tick as u8);
    }
}

/// Fetches lines ahead of their use.
#[derive(Debug)]
pub struct Fetch;

impl LineSink for Fetch {
    #[inline(always)]
    fn line<W: Word>(&mut self, word: &W) {
        prefetch(word);
    }
}

#[cfg(test)]
mod tests;
