//! From and to which number each session's stream can be resent, as egress last said.
//!
//! Egress owns the writing end, ingress the reading end: a login whose number cannot be served is
//! refused before it takes its session from the connection that has it. Whoever resends from the
//! journal says how far that reaches. Invariants: what a client has received was said here before it
//! was sent, so that a number beyond is one nobody was given; the oldest stored number only rises. It
//! must never be taken for more than that: the answer of egress itself is the last word.

use portcullis_domain::SessionId;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A session's numbers.
#[derive(Debug)]
struct Reach {
    /// The oldest message that is stored, or the next one where none is.
    oldest: AtomicU64,
    /// The next message.
    next: AtomicU64,
    /// The oldest message that can be had from the journal; the greatest number where none can.
    journaled: AtomicU64,
}

/// Egress' end.
#[derive(Debug)]
pub struct StreamReachWriter(Arc<[Reach]>);

/// Ingress' end.
#[derive(Debug)]
pub struct StreamReachReader(Arc<[Reach]>);

/// The end of whoever resends from the journal.
#[derive(Debug)]
pub struct JournalReach(Arc<[Reach]>);

/// Both ends, for so many sessions whose first message will be number 1.
#[must_use]
pub fn stream_reach(sessions: usize) -> (StreamReachWriter, StreamReachReader) {
    let first = || Reach {
        oldest: AtomicU64::new(1),
        next: AtomicU64::new(1),
        journaled: AtomicU64::new(u64::MAX),
    };
    let all: Arc<[Reach]> = (0..sessions).map(|_| first()).collect();
    (StreamReachWriter(Arc::clone(&all)), StreamReachReader(all))
}

impl StreamReachWriter {
    /// Says what a session's stream reaches; before any of it is sent.
    pub(crate) fn say(&mut self, session: SessionId, oldest: u64, next: u64) {
        let reach = &self.0[session.index()];
        // In this order, and read in the other: whoever sees the oldest sees a next that is no less.
        reach.next.store(next, Ordering::Release);
        reach.oldest.store(oldest, Ordering::Release);
    }

    /// From which number on a session's messages can be had from the journal.
    pub(crate) fn journaled(&self, session: SessionId) -> u64 {
        self.0[session.index()].journaled.load(Ordering::Acquire)
    }

    /// The end of whoever resends from the journal.
    pub(crate) fn journal_end(&self) -> JournalReach {
        JournalReach(Arc::clone(&self.0))
    }
}

impl JournalReach {
    /// Sessions.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The oldest message of a session that egress has: all before it have been said.
    pub(crate) fn oldest_stored(&self, session: SessionId) -> u64 {
        self.0[session.index()].oldest.load(Ordering::Acquire)
    }

    /// Says from which number on a session's messages can be had.
    pub(crate) fn say_journaled(&mut self, session: SessionId, number: u64) {
        let reach = &self.0[session.index()];
        reach.journaled.store(number, Ordering::Release);
    }
}

impl StreamReachReader {
    /// Whether a client may ask to be sent messages from this number on: 0 is from now on.
    #[must_use]
    pub fn serves(&self, session: SessionId, number: u64) -> bool {
        let reach = &self.0[session.index()];
        let oldest = reach.oldest.load(Ordering::Acquire);
        let next = reach.next.load(Ordering::Acquire);
        let journaled = reach.journaled.load(Ordering::Acquire);
        number == 0 || (oldest.min(journaled)..=next).contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_and_the_next_are_served_and_no_other() {
        let (mut writer, reader) = stream_reach(2);
        let session = SessionId::new(1);
        let served =
            |reader: &StreamReachReader| (0..8).filter(|n| reader.serves(session, *n)).collect();
        let before: Vec<u64> = served(&reader);
        assert_eq!(before, [0, 1]);
        writer.say(session, 3, 6);
        let after: Vec<u64> = served(&reader);
        assert_eq!(after, [0, 3, 4, 5, 6]);
        assert!(!reader.serves(SessionId::new(0), 6), "each has its own");
        writer.journal_end().say_journaled(session, 2);
        let journaled: Vec<u64> = served(&reader);
        assert_eq!(journaled, [0, 2, 3, 4, 5, 6]);
    }
}
