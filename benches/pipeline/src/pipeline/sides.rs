//! What stands side by side, and one turn of it.
//!
//! On the measuring thread. Invariants: whoever is not measured sleeps; a figure and what it is held against are
//! measured within milliseconds of each other, since cores that are now near each other and now far apart would
//! otherwise be in the figure or in its floor alone; within a turn nobody rests, since others have the caches then.

use crate::rows::{
    AGENTS, CANARY, DECIDES, ENDS, Figures, LOADS, Load, PASSES, SINGLE, TWO_HOPS, Way,
};
use portcullis_bench_harness::{Latency, Pace, hop_ns, with_core};
use portcullis_bench_pipeline::crowd::Crowd;
use portcullis_bench_pipeline::market::Market;
use portcullis_bench_pipeline::pipeline::{Pipeline, Span};
use portcullis_bench_pipeline::rig::{Deciding, Kept, deciding, undecided};
use portcullis_bench_pipeline::single::Single;
use portcullis_bench_pipeline::traffic::{Schedule, Traffic};
use portcullis_bench_pipeline::two_hops::TwoHops;
use portcullis_bench_pipeline::undecided::{Passed, Undecided};
use portcullis_bench_pipeline::wait::{AGENTS_CORE, ENDS_CORE, Wait};
use portcullis_pipeline::item::VenueItem;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Slept before each turn: who spins at real-time priority must let others on at times, or is made to.
const REST: Duration = Duration::from_millis(20);

/// Batches of round trips a turn.
const HOP_BATCHES: usize = 21;

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) crowd: Crowd,
    pub(crate) wait: Wait,
    pub(crate) step: Span,
    /// Single calls a turn.
    pub(crate) calls: u64,
    pub(crate) turns: usize,
    pub(crate) rounds: u32,
}

/// What stands side by side.
#[derive(Debug)]
pub(crate) struct Sides {
    plan: Plan,
    hops: TwoHops,
    single: Single,
    decides: Pipeline<Deciding, VenueItem>,
    passes: Pipeline<Undecided<Kept>, Passed>,
    /// Of the step in hand.
    latency: Latency,
}

impl Sides {
    pub(crate) fn new(plan: Plan) -> Result<Self, String> {
        let mut market = Market::new(plan.crowd);
        let (rig, ends) = deciding(&mut market, plan.wait)?;
        let mut decides = Pipeline {
            rig: Some(rig),
            traffic: Traffic::new(ends, market, plan.wait),
        };
        let mut market = Market::new(plan.crowd);
        let (rig, ends) = undecided(&mut market, plan.wait);
        let mut passes = Pipeline {
            rig: Some(rig),
            traffic: Traffic::new(ends, market, plan.wait),
        };
        decides.awake(Traffic::open)?;
        passes.awake(Traffic::open)?;
        Ok(Self {
            plan,
            hops: TwoHops::new(),
            single: Single::new(plan.crowd)?,
            decides,
            passes,
            latency: Latency::new(),
        })
    }

    /// Everything once. What is held to a bar stands right behind what it is held against.
    pub(crate) fn turn(&mut self, turn: usize, figures: &mut Figures) -> Result<(), String> {
        std::thread::sleep(REST);
        let capacity = self.capacities(figures)?;
        self.hiccups(capacity, figures)?;
        self.least(figures)?;
        for load in LOADS {
            self.load(load, capacity, turn, figures)?;
        }
        Ok(())
    }

    /// Both capacities; that of the pipeline that decides.
    fn capacities(&mut self, figures: &mut Figures) -> Result<u64, String> {
        let passes = self.passes.capacity(self.plan.step)?;
        figures.turns.keep_value(PASSES, passes);
        let decides = self.decides.capacity(self.plan.step)?;
        figures.turns.keep_value(DECIDES, decides);
        Ok(decides)
    }

