//! Ingress: bytes in, records out.
//!
//! One thread owns it, with the inbound half of the transport. It frames, checks sessions, asks for
//! logins to be verified, and turns messages into records. Invariants: a message becomes at most one
//! record; orders keep their order within a session; a cancel never overtakes the order it is for,
//! and waits behind no others; a connection that misbehaves costs itself alone. It must never judge
//! an order: what it finds wrong it stamps on the record, for the core to refuse.

mod connection;
mod lanes;
mod logged_on;
mod translate;

pub use connection::ConnectionLimits;
pub use translate::VenueAbilities;

use crate::item::ConnectionItem;
use crate::stream_reach::StreamReachReader;
use crate::tables::{SessionProfile, SymbolTable};
use crate::transport::{ConnectionId, InboundTransport, ReadOutcome};
use connection::{Connection, Facts};
use lanes::Lanes;
use logged_on::LoggedOn;
use portcullis_domain::{
    Command, Head, RAW_BYTES_MAX, SessionEvent, SessionEventKind, SessionId, Timestamp,
};
use portcullis_runtime::{
    Agent, CounterReader, CounterWriter, HistogramReader, HistogramWriter, RecordProducer,
    RingConsumer, RingProducer, StopFlag,
};
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{
    LoginRejectReason, LoginRequest, Password, ServerEvent, ServerStep, SessionName,
};
use std::net::IpAddr;
use translate::{Message, translate};

/// A login to be verified.
#[derive(Clone, Copy, Debug)]
pub struct LoginQuery {
    /// The connection that asks.
    pub connection: ConnectionId,
    /// From where.
    pub address: IpAddr,
    /// Who it says it is.
    pub user: Alpha<6>,
    /// Its password.
    pub password: Password,
}

/// What came of a login.
#[derive(Clone, Copy, Debug)]
pub struct LoginVerdict {
    /// The connection that asked.
    pub connection: ConnectionId,
    /// The session it is, or `None` where it is not let in.
    pub session: Option<SessionId>,
}

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

/// Messages that a connection may have read in one duty cycle.
const MESSAGES_A_TURN: usize = 32;

/// Messages without an answer after which a connection is ended.
const UNANSWERABLE_MAX: u32 = 16;

/// Connections whose deadlines are looked at in one duty cycle: each look is a line of memory in
/// every order's way, and deadlines are seconds where cycles are microseconds. A cycle without work
/// is in nobody's way, but the next order may come during it: more than one is looked at only where
/// the last cycle was long ago.
const DEADLINE_LOOKS_MAX: u64 = 16;
const DEADLINE_LOOK_EVERY_NS: u64 = 1_000;

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
    next_deadline: usize,
    /// When deadlines were looked at last.
    looked: Timestamp,
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

/// What to do with a connection after a step.
enum Turn {
    /// Its bytes are all taken.
    Done,
    /// It has more, for the next cycle.
    More,
    /// It is over.
    End(SessionEventKind),
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
            next_deadline: 0,
            looked: Timestamp::ZERO,
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

