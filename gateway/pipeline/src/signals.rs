//! What the risk agent lets others know beside the rings.
//!
//! Written by risk once a duty cycle, read by the sequencer and by whoever feeds it prices. Invariant: all are hints about when,
//! never about what: a late one delays a record, and none is lost or changed by it.

use crossbeam_utils::CachePadded;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals.
#[derive(Clone, Debug, Default)]
pub struct RiskSignals(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    work_pending: CachePadded<AtomicBool>,
    venue_crowded: CachePadded<AtomicBool>,
    log_crowded: CachePadded<AtomicBool>,
}

impl RiskSignals {
    /// Says whether sliced work waits for a tick.
    pub(crate) fn tell_work_pending(&self, pending: bool) {
        self.0.work_pending.store(pending, Ordering::Relaxed);
    }

    pub(crate) fn work_pending(&self) -> bool {
        self.0.work_pending.load(Ordering::Relaxed)
    }

    /// Says whether the way to the venue is half full: the rest is kept for what is sequenced
    /// already, so that risk, and the engine's reports with it, never wait for the venue to take.
    pub(crate) fn tell_venue_crowded(&self, crowded: bool) {
        self.0.venue_crowded.store(crowded, Ordering::Relaxed);
    }

    /// Says whether the way to the log is half full: the rest is kept for cancels, reports and what people say.
    pub(crate) fn tell_log_crowded(&self, crowded: bool) {
        self.0.log_crowded.store(crowded, Ordering::Relaxed);
    }

    /// Whether the way to the log is half full: who can wait does.
    #[must_use]
    pub fn log_crowded(&self) -> bool {
        self.0.log_crowded.load(Ordering::Relaxed)
    }

    pub(crate) fn venue_crowded(&self) -> bool {
        self.0.venue_crowded.load(Ordering::Relaxed)
    }
}
