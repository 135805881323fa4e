//! One target's run, and what libFuzzer said of it.
//!
//! Invariants: a run that ends otherwise than by its time has a finding, even one that left no
//! input; how to get it again is part of the row.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::target::Target;
use crate::verb::Fault;

/// How often a long run says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(30);

/// The last lines that a run with a finding shows.
const SHOWN_LINES: usize = 12;

/// What a run takes.
pub(super) struct Plan<'a> {
    pub(super) target: &'static Target,
    pub(super) binary: PathBuf,
    pub(super) seconds: u32,
    /// What is learned goes here.
    pub(super) corpus: PathBuf,
    /// Inputs of findings go here.
    pub(super) artifacts: PathBuf,
    pub(super) root: &'a Path,
}

/// What came of a run.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) name: &'static str,
    seconds: u64,
    executions: u64,
    /// Edges of the program that ran, counted by libFuzzer.
    edges: u64,
    inputs: u64,
    finding: Option<Finding>,
}

#[derive(Debug)]
struct Finding {
    /// The input; `None` if libFuzzer wrote none.
    artifact: Option<String>,
    command: String,
    said: Vec<String>,
}

/// Runs a target to the end of its time or its first finding.
pub(super) fn run(plan: &Plan<'_>) -> Result<Ran, Fault> {
    for folder in [&plan.corpus, &plan.artifacts] {
        std::fs::create_dir_all(folder).map_err(|error| Fault::of(folder.display(), error))?;
    }
    let start = Instant::now();
    let mut child = command(plan)
        .spawn()
        .map_err(|error| Fault::of(plan.binary.display(), error))?;
    let mut heard = Heard::default();
    let mut shown = start;
    if let Some(output) = child.stderr.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.map_err(|error| Fault::of(plan.binary.display(), error))?;
            heard.read(&String::from_utf8_lossy(&line));
            if shown.elapsed() >= PROGRESS_EVERY {
                shown = Instant::now();
                let seconds = start.elapsed().as_secs();
                println!("   {}: {seconds} s, {}", plan.target.name, heard.row());
            }
        }
    }
    let status = child
        .wait()
        .map_err(|error| Fault::of(plan.binary.display(), error))?;
    let finding = (!status.success()).then(|| heard.finding(plan));
    Ok(Ran {
        name: plan.target.name,
        seconds: start.elapsed().as_secs(),
        executions: heard.executions,
        edges: heard.edges,
        inputs: heard.inputs,
        finding,
    })
}

/// The folders of inputs that a target begins with.
pub(super) fn seeds(target: &Target, root: &Path) -> Vec<PathBuf> {
    let own = root.join("fuzz/seeds").join(target.name);
    let more = target.more_seeds.map(|folder| root.join(folder));
    [own].into_iter().chain(more).collect()
}

fn command(plan: &Plan<'_>) -> Command {
    let mut command = Command::new(&plan.binary);
    command
        .arg(&plan.corpus)
        .args(seeds(plan.target, plan.root))
        .arg(format!("-max_total_time={}", plan.seconds))
        .arg(format!("-artifact_prefix={}/", plan.artifacts.display()))
        .args(["-print_final_stats=1", "-timeout=20", "-rss_limit_mb=1024"])
        .current_dir(plan.root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if let Some(file) = plan.target.dictionary {
        command.arg(format!(
            "-dict={}",
            plan.root.join("fuzz").join(file).display()
        ));
    }
    command
}

/// libFuzzer's figures so far.
#[derive(Default)]
struct Heard {
    executions: u64,
    edges: u64,
    inputs: u64,
    artifact: Option<String>,
    last: Vec<String>,
}

impl Heard {
    /// Takes a line like `#4096 NEW cov: 402 ft: 670 corp: 266/12Kb ...`.
    fn read(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some(count) = first.strip_prefix('#').and_then(|word| word.parse().ok()) {
            self.executions = count;
            while let Some(word) = words.next() {
                let mut number = |split: char| {
                    let word = words.next().unwrap_or_default();
                    word.split(split).next().unwrap_or_default().parse().ok()
                };
                match word {
                    "cov:" => self.edges = number(' ').unwrap_or(self.edges),
                    "corp:" => self.inputs = number('/').unwrap_or(self.inputs),
                    _ => {}
                }
            }
            return;
        }
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = count.trim().parse().unwrap_or(self.executions);
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.artifact = Some(path.trim().to_owned());
        }
        if !line.trim().is_empty() && !line.starts_with("stat::") {
            self.last.push(line.to_owned());
        }
    }

    fn row(&self) -> String {
        format!(
            "{} executions, {} edges, {} inputs",
            self.executions, self.edges, self.inputs
        )
    }

    fn finding(&self, plan: &Plan<'_>) -> Finding {
        let input = self.artifact.as_deref().unwrap_or("INPUT");
        // What it panicked with, and no more of what comes after.
        let said = self.last.iter();
        let said =
            said.skip_while(|line| !line.contains("panicked at") && !line.contains("ERROR:"));
        Finding {
            artifact: self.artifact.clone(),
            command: format!("{} {input}", plan.binary.display()),
            said: said.take(SHOWN_LINES).cloned().collect(),
        }
    }
}

