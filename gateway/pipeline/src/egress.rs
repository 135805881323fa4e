//! Egress: what clients are told.
//!
//! One thread owns it, with the outbound half of the transport and every session's sequenced
//! stream. It encodes what the gateway itself says, forwards what the engine said, numbers, stores
//! and sends. Invariants: a session's messages are numbered in the order of the log; a client that
//! reads too slowly loses its connection, not its messages, as far as the store reaches; nothing
//! here waits for a socket.

mod echo;
mod encode;
mod stream;

use crate::item::{ClientEffect, ConnectionItem, EgressItem};
use crate::stream_reach::StreamReachWriter;
use crate::tables::SymbolTable;
use crate::transport::{ConnectionId, OutboundTransport};
use echo::Echoes;
use encode::{Encoder, Message};
use portcullis_domain::{Duration, SessionEventKind, SessionId, Timestamp};
use portcullis_risk_core::{AnswerKind, SessionChange};
use portcullis_runtime::{Agent, HistogramReader, HistogramWriter, MessageConsumer, RingConsumer};
use portcullis_wire::soupbin::{SessionName, encode as soup};
use stream::{Sent, Stream};

/// What is fixed about egress.
#[derive(Clone, Debug)]
pub struct EgressConfig {
    /// The name every session has today.
    pub session_name: SessionName,
    /// By session, after how long without a message its client is sent a heartbeat.
    pub heartbeats: Vec<Duration>,
    /// Order slots of the core, whose clients' words are kept.
    pub orders_max: usize,
    /// Bytes of messages that a session's store holds for resending.
    pub store_bytes: usize,
    /// Messages that it holds.
    pub store_messages: usize,
    /// Instruments.
    pub symbols: SymbolTable,
}

/// What egress counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct EgressCounters {
    /// Messages put into sessions' streams.
    pub published: u64,
    /// Connections ended because their client read too slowly.
    pub lagged: u64,
    /// Messages that could not be encoded. Each is a fault of the gateway.
    pub unencodable: u64,
}

/// Items taken in one duty cycle.
const ITEM_BUDGET: usize = 256;

/// Idle sessions looked after in one duty cycle: as with deadlines, a line of memory each in every
/// order's way, for heartbeats that are a second apart; more where a cycle had no work and the last
/// one was long ago.
const IDLE_LOOKS_MAX: u64 = 16;
const IDLE_LOOK_EVERY_NS: u64 = 1_000;

/// The agent.
#[derive(Debug)]
pub struct Egress<T> {
    transport: T,
    items: MessageConsumer<EgressItem>,
    connections: RingConsumer<ConnectionItem>,
    sessions: Sessions,
    next_idle: usize,
    /// When idle sessions were looked after last.
    looked: Timestamp,
    send: HistogramWriter,
    /// Messages whose sending is timed.
    timed: u64,
}

/// What each session has been told, and how it is said.
#[derive(Debug)]
struct Sessions {
    streams: Box<[Stream]>,
    echoes: Echoes,
    encoder: Encoder,
    /// What ingress judges logins by.
    reach: StreamReachWriter,
    /// Sessions with something to send, each at most once.
    active: Vec<SessionId>,
    counters: EgressCounters,
}

impl<T: OutboundTransport> Egress<T> {
    /// The agent. Allocates all it will ever use.
    #[must_use]
    pub fn new(
        config: &EgressConfig,
        transport: T,
        items: MessageConsumer<EgressItem>,
        connections: RingConsumer<ConnectionItem>,
        reach: StreamReachWriter,
    ) -> Self {
        let sessions = config.heartbeats.len();
        let streams = config.heartbeats.iter();
        Self {
            transport,
            items,
            connections,
            sessions: Sessions {
                streams: streams
                    .map(|heartbeat| Stream::new(config, *heartbeat))
                    .collect(),
                echoes: Echoes::new(config.orders_max),
                encoder: Encoder::new(config.symbols.clone()),
                reach,
                active: Vec::with_capacity(sessions),
                counters: EgressCounters::default(),
            },
            next_idle: 0,
            looked: Timestamp::ZERO,
            send: HistogramWriter::default(),
            timed: 0,
        }
    }

    /// From the beginning of the duty cycle that takes what a client is told to its being written,
    /// for other threads to read.
    #[must_use]
    pub fn send_times(&self) -> HistogramReader {
        self.send.reader()
    }

    /// What it has counted.
    #[must_use]
    pub const fn counters(&self) -> &EgressCounters {
        &self.sessions.counters
    }

    /// Messages each session's stream has had so far.
    #[must_use]
    pub fn published(&self, session: SessionId) -> u64 {
        let streams = &self.sessions.streams;
        streams.get(session.index()).map_or(0, Stream::published)
    }

    /// Ends every session: no more will be said on any.
    pub fn end_sessions(&mut self) {
        for session in (0..self.sessions.streams.len() as u32).map(SessionId::new) {
            self.sessions.streams[session.index()].end();
            self.sessions.activate(session);
        }
    }

    fn take_items(&mut self, now: Timestamp) -> usize {
        for taken in 0..ITEM_BUDGET {
            let Some((item, raw)) = self.items.front() else {
                return taken;
            };
            self.sessions.take_item(item, raw, now);
            self.items.advance();
        }
        self.items.release();
        ITEM_BUDGET
    }

