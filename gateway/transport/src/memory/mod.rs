//! A transport without sockets: clients and gateway exchange bytes through bounded queues.
//!
//! For tests of the agents and for the simulator. The halves behave as TCP's do and share their
//! tables, so that slots, generations and closing are the same; what a client did is seen at the
//! gateway's next call, with no time passing, so a run is a function of the calls made. Owned by
//! nobody: each half and each client is its owner's, on whatever thread. Unlike TCP's, a new
//! connection allocates its queues, when the client makes it.

mod halves;
mod pipe;

pub use halves::{MemoryInbound, MemoryOutbound};

use crate::table::tables;
use pipe::{Pipe, SharedPipe};
use portcullis_pipeline::transport::{ReadOutcome, WriteOutcome};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

/// How a transport in memory is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Connections at once, 1 to [`ConnectionId::SLOTS_MAX`](portcullis_pipeline::transport::ConnectionId::SLOTS_MAX);
    /// as many more may wait to be accepted.
    pub connections_max: usize,
    /// Bytes that one direction of a connection holds.
    pub buffer_bytes: usize,
    /// Bytes that one read of the gateway gives at most, at least 1: a small number splits messages.
    pub read_bytes_max: usize,
    /// Bytes that one write of the gateway takes at most, at least 1.
    pub write_bytes_max: usize,
    /// While some connection is hot, the others that have bytes are named at one poll in so many, as a system is
    /// asked that seldom.
    pub poll_every_calls: u32,
}

impl MemoryOptions {
    /// The options for this many connections, with 64 KiB a direction and nothing split.
    #[must_use]
    pub const fn new(connections_max: usize) -> Self {
        Self {
            connections_max,
            buffer_bytes: 1 << 16,
            read_bytes_max: usize::MAX,
            write_bytes_max: usize::MAX,
            poll_every_calls: 1,
        }
    }
}

/// A transport in memory: its halves, and the network that clients connect through.
///
/// # Panics
/// If an option is out of its range.
#[must_use]
pub fn memory_transport(options: MemoryOptions) -> (MemoryInbound, MemoryOutbound, MemoryNetwork) {
    let sizes = [
        options.buffer_bytes,
        options.read_bytes_max,
        options.write_bytes_max,
    ];
    assert!(
        !sizes.contains(&0),
        "every size is at least 1: {options:?} would carry nothing"
    );
    let (reads, writes) = tables(options.connections_max, 1);
    let network = MemoryNetwork {
        listener: Arc::new(Mutex::new(Listener {
            waiting: VecDeque::new(),
            listening: true,
        })),
        options,
    };
    let inbound = MemoryInbound::new(reads, network.clone());
    (inbound, MemoryOutbound::new(writes, options), network)
}

/// What clients connect through.
#[derive(Clone, Debug)]
pub struct MemoryNetwork {
    listener: Arc<Mutex<Listener>>,
    options: MemoryOptions,
}

/// Clients that connected and were not accepted yet.
#[derive(Debug)]
struct Listener {
    waiting: VecDeque<(SharedPipe, IpAddr)>,
    listening: bool,
}

impl MemoryNetwork {
    /// Connects from an address. As with TCP the client may send before it is accepted, and reads
    /// that it is closed if it is refused; it is refused at once if too many wait, or if the
    /// gateway's inbound half is gone.
    #[must_use]
    pub fn connect(&self, from: IpAddr) -> MemoryClient {
        let pipe = Pipe::shared(self.options.buffer_bytes);
        let mut listener = self.listener();
        if listener.listening && listener.waiting.len() < self.options.connections_max {
            listener.waiting.push_back((Arc::clone(&pipe), from));
        }
        MemoryClient { pipe }
    }

    fn listener(&self) -> MutexGuard<'_, Listener> {
        self.listener
            .lock()
            .expect("nobody panics with the listener in hand")
    }
}

/// The client's end of a connection in memory. Dropping it closes it.
#[derive(Debug)]
pub struct MemoryClient {
    pipe: SharedPipe,
}

impl MemoryClient {
    /// Sends from the front of `bytes` what there is room for.
    pub fn send(&self, bytes: &[u8]) -> WriteOutcome {
        let held = pipe::held_by_gateway(&self.pipe);
        pipe::lock(&self.pipe).client_sends(bytes, held)
    }

    /// Appends to `into` everything that has arrived.
    pub fn receive(&self, into: &mut Vec<u8>) -> ReadOutcome {
        let held = pipe::held_by_gateway(&self.pipe);
        pipe::lock(&self.pipe).client_receives(into, held)
    }

    /// Sends nothing more; the gateway can still write (a half-closed connection).
    pub fn close_sending(&self) {
        pipe::lock(&self.pipe).client_stops_sending();
    }

    /// Closes both ways: the gateway reads what was sent and then the end; its writes fail.
    pub fn close(&self) {
        pipe::lock(&self.pipe).client_closes();
    }
}

impl Drop for MemoryClient {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
