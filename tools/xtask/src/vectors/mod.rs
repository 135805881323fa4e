//! `cargo xtask vectors FILE...`: command vectors, run through the risk core.
//!
//! One thread. Each command of a file is encoded as a record and applied by the core as the server
//! applies it; refusals, answers and figures are compared with what the file expects. Invariants:
//! every line of every file is either compared or named as bad; what is not read is not passed.

mod driver;
mod fields;
mod op;
mod reader;
mod run;
mod spec;
mod words;

#[cfg(test)]
mod tests;

use crate::verb::{Fault, Outcome, Verb};
use crate::workspace::Workspace;
use portcullis_risk_core::checks::REGISTRY;
use reader::VectorFile;
use run::Comparison;
use std::path::Path;

/// `cargo xtask vectors`.
pub(crate) const VERB: Verb = Verb {
    name: "vectors",
    arguments: "FILE...",
    summary: "command vectors (JSON lines, plain or gzip) through the risk core",
    run: run_files,
};

/// Runs the files; the last line of standard output is a JSON object of what came of them.
///
/// # Errors
/// No file is named, one cannot be read, or a line of it is bad.
fn run_files(_: &Workspace, files: &[String]) -> Result<Outcome, Fault> {
    if files.is_empty() {
        return Err(Fault("`vectors` takes at least one file".into()));
    }
    let mut total = Comparison::default();
    for name in files {
        let comparison = compare(&VectorFile::read(Path::new(name)).map_err(Fault)?)?;
        eprintln!(
            "{name}: {} lines, {} mismatches",
            comparison.lines, comparison.mismatches
        );
        if let Some(first) = &comparison.first_mismatch {
            eprintln!("{first}");
        }
        total.add(comparison);
    }
    println!("{}", total.to_json());
    Ok(Outcome::of(total.mismatches == 0))
}

/// Runs one file through the core.
fn compare(file: &VectorFile) -> Result<Comparison, Fault> {
    let mut machine = driver::CoreMachine::new(&file.config, file.lines.len())
        .map_err(|why| Fault::of(format!("{}:1", file.name), why))?;
    let names: Vec<&str> = REGISTRY.iter().map(|check| check.name).collect();
    Ok(run::run(file, &mut machine, &names))
}
