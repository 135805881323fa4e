//! What a thread does in a duty cycle that found no work.
//!
//! Belongs to the thread that idles. Busy polling wants a core to itself; beside other work it
//! starves it, so tests and shared machines yield or park.

use std::time::Duration;

/// How to idle.
#[derive(Clone, Copy, Debug)]
pub enum IdleStrategy {
    /// Spin: lowest latency, a core of its own.
    Busy,
    /// Give the core away at once; after many idle cycles sleep briefly.
    Yield {
        /// Idle cycles so far.
        idle_cycles: u32,
    },
    /// Sleep for a fixed span.
    Park {
        /// Nanoseconds of a sleep.
        span_ns: u64,
    },
}

/// Idle cycles after which a yielding thread sleeps instead.
const YIELDS_BEFORE_SLEEP: u32 = 200;
const SLEEP: Duration = Duration::from_micros(50);

impl IdleStrategy {
    /// Yield, from rest.
    #[must_use]
    pub const fn yielding() -> Self {
        Self::Yield { idle_cycles: 0 }
    }

    /// Idles after a cycle that did `work`.
    pub fn idle(&mut self, work: usize) {
        match self {
            // A pause would be a quarter of a fruitless cycle, and is for who shares the core.
            Self::Busy => {}
            Self::Yield { idle_cycles } => {
                *idle_cycles = if work == 0 {
                    idle_cycles.saturating_add(1)
                } else {
                    0
                };
                if *idle_cycles > YIELDS_BEFORE_SLEEP {
                    std::thread::sleep(SLEEP);
                } else if work == 0 {
                    std::thread::yield_now();
                }
            }
            Self::Park { span_ns } => {
                if work == 0 {
                    std::thread::sleep(Duration::from_nanos(*span_ns));
                }
            }
        }
    }
}
