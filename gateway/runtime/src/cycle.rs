//! One duty cycle of a thread: a turn of each agent, and what is told of the turns.
//!
//! Belongs to the runner. Invariants: nobody is told how long a turn took before all have had theirs, so that no
//! bookkeeping stands in the way of what a turn led to; a turn without work costs no reading of the clock, one
//! with work costs one, however much it did, or none where its agent is brief and one after it works. Nothing is
//! allocated after it was made.

use crate::agent::Agent;
use crate::clock::Clock;
use crate::duty::DutyWriter;
use portcullis_domain::Timestamp;

/// Cycles in a row in which the turn of one that may wait is left out at the most. Reports come in pieces that follow
/// each other closely: two of them are on their way before a client is looked at.
pub(crate) const WAITS_MAX: u32 = 2;

/// A set of agents, a bit each, by their places.
#[derive(Clone, Copy, Debug, Default)]
struct Places(u32);

impl Places {
    fn of(agents: &[&mut dyn Agent], are: impl Fn(&dyn Agent) -> bool) -> Self {
        assert!(agents.len() <= 32, "a bit each");
        let bits = agents.iter().enumerate();
        Self(bits.fold(0, |bits, (place, agent)| {
            bits | u32::from(are(&**agent)) << place
        }))
    }

    const fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }
}

/// A turn that did work.
#[derive(Clone, Copy, Debug)]
struct Turn {
    place: usize,
    items: usize,
    began: Timestamp,
    ended: Timestamp,
}

/// The cycle of a thread's agents.
#[derive(Debug)]
pub(crate) struct Cycle {
    may_wait: Places,
    brief: Places,
    /// For how many cycles in a row the turn of each was left out.
    waits: Vec<u32>,
    /// The turns of this cycle that were timed.
    turns: Vec<Turn>,
}

impl Cycle {
    /// That of these agents.
    pub(crate) fn of(agents: &[&mut dyn Agent]) -> Self {
        Self {
            may_wait: Places::of(agents, |agent| agent.may_wait()),
            brief: Places::of(agents, |agent| agent.is_brief()),
            waits: vec![0; agents.len()],
            turns: Vec::with_capacity(agents.len()),
        }
    }

    /// One turn of each agent; how much was done, and when the last turn that did work had ended. A cycle
    /// without work has left out none.
    pub(crate) fn go_through(
        &mut self,
        agents: &mut [&mut dyn Agent],
        clock: &impl Clock,
        now: Timestamp,
        duty: &mut DutyWriter,
    ) -> (usize, Timestamp) {
        let (mut work, mut began) = (0, now);
        let mut untimed = None;
        for (place, agent) in agents.iter_mut().enumerate() {
            if self.may_wait.has(place) && self.leaves_out(place, work) {
                continue;
            }
            let items = agent.do_work(began);
            if items == 0 {
                continue;
            }
            work += items;
            untimed = Some((place, items));
            if !self.brief.has(place) {
                began = self.time(&mut untimed, began, clock);
            }
        }
        if work > 0 {
            began = self.time(&mut untimed, began, clock);
            self.tell(agents, duty);
        }
        (work, began)
    }

    /// Whether the turn of one that may wait is left out: for others' work, and not for too many cycles in a row.
    fn leaves_out(&mut self, place: usize, work: usize) -> bool {
        let waits = &mut self.waits[place];
        let leaves_out = work > 0 && *waits < WAITS_MAX;
        *waits = if leaves_out { *waits + 1 } else { 0 };
        leaves_out
    }

    /// Times a turn that is not yet; when it had ended.
    fn time(
        &mut self,
        untimed: &mut Option<(usize, usize)>,
        began: Timestamp,
        clock: &impl Clock,
    ) -> Timestamp {
        let Some((place, items)) = untimed.take() else {
            return began;
        };
        let ended = clock.now();
        self.turns.push(Turn {
            place,
            items,
            began,
            ended,
        });
        ended
    }

    fn tell(&mut self, agents: &mut [&mut dyn Agent], duty: &mut DutyWriter) {
        for turn in self.turns.drain(..) {
            let span_ns = turn.ended.since(turn.began).ns();
            duty.worked(turn.place, span_ns, turn.items);
            agents[turn.place].on_work_done(turn.began, turn.ended);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// Says when it had its turn and when it was told of one; each turn takes 10 ns.
    struct Says {
        name: &'static str,
        brief: bool,
        items: usize,
        clock: ManualClock,
        said: Rc<RefCell<Vec<String>>>,
    }

    impl Agent for Says {
        fn name(&self) -> &'static str {
            self.name
        }

        fn do_work(&mut self, now: Timestamp) -> usize {
            let turn = format!("{} at {}", self.name, now.ns());
            self.said.borrow_mut().push(turn);
            self.clock.advance_ns(10);
            self.items
        }

        fn on_work_done(&mut self, began: Timestamp, ended: Timestamp) {
            let told = format!("{} told {}..{}", self.name, began.ns(), ended.ns());
            self.said.borrow_mut().push(told);
        }

        fn is_brief(&self) -> bool {
            self.brief
        }

        fn is_drained(&self) -> bool {
            true
        }
    }

    /// What is said in a cycle of three agents, of which the second is brief.
    fn cycle_of(items: [usize; 3]) -> Vec<String> {
        let clock = ManualClock::new(Timestamp::ZERO);
        let said = Rc::new(RefCell::new(Vec::new()));
        let says = |name, at: usize| Says {
            name,
            brief: at == 1,
            items: items[at],
            clock: clock.clone(),
            said: Rc::clone(&said),
        };
        let (mut first, mut second, mut third) = (says("a", 0), says("b", 1), says("c", 2));
        let agents: &mut [&mut dyn Agent] = &mut [&mut first, &mut second, &mut third];
        let mut duty = DutyWriter::default();
        let mut cycle = Cycle::of(agents);
        let (work, ended) = cycle.go_through(agents, &clock, Timestamp::ZERO, &mut duty);
        assert_eq!(work, items.iter().sum::<usize>());
        assert_eq!(ended.ns(), if work > 0 { 30 } else { 0 });
        said.take()
    }

    #[test]
    fn all_have_their_turns_before_any_is_told() {
        let said = cycle_of([1, 0, 1]);
        let turns = ["a at 0", "b at 10", "c at 10"];
        assert_eq!(said[..3], turns);
        assert_eq!(said[3..], ["a told 0..10", "c told 10..30"]);
    }

    #[test]
    fn a_brief_turn_counts_with_the_next_or_is_timed_at_the_end() {
        let next = cycle_of([1, 1, 1]);
        assert_eq!(next[3..], ["a told 0..10", "c told 10..30"]);
        let alone = cycle_of([1, 1, 0]);
        assert_eq!(alone[3..], ["a told 0..10", "b told 10..30"]);
        assert_eq!(cycle_of([0, 0, 0]).len(), 3, "nobody is told");
    }
}
