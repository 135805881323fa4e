//! `cargo xtask ci`: what must hold before a change goes in, quick things first.

use crate::steps::{self, Action, Step};
use crate::test;
use crate::verb::{Fault, Outcome, Verb, no_arguments};
use crate::workspace::Workspace;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "ci",
    arguments: "",
    summary: "format, lints, house rules, licences, docs, all tests, the commands of the README",
    run,
};

/// Before the tests.
const HABITS: &[Step] = &[
    Step {
        name: "fmt",
        action: Action::Cargo(&["fmt", "--all", "--", "--check"]),
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

/// After the tests: the README's commands, as a newcomer types them.
const SMOKE: &[Step] = &[
    // README smoke. Enable when the demo is there:
    // Step { name: "demo", action: Action::Cargo(&["run", "--release", "--", "demo", "--json"]) },
];

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    no_arguments(VERB.name, arguments)?;
    Ok(steps::run(
        workspace,
        HABITS.iter().chain(test::STEPS).chain(SMOKE),
    ))
}
