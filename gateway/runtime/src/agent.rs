//! Agents and the loop that runs them.
//!
//! An agent belongs to the thread that runs it. Invariants: `do_work` never blocks and does a
//! bounded amount of work; the runner owns the loop, the clock reading and the idling.

use crate::clock::Clock;
use crate::cycle::Cycle;
use crate::duty::DutyWriter;
use crate::idle::IdleStrategy;
use crate::stop::{DrainEnd, Seat, StopFlag};
use portcullis_domain::Timestamp;

/// A stage of the pipeline: a struct and what it does in one duty cycle.
pub trait Agent {
    /// Its name, for threads and counters.
    fn name(&self) -> &'static str;

    /// One duty cycle at `now`. Returns how much was done; 0 is idle.
    fn do_work(&mut self, now: Timestamp) -> usize;

    /// Told of a turn that did work: when it began, and when it had ended. All of the thread have had their turns
    /// by then, so that what was done is on its way.
    fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
        let _ = (began, ended);
    }

    /// Whether its turn may be left out where an agent before it in the same cycle did work, so that
    /// this goes on its way at once. It has its turn in the third cycle, whatever is done there.
    fn may_wait(&self) -> bool {
        false
    }

    /// Whether its turns are too short to be timed by themselves: such a turn is counted in the next of its
    /// cycle that does work, and timed if there is none.
    fn is_brief(&self) -> bool {
        false
    }

    /// Whether nothing it holds still has to go on: asked once a stop has been wanted.
    fn is_drained(&self) -> bool;
}

/// Runs agents in turn on the calling thread until a stop is wanted and all threads with a seat have
/// nothing left to do, or until none of them makes progress any more. What they take is told to
/// `duty`. Returns whether all was drained.
pub fn run(
    agents: &mut [&mut dyn Agent],
    clock: &impl Clock,
    mut idle: IdleStrategy,
    mut seat: Seat,
    mut duty: DutyWriter,
) -> bool {
    duty.name_agents(agents.iter().map(|agent| agent.name()).collect());
    let mut cycle = Cycle::of(agents);
    let mut now = clock.now();
    loop {
        let round = seat.round();
        let (work, ended) = cycle.go_through(agents, clock, now, &mut duty);
        if seat.stop().is_set() {
            let drained = agents.iter().all(|agent| agent.is_drained());
            match seat.after_cycle(round, work, drained, now) {
                None => {}
                Some(DrainEnd::Settled) => return true,
                Some(DrainEnd::GivenUp) => return drained,
            }
        }
        idle.idle(work);
        if work > 0 {
            now = ended;
            continue;
        }
        let next = clock.now();
        duty.idled(next.since(now).ns());
        now = next;
    }
}

/// How long an agent that only takes may do nothing at the end and not be done: it may wait for its own time.
const LAST_WAIT_NS: u64 = 100_000_000;

