//! What is read of one connection, and what becomes of it.
//!
//! Made by ingress for one poll. Invariants: a message becomes at most one record; no packet is taken without
//! room for what follows from it; what is wrong with a message is stamped on its record, and a connection that
//! cannot be answered is ended.

use super::IngressCounters;
use super::connection::{Connection, Facts};
use super::lanes::Lanes;
use super::login::LoginQuery;
use super::translate::{VenueAbilities, enter, translate};
use crate::tables::{SessionProfile, SymbolTable};
use crate::transport::{InboundTransport, ReadOutcome};
use portcullis_domain::{
    Command, Head, RAW_BYTES_MAX, SessionEvent, SessionEventKind, SessionId, Timestamp,
};
use portcullis_runtime::RingProducer;
use portcullis_wire::ouch50::EnterOrderView;
use portcullis_wire::soupbin::{
    LoginRejectReason, LoginRequest, ServerEvent, ServerStep, SessionName,
};

/// Messages that a connection may have read in one duty cycle.
const MESSAGES_A_TURN: usize = 32;

/// Messages without an answer after which a connection is ended.
const UNANSWERABLE_MAX: u32 = 16;

/// What to do with a connection after a step.
pub(super) enum Turn {
    /// Its bytes are all taken.
    Done,
    /// It has more, for the next cycle.
    More,
    /// It is over.
    End(SessionEventKind),
}

/// What reading a connection needs of the agent.
pub(super) struct Desk<'a> {
    pub(super) profiles: &'a [SessionProfile],
    pub(super) symbols: &'a SymbolTable,
    pub(super) session_name: SessionName,
    pub(super) abilities: &'a VenueAbilities,
    pub(super) lanes: &'a mut Lanes,
    pub(super) queries: &'a mut RingProducer<LoginQuery>,
    pub(super) counters: &'a mut IngressCounters,
    /// Whether the gateway is stopping: new orders are refused.
    pub(super) closing: bool,
    pub(super) now: Timestamp,
}

