//! Virtual time.
//!
//! Owned by the world, read by whoever holds a copy. Invariant: it moves when the world moves it, in
//! any direction.

use portcullis_domain::Timestamp;
use portcullis_runtime::Clock;
use std::cell::Cell;
use std::rc::Rc;

/// A clock that stands where it was put.
#[derive(Clone, Debug)]
pub(crate) struct SimClock(Rc<Cell<u64>>);

impl SimClock {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self(Rc::new(Cell::new(start.ns())))
    }

    /// Moves it on.
    pub(crate) fn advance_ns(&self, span_ns: u64) {
        self.0.set(self.0.get() + span_ns);
    }

    /// Sets it back.
    pub(crate) fn set_back_ns(&self, span_ns: u64) {
        self.0.set(self.0.get() - span_ns);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ns(self.0.get())
    }
}
