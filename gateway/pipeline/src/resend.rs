//! What a client missed and its session's store no longer has: from the journal.
//!
//! Egress owns one end, a thread that may read files the other. A client that logs in before the store is
//! *asked for*, in a place of its session's own; the thread makes the session's stream again from the journal
//! and hands the messages over, until egress has the next one itself and withdraws the asking. Invariants: a
//! session asks for one thing at a time; only what egress has said before is handed over, in order and
//! without a gap; a client that is gone is asked for no more. Neither end waits for the other.

mod grounds;
mod replay;
mod resender;

pub use resender::{MakeVenue, Resender, ResenderConfig};

use crate::stream_reach::{JournalReach, StreamReachWriter};
use crate::transport::ConnectionId;
use portcullis_domain::{RAW_BYTES_MAX, SessionId};
use portcullis_runtime::{Lead, MessageConsumer, MessageProducer, message_ring};
use portcullis_wire::ouch50::MESSAGE_BYTES_MAX;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

// What a session is told is encoded here, or is the engine's message as a record carries it.
const _: () = assert!(MESSAGE_BYTES_MAX <= RAW_BYTES_MAX && RAW_BYTES_MAX <= u8::MAX as usize);

/// Messages on their way to egress: several of its buffers.
const MESSAGES: usize = 512;

/// Nobody asks: no connection has this word, which is beyond 32 bits.
const NOBODY: u64 = u64::MAX;

/// What is handed over to egress; a message's bytes stand behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResentItem {
    pub(crate) session: SessionId,
    pub(crate) connection: ConnectionId,
    pub(crate) what: Resent,
    raw_len: u8,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resent {
    /// The message of this number.
    Message(u64),
    /// Nothing more comes: the connection must end.
    GivenUp,
}

impl ResentItem {
    /// The item that goes before `message`, which is no longer than a record carries.
    pub(crate) const fn message(asked: &Asked, number: u64, message: &[u8]) -> Self {
        Self {
            session: asked.session,
            connection: asked.connection,
            what: Resent::Message(number),
            raw_len: message.len() as u8,
        }
    }

    pub(crate) const fn given_up(asked: &Asked) -> Self {
        Self {
            session: asked.session,
            connection: asked.connection,
            what: Resent::GivenUp,
            raw_len: 0,
        }
    }
}

impl Lead for ResentItem {
    fn bytes_behind(&self) -> usize {
        usize::from(self.raw_len)
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) session: SessionId,
    /// For this connection.
    pub(crate) connection: ConnectionId,
    /// The first message that it wants.
    pub(crate) from: u64,
}

/// A session's place.
#[derive(Debug)]
struct Place {
    /// The connection that asks, or [`NOBODY`].
    connection: AtomicU64,
    from: AtomicU64,
    /// The last connection that nothing more will come for.
    given_up: AtomicU64,
}

/// A session's place, as its stream holds it.
#[derive(Debug)]
pub(crate) struct Asking {
    places: Arc<[Place]>,
    session: SessionId,
}

impl Asking {
    /// Asks for messages from a number on.
    pub(crate) fn ask(&mut self, connection: ConnectionId, from: u64) {
        let place = &self.places[self.session.index()];
        // In this order: whoever sees the connection sees its number.
        place.from.store(from, Ordering::Release);
        let asks = u64::from(connection.raw());
        place.connection.store(asks, Ordering::Release);
    }

    /// Asks for nothing more.
    pub(crate) fn withdraw(&mut self) {
        let place = &self.places[self.session.index()];
        place.connection.store(NOBODY, Ordering::Release);
    }

    /// Whether nothing more will come for this connection.
    pub(crate) fn is_given_up(&self, connection: ConnectionId) -> bool {
        let place = &self.places[self.session.index()];
        place.given_up.load(Ordering::Acquire) == u64::from(connection.raw())
    }
}

/// Egress' end.
#[derive(Debug)]
pub struct Resending {
    pub(crate) items: MessageConsumer<ResentItem>,
    places: Arc<[Place]>,
}

impl Resending {
    /// The place of a session.
    pub(crate) fn asking(&self, session: SessionId) -> Asking {
        Asking {
            places: Arc::clone(&self.places),
            session,
        }
    }
}