/// Runs an agent that only takes, until all threads with a seat have ended and it has taken what
/// they left, or has done nothing for a tenth of a second. Returns whether it has.
pub fn run_behind(
    agent: &mut dyn Agent,
    clock: &impl Clock,
    mut idle: IdleStrategy,
    stop: &StopFlag,
) -> bool {
    let mut idle_since: Option<Timestamp> = None;
    loop {
        let last = stop.is_set() && stop.all_ended();
        let began = clock.now();
        let work = agent.do_work(began);
        if last && work == 0 {
            // A clock that was set back begins the wait anew.
            let since = idle_since.filter(|since| *since <= began).unwrap_or(began);
            idle_since = Some(since);
            let gives_up = began.since(since).ns() >= LAST_WAIT_NS;
            if agent.is_drained() || gives_up {
                return agent.is_drained();
            }
        }
        if work > 0 {
            idle_since = None;
            agent.on_work_done(began, clock.now());
        }
        idle.idle(work);
    }
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

    /// Takes as long as it is told at each turn, and stops all after its last.
    struct Takes {
        name: &'static str,
        spans_ns: Vec<u64>,
        clock: ManualClock,
        turns: Vec<(u64, u64)>,
        stop: StopFlag,
    }

    impl Agent for Takes {
        fn name(&self) -> &'static str {
            self.name
        }

        fn do_work(&mut self, _now: Timestamp) -> usize {
            let Some(span_ns) = self.spans_ns.pop() else {
                self.stop.set();
                return 0;
            };
            self.clock.advance_ns(span_ns);
            usize::from(span_ns > 0)
        }

        fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
            self.turns.push((began.ns(), ended.ns()));
        }

        fn is_drained(&self) -> bool {
            self.spans_ns.is_empty()
        }
    }

    #[test]
    fn each_turn_with_work_is_timed_and_the_longest_has_its_agent() {
        let stop = StopFlag::new();
        let clock = ManualClock::new(Timestamp::ZERO);
        let takes = |name, spans_ns: &[u64]| Takes {
            name,
            spans_ns: spans_ns.iter().rev().copied().collect(),
            clock: clock.clone(),
            turns: Vec::new(),
            stop: stop.clone(),
        };
        let mut first = takes("first", &[10, 0, 30]);
        let mut second = takes("second", &[20, 500, 0]);
        let duty = DutyWriter::default();
        let mut reader = duty.reader();
        let seat = stop.take_seat();
        let idle = IdleStrategy::yielding();
        let agents: &mut [&mut dyn Agent] = &mut [&mut first, &mut second];
        assert!(run(agents, &clock, idle, seat, duty));
        assert_eq!(first.turns, [(0, 10), (530, 560)]);
        assert_eq!(second.turns, [(10, 30), (30, 530)]);
        let longest = reader.take_longest().expect("there was work");
        assert_eq!((longest.agent, longest.span_ns), ("second", 500));
        assert_eq!((longest.items, reader.busy_ns()), (1, 560));
    }

    /// Counts its turns, and lets others go first.
    struct Waits {
        turns: usize,
        stop_after: usize,
        stop: StopFlag,
    }

    impl Agent for Waits {
        fn name(&self) -> &'static str {
            "waits"
        }

        fn do_work(&mut self, _now: Timestamp) -> usize {
            self.turns += 1;
            if self.turns == self.stop_after {
                self.stop.set();
            }
            0
        }

        fn may_wait(&self) -> bool {
            true
        }

        fn is_drained(&self) -> bool {
            true
        }
    }

    #[test]
    fn one_that_may_wait_has_every_third_turn_while_there_is_work_before_it() {
        let stop = StopFlag::new();
        let mut busy = Countdown {
            left: 60,
            stop: StopFlag::new(),
        };
        let mut waits = Waits {
            turns: 0,
            stop_after: 20,
            stop: stop.clone(),
        };
        let clock = ManualClock::new(Timestamp::ZERO);
        let seat = stop.take_seat();
        let idle = IdleStrategy::yielding();
        let duty = DutyWriter::default();
        let agents: &mut [&mut dyn Agent] = &mut [&mut busy, &mut waits];
        assert!(run(agents, &clock, idle, seat, duty));
        // Its twentieth turn is in the last of the 60 cycles with work; then all come to rest.
        assert!((20..24).contains(&waits.turns), "{}", waits.turns);
        assert_eq!(busy.left, 0, "each of its turns was had");
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
        let duty = DutyWriter::default();
        assert!(run(&mut [&mut agent], &clock, idle, seat, duty));
        assert_eq!(agent.left, 0);
        assert!(stop.all_ended());
    }

    /// Is done at a time of its own, if ever.
    struct Gathers {
        clock: ManualClock,
        done_at: Option<Timestamp>,
        done: bool,
    }

    impl Agent for Gathers {
        fn name(&self) -> &'static str {
            "gathers"
        }

        fn do_work(&mut self, now: Timestamp) -> usize {
            self.clock.advance_ns(1_000_000);
            let due = self.done_at.is_some_and(|at| now >= at) && !self.done;
            self.done |= due;
            usize::from(due)
        }

        fn is_drained(&self) -> bool {
            self.done
        }
    }

    #[test]
    fn one_behind_the_others_is_waited_for_at_the_end_but_not_for_ever() {
        for (done_at_ms, drains) in [(Some(0), true), (Some(50), true), (None, false)] {
            let stop = StopFlag::new();
            stop.set();
            let clock = ManualClock::new(Timestamp::ZERO);
            let mut agent = Gathers {
                clock: clock.clone(),
                done_at: done_at_ms.map(|ms: u64| Timestamp::from_ns(ms * 1_000_000)),
                done: false,
            };
            let idle = IdleStrategy::yielding();
            assert_eq!(run_behind(&mut agent, &clock, idle, &stop), drains);
            let ended_ms = clock.now().ns() / 1_000_000;
            assert!(ended_ms <= 102, "{ended_ms}");
        }
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
                        let duty = DutyWriter::default();
                        let drained = run(&mut [&mut relay], &SystemClock, idle, seat, duty);
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
