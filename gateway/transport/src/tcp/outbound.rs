//! The writing half: the write side of every socket.
//!
//! Owned by egress' thread. Invariants: a write takes what the system has room for and no more; what
//! it did not take stays with the caller. Never blocks, and never allocates once made.

use crate::counters::OutboundCounters;
use crate::table::OutboundTable;
use portcullis_pipeline::transport::{ConnectionId, OutboundTransport, WriteOutcome};
use portcullis_runtime::send;
use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};

/// Unread bytes thrown away when a connection is shut down: at most this many reads of this size.
const DISCARD_READS: usize = 16;
const DISCARD_BYTES: usize = 4_096;

/// The outbound half of a TCP transport.
#[derive(Debug)]
pub struct TcpOutbound {
    table: OutboundTable<TcpStream>,
    counters: OutboundCounters,
}

impl TcpOutbound {
    pub(super) fn new(table: OutboundTable<TcpStream>) -> Self {
        Self {
            table,
            counters: OutboundCounters::default(),
        }
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counters(&self) -> OutboundCounters {
        self.counters
    }
}

impl OutboundTransport for TcpOutbound {
    fn write(&mut self, connection: ConnectionId, bytes: &[u8]) -> WriteOutcome {
        let Some(stream) = self.table.stream(connection) else {
            return WriteOutcome::Closed;
        };
        if bytes.is_empty() {
            return WriteOutcome::Wrote(0);
        }
        self.counters.write_calls += 1;
        match send(stream, bytes) {
            Ok(written) => {
                self.counters.written_bytes += written as u64;
                WriteOutcome::Wrote(written)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                WriteOutcome::Wrote(0)
            }
            Err(_) => WriteOutcome::Closed,
        }
    }

    fn close(&mut self, connection: ConnectionId) {
        let Some(stream) = self.table.forget(connection) else {
            return;
        };
        // A peer that went first leaves nothing to shut down, which is as good.
        let _ = stream.shutdown(Shutdown::Both);
        discard_unread(&stream);
        drop(stream);
        self.counters.closed += 1;
        self.table.tell(connection);
    }
}

/// A socket that is closed over unread bytes resets the connection, and with some peers that takes
/// away the last message we sent: the one that says why. A bounded effort, as more may come.
fn discard_unread(mut stream: &TcpStream) {
    let mut unread = [0; DISCARD_BYTES];
    for _ in 0..DISCARD_READS {
        if !matches!(stream.read(&mut unread), Ok(1..)) {
            return;
        }
    }
}
