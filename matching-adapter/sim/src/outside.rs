//! The world outside a gateway: an engine that lives on while gateways come and go.
//!
//! Shared by the gateways of a run ([`OutsideLink`]), one of which is connected at a time. Between it
//! and the engine stands a wire a session, and what the engine says is kept by number, as behind any
//! sequenced protocol. Invariants: a gateway that connects takes the sessions over, and what the one
//! before had on its way arrives up to a place that the seed names, the rest never; each report has a
//! number of its session and can be had again from any number; time, order and misbehaviour of the
//! engine are its own. It must never lose, double or reorder a report itself.

mod link;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use portcullis_domain::{SessionId, Timestamp, VenueReport};
use portcullis_venue::{Approved, MatchingVenue, OutboundOrder, VenueSink};

use crate::random::Random;

pub use link::OutsideLink;

/// Messages on one session's wire to the engine.
const WIRE_MAX: usize = 64;
/// Reports taken from the engine in one poll.
const REPORTS_A_POLL: usize = 256;

/// An engine and the wires to it.
#[derive(Debug)]
pub struct Outside<V> {
    engine: V,
    random: Random,
    wires: Box<[Wire]>,
    /// Which gateway is connected, counted from 1; 0 is none.
    gateway: u64,
}

/// One session's side.
#[derive(Debug, Default)]
struct Wire {
    /// To the engine.
    messages: VecDeque<Message>,
    arrived: BTreeSet<MessageId>,
    /// From the engine: all it ever said.
    words: Vec<Word>,
    /// The engine's own word of its link.
    up: bool,
}

/// What a gateway sent.
#[derive(Debug)]
struct Message {
    id: MessageId,
    order: Approved<OutboundOrder>,
    raw: Vec<u8>,
}

/// Where in the log a session's message was approved, and which one of that place it is.
type MessageId = (u64, u32);

#[derive(Debug)]
enum Word {
    Report(VenueReport, Vec<u8>),
    Link(bool),
}

impl<V: MatchingVenue> Outside<V> {
    /// Puts an engine of the sessions 0 to `sessions` - 1 outside; `seed` names what is lost on the
    /// wires when gateways die.
    #[must_use]
    pub fn new(engine: V, sessions: u32, seed: u64) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            engine,
            random: Random::new(seed),
            wires: (0..sessions).map(|_| Wire::default()).collect(),
            gateway: 0,
        }))
    }

    /// The engine, to look at.
    #[must_use]
    pub const fn engine(&self) -> &V {
        &self.engine
    }

    /// The engine, to be asked for things beyond the trait.
    pub const fn engine_mut(&mut self) -> &mut V {
        &mut self.engine
    }

    /// How many reports a session was ever told, or will be.
    ///
    /// # Panics
    /// If there is no such session.
    #[must_use]
    pub fn reports(&self, session: SessionId) -> u64 {
        let words = &self.wires[session.index()].words;
        let reports = words.iter().filter(|word| matches!(word, Word::Report(..)));
        reports.count() as u64
    }

    /// A gateway takes the sessions over; of what the last one had on its way the seed says how much
    /// arrives. Returns its number.
    fn connect(&mut self) -> u64 {
        for wire in &mut self.wires {
            let on_the_way = wire.messages.len() as u64;
            let arrive = self.random.below(on_the_way + 1) as usize;
            wire.messages.truncate(arrive);
        }
        // What arrived did so before anything is asked of the engine.
        while self.deliver() > 0 {}
        // What the engine gave back was the old gateway's to offer again.
        for wire in &mut self.wires {
            wire.messages.clear();
        }
        self.gateway += 1;
        self.gateway
    }

    /// Whether nothing is on its way to the engine, and it owes nothing.
    fn is_idle(&self) -> bool {
        self.engine.is_idle() && self.wires.iter().all(|wire| wire.messages.is_empty())
    }

    /// Brings the engine what is on the wires, and keeps what it says.
    fn work(&mut self, now: Timestamp) -> usize {
        let delivered = self.deliver();
        delivered
            + self
                .engine
                .poll(now, REPORTS_A_POLL, &mut Ears(&mut self.wires))
    }

    /// Gives the engine what it takes; what it gives back stays at the front of its wire.
    fn deliver(&mut self) -> usize {
        let mut delivered = 0;
        for wire in &mut self.wires {
            while let Some(Message { id, order, raw }) = wire.messages.pop_front() {
                if let Err(order) = self.engine.submit(order, &raw) {
                    wire.messages.push_front(Message { id, order, raw });
                    break;
                }
                wire.arrived.insert(id);
                delivered += 1;
            }
        }
        delivered
    }
}

/// Keeps what the engine says.
struct Ears<'a>(&'a mut [Wire]);

impl VenueSink for Ears<'_> {
    fn on_report(&mut self, report: VenueReport, raw: &[u8]) {
        let wire = &mut self.0[report.session.index()];
        wire.words.push(Word::Report(report, raw.to_vec()));
    }

    fn on_link(&mut self, session: SessionId, up: bool) {
        let wire = &mut self.0[session.index()];
        wire.up = up;
        wire.words.push(Word::Link(up));
    }
}
