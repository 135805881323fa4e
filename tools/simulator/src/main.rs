//! `simulate`: runs seeds, says how far it is, and makes small what fails.
//!
//! Exit code 0: no violation; 1: some, the first of which is shrunk and printed with seed and commit;
//! 2: the command line is not as it must be.

mod arguments;

use arguments::Arguments;
use portcullis_simulator::{Campaign, Findings, Plan, Shrunk, quiet_panics, run, shrink, trace};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often it is said how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    match Arguments::read(&words, processors) {
        Ok(arguments) => simulate(&arguments),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn simulate(arguments: &Arguments) -> ExitCode {
    quiet_panics();
    if arguments.trace {
        trace(&Plan::of(arguments.first))
            .iter()
            .for_each(|line| println!("{line}"));
    }
    let start = Instant::now();
    let findings = campaign(arguments, start);
    let commit = commit();
    let figures = &findings.figures;
    println!(
        "{} seeds: {} steps, {} records, {} orders judged of which {} passed, {} messages told, {} of the journal again, {} \
         lines lost, {} misdeeds of the engine, {} crashes, {} torn ends cut, {} snapshots, {} starts from one, {} violations",
        findings.seeds,
        figures.steps,
        figures.records,
        figures.orders,
        figures.accepted,
        figures.told,
        figures.resent,
        figures.lines_lost,
        figures.misdeeds,
        figures.crashes,
        figures.cuts,
        figures.snapshots,
        figures.from_snapshot,
        findings.violations
    );
    println!(
        "digest of all runs {:016x}, commit {commit}",
        figures.digest
    );
    if let Some(shrunk) = shrunk(&findings) {
        print_failure(&findings, &shrunk, &commit);
    }
    if arguments.json {
        println!("{}", json(&findings, arguments, &commit, start.elapsed()));
    }
    ExitCode::from(u8::from(findings.violations > 0))
}

fn campaign(arguments: &Arguments, start: Instant) -> Findings {
    let campaign = Campaign {
        first: arguments.first,
        seeds: arguments.seeds,
        threads: arguments.threads,
    };
    let said = AtomicU64::new(0);
    campaign.run(&|done, violations| {
        let turn = (start.elapsed().as_millis() / PROGRESS_EVERY.as_millis()) as u64;
        if said.fetch_max(turn, Ordering::Relaxed) < turn {
            let rate = u128::from(done) * 1_000 / start.elapsed().as_millis().max(1);
            eprintln!(
                "{done} of {} seeds, {rate} a second, {violations} violations",
                arguments.seeds
            );
        }
    })
}

/// The lowest seed that failed, made small.
fn shrunk(findings: &Findings) -> Option<Shrunk> {
    let broken = findings.first()?;
    eprintln!("making seed {} small", broken.first);
    let attempt = |plan: &Plan| run(plan).violation;
    let plan = Plan::of(broken.first);
    Some(shrink(plan, broken.violation.clone(), attempt))
}

fn print_failure(findings: &Findings, shrunk: &Shrunk, commit: &str) {
    for (rule, broken) in &findings.by_rule {
        let (seeds, first) = (broken.seeds, broken.first);
        println!("{rule:?}: {seeds} seeds, the lowest is {first}");
    }
    let Some(broken) = findings.first() else {
        return;
    };
    let seed = broken.first;
    println!("seed {seed} at commit {commit} breaks a rule");
    println!("  whole:  {}", Plan::of(seed));
    println!("          {}", broken.violation);
    println!("  shrunk: {} ({} plans tried)", shrunk.plan, shrunk.tries);
    println!("          {}", shrunk.violation);
    println!("again: cargo xtask simulate --seed {seed} --trace");
}

fn json(findings: &Findings, arguments: &Arguments, commit: &str, took: Duration) -> String {
    let figures = &findings.figures;
    let first = findings.first();
    let took_ms = took.as_millis().max(1) as u64;
    serde_json::json!({
        "seeds": findings.seeds,
        "first_seed": arguments.first,
        "steps": figures.steps,
        "records": figures.records,
        "orders": figures.orders,
        "accepted": figures.accepted,
        "told": figures.told,
        "resent": figures.resent,
        "lines_lost": figures.lines_lost,
        "misdeeds": figures.misdeeds,
        "crashes": figures.crashes,
        "torn_ends_cut": figures.cuts,
        "snapshots": figures.snapshots,
        "starts_from_snapshot": figures.from_snapshot,
        "violations": findings.violations,
        "first_failing_seed": first.map(|broken| broken.first),
        "first_violation": first.map(|broken| broken.violation.to_string()),
        "digest": format!("{:016x}", figures.digest),
        "commit": commit,
        "threads": arguments.threads,
        "took_ms": took_ms,
        "seeds_per_second": findings.seeds * 1_000 / took_ms,
    })
    .to_string()
}

/// The commit of the sources, with a sign where they were changed since; git's own word.
fn commit() -> String {
    let git = Command::new("git")
        .args([
            "describe",
            "--always",
            "--dirty",
            "--abbrev=12",
            "--exclude=*",
        ])
        .output();
    match git {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}
