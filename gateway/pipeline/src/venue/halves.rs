//! The venue agent in two turns of one cycle: one that reads the engine, one that writes to it.
//!
//! For a thread that runs all agents. Between the two stand those that decide, so that a report is
//! decided in the cycle that read it, and an order leaves in the cycle that decided it, before anything
//! is read again. Invariant: both halves are the one agent, and what they do is what its own turn does;
//! only one of them runs at a time.

use super::Venue;
use portcullis_domain::Timestamp;
use portcullis_runtime::Agent;
use portcullis_venue::MatchingVenue;
use std::cell::RefCell;

/// The agent, shared by its halves.
#[derive(Debug)]
pub struct VenueHalves<V>(RefCell<Venue<V>>);

/// The half that brings reports.
#[derive(Debug)]
pub struct ReadingHalf<'a, V>(&'a RefCell<Venue<V>>);

/// The half that hands orders over.
#[derive(Debug)]
pub struct WritingHalf<'a, V>(&'a RefCell<Venue<V>>);

impl<V: MatchingVenue> VenueHalves<V> {
    /// Takes the agent.
    #[must_use]
    pub const fn new(venue: Venue<V>) -> Self {
        Self(RefCell::new(venue))
    }

    /// Both halves, for one thread.
    #[must_use]
    pub const fn halves(&self) -> (ReadingHalf<'_, V>, WritingHalf<'_, V>) {
        (ReadingHalf(&self.0), WritingHalf(&self.0))
    }

    /// The agent, when all is over.
    #[must_use]
    pub fn into_inner(self) -> Venue<V> {
        self.0.into_inner()
    }
}

impl<V: MatchingVenue> Agent for ReadingHalf<'_, V> {
    fn name(&self) -> &'static str {
        "venue"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        let mut venue = self.0.borrow_mut();
        if !venue.begin(now) {
            return 0;
        }
        venue.take_reports()
    }

    fn is_drained(&self) -> bool {
        self.0.borrow().is_drained()
    }
}

impl<V: MatchingVenue> Agent for WritingHalf<'_, V> {
    fn name(&self) -> &'static str {
        "venue"
    }

    fn do_work(&mut self, now: Timestamp) -> usize {
        let mut venue = self.0.borrow_mut();
        if !venue.begin(now) {
            return 0;
        }
        venue.hand_over()
    }

    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        self.0.borrow_mut().on_work_done(began, ended);
    }

    fn is_drained(&self) -> bool {
        self.0.borrow().is_drained()
    }
}