    fn take_connections(&mut self) -> usize {
        let mut taken = 0;
        while let Ok(item) = self.connections.pop() {
            taken += 1;
            match item {
                ConnectionItem::RejectLogin(connection, reason) => {
                    let mut bytes = [0; 8];
                    if let Ok(len) = soup::login_rejected(reason, &mut bytes) {
                        let _ = self.transport.write(connection, &bytes[..len]);
                    }
                    self.transport.close(connection);
                }
                ConnectionItem::Close(connection) => {
                    for stream in &mut self.sessions.streams {
                        stream.unlink(connection);
                    }
                    self.transport.close(connection);
                }
            }
        }
        taken
    }

    /// Sends what active sessions have, as far as their sockets take it.
    fn send(&mut self, now: Timestamp) -> usize {
        let Sessions {
            streams,
            active,
            counters,
            ..
        } = &mut self.sessions;
        let mut work = 0;
        let mut index = 0;
        while index < active.len() {
            let stream = &mut streams[active[index].index()];
            let sent = stream.send(&mut self.transport, now);
            work += usize::from(sent == Sent::Some);
            let lagged = sent == Sent::Lagged;
            counters.lagged += u64::from(lagged);
            if sent == Sent::All || lagged {
                stream.active = false;
                active.swap_remove(index);
            } else {
                index += 1;
            }
        }
        work
    }

    /// Heartbeats of some sessions, in turn.
    fn keep_alive(&mut self, now: Timestamp, idle: bool) {
        let due = now.since(self.looked).ns() / IDLE_LOOK_EVERY_NS;
        let most = if idle { IDLE_LOOKS_MAX } else { 1 };
        self.looked = now;
        let looks = due.clamp(1, most) as usize;
        for _ in 0..looks.min(self.sessions.streams.len()) {
            let session = self.next_idle;
            let streams = &mut self.sessions.streams;
            self.next_idle = session + 1;
            if self.next_idle == streams.len() {
                self.next_idle = 0;
            }
            streams[session].keep_alive(&mut self.transport, now);
            if streams[session].is_waiting() {
                self.sessions.activate(SessionId::new(session as u32));
            }
        }
    }
}

impl Sessions {
    fn take_item(&mut self, item: &EgressItem, raw: &[u8], now: Timestamp) {
        let at = item.timestamp;
        match &item.effect {
            ClientEffect::Entered(outbound) => {
                self.echoes.remember(outbound, raw, &self.encoder);
            }
            ClientEffect::Refused(refusal) => {
                let message = self.encoder.refused(refusal, raw, at);
                self.publish(refusal.session, &message);
            }
            ClientEffect::Answered(answer) => match answer.kind {
                // OUCH says nothing to either.
                AnswerKind::Resent | AnswerKind::OrderUnknown => {}
                AnswerKind::NextNumber(_)
                | AnswerKind::EntryDisabled
                | AnswerKind::EntryEnabled
                | AnswerKind::MassCancelTaken
                | AnswerKind::MassCancelRefused => {
                    let message = self.encoder.answered(answer, raw, at);
                    self.publish(answer.session, &message);
                }
            },
            // The engine's own bytes go on as they came.
            ClientEffect::Reported(report) if !raw.is_empty() => {
                self.publish_bytes(report.session, raw);
            }
            ClientEffect::Reported(report) => {
                let message = self.encoder.reported(report, &self.echoes, at);
                self.publish(report.session, &message);
            }
            ClientEffect::SessionChanged(change) => self.session_changed(change, now),
        }
    }

    fn publish(&mut self, session: SessionId, message: &Message) {
        match message {
            Message::Encoded(buffer) => self.publish_bytes(session, buffer.bytes()),
            Message::Unencodable => self.counters.unencodable += 1,
            Message::Nothing => {}
        }
    }

    fn publish_bytes(&mut self, session: SessionId, message: &[u8]) {
        let Some(stream) = self.streams.get_mut(session.index()) else {
            return;
        };
        if stream.publish(message) {
            let (oldest, next) = stream.reach();
            self.reach.say(session, oldest, next);
            self.counters.published += 1;
            self.activate(session);
        } else {
            self.counters.unencodable += 1;
        }
    }

    fn session_changed(&mut self, change: &SessionChange, now: Timestamp) {
        let connection = ConnectionId::from_raw(change.connection);
        let Some(stream) = self.streams.get_mut(change.session.index()) else {
            return;
        };
        match change.kind {
            SessionEventKind::Up => {
                stream.log_on(connection, change.sequence, now);
                self.activate(change.session);
            }
            SessionEventKind::LoggedOut | SessionEventKind::Lost | SessionEventKind::Ended => {
                stream.unlink(connection);
            }
        }
    }

    fn activate(&mut self, session: SessionId) {
        let stream = &mut self.streams[session.index()];
        if !stream.active {
            stream.active = true;
            self.active.push(session);
        }
    }
}

impl<T: OutboundTransport> Agent for Egress<T> {
    fn name(&self) -> &'static str {
        "egress"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        let mut work = self.take_items(now);
        work += self.take_connections();
        work += self.send(now);
        self.keep_alive(now, work == 0);
        work
    }

    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        let messages = self.sessions.counters.published - self.timed;
        if messages > 0 {
            self.send.record(ended.since(began).ns(), messages);
            self.timed = self.sessions.counters.published;
        }
    }

    fn is_drained(&self) -> bool {
        self.items.is_empty() && self.connections.is_empty() && self.sessions.active.is_empty()
    }
}
