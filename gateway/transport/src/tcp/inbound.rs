//! The reading half: the listener, the poller and the read side of every socket.
//!
//! Owned by ingress' thread. Hot connections are read directly at each call, the rest are named by
//! the system's poller, asked without waiting: at each call where a crowd speaks, seldom otherwise. The
//! poller tells a change once (edge-triggered); the
//! table keeps a connection hot until a read found nothing after the last change, so none is lost. One that
//! has been hot for long is not watched by the poller, which costs whoever sends to it; it is before it cools, and
//! the poller tells then what came meanwhile.
//! Never blocks, and never allocates once made.

use super::TcpOptions;
use crate::counters::InboundCounters;
use crate::table::{InboundTable, Settled};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use portcullis_domain::Timestamp;
use portcullis_pipeline::transport::{ConnectionId, InboundTransport, ReadOutcome};
use portcullis_runtime::{Crowd, receive};
use std::io;
use std::net::{IpAddr, TcpStream as WriteStream};
use std::time::Duration;

/// The listener's token; slots have the smaller numbers.
const LISTENER: Token = Token(ConnectionId::SLOTS_MAX);

/// While the poller has said nothing of the listener, it is tried all the same once in so many turns
/// of the poller: a try is a system call in every order's way, and only a listener that failed needs
/// it.
const POLLS_PER_TRY: u32 = 32;

/// Connections turned away in one call, so that a flood of them does not hold the thread.
const REFUSED_PER_CALL: usize = 16;

/// The read side of a connection.
#[derive(Debug)]
pub(super) struct ReadHalf {
    pub(super) stream: TcpStream,
    /// The poller names it.
    pub(super) watched: bool,
}

/// The inbound half of a TCP transport.
#[derive(Debug)]
pub struct TcpInbound {
    pub(super) listener: TcpListener,
    /// The listener may have a connection for us.
    listener_ready: bool,
    poll: Poll,
    events: Events,
    pub(super) table: InboundTable<ReadHalf, WriteStream>,
    options: TcpOptions,
    crowd: Crowd,
    calls_since_poll: u32,
    calls_since_accept: u32,
    counters: InboundCounters,
}

impl TcpInbound {
    pub(super) fn new(
        mut listener: TcpListener,
        table: InboundTable<ReadHalf, WriteStream>,
        options: TcpOptions,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            listener,
            listener_ready: true,
            poll,
            events: Events::with_capacity(options.connections_max + 1),
            table,
            options,
            crowd: Crowd::default(),
            calls_since_poll: 0,
            calls_since_accept: 0,
            counters: InboundCounters::default(),
        })
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counters(&self) -> InboundCounters {
        self.counters
    }

    /// Whether the listener is worth a system call: the poller said so, or it was not tried for
    /// long (a failure, such as too few descriptors, leaves connections waiting without a sign).
    fn accept_is_due(&mut self) -> bool {
        self.calls_since_accept += 1;
        let patience = self.options.poll_every_calls.saturating_mul(POLLS_PER_TRY);
        let due = self.listener_ready || self.calls_since_accept >= patience;
        if due {
            self.calls_since_accept = 0;
        }
        due
    }

    fn admit(&mut self, stream: TcpStream) -> Option<ConnectionId> {
        let Some(connection) = self.table.next_free() else {
            self.counters.refused_full += 1;
            return None;
        };
        let Ok((read, write)) = self.halves(stream, connection) else {
            self.counters.refused_failed += 1;
            return None;
        };
        self.table.open(connection, read, write);
        self.counters.accepted += 1;
        Some(connection)
    }

    fn halves(
        &self,
        stream: TcpStream,
        connection: ConnectionId,
    ) -> io::Result<(ReadHalf, WriteStream)> {
        stream.set_nodelay(true)?;
        if let Some(bytes) = self.options.send_buffer_bytes {
            rustix::net::sockopt::set_socket_send_buffer_size(&stream, bytes)?;
        }
        let read = WriteStream::from(stream);
        let write = read.try_clone()?;
        let mut read = ReadHalf {
            stream: TcpStream::from_std(read),
            watched: false,
        };
        watch(&self.poll, &mut read, connection)?;
        Ok((read, write))
    }

    /// Has the poller watch who cools, and not who is read at each call for long.
    fn attend(&mut self, connection: ConnectionId, settled: Settled, crowd: bool) {
        let Some(read) = self.table.stream(connection) else {
            return;
        };
        match settled {
            Settled::Hot { lasting: true } if read.watched && !crowd => {
                self.counters.watch_calls += 1;
                unwatch(&self.poll, read);
            }
            Settled::Cold if !read.watched => {
                self.counters.watch_calls += 1;
                if watch(&self.poll, read, connection).is_err() {
                    // The system has no means for it now: it is read at each call, as before.
                    self.table.wake(connection.slot());
                }
            }
            Settled::Hot { .. } | Settled::Cold | Settled::Over => {}
        }
    }

    #[inline]
    fn take_forgotten(&mut self) {
        if self.table.has_forgotten() {
            self.release_forgotten();
        }
    }

    #[cold]
    fn release_forgotten(&mut self) {
        while let Some(read) = self.table.take_forgotten() {
            if let Some(read) = read {
                self.release(read);
            }
        }
    }

    fn ask_system(&mut self) {
        self.calls_since_poll = 0;
        self.counters.poll_calls += 1;
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            // Its only other causes are a wrong descriptor or a wrong buffer, both ours.
            Err(error) => panic!("the poller of the gateway's sockets failed: {error}"),
        }
        for event in &self.events {
            if event.token() == LISTENER {
                self.listener_ready = true;
            } else {
                self.table.wake(event.token().0);
            }
        }
    }

    /// Drops a read side. The socket lives on in the outbound half's descriptor, and with it its
    /// registration: it has to be taken back first.
    fn release(&self, mut read: ReadHalf) {
        if read.watched {
            unwatch(&self.poll, &mut read);
        }
    }
}

