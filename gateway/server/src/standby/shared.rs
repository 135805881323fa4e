//! What the threads of a standby tell each other.
//!
//! Written by one thread each, read by all. Invariant: numbers never go back; the first failure stays.

use portcullis_pipeline::recovery::Prelude;
use portcullis_pipeline::replica::Diverged;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Where a standby is.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The last record in its own journal.
    pub(super) written: Counter,
    /// The last record that its replica took.
    pub(super) applied: Counter,
    /// As far as nothing was left to take, a digest to compare with neither.
    pub(super) settled: Counter,
    /// The last record whose digest was compared.
    pub(super) compared: Counter,
    /// The last record of the leader, as it last said.
    pub(super) leader_last: Counter,
    /// The leader's term.
    pub(super) term: Counter,
    /// When the leader wrote the frame that came last, ns since the epoch.
    pub(super) frame_written_ns: Counter,
    pub(super) is_following: AtomicBool,
    /// It has all that its leader had when it was welcomed.
    pub(super) is_caught_up: AtomicBool,
    /// The record before which the replica ends, once it was promoted; 0 until then.
    pub(super) end_at: Counter,
    pub(super) stop: AtomicBool,
    /// Nothing more is written: what is there is applied, and no more.
    pub(super) is_whole: AtomicBool,
    /// What its journal was begun from, once there is a replica.
    pub(super) prelude: OnceLock<Prelude>,
    /// Why the engine's book cannot be gone on from, if it cannot.
    pub(super) book_fault: OnceLock<String>,
    /// Why the replica ended before it was asked to.
    pub(super) failed: OnceLock<String>,
    link: Mutex<String>,
    diverged: Mutex<Option<Diverged>>,
}

/// A number that one thread raises.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn raise(&self, value: u64) {
        self.0.fetch_max(value, Ordering::AcqRel);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl Shared {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// How the connection stands, in words; true if that is news.
    pub(super) fn say_link(&self, words: &str) -> bool {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        let news = *link != words;
        words.clone_into(&mut link);
        news
    }

    pub(super) fn link(&self) -> String {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.clone()
    }

    pub(super) fn diverge(&self, diverged: Diverged) {
        let mut kept = self.diverged.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert(diverged);
    }

    pub(super) fn diverged(&self) -> Option<Diverged> {
        *self.diverged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
