//! A clock read without the system: the processor's counter, set by the system's clock every
//! millisecond.
//!
//! Each thread makes its own. Invariants: it is held against the system's clock when it is made, and
//! where they differ, or the processor has no steady counter, the system's is read instead; it
//! follows the system's clock when that is set. Like that clock it may step back, by less than a
//! microsecond where nobody sets it.

use crate::clock::{Clock, SystemClock};
use portcullis_domain::Timestamp;
use std::cell::Cell;
use std::time::Duration;

/// The counter is set anew after this long: a counter off by 50 in a million is then off by 50 ns.
const SET_EVERY_NS: u64 = 1_000_000;

/// How long the counter is watched when the clock is made, and how far it may be off, one part in
/// this many.
const WATCHED: Duration = Duration::from_millis(2);
const OFF_PART: u64 = 500;

/// A pair of readings this close to each other is close enough, and so many are tried.
const CLOSE_NS: u64 = 500;
const TRIES: u32 = 8;

/// Steps of the counter in which its scale is stated, as a power of two.
const SCALE_BITS: u32 = 32;

/// The clock.
#[derive(Debug)]
pub struct TscClock {
    counter: quanta::Clock,
    set: Cell<Reading>,
    steady: bool,
    /// Nanoseconds of 2^32 steps of the counter.
    scale: u64,
    /// Steps after which it is set anew.
    set_every: u64,
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    raw: u64,
    system: Timestamp,
}

impl TscClock {
    /// A clock that was found to agree with the system's, or that reads that one.
    #[must_use]
    pub fn new() -> Self {
        let counter = quanta::Clock::new();
        let first = reading(&counter);
        std::thread::sleep(WATCHED);
        let set = reading(&counter);
        let by_counter = counter.delta_as_nanos(first.raw, set.raw);
        let by_system = set.system.since(first.system).ns();
        let scale = counter.delta_as_nanos(0, 1 << SCALE_BITS);
        Self {
            counter,
            set: Cell::new(set),
            steady: agree(by_counter, by_system),
            scale,
            // Fewer steps than this times the scale is at most the dividend: that is 64 bits.
            set_every: (SET_EVERY_NS << SCALE_BITS) / scale.max(1),
        }
    }

    /// Whether the processor's counter is read; else it is the system's clock.
    #[must_use]
    pub const fn is_steady(&self) -> bool {
        self.steady
    }

    #[cold]
    fn set_anew(&self) -> Timestamp {
        if !self.steady {
            return SystemClock.now();
        }
        let set = reading(&self.counter);
        self.set.set(set);
        set.system
    }
}

impl Default for TscClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TscClock {
    #[inline]
    fn now(&self) -> Timestamp {
        let set = self.set.get();
        let passed = self.counter.raw().saturating_sub(set.raw);
        if passed < self.set_every && self.steady {
            let passed_ns = (passed * self.scale) >> SCALE_BITS;
            return Timestamp::from_ns(set.system.ns() + passed_ns);
        }
        self.set_anew()
    }
}

fn agree(by_counter_ns: u64, by_system_ns: u64) -> bool {
    by_counter_ns.abs_diff(by_system_ns) <= by_system_ns / OFF_PART
}

/// Both clocks, read as closely together as a few tries bring them.
fn reading(counter: &quanta::Clock) -> Reading {
    let mut best = None;
    for _ in 0..TRIES {
        let raw = counter.raw();
        let system = SystemClock.now();
        let apart_ns = counter.delta_as_nanos(raw, counter.raw());
        if best.is_none_or(|(least_ns, _)| apart_ns < least_ns) {
            best = Some((apart_ns, Reading { raw, system }));
        }
        if apart_ns <= CLOSE_NS {
            break;
        }
    }
    best.expect("at least one try").1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_the_systems_clock_says() {
        // What a pair may be apart where each try was interrupted.
        const SLACK_NS: u64 = 2_000_000;
        let clock = TscClock::new();
        for _ in 0..200 {
            let before = SystemClock.now().ns();
            let now = clock.now().ns();
            let after = SystemClock.now().ns();
            assert!(now + SLACK_NS >= before, "{before} {now}");
            assert!(now <= after + SLACK_NS, "{now} {after}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_counter_that_is_off_is_not_trusted() {
        assert!(agree(2_000_000, 2_000_000));
        assert!(agree(2_004_000, 2_000_000));
        assert!(!agree(2_004_001, 2_000_000));
        assert!(!agree(1_995_999, 2_000_000));
        assert!(!agree(0, 2_000_000), "a counter that stands");
        let clock = TscClock {
            steady: false,
            ..TscClock::new()
        };
        let far = Reading {
            raw: 0,
            system: Timestamp::ZERO,
        };
        clock.set.set(far);
        assert!(!clock.is_steady());
        assert!(clock.now() > Timestamp::from_ns(1_000_000_000_000_000_000));
    }
}