/// The end of the thread that reads the journal.
#[derive(Debug)]
pub struct ResendSource {
    items: MessageProducer<ResentItem>,
    places: Arc<[Place]>,
    reach: JournalReach,
}

/// Both ends, for the sessions that egress says the reach of.
#[must_use]
pub fn resend_ends(reach: &StreamReachWriter) -> (Resending, ResendSource) {
    let reach = reach.journal_end();
    let free = || Place {
        connection: AtomicU64::new(NOBODY),
        from: AtomicU64::new(0),
        given_up: AtomicU64::new(NOBODY),
    };
    let places: Arc<[Place]> = (0..reach.len()).map(|_| free()).collect();
    let (producer, consumer) = message_ring(MESSAGES);
    let resending = Resending {
        items: consumer,
        places: Arc::clone(&places),
    };
    let source = ResendSource {
        items: producer,
        places,
        reach,
    };
    (resending, source)
}

impl ResendSource {
    /// What a session asks for now, if anything.
    fn asked(&self, session: SessionId) -> Option<Asked> {
        let place = &self.places[session.index()];
        let connection = place.connection.load(Ordering::Acquire);
        let from = place.from.load(Ordering::Acquire);
        // A number that was read while another connection came is not this one's.
        let steady = place.connection.load(Ordering::Acquire) == connection;
        let raw = u32::try_from(connection).ok().filter(|_| steady)?;
        Some(Asked {
            session,
            connection: ConnectionId::from_raw(raw),
            from,
        })
    }

    /// Whether that is still asked for.
    fn wants(&self, asked: &Asked) -> bool {
        self.asked(asked.session)
            .is_some_and(|now| now.connection == asked.connection)
    }

    /// The next session that asks for something, from `first` on and round.
    fn next_asked(&self, first: usize) -> Option<Asked> {
        let count = self.places.len();
        let mut turns = (first..count).chain(0..first.min(count));
        turns.find_map(|index| self.asked(SessionId::new(index as u32)))
    }

    /// Nothing more comes for this connection.
    fn give_up(&mut self, asked: &Asked) {
        let place = &self.places[asked.session.index()];
        let connection = u64::from(asked.connection.raw());
        place.given_up.store(connection, Ordering::Release);
    }
}

/// What tests of egress see of the other end.
#[cfg(test)]
impl ResendSource {
    pub(crate) fn asks_for(&self, session: SessionId) -> Option<(ConnectionId, u64)> {
        let asked = self.asked(session)?;
        Some((asked.connection, asked.from))
    }

    pub(crate) fn gives_up(&mut self, session: SessionId) {
        let asked = self.asked(session).expect("it asks");
        self.give_up(&asked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream_reach::stream_reach;

    fn connection(raw: u32) -> ConnectionId {
        ConnectionId::from_raw(raw)
    }

    #[test]
    fn each_session_asks_for_one_thing_and_takes_it_back() {
        let (reach, _reader) = stream_reach(3);
        let (resending, mut source) = resend_ends(&reach);
        assert_eq!(source.next_asked(0), None);
        let mut asking = resending.asking(SessionId::new(1));
        asking.ask(connection(u32::MAX), 7);
        let asked = source.next_asked(2).expect("round to the first");
        let expected = Asked {
            session: SessionId::new(1),
            connection: connection(u32::MAX),
            from: 7,
        };
        assert_eq!(asked, expected);
        asking.ask(connection(4), 9);
        assert!(!source.wants(&asked), "another connection asks");
        assert_eq!(source.next_asked(0).map(|asked| asked.from), Some(9));
        source.give_up(&asked);
        assert!(!asking.is_given_up(connection(4)));
        assert!(asking.is_given_up(connection(u32::MAX)));
        asking.withdraw();
        assert_eq!(source.next_asked(0), None);
    }

    #[test]
    fn sessions_that_ask_come_in_turn() {
        let (reach, _reader) = stream_reach(3);
        let (resending, source) = resend_ends(&reach);
        for session in [0, 2] {
            let mut asking = resending.asking(SessionId::new(session));
            asking.ask(connection(session), 1);
        }
        let turn = |first| source.next_asked(first).map(|asked| asked.session.raw());
        assert_eq!([turn(0), turn(1), turn(3)], [Some(0), Some(2), Some(0)]);
    }
}
