//! Agents and the loop that runs them.
//!
//! An agent belongs to the thread that runs it. Invariants: `do_work` never blocks and does a
//! bounded amount of work; the runner owns the loop, the clock reading and the idling.

use crate::clock::Clock;
use crate::idle::IdleStrategy;
use crate::stop::StopFlag;
use portcullis_domain::Timestamp;

/// A stage of the pipeline: a struct and what it does in one duty cycle.
pub trait Agent {
    /// Its name, for threads and counters.
    fn name(&self) -> &'static str;

    /// One duty cycle at `now`. Returns how much was done; 0 is idle.
    fn do_work(&mut self, now: Timestamp) -> usize;

    /// Whether nothing it holds still has to go on: asked once a stop has been wanted.
    fn is_drained(&self) -> bool;
}

/// Idle duty cycles, all threads being quiet, after which nothing can be on its way any more.
const QUIET_CYCLES: u32 = 64;

/// Idle duty cycles after which a drain that makes no progress is given up.
const DRAIN_IDLE_CYCLES: u32 = 20_000;

/// Runs agents in turn on the calling thread until a stop is wanted and everything is drained, here
/// and on the other threads of the flag, or until draining makes no progress any more. Returns
/// whether all was drained.
pub fn run(
    agents: &mut [&mut dyn Agent],
    clock: &impl Clock,
    mut idle: IdleStrategy,
    stop: &StopFlag,
) -> bool {
    let mut drain = Drain::begin(stop);
    loop {
        let now = clock.now();
        let mut work = 0;
        for agent in &mut *agents {
            work += agent.do_work(now);
        }
        if stop.is_set() {
            let drained = agents.iter().all(|agent| agent.is_drained());
            if let Some(drained) = drain.after_cycle(work, drained) {
                return drained;
            }
        }
        idle.idle(work);
    }
}

/// How far a thread has come to rest.
struct Drain<'a> {
    stop: &'a StopFlag,
    quiet: bool,
    idle_cycles: u32,
}

impl<'a> Drain<'a> {
    fn begin(stop: &'a StopFlag) -> Self {
        stop.note_busy(true);
        Self {
            stop,
            quiet: false,
            idle_cycles: 0,
        }
    }

    /// `Some` when it is time to end.
    fn after_cycle(&mut self, work: usize, drained: bool) -> Option<bool> {
        self.idle_cycles = if work == 0 { self.idle_cycles + 1 } else { 0 };
        let quiet = drained && work == 0;
        if quiet != self.quiet {
            self.quiet = quiet;
            self.stop.note_busy(!quiet);
        }
        let settled = self.quiet && self.stop.all_quiet() && self.idle_cycles > QUIET_CYCLES;
        let given_up = self.idle_cycles > DRAIN_IDLE_CYCLES;
        (settled || given_up).then_some(drained)
    }
}

impl Drop for Drain<'_> {
    fn drop(&mut self) {
        if !self.quiet {
            self.stop.note_busy(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    struct Countdown {
        left: usize,
        stop: StopFlag,
    }

    impl Agent for Countdown {
        fn name(&self) -> &'static str {
            "countdown"
        }

        fn do_work(&mut self, _now: Timestamp) -> usize {
            if self.left == 50 {
                self.stop.set();
            }
            let work = usize::from(self.left > 0);
            self.left -= work;
            work
        }

        fn is_drained(&self) -> bool {
            self.left == 0
        }
    }

    #[test]
    fn a_stop_drains_what_is_left() {
        let stop = StopFlag::new();
        let mut agent = Countdown {
            left: 100,
            stop: stop.clone(),
        };
        let clock = ManualClock::new(Timestamp::ZERO);
        assert!(run(
            &mut [&mut agent],
            &clock,
            IdleStrategy::yielding(),
            &stop
        ));
        assert_eq!(agent.left, 0);
    }
}
