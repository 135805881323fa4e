//! A gateway's link to the outside: the adapter that dies with its gateway.
//!
//! Owned by the venue agent's thread. It knows what its gateway's log knows: how many reports of each
//! session stand in it, and which orders have no answer there. Invariants: it connects at the first
//! poll, and the gateway before is then cut off for good; reports come from the one after the log's
//! last; a session is up only when all that was missed is told, and what never arrived of the time
//! before is refused (orders and replaces) or sent again (cancels). It must never send an order of the
//! time before.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_domain::{ReportKind, SessionId, Timestamp, UserRef, VenueReport};
use portcullis_venue::saved::{SavedError, SavedReader, SavedWriter};
use portcullis_venue::{
    Approved, Asks, MatchingVenue, NOTE_NOT_SENT, OutboundOrder, RecallEnd, RecallFault,
    RecallVenue, VenueSink, is_gateways_own, refusal,
};

use super::{Message, MessageId, Outside, WIRE_MAX, Wire, Word};

const KIND: [u8; 4] = *b"PCSV";
const VERSION: u32 = 2;

/// A venue outside this gateway.
#[derive(Debug)]
pub struct OutsideLink<V> {
    outside: Arc<Mutex<Outside<V>>>,
    sides: Box<[Side]>,
    /// Its number outside, once it is connected.
    gateway: Option<u64>,
}

/// What the gateway knows of a session.
#[derive(Debug, Default)]
struct Side {
    /// Reports that its log has, or that were told.
    taken: u64,
    /// The last message that was handed over or recalled.
    last: MessageId,
    /// Messages of the log without an answer, in their order.
    doubts: VecDeque<Doubt>,
    /// Refusals in the engine's name, to be told.
    owed: VecDeque<VenueReport>,
    /// The next of the wire's words to tell, and how many there were when the link was made.
    next_word: usize,
    missed_until: usize,
    /// What the core believes of the link; after a recall that is the log's word.
    told_up: bool,
    /// Whether what the log left is settled.
    settled: bool,
}

/// A message that may have arrived.
#[derive(Debug)]
struct Doubt {
    id: MessageId,
    user_ref: UserRef,
    asks: Asks,
    /// To be sent again; not there where a saved memory told of it.
    again: Option<(Approved<OutboundOrder>, Vec<u8>)>,
}

impl<V: MatchingVenue> OutsideLink<V> {
    /// A link that nothing was told yet; it connects at its first poll.
    #[must_use]
    pub fn new(outside: &Arc<Mutex<Outside<V>>>) -> Self {
        let sessions = lock(outside).wires.len();
        Self {
            outside: Arc::clone(outside),
            sides: (0..sessions).map(|_| Side::default()).collect(),
            gateway: None,
        }
    }

    fn connect(&mut self) {
        let mut outside = lock(&self.outside);
        self.gateway = Some(outside.connect());
        for (side, wire) in self.sides.iter_mut().zip(&outside.wires) {
            side.next_word = wire.place_after(side.taken);
            side.missed_until = wire.words.len();
        }
    }
}

/// A run that panicked is over anyway: what it left may be looked at.
fn lock<V>(outside: &Mutex<Outside<V>>) -> MutexGuard<'_, Outside<V>> {
    outside.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    /// The place behind this many reports.
    fn place_after(&self, reports: u64) -> usize {
        if reports == 0 {
            return 0;
        }
        let told = (self.words.iter().enumerate())
            .filter(|(_, word)| matches!(word, Word::Report(..)))
            .nth(reports as usize - 1);
        told.map_or(self.words.len(), |(place, _)| place + 1)
    }
}

impl Side {
    /// The name of a session's next message, approved at this place of the log.
    const fn name(&self, seq: u64) -> MessageId {
        if self.last.0 == seq {
            (seq, self.last.1 + 1)
        } else {
            (seq, 0)
        }
    }