impl Desk<'_> {
    /// Reads a connection and takes what messages are whole, up to its share.
    #[inline]
    pub(super) fn turn<T: InboundTransport>(
        &mut self,
        transport: &mut T,
        connection: &mut Connection,
    ) -> Turn {
        let id = connection.id();
        if !self.has_room_of(&connection.facts) {
            return Turn::More;
        }
        connection.is_read();
        let outcome = match connection.space() {
            // A full buffer says nothing of what the socket still has.
            [] => ReadOutcome::Bytes(0),
            space => transport.read(id, space),
        };
        match outcome {
            ReadOutcome::Nothing if connection.is_empty() => return Turn::Done,
            ReadOutcome::Bytes(count) => connection.filled(count),
            ReadOutcome::Nothing | ReadOutcome::Closed => {}
        }
        self.take_packets(connection, outcome)
    }

    /// Takes what packets are whole. There is room for the first.
    fn take_packets(&mut self, connection: &mut Connection, outcome: ReadOutcome) -> Turn {
        let mut sure = 1;
        for _ in 0..MESSAGES_A_TURN {
            let Connection {
                machine,
                buffer,
                facts,
                start,
                end,
            } = connection;
            let unread = &buffer[*start..*end];
            let message = if let Some((message, consumed)) = machine.message(unread, self.now) {
                *start += consumed;
                Some(message)
            } else {
                match machine.step(unread, self.now) {
                    ServerStep::NeedMore { .. } => return Self::out_of_bytes(connection, outcome),
                    ServerStep::Closed => return Turn::End(SessionEventKind::Ended),
                    ServerStep::Event { event, consumed } => {
                        *start += consumed;
                        match self.on_event(event, facts) {
                            Ok(message) => message,
                            Err(end) => return Turn::End(end),
                        }
                    }
                }
            };
            if let Some(message) = message
                && let Some(end) = self.on_message(message, facts)
            {
                return Turn::End(end);
            }
            if connection.is_empty() {
                return Self::out_of_bytes(connection, outcome);
            }
            sure -= 1;
            if sure == 0 {
                sure = self.room_of(&connection.facts);
            }
            if sure == 0 {
                return Turn::More;
            }
        }
        Turn::More
    }

    /// Whether the connection's next message can be taken.
    #[inline]
    fn has_room_of(&self, facts: &Facts) -> bool {
        match facts.session {
            Some(session) => self.lanes.has_room_of(session),
            None => self.lanes.has_room(),
        }
    }

    /// How many packets more can be taken, of those of a turn, without asking again; 0 where not one can.
    fn room_of(&self, facts: &Facts) -> usize {
        let sure = facts.session.map_or(0, |session| {
            self.lanes.sure_room_of(session, MESSAGES_A_TURN)
        });
        sure.max(usize::from(self.has_room_of(facts)))
    }

    fn out_of_bytes(connection: &mut Connection, outcome: ReadOutcome) -> Turn {
        connection.compact();
        match outcome {
            ReadOutcome::Bytes(_) => Turn::More,
            ReadOutcome::Nothing => Turn::Done,
            ReadOutcome::Closed => Turn::End(SessionEventKind::Lost),
        }
    }

    /// Takes one packet; the message that it is, if it is one.
    ///
    /// # Errors
    /// The connection is over.
    #[inline(never)]
    fn on_event<'a>(
        &mut self,
        event: ServerEvent<'a>,
        facts: &mut Facts,
    ) -> Result<Option<&'a [u8]>, SessionEventKind> {
        match event {
            ServerEvent::Login(login) => self.on_login(&login, facts).map_or(Ok(None), Err),
            ServerEvent::Unsequenced(bytes) => Ok(Some(bytes)),
            ServerEvent::LogoutRequested => Err(SessionEventKind::LoggedOut),
            ServerEvent::Ignored => Ok(None),
            ServerEvent::Fault(_) => {
                self.counters.ended += 1;
                Err(SessionEventKind::Ended)
            }
        }
    }

    /// Has a login verified, or refuses it before any work is done: another session than today's,
    /// or no room to have it verified.
    #[cold]
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

    /// Makes a record of one message; `Some` where the connection is over.
    ///
    /// Nearly every message is an order that is right. All of its way is in line, so that its head goes from
    /// registers into its lane: put down in pieces and taken up again in others, it would wait for each store.
    #[inline(always)]
    fn on_message(&mut self, bytes: &[u8], facts: &mut Facts) -> Option<SessionEventKind> {
        let session = facts.session?;
        let profile = &self.profiles[session.index()];
        let order = EnterOrderView::of(bytes).filter(|_| bytes.len() <= RAW_BYTES_MAX);
        let Some(view) = order else {
            return self.on_other_message(bytes, session, facts);
        };
        let mut head = enter(&view, profile, self.symbols, self.abilities);
        head.timestamp_ns = self.now.ns();
        head.raw_len = bytes.len() as u16;
        self.counters.messages += 1;
        let overloaded = self.lanes.push_order(session, head, bytes, self.closing);
        self.counters.overloaded += u64::from(overloaded);
        None
    }

    /// The same of what is no Enter that is right.
    #[inline(never)]
    fn on_other_message(
        &mut self,
        bytes: &[u8],
        session: SessionId,
        facts: &mut Facts,
    ) -> Option<SessionEventKind> {
        let profile = &self.profiles[session.index()];
        let Some(mut head) = translate(bytes, profile, self.symbols, self.abilities) else {
            return self.unanswerable(facts);
        };
        if bytes.len() > RAW_BYTES_MAX {
            return self.unanswerable(facts);
        }
        head.timestamp_ns = self.now.ns();
        head.raw_len = bytes.len() as u16;
        self.counters.messages += 1;
        let overloaded = self.lanes.push(session, head, bytes, self.closing);
        self.counters.overloaded += u64::from(overloaded);
        None
    }

    /// OUCH has no answer to it: counted, and after a few the session ends.
    #[cold]
    fn unanswerable(&mut self, facts: &mut Facts) -> Option<SessionEventKind> {
        self.counters.unanswerable += 1;
        facts.unanswerable += 1;
        (facts.unanswerable > UNANSWERABLE_MAX).then(|| {
            self.counters.ended += 1;
            SessionEventKind::Ended
        })
    }

    /// Says that a logged-on connection is over.
    pub(super) fn end(&mut self, facts: &Facts, kind: SessionEventKind) {
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

pub(super) fn stamped(command: Command, now: Timestamp) -> Head {
    let mut head = command.encode();
    head.timestamp_ns = now.ns();
    head
}