impl Ran {
    /// Whether there was no finding.
    pub(super) const fn is_clean(&self) -> bool {
        self.finding.is_none()
    }

    /// The row, and of a finding what was said and how to see it again.
    pub(super) fn show(&self, expects_finding: bool) -> String {
        let word = match (&self.finding, expects_finding) {
            (None, false) => "clean",
            (Some(_), false) => "FINDING",
            (Some(_), true) => "found",
            (None, true) => "NOT FOUND",
        };
        let mut text = format!(
            "{:<16} {word:<9} {:>5} s {:>12} executions {:>6} edges {:>6} inputs",
            self.name, self.seconds, self.executions, self.edges, self.inputs
        );
        if let Some(finding) = self.finding.as_ref().filter(|_| !expects_finding) {
            for line in &finding.said {
                text.push_str(&format!("\n    {line}"));
            }
            if let Some(artifact) = &finding.artifact {
                text.push_str(&format!("\n    input: {artifact}"));
            }
            text.push_str(&format!("\n    again: {}", finding.command));
        }
        text
    }

    /// The row for programs.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "seconds": self.seconds,
            "executions": self.executions,
            "edges": self.edges,
            "inputs": self.inputs,
            "finding": self.finding.is_some(),
            "artifact": self.finding.as_ref().and_then(|finding| finding.artifact.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Heard {
        let mut heard = Heard::default();
        lines.iter().for_each(|line| heard.read(line));
        heard
    }

    #[test]
    fn figures_are_the_last_that_were_said() {
        let heard = heard(&[
            "INFO: Running with entropic power schedule (0xFF, 100).",
            "#4096\tpulse  cov: 400 ft: 660 corp: 200/12Kb lim: 4096 exec/s: 2048 rss: 28Mb",
            "#1351457\tDONE   cov: 402 ft: 670 corp: 266/12812b lim: 4096 exec/s: 103958 rss: 28Mb",
            "stat::number_of_executed_units: 1351460",
        ]);
        assert_eq!(heard.row(), "1351460 executions, 402 edges, 266 inputs");
        assert_eq!(heard.artifact, None);
    }

    #[test]
    fn a_finding_is_shown_with_its_input_and_the_way_back_to_it() {
        let plan = Plan {
            target: &super::super::target::TARGETS[0],
            binary: "bin/record".into(),
            seconds: 1,
            corpus: "corpus".into(),
            artifacts: "artifacts".into(),
            root: Path::new("/"),
        };
        let heard = heard(&[
            "INFO: something",
            "thread '<unnamed>' (1) panicked at targets/record.rs:1:",
            "left is not right",
            "artifact_prefix='artifacts/'; Test unit written to artifacts/crash-1",
        ]);
        let ran = Ran {
            name: "record",
            seconds: 1,
            executions: 7,
            edges: 3,
            inputs: 2,
            finding: Some(heard.finding(&plan)),
        };
        let shown = ran.show(false);
        assert!(shown.contains("FINDING") && shown.contains("left is not right"));
        assert!(shown.contains("again: bin/record artifacts/crash-1"));
        assert!(!shown.contains("INFO"));
        assert!(ran.show(true).contains("found"));
        assert_eq!(ran.to_json()["artifact"], "artifacts/crash-1");
    }
}
