//! The wish to stop, and whether everybody has come to rest.
//!
//! Shared by all threads of a gateway. Invariant: once set it stays set.

use crossbeam_utils::CachePadded;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The flag.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    wanted: CachePadded<AtomicBool>,
    /// Threads that still feed others.
    busy: CachePadded<AtomicUsize>,
}

impl StopFlag {
    /// A flag that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wants everything to stop.
    pub fn set(&self) {
        self.0.wanted.store(true, Ordering::Release);
    }

    /// Whether a stop is wanted.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.wanted.load(Ordering::Acquire)
    }

    /// Says that a thread has (`true`) or has no more (`false`) work that others will get.
    pub fn note_busy(&self, busy: bool) {
        if busy {
            self.0.busy.fetch_add(1, Ordering::AcqRel);
        } else {
            let before = self.0.busy.fetch_sub(1, Ordering::AcqRel);
            assert!(before > 0, "a thread came to rest that had not been busy");
        }
    }

    /// Whether no thread has work for others any more.
    #[must_use]
    pub fn all_quiet(&self) -> bool {
        self.0.busy.load(Ordering::Acquire) == 0
    }
}
