//! `cargo xtask ci`: what must hold before a change goes in, quick things first.

use std::process::Command;

use crate::steps::{self, Action, Step};
use crate::test;
use crate::tidy;
use crate::verb::{Fault, Outcome, Verb, no_arguments};
use crate::workspace::Workspace;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "ci",
    arguments: "",
    summary: "format, lints, house rules, licences, docs, all tests, the commands of the README, counts of instructions and lines",
    run,
};

/// Before the tests.
const HABITS: &[Step] = &[
    Step {
        name: "fmt",
        action: Action::Call(every_source_is_formatted),
    },
    Step {
        name: "tidy",
        action: Action::Verb("tidy", &[]),
    },
    Step {
        name: "licences",
        action: Action::Verb("licences", &[]),
    },
    Step {
        name: "docs",
        action: Action::Verb("docs", &["--check"]),
    },
    Step {
        name: "clippy",
        action: Action::Cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    },
];

/// After the tests: the README's commands, as a newcomer types them, and counts of instructions and lines.
const SMOKE: &[Step] = &[
    Step {
        name: "README",
        action: Action::Cargo(&["run", "--release", "--", "demo"]),
    },
    Step {
        name: "instructions",
        action: Action::Verb("bench", &["instructions"]),
    },
    Step {
        name: "lines",
        action: Action::Verb("bench", &["lines", "--quick"]),
    },
];

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    no_arguments(VERB.name, arguments)?;
    Ok(steps::run(
        workspace,
        HABITS.iter().chain(test::STEPS).chain(SMOKE),
    ))
}

/// `cargo fmt` follows `mod` lines and so misses modules that a macro declares, and crates outside
/// the workspace; here every source is named.
fn every_source_is_formatted(workspace: &Workspace) -> Result<(), Fault> {
    let sources = tidy::rust_sources(workspace)?;
    println!(
        "$ rustfmt --check -l --edition 2024 ({} files)",
        sources.len()
    );
    let status = Command::new("rustfmt")
        .args(["--check", "-l", "--edition", "2024"])
        .args(sources)
        .current_dir(workspace.root())
        .status()
        .map_err(|error| Fault::of("rustfmt", format!("{error}; install it with rustup")))?;
    if status.success() {
        return Ok(());
    }
    Err(Fault(
        "the files above are not as rustfmt writes them: run `rustfmt --edition 2024` on them"
            .into(),
    ))
}
