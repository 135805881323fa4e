//! `journal`: what durability costs: an order's way behind a journal, replay, recovery.
//!
//! On the main thread. Must never print a figure of a run whose orders were not each answered once, or whose
//! journal does not hold what was decided.

mod asked;
mod disk_cost;
mod ground;
mod log_thread;
mod recorder;
mod recovery;
mod replay;
mod spares;
mod ways;
mod ways_rows;

use asked::Asked;
use portcullis_bench_harness::{Report, exit_code, pin, with_core};
use portcullis_bench_pipeline::crowd::{Checks, Crowd};
use portcullis_bench_pipeline::outcome::keep_histograms;
use portcullis_bench_pipeline::wait::{AGENTS_CORE, ENDS_CORE, Wait};
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;
use ways::{Placement, Plan};

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

/// What the figures are of.
const LOAD: &str = "orders as `pipeline` has, but refused for one of six reasons and near their most lots alone, one at a time and at 10 and \
                    50% of what is taken with a log that nobody waits for, each of four ways in turn; the journals of as many \
                    commands as `commands` says replayed and recovered";

fn main() -> ExitCode {
    let asked = Asked::read(std::env::args().skip(1));
    exit_code("journal", asked.and_then(|asked| run(&asked)))
}

fn run(asked: &Asked) -> Result<bool, String> {
    let mut report = Report::new("journal");
    let scratch = asked.scratch()?;
    let measured = measure(asked, scratch.path(), &mut report);
    let removed = scratch.remove();
    measured.and(removed)?;
    report.fact("load", LOAD);
    report.fact("rounds", asked.options.rounds);
    report.fact("folder", asked.folder.display().to_string());
    report.print(asked.options.json);
    Ok(!report.misses_any())
}

fn measure(asked: &Asked, scratch: &std::path::Path, report: &mut Report) -> Result<(), String> {
    if asked.options.wants("pipeline") {
        measure_pipeline(asked, scratch, report)?;
    }
    if asked.options.wants("replay") {
        let rounds = asked.options.rounds;
        let measured = with_core(AGENTS_CORE, || {
            replay::measure(scratch, replay::CROWD, asked.commands, rounds)
        });
        let rows = measured.map_err(|error| error.to_string())??;
        rows.into_iter().for_each(|row| report.push(row));
        report.fact("commands", asked.commands);
    }
    if asked.options.wants("recovery") {
        let plan = recovery::Plan {
            crowd: Crowd {
                accounts: 1_000_000,
                active: 1_000_000,
                rows_spare: 0,
                checks: Checks::Some,
            },
            commands: asked.commands,
            rounds: asked.options.rounds,
            wait: Wait::Spin,
            step: step(asked),
        };
        pin(ENDS_CORE).map_err(|error| error.to_string())?;
        let rows = recovery::measure(scratch, plan)?;
        rows.into_iter().for_each(|row| report.push(row));
    }
    Ok(())
}

/// How long a load lasts.
const fn step(asked: &Asked) -> Duration {
    Duration::from_millis(if asked.options.quick { 80 } else { 400 })
}

fn measure_pipeline(
    asked: &Asked,
    scratch: &std::path::Path,
    report: &mut Report,
) -> Result<(), String> {
    pin(ENDS_CORE).map_err(|error| error.to_string())?;
    let quick = asked.options.quick;
    let plan = Plan {
        crowd: Crowd {
            accounts: 10_000,
            active: 10_000,
            rows_spare: 0,
            checks: Checks::Some,
        },
        wait: Wait::Spin,
        step: step(asked),
        rounds: asked.options.rounds,
        writes: if quick { 1_000 } else { 5_000 },
        syncs: if quick { 20 } else { 100 },
        segments: if quick { 3 } else { 8 },
        folder: scratch.to_owned(),
    };
    for placement in Placement::ALL {
        let figures = ways::measure(&plan, placement)?;
        figures.rows().into_iter().for_each(|row| report.push(row));
        keep_histograms(|folder| figures.histograms.write(folder))?;
        let fact = json!({
            "orders": figures.orders,
            "refused": figures.refused,
            "hop_ns": figures.canary.values(),
        });
        report.fact(placement.name(), fact);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_journal_is_recovered_from_its_snapshot() {
        let scratch = asked::Scratch::under(&std::env::temp_dir(), "recovery");
        let scratch = scratch.expect("a folder of its own");
        let plan = recovery::Plan {
            crowd: Crowd {
                accounts: 200,
                active: 200,
                rows_spare: 0,
                checks: Checks::Some,
            },
            commands: 20_000,
            rounds: 1,
            wait: Wait::Yield,
            step: Duration::from_millis(5),
        };
        let rows = recovery::measure(scratch.path(), plan);
        let rows = rows.expect("what is recovered is what was recorded");
        assert!(rows.iter().all(|row| row.value.is_some()), "{rows:?}");
        scratch.remove().expect("made above");
    }

    #[test]
    fn a_small_journal_of_each_engine_is_replayed_to_its_digest() {
        let scratch = asked::Scratch::under(&std::env::temp_dir(), "replay");
        let scratch = scratch.expect("a folder of its own");
        let crowd = Crowd {
            accounts: 200,
            active: 200,
            rows_spare: 0,
            checks: Checks::Some,
        };
        let rows = replay::measure(scratch.path(), crowd, 20_000, 1);
        let rows = rows.expect("all come to the same digest");
        assert!(rows.iter().all(|row| row.value.is_some()), "{rows:?}");
        scratch.remove().expect("made above");
    }

    #[test]
    fn a_small_run_answers_each_order_once_and_its_journals_hold_all() {
        let scratch =
            asked::Scratch::under(&std::env::temp_dir(), "ways").expect("a folder of its own");
        let plan = Plan {
            crowd: Crowd {
                accounts: 200,
                active: 200,
                rows_spare: 0,
                checks: Checks::Some,
            },
            wait: Wait::Yield,
            step: Duration::from_millis(5),
            rounds: 1,
            writes: 5,
            syncs: 2,
            segments: 1,
            folder: scratch.path().to_owned(),
        };
        for placement in Placement::ALL {
            let figures = ways::measure(&plan, placement).expect("the final state is as sent");
            // How many there are is the machine's, and of a thousand some are refused.
            assert!(figures.orders > 0);
            assert!(figures.orders < 1_000 || figures.refused > 0);
            let rows = figures.rows();
            assert!(rows.iter().all(|row| row.value.is_some()), "{rows:?}");
        }
        scratch.remove().expect("made above");
    }
}
