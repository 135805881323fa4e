//! `cargo xtask interop`: the gateway between a client and an engine that were written elsewhere.
//!
//! One thread, and one more that reads what the client says. The client (tools/interop/client.py)
//! and the engine (tools/interop/engine.py) stand on the classes of nasdaq-protocols, whose own
//! generator makes the OUCH messages from tools/interop/ouch50.xml. Two rounds: the gateway's own
//! ladder behind it, and the engine, which dies twice on the way. Invariants: every wait has a
//! bound; no child outlives the verb; what a child said is shown when a round fails.

mod config;
mod round;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::gateway;
use crate::python;
use crate::verb::{Fault, Outcome, Verb, no_arguments};
use crate::workspace::Workspace;
use round::{Behind, Round};

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "interop",
    arguments: "",
    summary: "a client and an engine written elsewhere, on both sides of the gateway",
    run,
};

/// What a round needs that is made once.
struct Bench {
    /// The gateway.
    portcullis: PathBuf,
    /// Python with the package.
    python: PathBuf,
    /// tools/interop.
    scripts: PathBuf,
    /// Everything that is written, in a folder of its own.
    folder: PathBuf,
}

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    no_arguments(VERB.name, arguments)?;
    let folder = std::env::temp_dir().join(format!("portcullis-interop-{}", std::process::id()));
    std::fs::create_dir(&folder).map_err(|error| Fault::of(folder.display(), error))?;
    let outcome = rounds(workspace, &folder);
    let removed = std::fs::remove_dir_all(&folder);
    removed.map_err(|error| Fault::of(folder.display(), error))?;
    outcome
}

fn rounds(workspace: &Workspace, folder: &Path) -> Result<Outcome, Fault> {
    let bench = Bench {
        python: python::interpreter(workspace)?,
        portcullis: gateway::built(workspace)?,
        scripts: workspace.root().join("tools/interop"),
        folder: folder.to_owned(),
    };
    generate_messages(&bench)?;
    let mut passed = true;
    for behind in [Behind::Embedded, Behind::External] {
        println!("-- {}", behind.title());
        match Round::start(&bench, behind).and_then(|mut round| round.play()) {
            Ok(checks) => println!("-- {}: {checks} checks hold", behind.title()),
            Err(Fault(reason)) => {
                println!("-- {} FAILED: {reason}", behind.title());
                passed = false;
            }
        }
    }
    Ok(Outcome::of(passed))
}

/// Has the package's own generator write the message classes, beside what else is written.
fn generate_messages(bench: &Bench) -> Result<(), Fault> {
    let generator = bench.python.with_file_name("nasdaq-ouch-codegen");
    let output = Command::new(&generator)
        .args(["--app-name", "interop", "--no-init-file", "--spec-file"])
        .arg(bench.scripts.join("ouch50.xml"))
        .arg("--op-dir")
        .arg(&bench.folder)
        .output()
        .map_err(|error| Fault::of(generator.display(), error))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(Fault::of(
        generator.display(),
        format!("{}\n{complaint}", output.status),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_as_short_as_it_is_said_to_be() {
        let scripts = Workspace::find().unwrap().root().join("tools/interop");
        let engine = std::fs::read_to_string(scripts.join("engine.py")).unwrap();
        assert!(engine.contains("soup.SoupServerSession"));
        assert!(engine.lines().count() <= 60);
    }
}
