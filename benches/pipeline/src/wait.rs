//! Where the two threads of a bench run, and what they do while there is nothing to do.
//!
//! Chosen once by the bench. Invariant: only what is pinned to a core of its own spins; tests do neither.

use portcullis_bench_harness::pin;
use portcullis_runtime::IdleStrategy;

/// The core of the generator and collector, by index among the usable ones.
pub const ENDS_CORE: usize = 0;
/// The core of the agents.
pub const AGENTS_CORE: usize = 1;

/// How the threads of a bench share the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Pinned, each with a core of its own, spinning.
    Spin,
    /// Pinned, and giving the core to whoever stands on it too, in turn.
    Share,
    /// Anywhere, giving the core away: for tests.
    Yield,
}

impl Wait {
    /// Puts the calling thread on its core.
    ///
    /// # Errors
    /// The core cannot be had.
    pub fn take_place(self, core: usize) -> Result<(), String> {
        match self {
            Self::Spin | Self::Share => pin(core).map_err(|error| error.to_string()),
            Self::Yield => Ok(()),
        }
    }

    /// Waits a moment.
    #[inline]
    pub fn moment(self) {
        match self {
            Self::Spin => core::hint::spin_loop(),
            Self::Share | Self::Yield => std::thread::yield_now(),
        }
    }

    /// The same for agents.
    #[must_use]
    pub const fn idle(self) -> IdleStrategy {
        match self {
            Self::Spin => IdleStrategy::Busy,
            Self::Share | Self::Yield => IdleStrategy::yielding(),
        }
    }
}
