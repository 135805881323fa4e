//! A session's sequenced stream: all it ever said, and how far the connection of the moment is.
//!
//! Owned by the floor's thread. Invariants: numbers are consecutive from 1 and nothing is ever dropped;
//! a connection is a cursor into it. It must never write a packet in part.

use portcullis_wire::soupbin::encode;

/// The stream.
#[derive(Debug, Default)]
pub(crate) struct SequencedStream {
    bytes: Vec<u8>,
    /// Where each message ends.
    ends: Vec<usize>,
    /// The next message to write, counted from 0; `None` without a connection.
    cursor: Option<usize>,
}

impl SequencedStream {
    /// Number of the last message; 0 before the first.
    pub(crate) const fn last(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The first message for who asks for this number: 0 is only what is new. `None` if the stream
    /// is not so far.
    pub(crate) fn first_for(&self, asked: u64) -> Option<u64> {
        let next = self.last() + 1;
        match asked {
            0 => Some(next),
            asked if asked > next => None,
            asked => Some(asked),
        }
    }

    /// A connection begins with this message.
    pub(crate) const fn connect(&mut self, first: u64) {
        self.cursor = Some(first as usize - 1);
    }

    /// There is none any more.
    pub(crate) const fn disconnect(&mut self) {
        self.cursor = None;
    }

    pub(crate) fn publish(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.ends.push(self.bytes.len());
    }

    /// Whether the connection has not had all.
    pub(crate) fn is_behind(&self) -> bool {
        self.cursor.is_some_and(|cursor| cursor < self.ends.len())
    }

    /// Writes what the connection has not had, up to about `most` bytes; whether there was anything.
    pub(crate) fn pump(&mut self, most: usize, out: &mut Vec<u8>) -> bool {
        let Some(cursor) = &mut self.cursor else {
            return false;
        };
        let before = out.len();
        while out.len() < most
            && let Some(end) = self.ends.get(*cursor)
        {
            let start = cursor.checked_sub(1).map_or(0, |last| self.ends[last]);
            let message = &self.bytes[start..*end];
            let at = out.len();
            out.resize(at + encode::packet_len(message.len()), 0);
            let written = encode::sequenced(message, &mut out[at..]);
            let written = written.expect("room for it was made");
            assert_eq!(at + written, out.len(), "a packet is as long as it says");
            *cursor += 1;
        }
        out.len() > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_can_be_had_again_from_any_number() {
        let mut stream = SequencedStream::default();
        assert_eq!(stream.first_for(2), None);
        for message in [b"one".as_slice(), b"", b"three"] {
            stream.publish(message);
        }
        assert!(!stream.pump(100, &mut Vec::new()), "nobody listens");
        assert_eq!(
            (stream.first_for(0), stream.first_for(4)),
            (Some(4), Some(4))
        );
        assert_eq!(stream.first_for(5), None);
        for first in 1..=4 {
            stream.connect(first);
            let mut out = Vec::new();
            while stream.pump(out.len() + 1, &mut out) {}
            let all = b"\0\x04Sone\0\x01S\0\x06Sthree";
            let skipped = [0, 6, 9, 17][first as usize - 1];
            assert_eq!(out, all[skipped..], "from {first}");
        }
        stream.disconnect();
        assert_eq!(stream.last(), 3);
    }
}
