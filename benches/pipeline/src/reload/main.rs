//! `reload`: the tail of the pipeline while limits change and kill switches run, against without.
//!
//! The pipeline of `pipeline` at half of its capacity, ten thousand active accounts among a million. What disturbs
//! and the calm beside it take turns of less than a tenth of a second on the same rig, at the load that half of the
//! capacity right before them is. Must never print a figure of a run whose orders were not each answered once.

mod disturbance;
mod rows;

use disturbance::{Disturbance, Kinds};
use portcullis_bench_harness::{Options, Report, exit_code, hop_ns, pin};
use portcullis_bench_pipeline::counts::Counts;
use portcullis_bench_pipeline::crowd::{Checks, Crowd};
use portcullis_bench_pipeline::market::Market;
use portcullis_bench_pipeline::outcome::keep_histograms;
use portcullis_bench_pipeline::pipeline::{Pipeline, Span};
use portcullis_bench_pipeline::rig::{Deciding, deciding};
use portcullis_bench_pipeline::traffic::{Schedule, Traffic};
use portcullis_bench_pipeline::wait::{AGENTS_CORE, ENDS_CORE, Wait};
use portcullis_pipeline::item::VenueItem;
use portcullis_risk_core::RiskCore;
use rows::{CALM, CAPACITY, Figures};
use std::process::ExitCode;
use std::time::Duration;

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

/// Orders that rest until they are cancelled together.
const RESTING_ORDERS: u64 = 1_000;

/// Of a turn: a flip, and a thousand orders that come to rest and are taken off.
const TURN: Span = Span {
    warm: Duration::from_millis(10),
    measured: Duration::from_millis(60),
};
const CAPACITY_SPAN: Span = Span {
    warm: Duration::from_millis(2),
    measured: Duration::from_millis(8),
};
/// Slept before each turn: who spins at real-time priority must let others on at times, or is made to.
const REST: Duration = Duration::from_millis(6);

/// What runs beside the orders, what the rows call it, and how many turns of it are a round: of flips as many as
/// there are from one to a whole other table to the next.
const BESIDE: [(&str, Kinds, usize); 5] = [
    (
        "1% of the limits by flip over 10 times a second, all at each tenth",
        Kinds::FLIPS,
        10,
    ),
    (
        "1% of the limits by cell over 10 times a second",
        Kinds::CELLS,
        2,
    ),
    ("kill switches and mass cancels of 1,000", Kinds::KILLS, 2),
    (
        "flips, kill switches and mass cancels",
        Kinds::FLIPS_AND_KILLS,
        10,
    ),
    ("valuations of all accounts", Kinds::VALUES, 2),
];

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
struct Plan {
    crowd: Crowd,
    wait: Wait,
    turn: Span,
    /// So many times the turns of a round.
    long: usize,
    rounds: u32,
    /// Orders that rest until they are cancelled together.
    resting: u64,
}

/// What the figures are of.
const LOAD: &str = "the orders of `pipeline` at half of the capacity, 10,000 active accounts among a million; beside them a flip in \
                    each turn of 60 ms, 16.7 a second, of 1% of the limits and each tenth of all, changes of 1% by cell, kill \
                    switches and mass cancels of 1,000 orders, valuations of all accounts; each against the same orders without, in turns";

fn main() -> ExitCode {
    let options = Options::read("reload", std::env::args().skip(1));
    exit_code("reload", options.and_then(|options| run(&options)))
}

fn run(options: &Options) -> Result<bool, String> {
    let mut report = Report::new("reload");
    pin(ENDS_CORE).map_err(|error| error.to_string())?;
    let plan = Plan {
        crowd: Crowd {
            accounts: 1_000_000,
            active: 10_000,
            rows_spare: 100_000,
            checks: Checks::All,
        },
        wait: Wait::Spin,
        turn: TURN,
        long: if options.quick { 1 } else { 4 },
        rounds: options.rounds,
        resting: RESTING_ORDERS,
    };
    let figures = measure(plan)?;
    figures.rows().into_iter().for_each(|row| report.push(row));
    let written = keep_histograms(|folder| figures.turns.write(folder))?;
    report.fact("load", LOAD);
    report.fact("rounds", options.rounds);
    report.fact("orders", figures.counts.sent);
    report.fact("flips", figures.flips);
    report.fact("cells", figures.cells);
    report.fact("kills", figures.kills);
    report.fact("valuations", figures.values);
    report.fact("mass_cancels", figures.counts.mass_cancels);
    report.fact("cancels_by_gateway", figures.counts.cancels);
    report.fact("hop_ns", figures.canary.values());
    report.fact("histograms", written);
    report.print(options.json);
    Ok(!report.misses_any())
}

