//! One connection: its buffer, its session machine, and what is known of it.
//!
//! Owned by ingress. Invariant: the buffer holds what was read and not yet taken, and always has
//! room for the longest packet once what was taken is dropped.

use crate::item::ConnectionItem;
use crate::transport::ConnectionId;
use portcullis_domain::{Duration, SessionId, Timestamp};
use portcullis_wire::soupbin::{
    LoginRejectReason, PACKET_BYTES_MAX, ServerInbound, ServerLimits, ServerState,
};
use std::net::{IpAddr, Ipv4Addr};

/// How long a connection may take; see `soupbin`.
pub type ConnectionLimits = ServerLimits;

/// Bytes of a connection's buffer: two of the longest packets, so that a read is seldom short.
const BUFFER_BYTES: usize = 2 * PACKET_BYTES_MAX;

/// How far it is established that a client let a deadline pass. Its words may stand in its socket,
/// where this agent was kept from reading for long: nobody is judged unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// It is not.
    Not,
    /// It is by what was read; it is to be read once more.
    Asked,
    /// It was read since.
    Read,
}

/// What is known of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) id: ConnectionId,
    pub(super) address: IpAddr,
    pub(super) session: Option<SessionId>,
    /// Where its client wants to be resent from.
    pub(super) sequence_wanted: u64,
    /// Why its login is refused without having been verified: the farewell says so.
    pub(super) login_refused: Option<LoginRejectReason>,
    /// Messages that could not be answered.
    pub(super) unanswerable: u32,
    pub(super) overdue: Overdue,
    live: bool,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) machine: ServerInbound,
    pub(super) buffer: Box<[u8; BUFFER_BYTES]>,
    /// The bytes read and not taken are `buffer[start..end]`.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) facts: Facts,
}

impl Connection {
    /// A slot without a connection.
    pub(super) fn free() -> Self {
        Self {
            machine: ServerInbound::new(ServerLimits::default(), Timestamp::ZERO),
            buffer: Box::new([0; BUFFER_BYTES]),
            start: 0,
            end: 0,
            facts: Self::free_facts(ConnectionId::new(0, 0)),
        }
    }

    /// A client connected.
    pub(super) fn begin(
        &mut self,
        id: ConnectionId,
        address: IpAddr,
        limits: ConnectionLimits,
        now: Timestamp,
    ) {
        self.machine = ServerInbound::new(limits, now);
        (self.start, self.end) = (0, 0);
        self.facts = Facts {
            id,
            address,
            live: true,
            ..Self::free_facts(id)
        };
    }

    const fn free_facts(id: ConnectionId) -> Facts {
        Facts {
            id,
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            session: None,
            sequence_wanted: 0,
            login_refused: None,
            unanswerable: 0,
            overdue: Overdue::Not,
            live: false,
        }
    }

    pub(super) const fn id(&self) -> ConnectionId {
        self.facts.id
    }

    /// Whether this is the connection of that id, and lives.
    pub(super) fn is(&self, id: ConnectionId) -> bool {
        self.facts.live && self.facts.id == id
    }

    /// Room to read into.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.end == BUFFER_BYTES {
            self.compact();
        }
        &mut self.buffer[self.end..]
    }

    /// `count` bytes were read into the space.
    pub(super) fn filled(&mut self, count: usize) {
        self.end += count;
        assert!(self.end <= BUFFER_BYTES, "a read does not exceed its space");
    }

    /// Whether all that was read is taken.
    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Drops what was taken.
    pub(super) fn compact(&mut self) {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
    }

    /// The login was found right; from now on the session's own silence counts. `false` where the
    /// connection does not wait for that.
    pub(super) fn log_on(
        &mut self,
        session: SessionId,
        silence_max: Duration,
        now: Timestamp,
    ) -> bool {
        self.machine.limit_silence(silence_max);
        let taken = self.machine.accept(now);
        if taken {
            self.facts.session = Some(session);
        }
        taken
    }

    /// Whether a deadline of the session machine has passed, and how far that is established.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Overdue {
        let passed = self.facts.live && self.machine.deadline().is_some_and(|at| now >= at);
        let overdue = match (passed, self.facts.overdue) {
            (false, _) => Overdue::Not,
            (true, Overdue::Not) => Overdue::Asked,
            (true, known) => known,
        };
        if overdue != self.facts.overdue {
            self.facts.overdue = overdue;
        }
        overdue
    }

    /// It is about to be read.
    #[inline]
    pub(super) fn is_read(&mut self) {
        if self.facts.overdue == Overdue::Asked {
            self.facts.overdue = Overdue::Read;
        }
    }

    /// Closes the session machine if one has; whether it has.
    pub(super) fn close_if_overdue(&mut self, now: Timestamp) -> bool {
        self.facts.live && self.machine.on_time(now).is_some()
    }

    /// The connection is over. Returns what egress is to do about it.
    pub(super) fn forget(&mut self) -> ConnectionItem {
        let id = self.facts.id;
        let refused = self.facts.login_refused;
        self.facts.live = false;
        if self.machine.state() != ServerState::Closed {
            self.machine.close();
        }
        match refused {
            Some(reason) => ConnectionItem::RejectLogin(id, reason),
            None => ConnectionItem::Close(id),
        }
    }
}
