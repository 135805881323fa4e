//! One connection in memory: a bounded queue of bytes each way, and who has closed what.
//!
//! Shared by the client and the gateway's halves under a lock that is held for one call. The
//! gateway holds it while one of its halves does, as a system holds a socket while a descriptor
//! stays open: a gateway that is dropped whole closes its connections. Invariant: neither queue
//! grows beyond the size it was made with.

use portcullis_pipeline::transport::{ReadOutcome, WriteOutcome};
use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard};

/// A connection as its two ends hold it: one reference is the client's.
pub(super) type SharedPipe = Arc<Mutex<Pipe>>;

/// A connection in memory.
#[derive(Debug)]
pub(super) struct Pipe {
    to_gateway: VecDeque<u8>,
    to_client: VecDeque<u8>,
    buffer_bytes: usize,
    client_sends: bool,
    client_receives: bool,
    shut_by_gateway: bool,
}

/// The connection, for one call.
pub(super) fn lock(pipe: &SharedPipe) -> MutexGuard<'_, Pipe> {
    pipe.lock()
        .expect("nobody panics with a connection in hand")
}

/// Whether the gateway, or its backlog, still holds the connection.
pub(super) fn held_by_gateway(pipe: &SharedPipe) -> bool {
    Arc::strong_count(pipe) > 1
}

impl Pipe {
    pub(super) fn shared(buffer_bytes: usize) -> SharedPipe {
        Arc::new(Mutex::new(Self {
            to_gateway: VecDeque::with_capacity(buffer_bytes),
            to_client: VecDeque::with_capacity(buffer_bytes),
            buffer_bytes,
            client_sends: true,
            client_receives: true,
            shut_by_gateway: false,
        }))
    }

    pub(super) fn client_sends(&mut self, bytes: &[u8], held: bool) -> WriteOutcome {
        if !self.client_sends || self.shut_by_gateway || !held {
            return WriteOutcome::Closed;
        }
        WriteOutcome::Wrote(put(&mut self.to_gateway, bytes, self.buffer_bytes))
    }

    pub(super) fn client_receives(&mut self, into: &mut Vec<u8>, held: bool) -> ReadOutcome {
        let open = self.client_receives && !self.shut_by_gateway && held;
        match self.to_client.len() {
            0 if open => ReadOutcome::Nothing,
            0 => ReadOutcome::Closed,
            bytes => {
                into.extend(self.to_client.drain(..));
                ReadOutcome::Bytes(bytes)
            }
        }
    }

    pub(super) const fn client_stops_sending(&mut self) {
        self.client_sends = false;
    }

    pub(super) fn client_closes(&mut self) {
        self.client_sends = false;
        self.client_receives = false;
        self.to_client.clear();
    }

    /// Whether a read would find bytes or the end.
    pub(super) fn is_readable(&self) -> bool {
        !self.to_gateway.is_empty() || !self.client_sends
    }

    pub(super) fn gateway_reads(&mut self, into: &mut [u8]) -> ReadOutcome {
        let bytes = self
            .to_gateway
            .read(into)
            .expect("reading from memory cannot fail");
        match bytes {
            0 if self.client_sends || into.is_empty() => ReadOutcome::Nothing,
            0 => ReadOutcome::Closed,
            bytes => ReadOutcome::Bytes(bytes),
        }
    }

    pub(super) fn gateway_writes(&mut self, bytes: &[u8]) -> WriteOutcome {
        if !self.client_receives {
            return WriteOutcome::Closed;
        }
        WriteOutcome::Wrote(put(&mut self.to_client, bytes, self.buffer_bytes))
    }

    pub(super) const fn shut_by_gateway(&mut self) {
        self.shut_by_gateway = true;
    }
}

fn put(queue: &mut VecDeque<u8>, bytes: &[u8], buffer_bytes: usize) -> usize {
    let taken = bytes.len().min(buffer_bytes - queue.len());
    queue.extend(&bytes[..taken]);
    taken
}
