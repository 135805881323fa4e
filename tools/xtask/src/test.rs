//! `cargo xtask test`: all tests, and whatever they need installed.
//!
//! What is missing is installed or is a failure; nothing is skipped.

use crate::python;
use crate::steps::{self, Action, Step};
use crate::verb::{Fault, Outcome, Verb, no_arguments};
use crate::workspace::Workspace;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "test",
    arguments: "",
    summary: "all tests: unit, vectors, interop, fuzz smoke, demo, reload, crowd, crash, failover, simulator; installs what they need",
    run,
};

/// The steps, in order. `ci` runs them too.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "python",
        action: Action::Call(python::prepare),
    },
    Step {
        name: "cargo test",
        action: Action::CargoTest(&["test", "--workspace", "--no-fail-fast"]),
    },
    Step {
        name: "vectors",
        action: Action::VerbOverShared("vectors", VECTORS),
    },
    Step {
        name: "interop",
        action: Action::Verb("interop", &[]),
    },
    Step {
        name: "fuzz",
        action: Action::Verb("fuzz", &["--smoke"]),
    },
    Step {
        name: "demo",
        action: Action::Verb("demo", &[]),
    },
    Step {
        name: "reload",
        action: Action::Verb(
            "reload",
            &["--accounts", "20000", "--flips", "4", "--prove"],
        ),
    },
    Step {
        name: "crowd",
        action: Action::Verb("crowd", CROWD),
    },
    Step {
        name: "crash",
        action: Action::Verb("crash", &["--kills", "10", "--life-ms", "200"]),
    },
    Step {
        name: "failover",
        action: Action::Verb("failover", &["--rounds", "4"]),
    },
    Step {
        name: "simulate",
        action: Action::Verb("simulate", &["--seeds", "500"]),
    },
];

/// A small crowd, for a short time.
const CROWD: &[&str] = &["--sessions", "100", "--hostile", "18", "--seconds", "10"];

/// Command vectors of the rules.
const VECTORS: &[&str] = &[
    "vectors/rules-short.jsonl",
    "vectors/rules-1.jsonl.gz",
    "vectors/rules-2.jsonl.gz",
    "vectors/rules-3.jsonl.gz",
];

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    no_arguments(VERB.name, arguments)?;
    Ok(steps::run(workspace, STEPS))
}
