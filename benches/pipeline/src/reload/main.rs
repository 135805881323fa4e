//! `reload`: the tail of the pipeline while limits change and kill switches run, against without.
//!
//! The pipeline of `pipeline` at half of its capacity, ten thousand active accounts among a million;
//! each round measures it calm, with each disturbance alone and with all of them, one after the
//! other on the same rig. Must never print a figure of a run whose orders were not each answered once.

mod disturbance;

use disturbance::{Disturbance, Kinds};
use portcullis_bench_harness::{
    Bar, Histograms, Latency, Options, Report, Rounds, Row, Unit, hop_ns, pin,
};
use portcullis_bench_pipeline::counts::Counts;
use portcullis_bench_pipeline::market::{Crowd, Market};
use portcullis_bench_pipeline::outcome::{exit_code, folder, median, paired, row};
use portcullis_bench_pipeline::rig::{agree, deciding};
use portcullis_bench_pipeline::traffic::{Nothing, Schedule, Traffic};
use portcullis_bench_pipeline::wait::{AGENTS_CORE, ENDS_CORE, Wait};
use portcullis_risk_core::RiskCore;
use std::process::ExitCode;
use std::time::Duration;

/// As in the product: large tables on huge pages.
#[global_allocator]
static ALLOCATOR: portcullis_runtime::HugePages = portcullis_runtime::HugePages;

/// At most this many thousandths of the calm run.
const RELOAD: u64 = 1_200;

/// Orders unanswered while the capacity is measured.
const WINDOW: u64 = 1_024;
/// Orders that rest until they are cancelled together.
const RESTING_ORDERS: u64 = 1_000;
const WARM: Duration = Duration::from_millis(20);
const REST: Duration = Duration::from_millis(100);

/// What runs beside the orders, and what the rows call it.
const BESIDE: [(&str, Kinds); 6] = [
    ("calm", Kinds::NONE),
    (
        "1% of the limits by flip 10 times a second, all once",
        Kinds::FLIPS,
    ),
    ("1% of the limits by cell 10 times a second", Kinds::CELLS),
    ("kill switches and mass cancels of 1,000", Kinds::KILLS),
    (
        "flips, kill switches and mass cancels",
        Kinds::FLIPS_AND_KILLS,
    ),
    ("valuations of all accounts", Kinds::VALUES),
];

/// A percentile: its name, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);

const PERCENTILES: [Percentile; 4] = [
    ("p50", Latency::p50),
    ("p99", Latency::p99),
    ("p99.9", Latency::p999),
    ("max", Latency::max),
];

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
struct Plan {
    crowd: Crowd,
    wait: Wait,
    step: Duration,
    rounds: u32,
    /// Orders that rest until they are cancelled together.
    resting: u64,
}

/// What came out.
struct Figures {
    histograms: Histograms,
    canary: Rounds,
    capacity: Rounds,
    /// From the word that takes the resting orders off to the last one's cancel.
    sweeps: Rounds,
    counts: Counts,
    flips: u64,
    cells: u64,
    kills: u64,
    values: u64,
}

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
        },
        wait: Wait::Spin,
        step: Duration::from_millis(if options.quick { 200 } else { 800 }),
        rounds: options.rounds,
        resting: RESTING_ORDERS,
    };
    let figures = measure(plan)?;
    figures.rows().into_iter().for_each(|row| report.push(row));
    let folder = folder()?;
    let written = figures.histograms.write(&folder);
    let written = written.map_err(|error| format!("{}: {error}", folder.display()))?;
    report.fact("rounds", options.rounds);
    report.fact("orders", figures.counts.sent);
    report.fact("flips", figures.flips);
    report.fact("cells", figures.cells);
    report.fact("kills", figures.kills);
    report.fact("valuations", figures.values);
    report.fact("mass_cancels", figures.counts.mass_cancels);
    report.fact("cancels_by_gateway", figures.counts.cancels);
    report.fact("hop_ns", figures.canary.values());
    report.fact("histograms", written.len());
    report.print(options.json);
    Ok(!report.misses_any())
}

