//! A list of steps, run one after the other with time shown, and what came of it.
//!
//! A step that fails does not stop the rest: one run shows everything that is wrong. Invariant: a
//! step that could not run has failed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::verb::{Fault, Outcome};
use crate::workspace::Workspace;

/// One step.
pub(crate) struct Step {
    /// Name, as the summary shows it.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) action: Action,
}

/// What a step does.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    /// Cargo with these arguments.
    Cargo(&'static [&'static str]),
    /// Cargo with these arguments, whose tests are counted; no test at all is a failure.
    CargoTest(&'static [&'static str]),
    /// Another verb with these arguments.
    Verb(&'static str, &'static [&'static str]),
    /// Another verb over files of the shared folder; one that is not there is a failure.
    VerbOverShared(&'static str, &'static [&'static str]),
    /// A function of this tool.
    Call(fn(&Workspace) -> Result<(), Fault>),
}

/// What came of a step.
struct Ended {
    name: &'static str,
    outcome: Outcome,
    detail: String,
    elapsed: Duration,
}

/// Runs the steps and prints the summary. Its last line is `N passed, M failed`, counted in steps.
pub(crate) fn run<'a>(workspace: &Workspace, steps: impl IntoIterator<Item = &'a Step>) -> Outcome {
    let steps: Vec<&Step> = steps.into_iter().collect();
    let mut ended = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        println!("\n== {}/{} {}", at + 1, steps.len(), step.name);
        let start = Instant::now();
        let (outcome, detail) = perform(workspace, step.action)
            .unwrap_or_else(|Fault(reason)| (Outcome::Failed, reason));
        let step = Ended {
            name: step.name,
            outcome,
            detail,
            elapsed: start.elapsed(),
        };
        println!("== {}", row(&step));
        ended.push(step);
    }
    println!("\n{}", summary(&ended));
    Outcome::of(ended.iter().all(|step| step.outcome == Outcome::Passed))
}

fn perform(workspace: &Workspace, action: Action) -> Result<(Outcome, String), Fault> {
    let plain = |outcome| (outcome, String::new());
    match action {
        Action::Cargo(arguments) => cargo(workspace, arguments).map(plain),
        Action::CargoTest(arguments) => cargo_test(workspace, arguments),
        Action::Verb(name, arguments) => {
            let arguments = arguments
                .iter()
                .map(|&argument| argument.to_owned())
                .collect();
            verb(workspace, name, arguments).map(plain)
        }
        Action::VerbOverShared(name, files) => {
            let files = files
                .iter()
                .map(|file| workspace.shared(file))
                .collect::<Result<_, _>>()?;
            verb(workspace, name, as_text(files)?).map(plain)
        }
        Action::Call(function) => function(workspace).map(|()| plain(Outcome::Passed)),
    }
}

fn as_text(files: Vec<PathBuf>) -> Result<Vec<String>, Fault> {
    let text = |path: PathBuf| {
        let wrong = |path: std::ffi::OsString| Fault::of(path.display(), "the path is not UTF-8");
        path.into_os_string().into_string().map_err(wrong)
    };
    files.into_iter().map(text).collect()
}

fn verb(workspace: &Workspace, name: &str, arguments: Vec<String>) -> Result<Outcome, Fault> {
    println!("$ cargo xtask {name} {}", arguments.join(" "));
    (crate::verb_named(name)?.run)(workspace, &arguments)
}

fn cargo_command(workspace: &Workspace, arguments: &[&str]) -> Command {
    println!("$ cargo {}", arguments.join(" "));
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // One build, never changed: what would make the next one quicker is disk for nothing.
    command.env("CARGO_PROFILE_DEV_INCREMENTAL", "false");
    command.args(arguments).current_dir(workspace.root());
    command
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Result<Outcome, Fault> {
    let status = cargo_command(workspace, arguments).status();
    let status = status.map_err(|error| Fault::of("cargo", error))?;
    Ok(Outcome::of(status.success()))
}

fn cargo_test(workspace: &Workspace, arguments: &[&str]) -> Result<(Outcome, String), Fault> {
    let fault = |error| Fault::of("cargo", error);
    let mut child = cargo_command(workspace, arguments)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(fault)?;
    let mut count = TestCount::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.map_err(fault)?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            count.read(&line);
        }
    }
    let status = child.wait().map_err(fault)?;
    let passed = status.success() && count.failed == 0 && count.passed > 0;
    let detail = format!("{} tests passed, {} failed", count.passed, count.failed);
    Ok((Outcome::of(passed), detail))
}

