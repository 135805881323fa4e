//! Ingress: bytes in, records out.
//!
//! One thread owns it, with the inbound half of the transport. It frames, checks sessions, asks for
//! logins to be verified, and turns messages into records. Invariants: a message becomes at most one
//! record; orders keep their order within a session; a cancel never overtakes the order it is for,
//! and waits behind no others; a connection that misbehaves costs itself alone. It must never judge
//! an order: what it finds wrong it stamps on the record, for the core to refuse.

mod connection;
mod desk;
mod lanes;
mod logged_on;
mod login;
mod translate;

pub use connection::ConnectionLimits;
pub use login::{LoginQuery, LoginVerdict};
pub use translate::VenueAbilities;

use crate::item::ConnectionItem;
use crate::rounds::Rounds;
use crate::stream_reach::StreamReachReader;
use crate::tables::{SessionProfile, SymbolTable};
use crate::transport::{ConnectionId, InboundTransport};
use connection::{Connection, Overdue};
use desk::{Desk, Turn, stamped};
use lanes::Lanes;
use logged_on::LoggedOn;
use portcullis_domain::{Command, SessionEvent, SessionEventKind, Timestamp};
use portcullis_runtime::{
    Agent, CounterReader, CounterWriter, HistogramReader, HistogramWriter, RecordProducer,
    RingConsumer, RingProducer, StopFlag,
};
use portcullis_wire::soupbin::{LoginRejectReason, SessionName};

/// The rings that ingress is at an end of.
#[derive(Debug)]
pub struct IngressRings {
    /// Orders and replaces.
    pub orders: RecordProducer,
    /// Cancels and all else that must not wait behind orders.
    pub priority: RecordProducer,
    /// To egress.
    pub connections: RingProducer<ConnectionItem>,
    /// Logins to be verified; when full, the login is refused.
    pub queries: RingProducer<LoginQuery>,
    /// Those that were.
    pub verdicts: RingConsumer<LoginVerdict>,
    /// From and to where each session can be resent.
    pub reach: StreamReachReader,
}

/// What ingress counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct IngressCounters {
    /// Connections that came in.
    pub connections: u64,
    /// Messages that became records.
    pub messages: u64,
    /// Messages that could not be answered in the protocol.
    pub unanswerable: u64,
    /// Connections ended because of what they sent or did not send.
    pub ended: u64,
    /// Those of them that let a deadline pass: no login, or silence.
    pub overdue: u64,
    /// Logins refused.
    pub logins_refused: u64,
    /// Orders refused early because their session holds its share of the order lane, or because the
    /// gateway is stopping.
    pub overloaded: u64,
}

/// What other threads read of ingress while it runs.
#[derive(Clone, Debug)]
pub struct IngressReaders {
    /// From a duty cycle's beginning to its messages being records.
    pub decode: HistogramReader,
    /// Messages that became records.
    pub messages: CounterReader,
    /// Sessions that are logged on.
    pub sessions: CounterReader,
}

/// The agent.
#[derive(Debug)]
pub struct Ingress<T> {
    transport: T,
    connections: Box<[Connection]>,
    logged_on: LoggedOn,
    profiles: Box<[SessionProfile]>,
    symbols: SymbolTable,
    session_name: SessionName,
    abilities: VenueAbilities,
    limits: ConnectionLimits,
    lanes: Lanes,
    to_egress: RingProducer<ConnectionItem>,
    queries: RingProducer<LoginQuery>,
    verdicts: RingConsumer<LoginVerdict>,
    reach: StreamReachReader,
    /// Whose deadline is looked at.
    deadlines: Rounds,
    stop: StopFlag,
    counters: IngressCounters,
    decode: HistogramWriter,
    /// Messages, as told to other threads.
    told: CounterWriter,
    /// Messages whose decoding is timed.
    timed: u64,
}

