//! `cargo xtask demo`: the demo as CI runs it.
//!
//! Invariants: generated flow in each topology, the recorded day, and a replay of each generated
//! flow's log, twice, all agree; each planted fault turns its figure non-zero and the exit code with it.

use crate::verb::{Fault, Outcome, Verb, no_arguments};
use crate::workspace::Workspace;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "demo",
    arguments: "",
    summary: "the demo: generated flow in each topology, recorded flow, replay, planted faults",
    run,
};

/// Recorded flow, in the shared folder.
const RECORDED: &str = "data/esh4-20231225.mbo.dbn.zst";

/// Seconds of generated flow: enough for each step of the demo's script.
const SECONDS: &str = "6";

/// A planted fault and the figure that must show it.
const PLANTS: [(&str, &str); 4] = [
    ("lost-answer", "unanswered"),
    ("wrong-session", "wrong_session"),
    ("leaked-hold", "holds_left"),
    ("lost-money", "conservation_error"),
];

/// Topologies beside the demo's own, with what their threads do when idle. Busy threads want a core
/// each, so the one thread of fused alone is busy.
const TOPOLOGIES: [(&str, &str); 3] =
    [("split", "yield"), ("dedicated", "park"), ("fused", "busy")];

/// Figures that must be zero in a clean run.
const ZEROES: [&str; 5] = [
    "unanswered",
    "wrong_session",
    "protocol_errors",
    "holds_left",
    "conservation_error",
];

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    no_arguments(VERB.name, arguments)?;
    let demo = Demo::build(workspace)?;
    let recorded = workspace.shared(RECORDED)?;
    let mut wrong = demo.generated()?;
    wrong.extend(demo.recorded(&recorded)?);
    for (topology, idle) in TOPOLOGIES {
        wrong.extend(demo.driven(topology, &["--topology", topology, "--idle", idle])?);
    }
    for (plant, figure) in PLANTS {
        wrong.extend(demo.planted(plant, figure)?);
    }
    for line in &wrong {
        println!("demo: {line}");
    }
    Ok(if wrong.is_empty() {
        Outcome::Passed
    } else {
        Outcome::Failed
    })
}

struct Demo {
    binary: PathBuf,
    folder: PathBuf,
}