    /// Some connections' deadlines, in turn.
    fn check_deadlines(&mut self, now: Timestamp, idle: bool) {
        let due = now.since(self.looked).ns() / DEADLINE_LOOK_EVERY_NS;
        let most = if idle { DEADLINE_LOOKS_MAX } else { 1 };
        self.looked = now;
        let looks = due.clamp(1, most) as usize;
        for _ in 0..looks.min(self.connections.len()) {
            let slot = self.next_deadline;
            self.next_deadline = slot + 1;
            if self.next_deadline == self.connections.len() {
                self.next_deadline = 0;
            }
            let connection = &mut self.connections[slot];
            if !connection.is_overdue(now) {
                continue;
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

fn stamped(command: Command, now: Timestamp) -> Head {
    let mut head = command.encode();
    head.timestamp_ns = now.ns();
    head
}

/// What reading a connection needs of the agent.
struct Desk<'a> {
    profiles: &'a [SessionProfile],
    symbols: &'a SymbolTable,
    session_name: SessionName,
    abilities: &'a VenueAbilities,
    lanes: &'a mut Lanes,
    queries: &'a mut RingProducer<LoginQuery>,
    counters: &'a mut IngressCounters,
    /// Whether the gateway is stopping: new orders are refused.
    closing: bool,
    now: Timestamp,
}

impl Desk<'_> {
    /// Reads a connection and takes what messages are whole, up to its share.
    fn turn<T: InboundTransport>(
        &mut self,
        transport: &mut T,
        connection: &mut Connection,
    ) -> Turn {
        let id = connection.id();
        if !self.has_room_of(&connection.facts) {
            return Turn::More;
        }
        let outcome = match connection.space() {
            // A full buffer says nothing of what the socket still has.
            [] => ReadOutcome::Bytes(0),
            space => transport.read(id, space),
        };
        if let ReadOutcome::Bytes(count) = outcome {
            connection.filled(count);
        }
        for _ in 0..MESSAGES_A_TURN {
            if !self.has_room_of(&connection.facts) {
                return Turn::More;
            }
            let Connection {
                machine,
                buffer,
                facts,
                start,
                end,
            } = connection;
            let (event, consumed) = match machine.step(&buffer[*start..*end], self.now) {
                ServerStep::NeedMore { .. } => return self.out_of_bytes(connection, outcome),
                ServerStep::Closed => return Turn::End(SessionEventKind::Ended),
                ServerStep::Event { event, consumed } => (event, consumed),
            };
            *start += consumed;
            if let Some(end) = self.on_event(event, facts) {
                return Turn::End(end);
            }
        }
        Turn::More
    }

    /// Whether the connection's next message can be taken.
    fn has_room_of(&self, facts: &Facts) -> bool {
        match facts.session {
            Some(session) => self.lanes.has_room_of(session),
            None => self.lanes.has_room(),
        }
    }

    fn out_of_bytes(&self, connection: &mut Connection, outcome: ReadOutcome) -> Turn {
        connection.compact();
        match outcome {
            ReadOutcome::Bytes(_) => Turn::More,
            ReadOutcome::Nothing => Turn::Done,
            ReadOutcome::Closed => Turn::End(SessionEventKind::Lost),
        }
    }

    /// Takes one packet; `Some` where the connection is over.
    fn on_event(&mut self, event: ServerEvent<'_>, facts: &mut Facts) -> Option<SessionEventKind> {
        match event {
            ServerEvent::Login(login) => self.on_login(&login, facts),
            ServerEvent::Unsequenced(bytes) => self.on_message(bytes, facts),
            ServerEvent::LogoutRequested => Some(SessionEventKind::LoggedOut),
            ServerEvent::Ignored => None,
            ServerEvent::Fault(_) => {
                self.counters.ended += 1;
                Some(SessionEventKind::Ended)
            }
        }
    }

    /// Has a login verified, or refuses it before any work is done: another session than today's,
    /// or no room to have it verified.
    fn on_login(&mut self, login: &LoginRequest, facts: &mut Facts) -> Option<SessionEventKind> {
        facts.sequence_wanted = login.sequence;
        let today = self.session_name.to_ascii_uppercase();
        let other = login
            .session
            .is_some_and(|name| name.to_ascii_uppercase() != today);
        let query = LoginQuery {
            connection: facts.id,
            address: facts.address,
            user: login.user.to_ascii_uppercase(),
            password: login.password,
        };
        facts.login_refused = if other {
            Some(LoginRejectReason::SessionNotAvailable)
        } else {
            let full = self.queries.push(query).is_err();
            full.then_some(LoginRejectReason::NotAuthorised)
        };
        facts.login_refused.map(|_| {
            self.counters.logins_refused += 1;
            SessionEventKind::Ended
        })
    }

    /// Makes a record of one message.
    fn on_message(&mut self, bytes: &[u8], facts: &mut Facts) -> Option<SessionEventKind> {
        let session = facts.session?;
        let profile = &self.profiles[session.index()];
        let message = translate(bytes, profile, self.symbols, self.abilities);
        let (command, early) = match message {
            Message::Command(command, early) => (command, early),
            Message::Unanswerable => return self.unanswerable(facts),
        };
        let mut head = command.encode();
        head.timestamp_ns = self.now.ns();
        if let Some(code) = early {
            head.refuse_early(code);
        }
        if bytes.len() > RAW_BYTES_MAX {
            return self.unanswerable(facts);
        }
        head.raw_len = bytes.len() as u16;
        self.counters.messages += 1;
        let overloaded = self.lanes.push(session, head, bytes, self.closing);
        self.counters.overloaded += u64::from(overloaded);
        None
    }

    /// OUCH has no answer to it: counted, and after a few the session ends.
    fn unanswerable(&mut self, facts: &mut Facts) -> Option<SessionEventKind> {
        self.counters.unanswerable += 1;
        facts.unanswerable += 1;
        (facts.unanswerable > UNANSWERABLE_MAX).then(|| {
            self.counters.ended += 1;
            SessionEventKind::Ended
        })
    }

    /// Says that a logged-on connection is over.
    fn end(&mut self, facts: &Facts, kind: SessionEventKind) {
        let Some(session) = facts.session else { return };
        let connection = facts.id.raw();
        let event = SessionEvent {
            session,
            kind,
            connection,
            sequence: 0,
        };
        self.lanes
            .push_event(session, stamped(Command::Session(event), self.now));
    }
}