/// What is fixed about ingress.
#[derive(Clone, Debug)]
pub struct IngressConfig {
    /// Connections at a time.
    pub connections_max: usize,
    /// Sessions, by id.
    pub profiles: Vec<SessionProfile>,
    /// Instruments.
    pub symbols: SymbolTable,
    /// The name every session has today.
    pub session_name: SessionName,
    /// What the venue behind can do.
    pub abilities: VenueAbilities,
    /// How long a connection may take until it is a session's, which has a silence of its own.
    pub limits: ConnectionLimits,
}

impl<T: InboundTransport> Ingress<T> {
    /// The agent. Allocates all it will ever use.
    #[must_use]
    pub fn new(config: IngressConfig, transport: T, rings: IngressRings, stop: StopFlag) -> Self {
        let sessions = config.profiles.len();
        Self {
            transport,
            connections: (0..config.connections_max)
                .map(|_| Connection::free())
                .collect(),
            logged_on: LoggedOn::new(sessions),
            profiles: config.profiles.into_boxed_slice(),
            symbols: config.symbols,
            session_name: config.session_name,
            abilities: config.abilities,
            limits: config.limits,
            lanes: Lanes::new(rings.orders, rings.priority, sessions),
            to_egress: rings.connections,
            queries: rings.queries,
            verdicts: rings.verdicts,
            reach: rings.reach,
            deadlines: Rounds::through(config.connections_max),
            stop,
            counters: IngressCounters::default(),
            decode: HistogramWriter::default(),
            told: CounterWriter::default(),
            timed: 0,
        }
    }

    /// What other threads may read of it.
    #[must_use]
    pub fn readers(&self) -> IngressReaders {
        IngressReaders {
            decode: self.decode.reader(),
            messages: self.told.reader(),
            sessions: self.logged_on.reader(),
        }
    }

    /// What it has counted.
    #[must_use]
    pub const fn counters(&self) -> &IngressCounters {
        &self.counters
    }

    fn accept(&mut self, now: Timestamp) -> usize {
        let mut accepted = 0;
        while let Some((id, address)) = self.transport.accept(now) {
            accepted += 1;
            self.counters.connections += 1;
            self.connections[id.slot()].begin(id, address, self.limits, now);
        }
        accepted
    }

    /// Logins that were verified meanwhile.
    fn take_verdicts(&mut self, now: Timestamp) -> usize {
        let mut taken = 0;
        while !self.verdicts.is_empty() && self.lanes.has_room() && !self.to_egress.is_full() {
            let Ok(verdict) = self.verdicts.pop() else {
                break;
            };
            taken += 1;
            self.take_verdict(verdict, now);
        }
        taken
    }

    fn take_verdict(&mut self, verdict: LoginVerdict, now: Timestamp) {
        let id = verdict.connection;
        let Some(connection) = live(&mut self.connections, id) else {
            return;
        };
        let Some(session) = verdict.session else {
            self.counters.logins_refused += 1;
            self.reject(id, LoginRejectReason::NotAuthorised);
            return;
        };
        let sequence = connection.facts.sequence_wanted;
        if !self.reach.serves(session, sequence) {
            // Before the takeover: a wrong number must not cost the connection that has the session.
            self.counters.logins_refused += 1;
            self.reject(id, LoginRejectReason::SessionNotAvailable);
            return;
        }
        let silence_max = self.profiles[session.index()].silence_max;
        if !connection.log_on(session, silence_max, now) {
            return;
        }
        if let Some(former) = self.logged_on.enter(session, id) {
            // The same user on a new connection: the old one is over.
            self.forget(former);
            self.say_close(former);
        }
        let kind = SessionEventKind::Up;
        let event = SessionEvent {
            session,
            kind,
            connection: id.raw(),
            sequence,
        };
        self.lanes
            .push_event(session, stamped(Command::Session(event), now));
    }