    /// Tells what there is to tell; returns how much.
    fn tell(
        &mut self,
        session: SessionId,
        wire: &mut Wire,
        budget: usize,
        sink: &mut impl VenueSink,
    ) -> usize {
        let mut told = 0;
        if !self.settled && self.told_up && budget > 0 {
            sink.on_link(session, false);
            self.told_up = false;
            told += 1;
        }
        while told < budget
            && let Some(word) = wire.words.get(self.next_word)
        {
            let missed = self.next_word < self.missed_until;
            self.next_word += 1;
            match word {
                Word::Report(report, raw) => {
                    self.taken += 1;
                    self.doubts.retain(|doubt| !doubt.is_answered_by(report));
                    sink.on_report(*report, raw);
                    told += 1;
                }
                // It was of another gateway's time.
                Word::Link(_) if missed => {}
                Word::Link(up) => {
                    let news = self.settled && self.told_up != *up;
                    if news {
                        sink.on_link(session, *up);
                        self.told_up = *up;
                        told += 1;
                    }
                }
            }
        }
        if !self.settled && self.next_word >= self.missed_until {
            self.settle(session, wire);
        }
        while told < budget
            && let Some(report) = self.owed.pop_front()
        {
            sink.on_report(report, &[]);
            told += 1;
        }
        let caught_up = self.next_word == wire.words.len() && self.owed.is_empty();
        if told < budget && self.settled && caught_up && self.told_up != wire.up {
            self.told_up = wire.up;
            sink.on_link(session, wire.up);
            told += 1;
        }
        told
    }

    /// What the log left unanswered, and the engine too: refused or sent again if it never arrived.
    fn settle(&mut self, session: SessionId, wire: &mut Wire) {
        self.settled = true;
        for doubt in self.doubts.drain(..) {
            if wire.arrived.contains(&doubt.id) {
                continue;
            }
            if doubt.asks == Asks::Cancel
                && let Some((order, raw)) = doubt.again
            {
                let id = doubt.id;
                wire.messages.push_back(Message { id, order, raw });
                continue;
            }
            let refused = doubt.asks.refused(session, doubt.user_ref, NOTE_NOT_SENT);
            self.owed.push_back(refused);
        }
    }
}

impl Doubt {
    fn is_answered_by(&self, report: &VenueReport) -> bool {
        let of_it = report.user_ref == self.user_ref;
        let is_cancel = self.asks == Asks::Cancel;
        match report.kind {
            ReportKind::Accepted | ReportKind::Fill { .. } => of_it && !is_cancel,
            ReportKind::Reduced { .. } | ReportKind::Canceled | ReportKind::Rejected => of_it,
            ReportKind::CancelRejected | ReportKind::CancelPending => of_it && is_cancel,
            ReportKind::Replaced { new } => {
                (new == self.user_ref && !is_cancel) || (of_it && is_cancel)
            }
            ReportKind::ReplaceRejected { new } => new == self.user_ref && !is_cancel,
            ReportKind::BrokenTrade { .. } | ReportKind::Information => false,
        }
    }
}

const ENTRY: u8 = 0;
const CANCEL: u8 = 1;
const REPLACE: u8 = 2;

const fn code(asks: Asks) -> u8 {
    match asks {
        Asks::Entry => ENTRY,
        Asks::Cancel => CANCEL,
        Asks::Replace => REPLACE,
    }
}

impl<V: MatchingVenue> MatchingVenue for OutsideLink<V> {
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>> {
        let sent = *order.get();
        let mut outside = lock(&self.outside);
        let side = &mut self.sides[sent.session.index()];
        let connected = self.gateway == Some(outside.gateway);
        let wire = &mut outside.wires[sent.session.index()];
        if connected && side.settled && wire.messages.len() == WIRE_MAX {
            return Err(order);
        }
        let id = side.name(order.seq().raw());
        side.last = id;
        if connected && side.settled {
            let raw = raw.to_vec();
            wire.messages.push_back(Message { id, order, raw });
        } else {
            side.owed.push_back(refusal(&sent, NOTE_NOT_SENT));
        }
        Ok(())
    }

    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize {
        if self.gateway.is_none() {
            self.connect();
        }
        let mut outside = lock(&self.outside);
        let connected = self.gateway == Some(outside.gateway);
        let mut done = if connected { outside.work(now) } else { 0 };
        let mut told = 0;
        for (index, side) in self.sides.iter_mut().enumerate() {
            let session = SessionId::new(index as u32);
            if connected {
                let wire = &mut outside.wires[index];
                told += side.tell(session, wire, budget - told, sink);
                continue;
            }
            // Another gateway has the sessions: nothing comes from there any more.
            if side.told_up && told < budget {
                side.told_up = false;
                sink.on_link(session, false);
                told += 1;
            }
            while told < budget
                && let Some(report) = side.owed.pop_front()
            {
                sink.on_report(report, &[]);
                told += 1;
            }
        }
        done += told;
        done
    }

