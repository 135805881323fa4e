//! What the agents ask of sockets.
//!
//! The inbound half belongs to ingress, the outbound half to egress; they may run on different
//! threads. Invariants: nothing here blocks; a connection id is never given twice while anybody may
//! still hold it (slot and generation); what was not written is the caller's to keep.

use core::fmt;
use portcullis_domain::Timestamp;
use std::net::IpAddr;

/// A connection: its slot in fixed tables, and how often the slot had been used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u32);

impl ConnectionId {
    /// Slots a table of connections may have.
    pub const SLOTS_MAX: usize = 1 << 16;

    /// The connection of this slot and generation.
    #[must_use]
    pub const fn new(slot: u16, generation: u16) -> Self {
        Self((generation as u32) << 16 | slot as u32)
    }

    /// Its slot.
    #[must_use]
    pub const fn slot(self) -> usize {
        (self.0 & 0xFFFF) as usize
    }

    /// Its generation.
    #[must_use]
    pub const fn generation(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The word that records carry.
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// The connection of this word.
    #[must_use]
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.slot(), self.generation())
    }
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// This many bytes, at least one.
    Bytes(usize),
    /// None for now.
    Nothing,
    /// The peer is gone, or the connection is unknown.
    Closed,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Took this many bytes from the front, maybe none.
    Wrote(usize),
    /// The peer is gone, or the connection is unknown.
    Closed,
}

/// Where bytes come from.
pub trait InboundTransport {
    /// The next connection that came in, with the peer's address. What exceeds the table is refused
    /// by the transport itself, and counted.
    fn accept(&mut self, now: Timestamp) -> Option<(ConnectionId, IpAddr)>;

    /// Calls `ready` with connections that may have bytes, each at most once, in turn over calls so
    /// that none starves. One whose `ready` says `false` (its bytes were not all taken) is named
    /// again at the next call.
    fn poll_ready(&mut self, ready: &mut impl FnMut(&mut Self, ConnectionId) -> bool);

    /// Names a connection at the next call of [`poll_ready`](Self::poll_ready), whatever is known of it.
    fn look_at(&mut self, connection: ConnectionId);

    /// Reads what is there.
    fn read(&mut self, connection: ConnectionId, into: &mut [u8]) -> ReadOutcome;

    /// Forgets a connection; its slot is free once the outbound half has forgotten it too.
    fn close(&mut self, connection: ConnectionId);
}

/// Where bytes go.
pub trait OutboundTransport {
    /// Writes from the front of `bytes` what there is room for.
    fn write(&mut self, connection: ConnectionId, bytes: &[u8]) -> WriteOutcome;

    /// Shuts a connection down, both ways: the inbound half reads `Closed` from then on.
    fn close(&mut self, connection: ConnectionId);
}