/// Tests, as the harnesses report them.
#[derive(Default, Debug, PartialEq, Eq)]
struct TestCount {
    passed: u64,
    failed: u64,
}

impl TestCount {
    /// Adds the counts of a line like `test result: ok. 3 passed; 0 failed; 0 ignored; ...`.
    fn read(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
        for count in counts.split(';') {
            match count.trim().split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                Some(_) | None => {}
            }
        }
    }
}

fn row(step: &Ended) -> String {
    let word = match step.outcome {
        Outcome::Passed => "ok",
        Outcome::Failed => "FAILED",
    };
    let time = format!(
        "{}.{}",
        step.elapsed.as_secs(),
        step.elapsed.subsec_millis() / 100
    );
    let row = format!("{:<16} {word:<6} {time:>8} s  {}", step.name, step.detail);
    row.trim_end().to_owned()
}

fn summary(ended: &[Ended]) -> String {
    let passed = ended
        .iter()
        .filter(|step| step.outcome == Outcome::Passed)
        .count();
    let rows: Vec<String> = ended.iter().map(row).collect();
    format!(
        "{}\n{passed} passed, {} failed",
        rows.join("\n"),
        ended.len() - passed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        Workspace::find().unwrap()
    }

    fn ended(name: &'static str, outcome: Outcome) -> Ended {
        let elapsed = Duration::from_millis(1_250);
        Ended {
            name,
            outcome,
            detail: "detail".into(),
            elapsed,
        }
    }

    #[test]
    fn the_last_line_counts_the_steps() {
        let text = summary(&[ended("a", Outcome::Passed), ended("b", Outcome::Failed)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "a                ok          1.2 s  detail");
        assert_eq!(lines[1], "b                FAILED      1.2 s  detail");
        assert_eq!(lines[2], "1 passed, 1 failed");
    }

    #[test]
    fn tests_are_counted_over_all_harnesses() {
        let mut count = TestCount::default();
        count.read("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured");
        count.read("test result: FAILED. 3 passed; 2 failed; 0 ignored");
        count.read("test a::b ... ok");
        assert_eq!(
            count,
            TestCount {
                passed: 15,
                failed: 2
            }
        );
    }

    #[test]
    fn a_step_that_fails_or_cannot_run_fails_the_list_and_stops_nothing() {
        use std::sync::atomic::{AtomicU32, Ordering};
        static RAN: AtomicU32 = AtomicU32::new(0);
        let call = |action| Step {
            name: "step",
            action,
        };
        let good = call(Action::Call(|_| {
            RAN.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }));
        let bad = call(Action::Call(|_| Err(Fault("no such tool".into()))));
        assert_eq!(run(&workspace(), [&good]), Outcome::Passed);
        assert_eq!(run(&workspace(), [&bad, &good]), Outcome::Failed);
        assert_eq!(RAN.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_verb_or_file_that_is_not_there_is_a_fault() {
        assert!(perform(&workspace(), Action::Verb("no-such-verb", &[])).is_err());
        let missing = Action::VerbOverShared("tidy", &["no/such/file"]);
        let Err(Fault(reason)) = perform(&workspace(), missing) else {
            panic!("it is not there")
        };
        assert!(reason.contains("PORTCULLIS_SHARED"), "{reason}");
    }
}
