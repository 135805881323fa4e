//! The wish to stop, and whether everybody has come to rest.
//!
//! Shared by all threads of a gateway. Invariants: once set it stays set; nobody is told that all
//! is at rest while a thread could still find something that another one put before it.

use crossbeam_utils::CachePadded;
use portcullis_domain::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Without progress of any thread for this long, a drain is given up.
const PATIENCE_NS: u64 = 2_000_000_000;

/// A drain that makes progress for ever, such as an engine's heartbeats, is given up after this.
const DRAIN_MAX_NS: u64 = 4_000_000_000;

/// How far the low half of the rest word counts threads.
const THREADS_MASK: u64 = 0xFFFF;

/// One more piece of work, and no thread at rest since.
const WORK: u64 = THREADS_MASK + 1;

/// The flag.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    wanted: CachePadded<AtomicBool>,
    /// Work done since the stop, and below it the threads that have found nothing to do since.
    rest: CachePadded<AtomicU64>,
    /// When a thread last did something, and when the drain began; 0 before.
    progress_ns: CachePadded<AtomicU64>,
    began_ns: AtomicU64,
    /// Threads that feed one another.
    seats: AtomicUsize,
    /// Those of them that have ended.
    ended: AtomicUsize,
    settled: AtomicBool,
    given_up: AtomicBool,
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

    /// A place among the threads that feed one another: taken before the thread is started, so that
    /// no other can come to rest without it.
    #[must_use]
    pub fn take_seat(&self) -> Seat {
        let seats = self.0.seats.fetch_add(1, Ordering::AcqRel) + 1;
        assert!(
            seats < THREADS_MASK as usize,
            "more threads than are counted"
        );
        Seat {
            stop: self.clone(),
            rested_at: None,
        }
    }

    /// Whether all threads with a seat have ended.
    #[must_use]
    pub fn all_ended(&self) -> bool {
        self.0.ended.load(Ordering::Acquire) == self.0.seats.load(Ordering::Acquire)
    }
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DrainEnd {
    /// Nothing is left anywhere.
    Settled,
    /// Something is owed, and does not come.
    GivenUp,
}

/// A thread's place among those that feed one another.
///
/// Rest is agreed on in rounds: each piece of work begins a new one, and all is at rest when each
/// thread has gone through a whole idle cycle that began in the current round. Whatever a thread
/// puts before another is put before its work is counted, so the other's idle cycle has seen it.
#[derive(Debug)]
pub struct Seat {
    stop: StopFlag,
    /// The round in which this thread said that it rests.
    rested_at: Option<u64>,
}

impl Seat {
    /// The flag it belongs to.
    #[must_use]
    pub const fn stop(&self) -> &StopFlag {
        &self.stop
    }

    /// The round in which a cycle begins.
    pub(crate) fn round(&self) -> u64 {
        self.stop.0.rest.load(Ordering::Acquire) & !THREADS_MASK
    }

    /// Ends a cycle that began in `round`; `Some` when it is time to end.
    pub(crate) fn after_cycle(
        &mut self,
        round: u64,
        work: usize,
        drained: bool,
        now: Timestamp,
    ) -> Option<DrainEnd> {
        let shared = &*self.stop.0;
        if work > 0 {
            let next = |rest: u64| Some((rest & !THREADS_MASK).wrapping_add(WORK));
            let (release, acquire) = (Ordering::AcqRel, Ordering::Acquire);
            let _ = shared.rest.fetch_update(release, acquire, next);
            shared.progress_ns.fetch_max(now.ns(), Ordering::AcqRel);
        } else if drained && self.rested_at != Some(round) {
            self.rest(round);
        }
        let shared = &*self.stop.0;
        if shared.settled.load(Ordering::Acquire) {
            return Some(DrainEnd::Settled);
        }
        let gone = self.is_hopeless(now) || shared.given_up.load(Ordering::Acquire);
        gone.then(|| {
            shared.given_up.store(true, Ordering::Release);
            DrainEnd::GivenUp
        })
    }

