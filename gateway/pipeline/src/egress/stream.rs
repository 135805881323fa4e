//! One session's sequenced stream and the connection it goes out on.
//!
//! Owned by egress. Invariants: what did not fit the socket stays in a fixed buffer and goes first
//! next time; a connection whose client lags behind the store is closed; while a client catches up
//! from the journal, and no longer, its session asks for that.

use super::EgressConfig;
use super::hold::Hold;
use crate::resend::{Asking, Resent};
use crate::transport::{ConnectionId, OutboundTransport, WriteOutcome};
use portcullis_domain::{Duration, Timestamp};
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::{
    Lagged, LoginAnswer, LoginRequest, PACKET_BYTES_MAX, Password, ResendStore, ServerOutbound,
    StoreSlot, UserName, encode,
};

/// Bytes on their way to the socket.
const OUT_BYTES: usize = 4 * PACKET_BYTES_MAX;

/// What sending came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Nothing is left, and nothing was to be sent.
    All,
    /// All there was went.
    Whole,
    /// Some went, more may be left.
    Some,
    /// The socket takes no more now.
    Blocked,
    /// The client fell behind what is stored; its connection is closed.
    Lagged,
}

/// What became of something from the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It goes out.
    ForClient,
    /// Nobody is there for it any more.
    ForNobody,
    /// It must wait until the socket has taken some.
    NoRoom,
    /// Nothing more will come: the connection is closed.
    GivenUp,
}

/// The stream.
#[derive(Debug)]
pub(super) struct Stream {
    outbound: ServerOutbound<Box<[u8]>, Box<[StoreSlot]>>,
    connection: Option<ConnectionId>,
    out: Box<[u8; OUT_BYTES]>,
    start: usize,
    end: usize,
    /// Close once the buffer is out: the login was refused.
    closing: bool,
    /// Whether it stands in the list of those with something to send.
    pub(super) active: bool,
    /// Whether that waits.
    pub(super) hold: Hold,
    /// Where it asks for what it no longer stores, if anybody resends that.
    asking: Option<Asking>,
}

impl Stream {
    pub(super) fn new(config: &EgressConfig, heartbeat: Duration) -> Self {
        Self::beginning_at(1, config, heartbeat)
    }

    /// A stream whose next message has this number, which is at least 1.
    pub(super) fn beginning_at(first: u64, config: &EgressConfig, heartbeat: Duration) -> Self {
        let heads = config.store_messages * encode::packet_len(0);
        let bytes = vec![0; config.store_bytes + heads].into_boxed_slice();
        let slots = vec![StoreSlot::default(); config.store_messages].into_boxed_slice();
        let store = ResendStore::new(bytes, slots, first);
        Self {
            outbound: ServerOutbound::new(config.session_name, store).with_heartbeat(heartbeat),
            connection: None,
            out: Box::new([0; OUT_BYTES]),
            start: 0,
            end: 0,
            closing: false,
            active: false,
            hold: Hold::Nothing,
            asking: None,
        }
    }

    /// Asks for what it no longer stores, from now on.
    pub(super) fn asks(&mut self, asking: Asking) {
        self.asking = Some(asking);
    }

    pub(super) fn published(&self) -> u64 {
        self.outbound.next_sequence() - 1
    }

    /// The oldest message it can resend, and the number of the next.
    pub(super) fn reach(&self) -> (u64, u64) {
        (
            self.outbound.oldest_sequence(),
            self.outbound.next_sequence(),
        )
    }

    /// The messages it can resend, oldest first.
    pub(super) fn stored(&self) -> impl Iterator<Item = &[u8]> {
        let store = self.outbound.store();
        (store.oldest()..store.next_sequence()).map_while(|number| store.get(number).ok())
    }

    pub(super) fn end(&mut self) {
        self.outbound.end_session();
    }

    /// Numbers and stores a message; `false` where it is too long to be one.
    #[must_use]
    pub(super) fn publish(&mut self, message: &[u8]) -> bool {
        self.outbound.publish(message).is_ok()
    }

    /// One of them.
    pub(super) fn message(&self, number: u64) -> Option<&[u8]> {
        self.outbound.store().get(number).ok()
    }

    /// Answers a login, whose password was found right, on a connection. Messages from `journaled` on can
    /// be had from the journal.
    pub(super) fn log_on(
        &mut self,
        connection: ConnectionId,
        sequence: u64,
        journaled: u64,
        now: Timestamp,
    ) {
        let login = LoginRequest {
            user: UserName::BLANK,
            password: Password(Alpha::BLANK),
            session: None,
            sequence,
            silence_max: None,
        };
        if let Some(former) = self.connection {
            self.unlink(former);
        }
        self.connection = Some(connection);
        if self.asking.is_some() {
            self.outbound.reach_back_to(journaled);
        }
        let answer = self.outbound.login(&login, now, &mut self.out[..]);
        let answer = answer.expect("an empty buffer holds a login's answer");
        (self.end, self.closing) = match answer {
            LoginAnswer::Accepted { len, .. } => (len, false),
            LoginAnswer::Rejected { len, .. } => (len, true),
        };
        if self.outbound.is_catching_up() {
            let asking = self.asking.as_mut().expect("nothing else reaches back");
            asking.ask(connection, sequence);
        }
    }