    /// What a loop that does nothing sees on each core, on both at once.
    fn hiccups(&mut self, capacity: u64, figures: &mut Figures) -> Result<(), String> {
        let Plan { step, wait, .. } = self.plan;
        let half = Load::HALF.schedule(capacity);
        let [ends, agents] = &mut figures.empty;
        let placed = Barrier::new(2);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| -> Result<(), String> {
                let taken = wait.take_place(AGENTS_CORE);
                // Until then it stands on its starter's core, who is about to spin.
                placed.wait();
                empty_loop(half, step.measured, agents);
                taken
            });
            placed.wait();
            empty_loop(half, step.measured, ends);
            other
                .join()
                .expect("a loop that does nothing has no way to panic")
        })?;
        for (name, latency) in [ENDS, AGENTS].into_iter().zip(&mut figures.empty) {
            figures.turns.keep(name, latency);
            latency.clear();
        }
        Ok(())
    }

    /// The least that an order's way takes: a single call, and two hops.
    fn least(&mut self, figures: &mut Figures) -> Result<(), String> {
        let (calls, single, latency) = (self.plan.calls, &mut self.single, &mut self.latency);
        on_agents_core(self.plan.wait, || single.time(calls, latency))?;
        figures.turns.keep(SINGLE, latency);
        latency.clear();
        if self.plan.wait == Wait::Spin {
            let hop = hop_ns(ENDS_CORE, AGENTS_CORE).map_err(|error| error.to_string())?;
            figures.turns.keep_value(CANARY, hop);
        }
        let two_hops = self.hops.ns(HOP_BATCHES, self.plan.wait)?;
        figures.turns.keep_value(TWO_HOPS, two_hops);
        Ok(())
    }

    /// Both pipelines under a load, another first from turn to turn.
    fn load(
        &mut self,
        load: Load,
        capacity: u64,
        turn: usize,
        figures: &mut Figures,
    ) -> Result<(), String> {
        let schedule = load.schedule(capacity);
        let mut ways = [Way::Risk, Way::Nothing];
        ways.rotate_left(turn % 2);
        for way in ways {
            let (latency, step) = (&mut self.latency, self.plan.step);
            match way {
                Way::Risk => self.decides.latency_into(latency, schedule, step)?,
                Way::Nothing => self.passes.latency_into(latency, schedule, step)?,
            }
            figures.turns.keep(&load.name(way), latency);
            latency.clear();
        }
        Ok(())
    }

    /// Ends all, and holds what each came to against what it was sent.
    pub(crate) fn finish(self, figures: &mut Figures) -> Result<(), String> {
        self.single.finish()?;
        let (traffic, risk) = self.decides.finish()?;
        let risk = risk.expect("it has a thread of its own");
        traffic.agree(risk.core())?;
        figures.orders = traffic.counts.sent;
        figures.refused = traffic.counts.refused;
        let mixture = traffic.market.mixture(risk.core().counters());
        figures.mixture = mixture.unwrap_or_default();
        let (traffic, _) = self.passes.finish()?;
        figures.orders += traffic.counts.sent;
        Ok(())
    }
}

fn on_agents_core(wait: Wait, work: impl FnOnce() + Send) -> Result<(), String> {
    match wait {
        Wait::Spin => with_core(AGENTS_CORE, work).map_err(|error| error.to_string()),
        Wait::Share | Wait::Yield => {
            work();
            Ok(())
        }
    }
}

/// What a loop that does nothing sees of a plan: how late it finds that an order is due.
fn empty_loop(schedule: Schedule, span: Duration, latency: &mut Latency) {
    let Schedule::Every { interval, .. } = schedule else {
        return;
    };
    let begun = Instant::now();
    let mut pace = Pace::new(begun, interval);
    loop {
        let now = Instant::now();
        let planned = pace.due(now.min(begun + span));
        match planned {
            Some(planned) => latency.record(now.duration_since(planned).as_nanos() as u64),
            None if now >= begun + span => return,
            None => {}
        }
    }
}
