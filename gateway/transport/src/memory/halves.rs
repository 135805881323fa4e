//! The gateway's two halves of a transport in memory.
//!
//! Each belongs to its agent's thread. Readiness is looked up in every open connection at each
//! call, since there is no system to tell of it. Invariant: no lock is held while a callback runs.

use super::pipe::{self, SharedPipe};
use super::{MemoryNetwork, MemoryOptions};
use crate::counters::{InboundCounters, OutboundCounters};
use crate::table::{InboundTable, OutboundTable};
use portcullis_domain::Timestamp;
use portcullis_pipeline::transport::{
    ConnectionId, InboundTransport, OutboundTransport, ReadOutcome, WriteOutcome,
};
use std::net::IpAddr;
use std::sync::Arc;

/// The inbound half of a transport in memory. Dropping it refuses the clients that wait.
#[derive(Debug)]
pub struct MemoryInbound {
    pub(super) table: InboundTable<SharedPipe, SharedPipe>,
    network: MemoryNetwork,
    counters: InboundCounters,
    calls_since_poll: u32,
}

impl MemoryInbound {
    pub(super) fn new(table: InboundTable<SharedPipe, SharedPipe>, network: MemoryNetwork) -> Self {
        Self {
            table,
            network,
            counters: InboundCounters::default(),
            calls_since_poll: 0,
        }
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counters(&self) -> InboundCounters {
        self.counters
    }

    fn take_forgotten(&mut self) {
        while self.table.take_forgotten().is_some() {}
    }

    fn find_readable(&mut self) {
        self.calls_since_poll = 0;
        self.counters.poll_calls += 1;
        for slot in 0..self.network.options.connections_max {
            let readable = |pipe| pipe::lock(pipe).is_readable();
            if self.table.stream_at(slot).is_some_and(readable) {
                self.table.wake(slot);
            }
        }
    }
}

impl InboundTransport for MemoryInbound {
    fn accept(&mut self, _now: Timestamp) -> Option<(ConnectionId, IpAddr)> {
        self.take_forgotten();
        loop {
            let (pipe, from) = self.network.listener().waiting.pop_front()?;
            if let Some(connection) = self.table.next_free() {
                self.table.open(connection, Arc::clone(&pipe), pipe);
                self.counters.accepted += 1;
                return Some((connection, from));
            }
            self.counters.refused_full += 1;
            pipe::lock(&pipe).shut_by_gateway();
        }
    }

    fn poll_ready(&mut self, ready: &mut impl FnMut(&mut Self, ConnectionId) -> bool) {
        self.take_forgotten();
        self.calls_since_poll += 1;
        let none_hot = self.table.hot_len() == 0;
        if none_hot || self.calls_since_poll >= self.network.options.poll_every_calls {
            self.find_readable();
        }
        for _ in 0..self.table.hot_len() {
            let Some(connection) = self.table.next_hot() else {
                continue;
            };
            let taken = ready(self, connection);
            self.table.settle(connection, taken, false);
        }
        self.table.rotate_hot();
    }

    fn look_at(&mut self, connection: ConnectionId) {
        self.table.look_at(connection);
    }

    fn read(&mut self, connection: ConnectionId, into: &mut [u8]) -> ReadOutcome {
        self.take_forgotten();
        let Some(pipe) = self.table.stream(connection) else {
            // Remembers that the end was told.
            self.table.end(connection);
            return ReadOutcome::Closed;
        };
        self.counters.read_calls += 1;
        let room = into.len().min(self.network.options.read_bytes_max);
        let outcome = pipe::lock(pipe).gateway_reads(&mut into[..room]);
        match outcome {
            ReadOutcome::Bytes(bytes) => {
                self.table.found_bytes(connection);
                self.counters.read_bytes += bytes as u64;
            }
            ReadOutcome::Nothing => self.table.found_nothing(connection),
            ReadOutcome::Closed => {
                self.table.end(connection);
            }
        }
        outcome
    }

    fn close(&mut self, connection: ConnectionId) {
        self.take_forgotten();
        self.table.forget(connection);
    }
}

impl Drop for MemoryInbound {
    fn drop(&mut self) {
        let mut listener = self.network.listener();
        listener.listening = false;
        listener.waiting.clear();
    }
}

/// The outbound half of a transport in memory.
#[derive(Debug)]
pub struct MemoryOutbound {
    table: OutboundTable<SharedPipe>,
    options: MemoryOptions,
    counters: OutboundCounters,
}

impl MemoryOutbound {
    pub(super) fn new(table: OutboundTable<SharedPipe>, options: MemoryOptions) -> Self {
        Self {
            table,
            options,
            counters: OutboundCounters::default(),
        }
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counters(&self) -> OutboundCounters {
        self.counters
    }
}

impl OutboundTransport for MemoryOutbound {
    fn write(&mut self, connection: ConnectionId, bytes: &[u8]) -> WriteOutcome {
        let Some(pipe) = self.table.stream(connection) else {
            return WriteOutcome::Closed;
        };
        self.counters.write_calls += 1;
        let taken = bytes.len().min(self.options.write_bytes_max);
        let outcome = pipe::lock(pipe).gateway_writes(&bytes[..taken]);
        if let WriteOutcome::Wrote(written) = outcome {
            self.counters.written_bytes += written as u64;
        }
        outcome
    }

    fn close(&mut self, connection: ConnectionId) {
        let Some(pipe) = self.table.forget(connection) else {
            return;
        };
        pipe::lock(&pipe).shut_by_gateway();
        self.counters.closed += 1;
        self.table.tell(connection);
    }
}