fn measure(plan: Plan) -> Result<Figures, String> {
    let mut market = Market::new(plan.crowd);
    let (rig, ends) = deciding(&mut market, plan.wait)?;
    let mut pipeline = Pipeline {
        rig: Some(rig),
        traffic: Traffic::new(ends, market, plan.wait),
    };
    let mut disturbance = Disturbance::new(plan.crowd, plan.resting)?;
    pipeline.awake(Traffic::open)?;
    let mut figures = Figures::new();
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        disturbance.sweeps.clear();
        for (name, kinds, turns) in BESIDE {
            if plan.wait == Wait::Spin {
                let hop = hop_ns(ENDS_CORE, AGENTS_CORE).map_err(|error| error.to_string())?;
                figures.canary.push(hop);
            }
            for turn in 0..turns * plan.long {
                let mut beside = [(name, kinds), (name, Kinds::NONE)];
                beside.rotate_left(turn % 2);
                turn_of(plan, beside, &mut pipeline, &mut disturbance, &mut figures)?;
            }
        }
        if !disturbance.sweeps.is_empty() {
            figures.sweeps.push(disturbance.sweeps.p50());
        }
        figures.turns.end_round();
    }
    let (traffic, risk) = pipeline.finish()?;
    let risk = risk.expect("it has a thread of its own");
    traffic.agree(risk.core())?;
    agree_on_changes(risk.core(), &disturbance, &traffic.counts)?;
    figures.flips = disturbance.flips;
    figures.cells = disturbance.cells;
    figures.kills = disturbance.kills;
    figures.values = disturbance.values;
    let mixture = traffic.market.mixture(risk.core().counters());
    figures.mixture = mixture.unwrap_or_default();
    figures.counts = traffic.counts;
    Ok(figures)
}

/// With and without, one right after the other, at half of what is taken right before.
fn turn_of(
    plan: Plan,
    beside: [(&str, Kinds); 2],
    pipeline: &mut Pipeline<Deciding, VenueItem>,
    disturbance: &mut Disturbance,
    figures: &mut Figures,
) -> Result<(), String> {
    std::thread::sleep(REST);
    let capacity = pipeline.capacity(CAPACITY_SPAN)?;
    figures.turns.keep_value(CAPACITY, capacity);
    let half = Schedule::Every {
        orders: 1,
        interval: Duration::from_nanos(2_000_000_000 / capacity.max(1)),
    };
    for (name, kinds) in beside {
        std::thread::sleep(REST);
        let latency = &mut figures.latency;
        pipeline.awake(|traffic| {
            disturbance.begin(kinds, plan.turn.warm);
            traffic.run(half, plan.turn.warm, None, disturbance)?;
            traffic.run(half, plan.turn.measured, Some(latency), disturbance)?;
            disturbance.end(traffic)
        })?;
        let name = if kinds == Kinds::NONE {
            format!("{CALM}{name}")
        } else {
            name.to_owned()
        };
        figures.turns.keep(&name, latency);
        latency.clear();
    }
    Ok(())
}

/// Holds what disturbed against the core's own count of it.
fn agree_on_changes(
    core: &RiskCore,
    disturbance: &Disturbance,
    counts: &Counts,
) -> Result<(), String> {
    let same = [
        (
            "changes of limits in force",
            u64::from(core.epoch()) - 1,
            disturbance.flips + disturbance.cells,
        ),
        (
            "states changed by kill switches and their releases",
            counts.states,
            2 * disturbance.kills,
        ),
    ];
    match same.into_iter().find(|(_, is, must)| is != must) {
        Some((what, is, must)) => Err(format!("{what}: {is}, must be {must}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_changes_limits_and_kills_and_loses_nothing() {
        let plan = Plan {
            crowd: Crowd {
                accounts: 1_000,
                active: 200,
                rows_spare: 1_000,
                checks: Checks::All,
            },
            wait: Wait::Yield,
            turn: Span {
                warm: Duration::from_millis(5),
                measured: Duration::from_millis(50),
            },
            long: 1,
            rounds: 1,
            resting: 20,
        };
        let figures = measure(plan).expect("the final state is as sent");
        assert!(figures.flips > 0 && figures.cells > 0, "limits changed");
        assert!(figures.kills + figures.counts.mass_cancels > 0);
        assert!(figures.values > 0);
        assert!(figures.counts.cancels >= 20, "{:?}", figures.counts);
        assert!(figures.rows().iter().all(|row| row.value.is_some()));
    }
}
