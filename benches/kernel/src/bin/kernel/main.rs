//! `kernel`: what a decision costs in the risk core alone, beside a floor that fetches and reads the
//! same lines and decides nothing.
//!
//! One thread, no sockets, no log. Must never print figures of a run whose final state is not what
//! was sent.

mod cells;
mod load;
mod plan;
mod rows;

use portcullis_bench_harness::{Options, Report, clock_step_ns, exit_code, folder};
use portcullis_bench_kernel::limits::TIERS;
use portcullis_risk_core::checks::REGISTRY;
use std::process::ExitCode;

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

/// What is offered, in words, for whoever reads the figures.
const LOAD: &str = "new orders in batches of 64 and alone, 100,000 a second of virtual time, of 64 sessions and firms; every limit \
                    set, four margin tiers, margin scaled by open interest, all prices moving 100 times a second; one order in \
                    ten within a tenth of a limit; where refusals are mixed in, one in fifty, of every check but JOURNAL_DOWN";

fn main() -> ExitCode {
    let options = Options::of_cells("kernel", std::env::args().skip(1));
    exit_code("kernel", options.and_then(|options| run(&options)))
}

/// Measures and prints; whether every bar holds.
fn run(options: &Options) -> Result<bool, String> {
    let mut report = Report::new("kernel");
    let measured = plan::measure(options)?;
    let (rows, histograms) = rows::rows(&measured);
    rows.into_iter().for_each(|row| report.push(row));
    let folder = folder()?;
    let written = histograms
        .write(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let orders: u64 = measured.cells.iter().map(|cell| cell.orders).sum();
    let (clock_step_ns, clock_pair_ns) = clock_step_ns();
    report.fact("load", LOAD);
    report.fact("rounds", options.rounds);
    report.fact("orders", orders);
    report.fact("checks", REGISTRY.len());
    report.fact("checks_refusing", measured.refusals.len());
    report.fact("margin_tiers", TIERS.len());
    report.fact("instruments_scaled", measured.scaled.0);
    report.fact("instruments", measured.scaled.1);
    report.fact("clock_step_ns", clock_step_ns);
    report.fact("clock_pair_ns", clock_pair_ns);
    report.fact("histograms", written.len());
    report.print(options.json);
    Ok(!report.misses_any())
}
