//! One session's side of a hostile venue: what it will be told, and whether its link is up.
//!
//! Owned by the venue. Invariants: reports leave in the order in which they came; while the link is
//! down none leaves; the link is said to be up only after the reports it missed.

use std::collections::VecDeque;

use portcullis_domain::VenueReport;
use portcullis_venue::{Approved, OutboundOrder};

/// Something to tell.
#[derive(Debug)]
pub(crate) enum Word {
    Report(VenueReport, Vec<u8>),
    Link(bool),
}

/// Something to tell, not before a poll.
#[derive(Debug)]
struct Due {
    poll: u64,
    word: Word,
}

#[derive(Debug, Default)]
pub(crate) struct Link {
    words: VecDeque<Due>,
    /// Orders that came while the link was down.
    parked: VecDeque<(Approved<OutboundOrder>, Vec<u8>)>,
    down_until: Option<u64>,
}

impl Link {
    /// Something to tell at `poll`, or when all before it has been told.
    pub(crate) fn say(&mut self, word: Word, poll: u64) {
        self.words.push_back(Due { poll, word });
    }

    /// The next thing to tell at `poll`, if there is one.
    pub(crate) fn next(&mut self, poll: u64) -> Option<Word> {
        let due = self.words.front()?.poll <= poll && !self.is_down();
        due.then(|| self.words.pop_front().map(|due| due.word))
            .flatten()
    }

    pub(crate) const fn is_down(&self) -> bool {
        self.down_until.is_some()
    }

    pub(crate) const fn break_until(&mut self, poll: u64) {
        self.down_until = Some(poll);
    }

    /// Comes up again if it is time: what was missed comes first.
    pub(crate) fn mend(&mut self, poll: u64) {
        if self.down_until.is_some_and(|until| until <= poll) {
            self.down_until = None;
            self.say(Word::Link(true), poll);
        }
    }

    pub(crate) fn park(&mut self, order: Approved<OutboundOrder>, raw: &[u8]) {
        self.parked.push_back((order, raw.to_vec()));
    }

    /// Whether an order must wait behind others, or for the link.
    pub(crate) fn must_park(&self) -> bool {
        self.is_down() || !self.parked.is_empty()
    }

    pub(crate) fn next_parked(&mut self) -> Option<(Approved<OutboundOrder>, Vec<u8>)> {
        if self.is_down() {
            return None;
        }
        self.parked.pop_front()
    }

    /// Back to the front.
    pub(crate) fn unpark_failed(&mut self, order: Approved<OutboundOrder>, raw: Vec<u8>) {
        self.parked.push_front((order, raw));
    }

    pub(crate) fn parked(&self) -> usize {
        self.parked.len()
    }

    pub(crate) fn words(&self) -> usize {
        self.words.len()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.words.is_empty() && self.parked.is_empty() && !self.is_down()
    }
}
