//! A client that catches up: what is taken from the journal's end of the ring, and what is not.

use super::*;
use crate::resend::{ResendSource, Resending, resend_ends};
use crate::stream_reach::stream_reach;
use crate::tables::SymbolTable;
use portcullis_domain::SessionId;

/// A socket that takes all or nothing.
#[derive(Default)]
struct Socket {
    blocked: bool,
    taken: Vec<u8>,
    closed: Vec<ConnectionId>,
}

impl OutboundTransport for Socket {
    fn write(&mut self, _: ConnectionId, bytes: &[u8]) -> WriteOutcome {
        if self.blocked {
            return WriteOutcome::Wrote(0);
        }
        self.taken.extend_from_slice(bytes);
        WriteOutcome::Wrote(bytes.len())
    }

    fn close(&mut self, connection: ConnectionId) {
        self.closed.push(connection);
    }
}

const SESSION: SessionId = SessionId::new(0);
const NOW: Timestamp = Timestamp::ZERO;

fn connection(raw: u32) -> ConnectionId {
    ConnectionId::from_raw(raw)
}

fn message(number: u64) -> Vec<u8> {
    vec![number as u8; 100]
}

/// A stream of so many messages whose store has the last two, and both ends of its resending.
fn stream(messages: u64) -> (Stream, Resending, ResendSource) {
    let config = EgressConfig {
        session_name: Alpha::new(b"DAY1").expect("short"),
        heartbeats: Vec::new(),
        orders_max: 1,
        store_bytes: PACKET_BYTES_MAX,
        store_messages: 2,
        symbols: SymbolTable::new(&[]),
    };
    let mut stream = Stream::new(&config, Duration::from_ns(1));
    let (reach, _reader) = stream_reach(1);
    let (resending, source) = resend_ends(&reach);
    stream.asks(resending.asking(SESSION));
    for number in 1..=messages {
        assert!(stream.publish(&message(number)));
    }
    (stream, resending, source)
}

fn take(stream: &mut Stream, of: u32, number: u64, socket: &mut Socket) -> Taken {
    let bytes = message(number);
    let what = (Resent::Message(number), &bytes[..]);
    stream.take_resent(connection(of), what, socket, NOW)
}

#[test]
fn it_asks_until_the_store_has_the_next_message() {
    let (mut stream, _resending, source) = stream(5);
    let mut socket = Socket::default();
    for (sequence, asks) in [(0, false), (4, false), (6, false), (7, false), (3, true)] {
        stream.log_on(connection(1), sequence, 1, NOW);
        assert_eq!(source.asks_for(SESSION).is_some(), asks, "{sequence}");
    }
    assert_eq!(source.asks_for(SESSION), Some((connection(1), 3)));
    assert_eq!(take(&mut stream, 1, 3, &mut socket), Taken::ForClient);
    while stream.send(&mut socket, NOW) == Sent::Some {}
    assert_eq!(source.asks_for(SESSION), None);
    // The login's answer, and messages 3, 4 and 5.
    assert_eq!(socket.taken.len(), 33 + 3 * 103);
    assert_eq!(take(&mut stream, 1, 4, &mut socket), Taken::ForNobody);
}

/// The store moves on between the last message from the journal and the first that would be its own.
#[test]
fn it_goes_on_asking_where_the_store_drops_what_it_is_due() {
    let (mut stream, _resending, source) = stream(5);
    let mut socket = Socket::default();
    stream.log_on(connection(1), 3, 1, NOW);
    for number in [3, 4] {
        assert_eq!(take(&mut stream, 1, number, &mut socket), Taken::ForClient);
        assert!(stream.publish(&message(number + 3)));
        while stream.send(&mut socket, NOW) == Sent::Some {}
        assert_eq!(source.asks_for(SESSION), Some((connection(1), 3)));
    }
    assert_eq!(take(&mut stream, 1, 5, &mut socket), Taken::ForClient);
    while stream.send(&mut socket, NOW) == Sent::Some {}
    assert_eq!(source.asks_for(SESSION), None);
    assert_eq!(socket.taken.len(), 33 + 5 * 103);
    assert!(socket.taken.ends_with(&message(7)));
    assert_eq!(socket.closed, []);
}

#[test]
fn what_comes_for_another_connection_is_for_nobody() {
    let (mut stream, _resending, source) = stream(5);
    let mut socket = Socket::default();
    stream.log_on(connection(1), 1, 1, NOW);
    assert_eq!(take(&mut stream, 1, 1, &mut socket), Taken::ForClient);
    stream.log_on(connection(2), 2, 1, NOW);
    assert_eq!(source.asks_for(SESSION), Some((connection(2), 2)));
    assert_eq!(take(&mut stream, 1, 2, &mut socket), Taken::ForNobody);
    assert_eq!(take(&mut stream, 2, 2, &mut socket), Taken::ForClient);
    stream.unlink(connection(2));
    assert_eq!(source.asks_for(SESSION), None);
    assert_eq!(take(&mut stream, 2, 3, &mut socket), Taken::ForNobody);
    // Where the journal does not reach, nothing is asked for.
    stream.log_on(connection(3), 2, 3, NOW);
    assert_eq!(source.asks_for(SESSION), None);
}

#[test]
fn a_full_buffer_waits_and_is_given_up_with_its_connection() {
    let (mut stream, _resending, mut source) = stream(500);
    let mut socket = Socket {
        blocked: true,
        ..Socket::default()
    };
    stream.log_on(connection(1), 1, 1, NOW);
    let mut number = 1;
    while take(&mut stream, 1, number, &mut socket) == Taken::ForClient {
        number += 1;
        // It is behind its store by far, and not taken for one that lags.
        assert_eq!(stream.send(&mut socket, NOW), Sent::Blocked);
    }
    assert_eq!(number - 1, (OUT_BYTES as u64 - 33) / 103);
    assert_eq!(take(&mut stream, 1, number, &mut socket), Taken::NoRoom);
    source.gives_up(SESSION);
    assert_eq!(take(&mut stream, 1, number, &mut socket), Taken::GivenUp);
    assert_eq!(socket.closed, [connection(1)]);
    assert_eq!(source.asks_for(SESSION), None);
}

#[test]
fn what_is_given_up_in_words_ends_its_connection_alone() {
    let (mut stream, _resending, _source) = stream(5);
    let mut socket = Socket::default();
    stream.log_on(connection(1), 1, 1, NOW);
    let mut give_up = |of| {
        let what = (Resent::GivenUp, &[][..]);
        stream.take_resent(connection(of), what, &mut socket, NOW)
    };
    assert_eq!(give_up(2), Taken::ForNobody);
    assert_eq!(give_up(1), Taken::GivenUp);
    assert_eq!(socket.closed, [connection(1)]);
}
