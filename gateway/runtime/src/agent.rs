//! Agents and the loop that runs them.
//!
//! An agent belongs to the thread that runs it. Invariants: `do_work` never blocks and does a
//! bounded amount of work; the runner owns the loop, the clock reading and the idling.

use crate::clock::Clock;
use crate::idle::IdleStrategy;
use crate::stop::{DrainEnd, Seat, StopFlag};
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

/// Runs agents in turn on the calling thread until a stop is wanted and all threads with a seat have
/// nothing left to do, or until none of them makes progress any more. Returns whether all was
/// drained.
pub fn run(
    agents: &mut [&mut dyn Agent],
    clock: &impl Clock,
    mut idle: IdleStrategy,
    mut seat: Seat,
) -> bool {
    loop {
        let round = seat.round();
        let now = clock.now();
        let work = cycle(agents, now);
        if seat.stop().is_set() {
            let drained = agents.iter().all(|agent| agent.is_drained());
            match seat.after_cycle(round, work, drained, now) {
                None => {}
                Some(DrainEnd::Settled) => return true,
                Some(DrainEnd::GivenUp) => return drained,
            }
        }
        idle.idle(work);
    }
}

/// Runs an agent that only takes, until all threads with a seat have ended and it has taken what
/// they left. Returns whether it has.
pub fn run_behind(
    agent: &mut dyn Agent,
    clock: &impl Clock,
    mut idle: IdleStrategy,
    stop: &StopFlag,
) -> bool {
    loop {
        let last = stop.is_set() && stop.all_ended();
        let work = agent.do_work(clock.now());
        if last && work == 0 {
            return agent.is_drained();
        }
        idle.idle(work);
    }
}

fn cycle(agents: &mut [&mut dyn Agent], now: Timestamp) -> usize {
    let work = agents.iter_mut().map(|agent| agent.do_work(now));
    work.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SystemClock};
    use crate::ring::{RingConsumer, RingProducer, ring};

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
        let seat = stop.take_seat();
        let idle = IdleStrategy::yielding();
        assert!(run(&mut [&mut agent], &clock, idle, seat));
        assert_eq!(agent.left, 0);
        assert!(stop.all_ended());
    }

    /// Passes numbers on, from ring to ring.
    struct Relay {
        from: RingConsumer<u32>,
        to: Option<RingProducer<u32>>,
        passed: u32,
    }

    impl Agent for Relay {
        fn name(&self) -> &'static str {
            "relay"
        }

        fn do_work(&mut self, _now: Timestamp) -> usize {
            let Ok(number) = self.from.pop() else {
                return 0;
            };
            if let Some(to) = &mut self.to {
                assert!(to.push(number).is_ok(), "the rings hold all");
            }
            self.passed += 1;
            1
        }

        fn is_drained(&self) -> bool {
            self.from.is_empty()
        }
    }

    /// Each on a thread of its own, stopped at once: whatever was put in comes out at the end,
    /// however the threads are interleaved and whatever they do when idle.
    #[test]
    fn threads_that_feed_one_another_end_together() {
        const NUMBERS: u32 = 200;
        let park = IdleStrategy::Park { span_ns: 10_000 };
        for (round, idle) in (0..40).zip([IdleStrategy::yielding(), park].into_iter().cycle()) {
            let stop = StopFlag::new();
            let (mut first, mut from) = ring(NUMBERS as usize);
            (0..NUMBERS).for_each(|number| first.push(number).expect("the rings hold all"));
            let mut threads = Vec::new();
            for _ in 0..4 {
                let (to, next) = ring(NUMBERS as usize);
                let from = std::mem::replace(&mut from, next);
                threads.push((
                    Relay {
                        from,
                        to: Some(to),
                        passed: 0,
                    },
                    stop.take_seat(),
                ));
            }
            threads.push((
                Relay {
                    from,
                    to: None,
                    passed: 0,
                },
                stop.take_seat(),
            ));
            stop.set();
            let handles: Vec<_> = threads
                .into_iter()
                .map(|(mut relay, seat)| {
                    std::thread::spawn(move || {
                        let drained = run(&mut [&mut relay], &SystemClock, idle, seat);
                        (drained, relay.passed)
                    })
                })
                .collect();
            for handle in handles {
                let ended = handle.join().expect("a relay ends");
                assert_eq!(ended, (true, NUMBERS), "round {round}");
            }
        }
    }
}