    /// Takes what comes from the journal for a connection.
    pub(super) fn take_resent(
        &mut self,
        connection: ConnectionId,
        (what, message): (Resent, &[u8]),
        transport: &mut impl OutboundTransport,
        now: Timestamp,
    ) -> Taken {
        if self.connection != Some(connection) || !self.outbound.is_catching_up() {
            return Taken::ForNobody;
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        let asking = self.asking.as_ref().expect("it catches up");
        let written = match what {
            Resent::GivenUp => None,
            Resent::Message(number) => {
                let room = &mut self.out[self.end..];
                match self.outbound.resend(number, message, now, room) {
                    Ok(len) => Some(len),
                    Err(_) if asking.is_given_up(connection) => None,
                    Err(_) => return Taken::NoRoom,
                }
            }
        };
        let Some(len) = written else {
            transport.close(connection);
            self.unlink(connection);
            return Taken::GivenUp;
        };
        self.end += len;
        Taken::ForClient
    }

    /// That connection is gone. Messages go on being stored.
    pub(super) fn unlink(&mut self, connection: ConnectionId) {
        if self.connection == Some(connection) {
            self.connection = None;
            (self.start, self.end) = (0, 0);
            if self.outbound.is_catching_up()
                && let Some(asking) = &mut self.asking
            {
                asking.withdraw();
            }
            self.outbound.unlink();
        }
    }

    /// Whether what it has to send waits; see [`Hold::waits`].
    #[inline]
    pub(super) fn waits(&mut self, now: Timestamp, orders: usize) -> bool {
        let unsent = self.outbound.pending();
        self.hold.waits(now, orders, unsent)
    }

    /// Sends what the socket takes.
    pub(super) fn send(&mut self, transport: &mut impl OutboundTransport, now: Timestamp) -> Sent {
        let Some(connection) = self.connection else {
            return Sent::All;
        };
        if self.start == self.end && !self.closing {
            match self.pump(now) {
                Ok(len) => (self.start, self.end) = (0, len),
                Err(_lagged) => {
                    transport.close(connection);
                    self.unlink(connection);
                    return Sent::Lagged;
                }
            }
        }
        if self.start == self.end {
            if self.outbound.is_end_sent() || self.closing {
                transport.close(connection);
                self.unlink(connection);
            }
            return Sent::All;
        }
        match transport.write(connection, &self.out[self.start..self.end]) {
            WriteOutcome::Wrote(0) if self.lags() => {
                transport.close(connection);
                self.unlink(connection);
                Sent::Lagged
            }
            WriteOutcome::Wrote(0) => Sent::Blocked,
            WriteOutcome::Wrote(len) => {
                self.start += len;
                if self.start == self.end && !self.closing && !self.outbound.has_more() {
                    Sent::Whole
                } else {
                    Sent::Some
                }
            }
            WriteOutcome::Closed => {
                transport.close(connection);
                self.unlink(connection);
                Sent::All
            }
        }
    }

    /// Fills the empty buffer from the store; what is asked for is taken back where that ends catching up.
    fn pump(&mut self, now: Timestamp) -> Result<usize, Lagged> {
        let was_catching_up = self.outbound.is_catching_up();
        let len = self.outbound.pump(now, &mut self.out[..])?;
        if was_catching_up
            && !self.outbound.is_catching_up()
            && let Some(asking) = &mut self.asking
        {
            asking.withdraw();
        }
        Ok(len)
    }

    /// Whether the next message for the client is no longer stored, and not to be had elsewhere.
    fn lags(&self) -> bool {
        if self.outbound.is_catching_up() {
            return false;
        }
        let stored = self.outbound.next_sequence() - self.outbound.oldest_sequence();
        self.outbound.pending() > stored
    }

    /// Whether bytes wait for the socket.
    pub(super) const fn is_waiting(&self) -> bool {
        self.connection.is_some() && self.start != self.end
    }

    /// Sends a heartbeat where one is due and nothing else is on its way.
    pub(super) fn keep_alive(&mut self, transport: &mut impl OutboundTransport, now: Timestamp) {
        let Some(connection) = self.connection else {
            return;
        };
        if self.start != self.end || self.active {
            return;
        }
        if let Ok(len) = self.outbound.on_time(now, &mut self.out[..])
            && len > 0
        {
            (self.start, self.end) = (0, len);
            if let WriteOutcome::Wrote(wrote) = transport.write(connection, &self.out[..len]) {
                self.start = wrote;
            }
        }
    }
}

#[cfg(test)]
mod tests;
