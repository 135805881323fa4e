//! Clocks: where the pipeline gets its time from.
//!
//! Read by the runner once a duty cycle, and after each turn that did work. Invariant: what is read here becomes a record's receive
//! stamp; the sequencer makes it monotone, so a clock that is set back does no harm.

use portcullis_domain::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of time.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_ns(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// A clock that stands until it is moved: for tests and the simulator.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(start.ns())))
    }

    /// Moves it on.
    pub fn advance_ns(&self, span_ns: u64) {
        self.0.fetch_add(span_ns, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ns(self.0.load(Ordering::Relaxed))
    }
}
