//! When all accounts are to be valued next.
//!
//! Control thread only. Invariant: one valuation of its own at a time: the next is asked for when
//! the last one is answered and its time has come, so that a slow one delays the next instead of
//! lining up with it.

use std::time::{Duration, Instant};

/// The regular valuation.
#[derive(Debug)]
pub(super) struct Valuing {
    every: Option<Duration>,
    due: Instant,
    /// The request that is not answered yet.
    asked: Option<u32>,
}

impl Valuing {
    /// The first at once; never where there is no interval.
    pub(super) fn new(every: Option<Duration>, now: Instant) -> Self {
        Self {
            every,
            due: now,
            asked: None,
        }
    }

    /// Another interval, after a reload.
    pub(super) fn set_every(&mut self, every: Option<Duration>) {
        self.every = every;
    }

    /// Whether one is to be asked for now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.every.is_some() && self.asked.is_none() && now >= self.due
    }

    /// One was asked for.
    pub(super) fn note_asked(&mut self, request: u32, now: Instant) {
        self.asked = Some(request);
        self.due = now + self.every.unwrap_or_default();
    }

    /// Whether this outcome is of the one asked for last, which is over then.
    pub(super) fn takes(&mut self, request: u32) -> bool {
        let own = self.asked == Some(request);
        if own {
            self.asked = None;
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_millis(10);

    #[test]
    fn one_at_a_time_and_never_too_early() {
        let begun = Instant::now();
        let mut valuing = Valuing::new(Some(EVERY), begun);
        assert!(valuing.is_due(begun), "the first comes at once");
        valuing.note_asked(7, begun);
        assert!(!valuing.is_due(begun + 5 * EVERY), "7 is not answered");
        assert!(!valuing.takes(8), "another's outcome");
        assert!(valuing.takes(7));
        assert!(!valuing.takes(7), "an outcome is taken once");
        assert!(!valuing.is_due(begun + EVERY / 2));
        assert!(valuing.is_due(begun + EVERY));
        valuing.set_every(None);
        assert!(!valuing.is_due(begun + 5 * EVERY));
    }
}