impl Demo {
    fn build(workspace: &Workspace) -> Result<Self, Fault> {
        let status = Command::new("cargo")
            .args(["build", "--release", "--package", "portcullis"])
            .current_dir(workspace.root())
            .status()
            .map_err(|error| Fault::of("cargo build", error.to_string()))?;
        if !status.success() {
            return Err(Fault("the server does not build: see above".to_owned()));
        }
        let target = workspace.target();
        let folder = target.join("demo");
        std::fs::create_dir_all(&folder)
            .map_err(|error| Fault::of("the demo's folder", error.to_string()))?;
        Ok(Self {
            binary: target.join("release/portcullis"),
            folder,
        })
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, Fault> {
        println!("$ portcullis {}", arguments.join(" "));
        Command::new(&self.binary)
            .args(arguments)
            .output()
            .map_err(|error| Fault::of("the server's binary", error.to_string()))
    }

    /// A clean run of generated flow, long enough for each step of the demo's script.
    fn generated(&self) -> Result<Vec<String>, Fault> {
        self.logged("generated flow", &["--seconds", SECONDS])
    }

    /// A short one, its threads as told.
    fn driven(&self, topology: &str, threads: &[&str]) -> Result<Vec<String>, Fault> {
        let mut options = vec!["--seconds", "3"];
        options.extend(threads);
        self.logged(topology, &options)
    }

    /// A clean run, and its journal replayed twice.
    fn logged(&self, what: &str, options: &[&str]) -> Result<Vec<String>, Fault> {
        let journal = self.folder.join(what.replace(' ', "-"));
        if journal.exists() {
            // Of an earlier run: the demo begins anew.
            let removed = std::fs::remove_dir_all(&journal);
            removed.map_err(|error| Fault::of(journal.display(), error))?;
        }
        let journal = journal.to_string_lossy();
        let mut arguments = vec!["demo", "--json", "--journal", &journal];
        arguments.extend(options);
        let output = self.run(&arguments)?;
        let figures = figures(&output)?;
        let mut wrong = unclean(what, &output, &figures);
        if let Some(at) = options.iter().position(|option| *option == "--topology")
            && figures["topology"].as_str() != options.get(at + 1).copied()
        {
            wrong.push(format!("{what}: it ran as {}", figures["topology"]));
        }
        let digest = figures["digest"].as_str().unwrap_or_default().to_owned();
        for time in ["first", "second"] {
            let replayed = self.run(&["replay", &journal])?;
            let text = String::from_utf8_lossy(&replayed.stdout).into_owned();
            print!("{text}");
            if !replayed.status.success() || !text.contains(&format!("digest {digest}")) {
                wrong.push(format!(
                    "{what}: the {time} replay of the journal has not the digest {digest}"
                ));
            }
        }
        Ok(wrong)
    }

    fn recorded(&self, file: &Path) -> Result<Vec<String>, Fault> {
        let file = file.to_string_lossy();
        let output = self.run(&["demo", "--json", "--flow", &file])?;
        let figures = figures(&output)?;
        Ok(unclean("recorded flow", &output, &figures))
    }

    fn planted(&self, plant: &str, figure: &str) -> Result<Option<String>, Fault> {
        let output = self.run(&["demo", "--json", "--seconds", "3", "--plant", plant])?;
        let figures = figures(&output)?;
        println!("{plant}: {figure} {}", figures[figure]);
        let shown = figures[figure].as_i64().is_some_and(|value| value != 0);
        let noticed = output.status.code() == Some(1);
        Ok((!shown || !noticed).then(|| {
            format!(
                "the planted {plant} does not show: {figure} is {}",
                figures[figure]
            )
        }))
    }
}

/// The JSON object of the last line.
fn figures(output: &Output) -> Result<Value, Fault> {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|error| {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Fault(format!(
            "the demo's last line is no JSON ({error}): {last}\n{text}\n{stderr}"
        ))
    })
}

fn unclean(what: &str, output: &Output, figures: &Value) -> Vec<String> {
    println!("{what}: {figures}");
    let mut wrong = Vec::new();
    if !output.status.success() {
        wrong.push(format!("{what}: exit code {:?}", output.status.code()));
        wrong.push(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    for figure in ZEROES {
        if figures[figure].as_i64() != Some(0) {
            wrong.push(format!("{what}: {figure} is {}, not 0", figures[figure]));
        }
    }
    let executed = [
        "executed_qty_engine",
        "executed_qty_gateway",
        "executed_qty_clients",
    ];
    let counts = executed.map(|name| figures[name].as_u64());
    if counts[0].is_none_or(|lots| lots == 0) || counts.iter().any(|count| *count != counts[0]) {
        wrong.push(format!(
            "{what}: executed quantities {counts:?} differ, or nothing traded"
        ));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn output(code: i32) -> Output {
        Output {
            status: ExitStatus::from_raw(code << 8),
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }

    fn clean() -> Value {
        json!({
            "unanswered": 0, "wrong_session": 0, "protocol_errors": 0, "holds_left": 0,
            "conservation_error": 0, "executed_qty_engine": 7, "executed_qty_gateway": 7,
            "executed_qty_clients": 7,
        })
    }

    #[test]
    fn a_clean_run_is_clean_and_each_figure_counts() {
        assert!(unclean("run", &output(0), &clean()).is_empty());
        assert!(!unclean("run", &output(1), &clean()).is_empty());
        for figure in ZEROES {
            let mut spoilt = clean();
            spoilt[figure] = json!(1);
            assert_eq!(unclean("run", &output(0), &spoilt).len(), 1, "{figure}");
        }
        let mut spoilt = clean();
        spoilt["executed_qty_clients"] = json!(8);
        assert_eq!(unclean("run", &output(0), &spoilt).len(), 1);
    }
}
