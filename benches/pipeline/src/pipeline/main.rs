//! `pipeline`: from an order's planned time to its effect, through the real agents.
//!
//! Generator and collector on the first core, sequencer and risk on the second; beside it, in turns of
//! milliseconds, the same pipeline with an agent that decides nothing, two hops, single calls of the core, and an
//! empty loop on each core. Must never print a figure of a run whose orders were not each answered once.

mod rows;
mod sides;

use portcullis_bench_harness::{Options, Report, clock_step_ns, exit_code, pin};
use portcullis_bench_pipeline::crowd::{Checks, Crowd};
use portcullis_bench_pipeline::outcome::keep_histograms;
use portcullis_bench_pipeline::pipeline::Span;
use portcullis_bench_pipeline::wait::{ENDS_CORE, Wait};
use rows::{CANARY, Figures};
use sides::{Plan, Sides};
use std::process::ExitCode;
use std::time::Duration;

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

/// Of a step: long enough for some orders beyond p99.9, and for two of a system's timer interrupts on each core,
/// which come every four milliseconds.
const STEP: Span = Span {
    warm: Duration::from_millis(2),
    measured: Duration::from_millis(8),
};

/// What the figures are of.
const LOAD: &str = "orders of 56 raw bytes at an even pace (open loop) at 10, 50, 80 and 95% of the capacity and in bursts of 1,000, \
                    each approved one cancelled by the engine; 10,000 active accounts, every limit set, four margin tiers, margin \
                    scaled by open interest, 64 prices moving 100 times a second; one order in ten within a tenth of a limit, one in \
                    fifty refused, by every check but JOURNAL_DOWN in its turn";

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
            checks: Checks::All,
        },
        wait: Wait::Spin,
        step: STEP,
        calls: 4_000,
        turns: if options.quick { 8 } else { 40 },
        rounds: options.rounds,
    };
    let figures = measure(plan)?;
    figures.rows().into_iter().for_each(|row| report.push(row));
    let written = keep_histograms(|folder| figures.turns.write(folder))?;
    report.fact("load", LOAD);
    report.fact("rounds", options.rounds);
    report.fact("turns", plan.turns as u64 * u64::from(plan.rounds));
    report.fact("orders", figures.orders);
    report.fact("refused", figures.refused);
    report.fact("hop_ns", figures.turns.values(CANARY).values());
    report.fact("clock_pair_ns", clock_step_ns().1);
    report.fact("histograms", written);
    report.print(options.json);
    Ok(!report.misses_any())
}

fn measure(plan: Plan) -> Result<Figures, String> {
    let mut figures = Figures::new();
    let mut sides = Sides::new(plan)?;
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        for turn in 0..plan.turns {
            sides.turn(turn, &mut figures)?;
        }
        figures.turns.end_round();
    }
    sides.finish(&mut figures)?;
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_bench_pipeline::market::Market;
    use portcullis_bench_pipeline::pipeline::Pipeline;
    use portcullis_bench_pipeline::rig::undecided;
    use portcullis_bench_pipeline::traffic::Traffic;

    #[test]
    fn a_small_run_answers_each_order_once_on_both_ways() {
        let plan = Plan {
            crowd: Crowd {
                accounts: 200,
                active: 200,
                rows_spare: 0,
                checks: Checks::All,
            },
            wait: Wait::Yield,
            step: Span {
                warm: Duration::from_millis(2),
                measured: Duration::from_millis(5),
            },
            calls: 1_000,
            turns: 2,
            rounds: 1,
        };
        let figures = measure(plan).expect("the final state is as sent");
        assert!(figures.orders > 1_000 && figures.refused > 0);
        let rows = figures.rows();
        // Threads that are not pinned have no canary.
        let absent = rows.iter().filter(|row| row.value.is_none());
        assert_eq!(absent.count(), 1, "{rows:?}");
    }

    #[test]
    fn an_order_that_is_lost_ends_the_run() {
        let crowd = Crowd {
            accounts: 200,
            active: 200,
            rows_spare: 0,
            checks: Checks::All,
        };
        let mut market = Market::new(crowd);
        let (rig, ends) = undecided(&mut market, Wait::Yield);
        let mut pipeline = Pipeline {
            rig: Some(rig),
            traffic: Traffic::new(ends, market, Wait::Yield),
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
