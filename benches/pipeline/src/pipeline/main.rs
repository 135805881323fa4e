//! `pipeline`: from an order's planned time to its effect, through the real agents.
//!
//! Generator and collector on the first core, sequencer and risk on the second; beside it, in turn,
//! the same pipeline with an agent that decides nothing, and an empty loop. Each round measures every
//! load of both. Must never print a figure of a run whose orders were not each answered once.

mod rows;

use portcullis_bench_harness::{
    Latency, Options, Pace, Report, clock_step_ns, hop_ns, pin, with_core,
};
use portcullis_bench_pipeline::hop::{Effort, Items, ItemsOut, Records, RecordsOut, round_trip_ns};
use portcullis_bench_pipeline::market::{Crowd, Market};
use portcullis_bench_pipeline::outcome::{exit_code, folder};
use portcullis_bench_pipeline::pipeline::Pipeline;
use portcullis_bench_pipeline::rig::{agree, deciding, undecided};
use portcullis_bench_pipeline::single::single_calls;
use portcullis_bench_pipeline::traffic::{Schedule, Traffic};
use portcullis_bench_pipeline::wait::{AGENTS_CORE, ENDS_CORE, Wait};
use portcullis_runtime::{message_ring, record_ring};
use rows::{Figures, LOADS, Load, Way};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

/// Slept after each step.
const REST: Duration = Duration::from_millis(60);

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
struct Plan {
    crowd: Crowd,
    wait: Wait,
    step: Duration,
    calls: u64,
    rounds: u32,
}

fn main() -> ExitCode {
    let options = Options::read("pipeline", std::env::args().skip(1));
    exit_code("pipeline", options.and_then(|options| run(&options)))
}

fn run(options: &Options) -> Result<bool, String> {
    let mut report = Report::new("pipeline");
    pin(ENDS_CORE).map_err(|error| error.to_string())?;
    let plan = Plan {
        crowd: Crowd {
            accounts: 10_000,
            active: 10_000,
            rows_spare: 0,
        },
        wait: Wait::Spin,
        step: Duration::from_millis(if options.quick { 60 } else { 400 }),
        calls: if options.quick { 20_000 } else { 100_000 },
        rounds: options.rounds,
    };
    let figures = measure(plan)?;
    figures.rows().into_iter().for_each(|row| report.push(row));
    let folder = folder()?;
    let written = figures.histograms.write(&folder);
    let written = written.map_err(|error| format!("{}: {error}", folder.display()))?;
    report.fact("rounds", options.rounds);
    report.fact("orders", figures.orders);
    report.fact("refused", figures.refused);
    report.fact("hop_ns", figures.canary.values());
    report.fact("clock_pair_ns", clock_step_ns().1);
    report.fact("histograms", written.len());
    report.print(options.json);
    Ok(!report.misses_any())
}

fn measure(plan: Plan) -> Result<Figures, String> {
    let market = || Market::new(plan.crowd);
    let (rig, ends) = deciding(plan.crowd, plan.wait)?;
    let mut decides = Pipeline {
        rig: Some(rig),
        traffic: Traffic::new(ends, market(), plan.wait),
    };
    let (rig, ends) = undecided(plan.wait);
    let mut passes = Pipeline {
        rig: Some(rig),
        traffic: Traffic::new(ends, market(), plan.wait),
    };
    decides.awake(Traffic::open)?;
    passes.awake(Traffic::open)?;
    let mut figures = Figures::new();
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        figures.canary.push(canary(plan.wait)?);
        figures.two_hops.push(two_hops(plan.wait)?);
        let calls = on_agents_core(plan.wait, || single_calls(plan.crowd, plan.calls))?;
        figures.histograms.keep("single call", calls);
        let capacity = decides.capacity(plan.step)?;
        std::thread::sleep(REST);
        figures.capacity_deciding.push(capacity);
        figures.capacity_undecided.push(passes.capacity(plan.step)?);
        std::thread::sleep(REST);
        for load in LOADS {
            let schedule = load.schedule(capacity);
            let turns = if round % 2 == 0 {
                [Way::Risk, Way::Nothing]
            } else {
                [Way::Nothing, Way::Risk]
            };
            for way in turns {
                let latency = match way {
                    Way::Risk => decides.latency(schedule, plan.step)?,
                    Way::Nothing => passes.latency(schedule, plan.step)?,
                };
                figures.histograms.keep(&load.name(way), latency);
                std::thread::sleep(REST);
            }
        }
        let half = Load::HALF.schedule(capacity);
        let hiccups = on_agents_core(plan.wait, || Ok(empty_loop(half, plan.step)))?;
        figures.histograms.keep("empty loop", hiccups);
    }
    let (traffic, risk) = decides.finish()?;
    let counts = traffic.counts;
    let risk = risk.expect("it has a thread of its own");
    agree(risk.core(), counts.approved, counts.refused)?;
    figures.orders = counts.sent;
    figures.refused = counts.refused;
    let (traffic, _) = passes.finish()?;
    figures.orders += traffic.counts.sent;
    Ok(figures)
}