    fn is_idle(&self) -> bool {
        let outside = lock(&self.outside);
        let owed = self.sides.iter().any(|side| !side.owed.is_empty());
        if self.gateway != Some(outside.gateway) {
            return self.gateway.is_some() && !owed;
        }
        let told = |(side, wire): (&Side, &Wire)| {
            side.settled && side.next_word == wire.words.len() && side.told_up == wire.up
        };
        outside.is_idle() && !owed && self.sides.iter().zip(&outside.wires).all(told)
    }
}

impl<V: MatchingVenue> RecallVenue for OutsideLink<V> {
    fn recall_order(&mut self, order: Approved<OutboundOrder>, raw: &[u8]) {
        let recalled = *order.get();
        let side = &mut self.sides[recalled.session.index()];
        let id = side.name(order.seq().raw());
        side.last = id;
        let asks = Asks::of(&recalled);
        side.doubts.push_back(Doubt {
            id,
            user_ref: recalled.user_ref,
            asks,
            again: (asks == Asks::Cancel).then(|| (order, raw.to_vec())),
        });
    }

    fn recall_report(&mut self, report: &VenueReport, raw: &[u8]) {
        let side = &mut self.sides[report.session.index()];
        if !is_gateways_own(report, raw) {
            side.taken += 1;
        }
        side.doubts.retain(|doubt| !doubt.is_answered_by(report));
    }

    /// Numbers are those of the reports.
    fn recall_sequence(&mut self, _session: SessionId, _sequence: u64) {}

    /// Whatever its log says, it lives on with the engine outside.
    fn recall_fault(&self) -> Option<RecallFault> {
        None
    }

    fn recalled(&mut self) -> RecallEnd {
        let mut end = RecallEnd::default();
        for side in &mut self.sides {
            side.told_up = true;
            let cancels = side.doubts.iter();
            let cancels = cancels.filter(|doubt| doubt.asks == Asks::Cancel).count() as u64;
            end.cancels_in_doubt += cancels;
            end.orders_in_doubt += side.doubts.len() as u64 - cancels;
        }
        end
    }

    fn save(&self, out: &mut Vec<u8>) {
        let mut to = SavedWriter::begin(out, KIND, VERSION);
        to.count(self.sides.len());
        for side in &self.sides {
            to.u64(side.taken);
            to.u64(side.last.0);
            to.u32(side.last.1);
            to.count(side.doubts.len());
            for doubt in &side.doubts {
                to.u64(doubt.id.0);
                to.u32(doubt.id.1);
                to.user_ref(doubt.user_ref);
                to.u8(code(doubt.asks));
            }
        }
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedError> {
        let mut from = SavedReader::begin(bytes, KIND, VERSION)?;
        let count = from.count("sessions", 28)?;
        from.hold("sessions", count == self.sides.len())?;
        for side in &mut self.sides {
            side.taken = from.u64("taken")?;
            side.last = (from.u64("last_seq")?, from.u32("last_index")?);
            from.hold("last_index", side.last.1 < u32::MAX)?;
            for _ in 0..from.count("doubts", 18)? {
                let id = (from.u64("doubt_seq")?, from.u32("doubt_index")?);
                let user_ref = from.user_ref("doubt_number")?;
                let asks = match from.u8("doubt_kind")? {
                    ENTRY => Asks::Entry,
                    CANCEL => Asks::Cancel,
                    kind => {
                        from.hold("doubt_kind", kind == REPLACE)?;
                        Asks::Replace
                    }
                };
                side.doubts.push_back(Doubt {
                    id,
                    user_ref,
                    asks,
                    again: None,
                });
            }
        }
        from.end()
    }
}