fn measure(plan: Plan) -> Result<Figures, String> {
    let (rig, ends) = deciding(plan.crowd, plan.wait)?;
    let mut traffic = Traffic::new(ends, Market::new(plan.crowd), plan.wait);
    let mut disturbance = Disturbance::new(plan.crowd, plan.resting)?;
    rig.pause(false);
    traffic.open()?;
    let mut figures = Figures {
        histograms: Histograms::new("reload"),
        canary: Rounds::default(),
        capacity: Rounds::default(),
        sweeps: Rounds::default(),
        counts: Counts::default(),
        flips: 0,
        cells: 0,
        kills: 0,
        values: 0,
    };
    for round in 0..plan.rounds as usize {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        rig.pause(true);
        if plan.wait == Wait::Spin {
            let hop = hop_ns(ENDS_CORE, AGENTS_CORE);
            figures.canary.push(hop.map_err(|error| error.to_string())?);
        }
        rig.pause(false);
        traffic.run(Schedule::Window(WINDOW), WARM, None, &mut Nothing)?;
        let capacity = traffic.run(Schedule::Window(WINDOW), plan.step / 4, None, &mut Nothing)?;
        figures.capacity.push(capacity);
        let half = Schedule::Every {
            orders: 1,
            interval: Duration::from_nanos(2_000_000_000 / capacity.max(1)),
        };
        disturbance.sweeps = Latency::new();
        for turn in 0..BESIDE.len() {
            let (name, kinds) = BESIDE[(turn + round) % BESIDE.len()];
            disturbance.begin(kinds);
            let mut latency = Latency::new();
            traffic.run(half, WARM, None, &mut disturbance)?;
            traffic.run(half, plan.step, Some(&mut latency), &mut disturbance)?;
            disturbance.end(&mut traffic)?;
            figures.histograms.keep(name, latency);
            rig.pause(true);
            std::thread::sleep(REST);
            rig.pause(false);
        }
        if !disturbance.sweeps.is_empty() {
            figures.sweeps.push(disturbance.sweeps.p50());
        }
    }
    traffic.settle()?;
    traffic.check()?;
    let risk = rig.finish()?;
    agree(risk.core(), traffic.counts.approved, traffic.counts.refused)?;
    agree_on_changes(risk.core(), &disturbance, &traffic.counts)?;
    figures.flips = disturbance.flips;
    figures.cells = disturbance.cells;
    figures.kills = disturbance.kills;
    figures.values = disturbance.values;
    figures.counts = traffic.counts;
    Ok(figures)
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

impl Figures {
    fn rows(&self) -> Vec<Row> {
        let capacity = row(
            "reload",
            "capacity, a million accounts".to_owned(),
            Unit::PerSecond,
            &self.capacity,
            None,
            Bar::None,
        );
        let mut rows = vec![capacity];
        for (name, kinds) in BESIDE {
            for (percentile, of) in PERCENTILES {
                let value = self.histograms.rounds(name, of);
                let calm = self.histograms.rounds(BESIDE[0].0, of);
                let disturbed = kinds != Kinds::NONE;
                let figure = format!("50% load, {name}, {percentile}");
                let floor = median(&calm).filter(|_| disturbed);
                rows.push(row("reload", figure, Unit::Ns, &value, floor, Bar::None));
            }
        }
        rows.push(row(
            "reload",
            format!("50% load, {RESTING_ORDERS} resting orders taken off"),
            Unit::Ns,
            &self.sweeps,
            None,
            Bar::None,
        ));
        rows.extend(BESIDE[1..].iter().map(|(name, _)| self.against_calm(name)));
        rows
    }
}

impl Figures {
    /// Each round against its own calm step, since the machine changes from round to round.
    fn against_calm(&self, name: &str) -> Row {
        let of = |name| self.histograms.rounds(name, Latency::p999);
        let ratio = paired(&of(name), &of(BESIDE[0].0), |disturbed, calm| {
            disturbed * 1_000 / calm.max(1)
        });
        row(
            "reload",
            format!("p99.9 in thousandths of calm, {name}"),
            Unit::Count,
            &ratio,
            None,
            Bar::AtMost(RELOAD),
        )
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
            },
            wait: Wait::Yield,
            step: Duration::from_millis(250),
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
