//! `cargo xtask simulate`: builds the simulator and runs it.
//!
//! The simulator is a program of its own, so that it is built fast code and its panics unwind: this
//! verb only knows its name. Invariant: what it prints and how it ends are the simulator's own.

use std::process::Command;

use crate::verb::{Fault, Outcome, Verb};
use crate::workspace::Workspace;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "simulate",
    arguments: "[--seeds N] [--seed S] [--threads N] [--trace] [--json]",
    summary: "the real agents on virtual time, from seeds: what breaks is shrunk and printed",
    run,
};

/// The package, its profile and its program.
const PACKAGE: &str = "portcullis-simulator";
const PROFILE: &str = "simulate";
const PROGRAM: &str = "simulate";

/// The exit code of a simulator that has found something.
const FOUND: i32 = 1;

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    build(workspace)?;
    let program = workspace.target().join(PROFILE).join(PROGRAM);
    let status = Command::new(&program)
        .args(arguments)
        .current_dir(workspace.root())
        .status()
        .map_err(|error| Fault::of(program.display(), error))?;
    match status.code() {
        Some(0) => Ok(Outcome::Passed),
        Some(FOUND) => Ok(Outcome::Failed),
        _ => Err(Fault::of(VERB.name, format!("it could not run: {status}"))),
    }
}

fn build(workspace: &Workspace) -> Result<(), Fault> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "build",
        "--quiet",
        "--profile",
        PROFILE,
        "--package",
        PACKAGE,
    ];
    println!("$ cargo {}", arguments.join(" "));
    let status = Command::new(cargo)
        .args(arguments)
        .current_dir(workspace.root())
        .status()
        .map_err(|error| Fault::of("cargo build", error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Fault::of(PACKAGE, "it does not build: see above")),
    }
}