    fn read_all(&mut self, now: Timestamp) -> usize {
        let Self {
            transport,
            connections,
            logged_on,
            profiles,
            symbols,
            session_name,
            abilities,
            lanes,
            to_egress,
            queries,
            counters,
            stop,
            ..
        } = self;
        let before = counters.messages + counters.unanswerable;
        let mut desk = Desk {
            profiles,
            symbols,
            session_name: *session_name,
            abilities,
            lanes,
            queries,
            counters,
            closing: stop.is_set(),
            now,
        };
        transport.poll_ready(&mut |transport, id| {
            let Some(connection) = live(connections, id) else {
                transport.close(id);
                return true;
            };
            if to_egress.is_full() || !desk.lanes.has_room() {
                return false;
            }
            match desk.turn(transport, connection) {
                Turn::Done => true,
                Turn::More => false,
                Turn::End(kind) => {
                    desk.end(&connection.facts, kind);
                    if let Some(session) = connection.facts.session {
                        logged_on.leave(session, id);
                    }
                    let farewell = connection.forget();
                    assert!(to_egress.push(farewell).is_ok(), "room was looked for");
                    transport.close(id);
                    true
                }
            }
        });
        (counters.messages + counters.unanswerable - before) as usize
    }

    /// Some connections' deadlines, in turn. Who lets his pass is read once more before he is judged.
    fn check_deadlines(&mut self, now: Timestamp, idle: bool) {
        for _ in 0..self.deadlines.due(now, idle) {
            let slot = self.deadlines.next();
            let connection = &mut self.connections[slot];
            match connection.overdue(now) {
                Overdue::Not => continue,
                Overdue::Asked => {
                    self.transport.look_at(connection.id());
                    continue;
                }
                Overdue::Read => {}
            }
            if self.to_egress.is_full() || !self.lanes.has_room() {
                return;
            }
            // What it said may stand unread, by our own doing.
            let session = connection.facts.session;
            if session.is_some_and(|session| !self.lanes.has_room_of(session)) {
                continue;
            }
            if connection.close_if_overdue(now) {
                let id = connection.id();
                self.end_session(id, SessionEventKind::Lost, now);
                self.counters.ended += 1;
                self.counters.overdue += 1;
            }
        }
    }

    fn end_session(&mut self, id: ConnectionId, kind: SessionEventKind, now: Timestamp) {
        let Some(connection) = live(&mut self.connections, id) else {
            return;
        };
        if let Some(session) = connection.facts.session {
            let event = SessionEvent {
                session,
                kind,
                connection: id.raw(),
                sequence: 0,
            };
            self.lanes
                .push_event(session, stamped(Command::Session(event), now));
            self.logged_on.leave(session, id);
        }
        self.forget(id);
        self.say_close(id);
    }

    fn reject(&mut self, id: ConnectionId, reason: LoginRejectReason) {
        self.forget(id);
        let told = self.to_egress.push(ConnectionItem::RejectLogin(id, reason));
        assert!(told.is_ok(), "room was looked for");
    }

    fn say_close(&mut self, id: ConnectionId) {
        // Where the ring is full, the peer finds its connection dead a little later.
        let _ = self.to_egress.push(ConnectionItem::Close(id));
    }

    fn forget(&mut self, id: ConnectionId) {
        if let Some(connection) = live(&mut self.connections, id) {
            let _ = connection.forget();
        }
        self.transport.close(id);
    }
}

impl<T: InboundTransport> Agent for Ingress<T> {
    fn name(&self) -> &'static str {
        "ingress"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        self.lanes.settle();
        let mut work = self.accept(now);
        work += self.take_verdicts(now);
        work += self.read_all(now);
        self.check_deadlines(now, work == 0);
        work
    }

    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        let messages = self.counters.messages - self.timed;
        if messages > 0 {
            self.decode.record(ended.since(began).ns(), messages);
            self.timed = self.counters.messages;
            self.told.set(self.timed);
        }
    }

    /// A read that finds nothing would stand in the way of a report that is under way already.
    fn may_wait(&self) -> bool {
        true
    }

    fn is_drained(&self) -> bool {
        true
    }
}

/// A connection that is the one of this id.
fn live(connections: &mut [Connection], id: ConnectionId) -> Option<&mut Connection> {
    connections
        .get_mut(id.slot())
        .filter(|connection| connection.is(id))
}
