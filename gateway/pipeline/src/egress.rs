//! Egress: what clients are told.
//!
//! One thread owns it, with the outbound half of the transport and every session's sequenced
//! stream. It encodes what the gateway itself says, forwards what the engine said, numbers, stores
//! and sends. Invariants: a session's messages are numbered in the order of the log; a client that
//! reads too slowly loses its connection, not its messages, as far as the store or the journal
//! reaches; nothing here waits for a socket, or for whoever reads the journal; a refusal alone may wait for its
//! session's next answer, for microseconds.

mod client_streams;
mod echo;
mod encode;
mod hold;
mod saved;
mod stream;

pub use client_streams::ClientStreams;

use crate::durability::{Gate, Passage};
use crate::item::{ConnectionItem, EgressItem};
use crate::resend::Resending;
use crate::rounds::Rounds;
use crate::stream_reach::StreamReachWriter;
use crate::tables::SymbolTable;
use crate::transport::OutboundTransport;
use portcullis_domain::{Duration, SessionId, Timestamp};
use portcullis_runtime::{Agent, HistogramReader, HistogramWriter, MessageConsumer, RingConsumer};
use portcullis_wire::soupbin::{SessionName, encode as soup};

/// What is fixed about egress.
#[derive(Clone, Debug)]
pub struct EgressConfig {
    /// The name every session has today.
    pub session_name: SessionName,
    /// By session, after how long without a message its client is sent a heartbeat.
    pub heartbeats: Vec<Duration>,
    /// Order slots of the core, whose clients' words are kept.
    pub orders_max: usize,
    /// Bytes of messages that a session's store holds for resending; the heads of their packets have room beside.
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
    /// Messages sent again out of the journal.
    pub resent: u64,
    /// Connections ended because the journal did not give what they missed, or their client took it
    /// too slowly while others waited.
    pub given_up: u64,
    /// Messages that could not be encoded. Each is a fault of the gateway.
    pub unencodable: u64,
}

/// Items taken in one duty cycle.
const ITEM_BUDGET: usize = 256;

/// Messages from the journal taken in one duty cycle: others' orders are on their way meanwhile.
const RESENT_BUDGET: usize = 64;

/// The agent.
#[derive(Debug)]
pub struct Egress<T> {
    transport: T,
    items: MessageConsumer<EgressItem>,
    connections: RingConsumer<ConnectionItem>,
    streams: ClientStreams,
    /// What ingress judges logins by.
    reach: StreamReachWriter,
    /// Nothing is said before its record is durable.
    gate: Gate,
    /// What the stores no longer have, where a journal does.
    resending: Option<Resending>,
    /// Who may want a heartbeat.
    heartbeats: Rounds,
    send: HistogramWriter,
    /// Messages whose sending is timed.
    timed: u64,
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
        Self::over(
            ClientStreams::new(config),
            transport,
            items,
            connections,
            reach,
        )
    }

    /// The agent, going on with what its clients were told before.
    #[must_use]
    pub fn over(
        streams: ClientStreams,
        transport: T,
        items: MessageConsumer<EgressItem>,
        connections: RingConsumer<ConnectionItem>,
        mut reach: StreamReachWriter,
    ) -> Self {
        streams.say_reach(&mut reach);
        let heartbeats = Rounds::through(streams.len());
        Self {
            transport,
            items,
            connections,
            streams,
            reach,
            gate: Gate::open(),
            resending: None,
            heartbeats,
            send: HistogramWriter::default(),
            timed: 0,
        }
    }

    /// Says nothing before this gate opens.
    #[must_use]
    pub fn behind(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// Has what the stores no longer have resent from the journal.
    #[must_use]
    pub fn resending(mut self, resending: Resending) -> Self {
        self.streams.ask_of(&resending);
        self.resending = Some(resending);
        self
    }

    /// From the beginning of the duty cycle that takes what a client is told to its being written,
    /// for other threads to read. A refusal that waits is counted when it goes, its wait included: since the first of
    /// its session that waits with it.
    #[must_use]
    pub fn send_times(&self) -> HistogramReader {
        self.send.reader()
    }

    /// What it has counted.
    #[must_use]
    pub const fn counters(&self) -> &EgressCounters {
        self.streams.counters()
    }

    /// Messages each session's stream has had so far.
    #[must_use]
    pub fn published(&self, session: SessionId) -> u64 {
        self.streams.published(session)
    }

    /// Ends every session: no more will be said on any.
    pub fn end_sessions(&mut self) {
        self.streams.end_all();
    }

    fn take_items(&mut self, now: Timestamp) -> usize {
        if self.items.is_empty() {
            return 0;
        }
        for taken in 0..ITEM_BUDGET {
            let Some((item, raw)) = self.items.front() else {
                return taken;
            };
            if self.gate.passage(item.seq) == Passage::Shut {
                self.items.release();
                return taken;
            }
            self.streams
                .take(&item.effect, raw, item.timestamp, now, &self.reach);
            self.items.advance();
        }
        self.items.release();
        ITEM_BUDGET
    }

    /// Takes what comes from the journal, as far as the client's buffer has room.
    fn take_resent(&mut self, now: Timestamp) -> usize {
        let Some(resending) = &mut self.resending else {
            return 0;
        };
        let mut taken = 0;
        while taken < RESENT_BUDGET
            && let Some((item, message)) = resending.items.front()
            && (self.streams).take_resent(item, message, &mut self.transport, now)
        {
            resending.items.advance();
            taken += 1;
        }
        if taken > 0 {
            resending.items.release();
        }
        taken
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
                    self.streams.unlink(connection);
                    self.transport.close(connection);
                }
            }
        }
        taken
    }

    /// Heartbeats of some sessions, in turn.
    fn keep_alive(&mut self, now: Timestamp, idle: bool) {
        for _ in 0..self.heartbeats.due(now, idle) {
            let session = SessionId::new(self.heartbeats.next() as u32);
            self.streams.keep_alive(session, &mut self.transport, now);
        }
    }
}

impl<T: OutboundTransport> Agent for Egress<T> {
    fn name(&self) -> &'static str {
        "egress"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        self.streams.begin_turn();
        let mut work = self.take_items(now);
        work += self.take_connections();
        work += self.take_resent(now);
        work += self.streams.send(&mut self.transport, now, &mut self.reach);
        self.keep_alive(now, work == 0);
        work
    }

    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        for held in self.streams.let_go() {
            self.send
                .record(ended.since(held.since).ns(), held.refusals);
            self.timed += held.refusals;
        }
        let counted = self.timed + self.streams.waiting();
        let messages = self.streams.counters().published.saturating_sub(counted);
        if messages > 0 {
            self.send.record(ended.since(began).ns(), messages);
            self.timed += messages;
        }
    }

    fn is_drained(&self) -> bool {
        self.items.is_empty() && self.connections.is_empty() && self.streams.are_sent()
    }
}