/// Has the poller name a connection: at once, if it has something already.
fn watch(poll: &Poll, read: &mut ReadHalf, connection: ConnectionId) -> io::Result<()> {
    let token = Token(connection.slot());
    let registry = poll.registry();
    registry.register(&mut read.stream, token, Interest::READABLE)?;
    read.watched = true;
    Ok(())
}

fn unwatch(poll: &Poll, read: &mut ReadHalf) {
    poll.registry()
        .deregister(&mut read.stream)
        .expect("what was registered can be taken back");
    read.watched = false;
}

impl InboundTransport for TcpInbound {
    fn accept(&mut self, _now: Timestamp) -> Option<(ConnectionId, IpAddr)> {
        if !self.accept_is_due() {
            return None;
        }
        self.take_forgotten();
        for _ in 0..REFUSED_PER_CALL {
            match self.listener.accept() {
                Ok((stream, peer)) => {
                    if let Some(connection) = self.admit(stream) {
                        // One address for one client, however the listener spells it.
                        return Some((connection, peer.ip().to_canonical()));
                    }
                }
                Err(error) => {
                    self.listener_ready = false;
                    if error.kind() != io::ErrorKind::WouldBlock {
                        self.counters.accept_failures += 1;
                    }
                    return None;
                }
            }
        }
        None
    }

    fn poll_ready(&mut self, ready: &mut impl FnMut(&mut Self, ConnectionId) -> bool) {
        self.take_forgotten();
        self.calls_since_poll += 1;
        let crowd = self.crowd.is_crowd();
        let none_hot = self.table.hot_len() == 0;
        if none_hot || crowd || self.calls_since_poll >= self.options.poll_every_calls {
            self.ask_system();
        }
        for _ in 0..self.table.hot_len() {
            let Some(connection) = self.table.next_hot() else {
                continue;
            };
            let taken = ready(self, connection);
            let settled = self.table.settle(connection, taken, crowd);
            self.attend(connection, settled, crowd);
        }
        self.table.rotate_hot();
    }

    fn look_at(&mut self, connection: ConnectionId) {
        self.table.look_at(connection);
    }

    #[inline]
    fn read(&mut self, connection: ConnectionId, into: &mut [u8]) -> ReadOutcome {
        self.take_forgotten();
        let Some(read) = self.table.stream(connection) else {
            // Remembers that the end was told.
            self.table.end(connection);
            return ReadOutcome::Closed;
        };
        if into.is_empty() {
            return ReadOutcome::Nothing;
        }
        self.counters.read_calls += 1;
        match receive(&mut read.stream, into) {
            Ok(bytes @ 1..) => {
                self.table.found_bytes(connection);
                self.crowd.spoke(connection.slot());
                self.counters.read_bytes += bytes as u64;
                ReadOutcome::Bytes(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.table.found_nothing(connection);
                ReadOutcome::Nothing
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => ReadOutcome::Nothing,
            Ok(0) | Err(_) => {
                if let Some(read) = self.table.end(connection) {
                    self.release(read);
                }
                ReadOutcome::Closed
            }
        }
    }

    fn close(&mut self, connection: ConnectionId) {
        self.take_forgotten();
        if let Some(read) = self.table.forget(connection) {
            self.release(read);
        }
    }
}
