//! `cargo xtask fuzz`: the fuzz targets, built, run, proved to find what they are for, measured.
//!
//! Invariants: a finding, a planted fault that is not found in time, and a decoder that too few of
//! whose lines ran, each fail the verb; what a run learned is kept under the target folder and is
//! where the next one begins. Needs a stable toolchain and a C++ compiler, for libFuzzer itself; it
//! must never need a nightly one.

mod build;
mod campaign;
mod coverage;
mod options;
mod run;
mod target;

use serde_json::json;

use crate::verb::{Fault, Outcome, Verb};
use crate::workspace::Workspace;
use options::Options;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "fuzz",
    arguments: options::USAGE,
    summary: "the fuzz targets: runs, planted faults, line coverage of the decoders",
    run,
};

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    let options = Options::parse(arguments)?;
    let mut json = serde_json::Map::new();
    let mut passed = true;
    if options.runs() {
        let rows = campaign::plain(workspace, &options)?;
        passed &= rows.iter().all(run::Ran::is_clean);
        let findings = rows.iter().filter(|row| !row.is_clean()).count();
        json.insert("findings".into(), findings.into());
        json.insert(
            "targets".into(),
            rows.iter().map(run::Ran::to_json).collect(),
        );
    }
    if options.planted {
        let rows = campaign::planted(workspace, &options)?;
        passed &= rows.iter().all(|row| !row.is_clean());
        let missed = rows.iter().filter(|row| row.is_clean()).count();
        json.insert("planted_missed".into(), missed.into());
        json.insert(
            "planted".into(),
            rows.iter().map(run::Ran::to_json).collect(),
        );
    }
    if options.coverage {
        let decoders = coverage::measure(workspace, &options)?;
        passed &= decoders.iter().all(coverage::Decoder::is_enough);
        json.insert(
            "coverage".into(),
            decoders.iter().map(coverage::Decoder::to_json).collect(),
        );
    }
    if options.json {
        json.insert("passed".into(), passed.into());
        println!("{}", json!(json));
    }
    Ok(Outcome::of(passed))
}
