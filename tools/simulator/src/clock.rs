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
pub(crate) struct SimClock {
    now_ns: Rc<Cell<u64>>,
    /// The latest it ever stood.
    latest_ns: Rc<Cell<u64>>,
}

impl SimClock {
    pub(crate) fn new(start: Timestamp) -> Self {
        let cell = || Rc::new(Cell::new(start.ns()));
        Self {
            now_ns: cell(),
            latest_ns: cell(),
        }
    }

    /// Moves it on.
    pub(crate) fn advance_ns(&self, span_ns: u64) {
        let now_ns = self.now_ns.get() + span_ns;
        self.now_ns.set(now_ns);
        self.latest_ns.set(self.latest_ns.get().max(now_ns));
    }

    /// Sets it back.
    pub(crate) fn set_back_ns(&self, span_ns: u64) {
        self.now_ns.set(self.now_ns.get() - span_ns);
    }

    /// Sets it to the latest it ever stood: it is right again.
    pub(crate) fn set_right(&self) {
        self.now_ns.set(self.latest_ns.get());
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ns(self.now_ns.get())
    }
}
