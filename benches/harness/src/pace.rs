//! Planned send times: a load that does not wait for answers.
//!
//! Owned by the measuring thread. Invariant: plan times are evenly apart whatever is late, so that a
//! stall counts against every message that should have gone meanwhile.

use std::time::{Duration, Instant};

/// A schedule of evenly spaced sends.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    next: Instant,
    interval: Duration,
}

impl Pace {
    /// The first send is due at `start`, each further one `interval` later.
    #[must_use]
    pub const fn new(start: Instant, interval: Duration) -> Self {
        Self {
            next: start,
            interval,
        }
    }

    /// The planned time of the send that is due at `now`, each planned time once; `None` where none
    /// is due.
    pub fn due(&mut self, now: Instant) -> Option<Instant> {
        if now < self.next {
            return None;
        }
        let planned = self.next;
        self.next += self.interval;
        Some(planned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_leaves_no_planned_time_out() {
        let start = Instant::now();
        let step = Duration::from_micros(10);
        let mut pace = Pace::new(start, step);
        assert_eq!(pace.due(start), Some(start));
        assert_eq!(pace.due(start), None);
        let late = start + step * 3;
        assert_eq!(pace.due(late), Some(start + step));
        assert_eq!(pace.due(late), Some(start + step * 2));
        assert_eq!(pace.due(late), Some(late));
        assert_eq!(pace.due(late), None);
    }
}
