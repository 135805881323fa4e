//! The clock of who looks again and again: by the processor's counter, set by the system's clock every millisecond.
//!
//! On the measuring thread. Invariants: it says what the system's clock says, to far less than a look takes; a reading
//! waits for nothing that was asked of the memory before it, so that it is for finding out what is due, and never for
//! when something had come.

use std::time::{Duration, Instant};

/// Nanoseconds after which it is set anew: a counter off by 50 in a million is then off by 50 ns.
const SET_EVERY_NS: u64 = 1_000_000;

/// The clock.
#[derive(Debug)]
pub struct Watch {
    counter: quanta::Clock,
    /// Both clocks when it was set.
    raw: u64,
    system: Instant,
    /// Steps after which it is set anew.
    set_every: u64,
}

impl Watch {
    /// One that is set.
    #[must_use]
    pub fn new() -> Self {
        const STEPS: u64 = 1 << 30;
        let counter = quanta::Clock::new();
        let ns_of_steps = counter.delta_as_nanos(0, STEPS).max(1);
        let set_every = u128::from(SET_EVERY_NS) * u128::from(STEPS) / u128::from(ns_of_steps);
        Self {
            raw: counter.raw(),
            system: Instant::now(),
            counter,
            set_every: set_every as u64,
        }
    }

    /// Now.
    #[inline]
    pub fn now(&mut self) -> Instant {
        let raw = self.counter.raw();
        if raw.saturating_sub(self.raw) >= self.set_every {
            return self.set();
        }
        self.system + Duration::from_nanos(self.counter.delta_as_nanos(self.raw, raw))
    }

    #[cold]
    fn set(&mut self) -> Instant {
        self.raw = self.counter.raw();
        self.system = Instant::now();
        self.system
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_the_systems_clock_says() {
        // What a setting may be off where its thread was taken off its core in it.
        const SLACK: Duration = Duration::from_millis(5);
        let mut watch = Watch::new();
        for _ in 0..2_000 {
            let before = Instant::now();
            let now = watch.now();
            let after = Instant::now();
            assert!(now + SLACK >= before, "{before:?} {now:?}");
            assert!(now <= after + SLACK, "{now:?} {after:?}");
            std::thread::sleep(Duration::from_micros(1));
        }
    }
}