fn on_agents_core<T: Send>(
    wait: Wait,
    work: impl FnOnce() -> Result<T, String> + Send,
) -> Result<T, String> {
    match wait {
        Wait::Spin => with_core(AGENTS_CORE, work).map_err(|error| error.to_string())?,
        Wait::Share | Wait::Yield => work(),
    }
}

fn canary(wait: Wait) -> Result<u64, String> {
    match wait {
        Wait::Spin => hop_ns(ENDS_CORE, AGENTS_CORE).map_err(|error| error.to_string()),
        Wait::Share | Wait::Yield => Ok(0),
    }
}

/// The two hops of an order: there as a record, back as an item for the venue.
fn two_hops(wait: Wait) -> Result<u64, String> {
    let effort = Effort {
        trips: 200,
        batches: 101,
        within: Duration::from_millis(200),
        wait,
    };
    let (producer, consumer) = record_ring(8_192);
    let there = (Records::new(producer, 56), RecordsOut::new(consumer));
    let (producer, consumer) = message_ring(12_288);
    let back = (Items::new(producer, 56), ItemsOut::new(consumer));
    round_trip_ns(effort, there, back)
}

/// What a loop that does nothing sees of the same plan: how late it finds that an order is due.
fn empty_loop(schedule: Schedule, span: Duration) -> Latency {
    let mut latency = Latency::new();
    let Schedule::Every { interval, .. } = schedule else {
        return latency;
    };
    let begun = Instant::now();
    let mut pace = Pace::new(begun, interval);
    loop {
        let now = Instant::now();
        let planned = pace.due(now.min(begun + span));
        match planned {
            Some(planned) => latency.record(now.duration_since(planned).as_nanos() as u64),
            None if now >= begun + span => return latency,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_answers_each_order_once_on_both_ways() {
        let plan = Plan {
            crowd: Crowd {
                accounts: 200,
                active: 200,
                rows_spare: 0,
            },
            wait: Wait::Yield,
            step: Duration::from_millis(5),
            calls: 1_000,
            rounds: 1,
        };
        let figures = measure(plan).expect("the final state is as sent");
        assert!(figures.orders > 1_000 && figures.refused > 0);
        let rows = figures.rows();
        assert!(rows.iter().all(|row| row.value.is_some()), "{rows:?}");
    }

    #[test]
    fn an_order_that_is_lost_ends_the_run() {
        let crowd = Crowd {
            accounts: 200,
            active: 200,
            rows_spare: 0,
        };
        let (rig, ends) = undecided(Wait::Yield);
        let mut pipeline = Pipeline {
            rig: Some(rig),
            traffic: Traffic::new(ends, Market::new(crowd), Wait::Yield),
        };
        pipeline.awake(Traffic::open).expect("opens");
        pipeline.traffic.counts.sent += 1;
        let checked = pipeline.traffic.check();
        assert_eq!(
            checked,
            Err("orders approved or refused: 0, must be 1".to_owned())
        );
        let rig = pipeline.rig.expect("it has a thread of its own");
        rig.finish().expect("nothing is left in it");
    }
}