    /// Says that this thread rests, if the round is still the one in which it looked.
    fn rest(&mut self, round: u64) {
        let shared = &*self.stop.0;
        let one_more = |rest: u64| (rest & !THREADS_MASK == round).then_some(rest + 1);
        let (release, acquire) = (Ordering::AcqRel, Ordering::Acquire);
        let Ok(before) = shared.rest.fetch_update(release, acquire, one_more) else {
            return;
        };
        self.rested_at = Some(round);
        let resting = (before & THREADS_MASK) as usize + 1;
        if resting == shared.seats.load(Ordering::Acquire) {
            shared.settled.store(true, Ordering::Release);
        }
    }

    fn is_hopeless(&self, now: Timestamp) -> bool {
        let shared = &*self.stop.0;
        let now = now.ns();
        let first =
            shared
                .began_ns
                .compare_exchange(0, now.max(1), Ordering::AcqRel, Ordering::Acquire);
        let began = first.map_or_else(|began| began, |_| now);
        let progress = shared.progress_ns.load(Ordering::Acquire).max(began);
        now.saturating_sub(progress) > PATIENCE_NS || now.saturating_sub(began) > DRAIN_MAX_NS
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.stop.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> Timestamp {
        Timestamp::from_ns(ns)
    }

    #[test]
    fn rest_is_agreed_on_by_all_or_not_at_all() {
        let stop = StopFlag::new();
        let (mut one, mut other) = (stop.take_seat(), stop.take_seat());
        let round = one.round();
        assert_eq!(one.after_cycle(round, 0, true, at(1)), None);
        assert_eq!(one.after_cycle(round, 0, true, at(2)), None, "said once");
        let round = other.round();
        let end = other.after_cycle(round, 0, true, at(3));
        assert_eq!(end, Some(DrainEnd::Settled));
        let round = one.round();
        assert_eq!(
            one.after_cycle(round, 1, false, at(4)),
            Some(DrainEnd::Settled)
        );
    }

    /// The other's item came after this thread had looked: its idle cycle does not count.
    #[test]
    fn a_cycle_that_began_before_the_last_work_is_no_rest() {
        let stop = StopFlag::new();
        let (mut one, mut other) = (stop.take_seat(), stop.take_seat());
        let looked = one.round();
        let round = other.round();
        assert_eq!(other.after_cycle(round, 1, true, at(1)), None);
        assert_eq!(one.after_cycle(looked, 0, true, at(2)), None);
        let round = other.round();
        assert_eq!(other.after_cycle(round, 0, true, at(3)), None);
        let round = one.round();
        assert_eq!(
            one.after_cycle(round, 1, true, at(4)),
            None,
            "it found the item"
        );
        for seat in [&mut one, &mut other] {
            let round = seat.round();
            seat.after_cycle(round, 0, true, at(5));
        }
        let round = one.round();
        assert_eq!(
            one.after_cycle(round, 0, true, at(6)),
            Some(DrainEnd::Settled)
        );
    }

    /// However often an idle thread looks, it waits for one that is owed something.
    #[test]
    fn patience_is_counted_in_time_since_anyone_did_something() {
        let stop = StopFlag::new();
        let (mut idle, mut owed) = (stop.take_seat(), stop.take_seat());
        let mut now_ns = 1;
        for _ in 0..100_000 {
            let round = idle.round();
            assert_eq!(idle.after_cycle(round, 0, true, at(now_ns)), None);
        }
        now_ns += PATIENCE_NS - 1;
        let round = owed.round();
        assert_eq!(owed.after_cycle(round, 1, false, at(now_ns)), None);
        now_ns += PATIENCE_NS;
        let round = owed.round();
        assert_eq!(owed.after_cycle(round, 0, false, at(now_ns)), None);
        now_ns += 1;
        let end = owed.after_cycle(round, 0, false, at(now_ns));
        assert_eq!(end, Some(DrainEnd::GivenUp));
        let end = idle.after_cycle(round, 0, true, at(now_ns));
        assert_eq!(end, Some(DrainEnd::GivenUp), "all give up together");
    }

    #[test]
    fn progress_for_ever_ends_too() {
        let stop = StopFlag::new();
        let mut seat = stop.take_seat();
        let ends = (0..100_u64).find_map(|tenth| {
            let round = seat.round();
            let now = at(1 + tenth * DRAIN_MAX_NS / 10);
            seat.after_cycle(round, 1, false, now)
                .map(|end| (tenth, end))
        });
        assert_eq!(ends, Some((11, DrainEnd::GivenUp)));
    }
}
