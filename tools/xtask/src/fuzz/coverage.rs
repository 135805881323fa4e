//! Line coverage of the decoders, over all inputs that there are.
//!
//! Each target runs once over its seeds and what earlier runs learned, built with rustc's own line
//! counters. They are read by the `cov` tool of the crate llvm_profparser, since the LLVM tools that
//! fit the compiler's format do not come with it. A line counts as run if any target ran it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::build::{self, Way};
use super::options::Options;
use super::run;
use super::target::{DECODERS, Target};
use crate::verb::Fault;
use crate::workspace::Workspace;

/// The crate that reads the counters, and its version.
const READER: (&str, &str) = ("llvm_profparser", "0.13.1");

/// Lines in a hundred that must have run, in each decoder.
const PERCENT_MIN: usize = 90;

/// By file, from the root, and line: whether it ran.
type Lines = BTreeMap<String, BTreeMap<usize, bool>>;

/// The lines of one decoder.
#[derive(Debug)]
pub(super) struct Decoder {
    name: &'static str,
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    path: &'static str,
    lines: usize,
    ran: usize,
    missed: Vec<usize>,
}

/// Counts, and prints a row a file.
pub(super) fn measure(workspace: &Workspace, options: &Options) -> Result<Vec<Decoder>, Fault> {
    let reader = reader(workspace)?;
    let binaries = build::targets(workspace, Way::Lines)?;
    let mut lines = Lines::new();
    for target in options.targets() {
        let shown = counted(workspace, target, &binaries.join(target.name), &reader)?;
        add(&shown, workspace.root(), &mut lines);
    }
    let decoders: Vec<Decoder> = DECODERS
        .iter()
        .map(|(name, files)| Decoder::of(name, files, &lines))
        // One target alone does not reach every decoder.
        .filter(|decoder| options.target.is_none() || decoder.count().1 > 0)
        .collect();
    for decoder in &decoders {
        println!("{}", decoder.show());
    }
    Ok(decoders)
}

/// The tool that reads the counters; installed under the target folder if need be.
fn reader(workspace: &Workspace) -> Result<PathBuf, Fault> {
    let root = build::folder(workspace).join("tools");
    let binary = root.join("bin/cov");
    let (name, version) = READER;
    let stamp = root.join(format!("{name}-{version}"));
    if binary.is_file() && stamp.is_file() {
        return Ok(binary);
    }
    println!(
        "$ cargo install {name} --version {version} --root {}",
        root.display()
    );
    let status = Command::new(build::cargo())
        .args(["install", name, "--version", version, "--locked", "--force"])
        .arg("--root")
        .arg(&root)
        .status()
        .map_err(|error| Fault::of("cargo install", error))?;
    if !status.success() {
        return Err(Fault(format!(
            "{name} {version} does not install: see above; cargo must reach a registry"
        )));
    }
    std::fs::write(&stamp, "").map_err(|error| Fault::of(stamp.display(), error))?;
    Ok(binary)
}

/// Runs a target over its inputs and gives its sources with counts, as the reader shows them.
fn counted(
    workspace: &Workspace,
    target: &Target,
    binary: &Path,
    reader: &Path,
) -> Result<String, Fault> {
    let folder = build::folder(workspace);
    let profile = folder.join(format!("{}.profraw", target.name));
    let corpus = folder.join("corpus").join(target.name);
    let corpus = corpus.is_dir().then_some(corpus);
    let status = Command::new(binary)
        .arg("-runs=0")
        .args(run::seeds(target, workspace.root()))
        .args(corpus)
        .env("LLVM_PROFILE_FILE", &profile)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| Fault::of(binary.display(), error))?;
    if !status.success() {
        return Err(Fault(format!(
            "{}: an input that is kept is a finding; run `cargo xtask fuzz --target {}`",
            target.name, target.name
        )));
    }
    let output = Command::new(reader)
        .arg("show")
        .arg("--instr-profile")
        .arg(&profile)
        .arg("--object")
        .arg(binary)
        .output()
        .map_err(|error| Fault::of(reader.display(), error))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Fault::of(reader.display(), text));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Adds what the reader shows: a file's path on a line of its own, then `number|count|source`, the
/// count blank where nothing is counted.
fn add(shown: &str, root: &Path, lines: &mut Lines) {
    let mut file: Option<&mut BTreeMap<usize, bool>> = None;
    for line in shown.lines() {
        if line.starts_with('/') && !line.contains('|') {
            let path = Path::new(line).strip_prefix(root).ok();
            let path = path.map(|path| path.to_string_lossy().into_owned());
            file = path.map(|path| lines.entry(path).or_default());
            continue;
        }
        let mut parts = line.splitn(3, '|').map(str::trim);
        let number = parts.next().and_then(|word| word.parse().ok());
        let count: Option<u64> = parts.next().and_then(|word| word.parse().ok());
        if let (Some(file), Some(number), Some(count)) = (file.as_mut(), number, count) {
            *file.entry(number).or_default() |= count > 0;
        }
    }
}

impl Decoder {
    fn of(name: &'static str, paths: &'static [&'static str], lines: &Lines) -> Self {
        let nothing = BTreeMap::new();
        let file = |path: &&'static str| {
            let counted = lines.get(*path).unwrap_or(&nothing);
            let missed = counted.iter().filter(|(_, ran)| !**ran);
            let missed: Vec<usize> = missed.map(|(number, _)| *number).collect();
            File {
                path,
                lines: counted.len(),
                ran: counted.len() - missed.len(),
                missed,
            }
        };
        Self {
            name,
            files: paths.iter().map(file).collect(),
        }
    }

    /// Lines, and those that ran.
    fn count(&self) -> (usize, usize) {
        let sum = |of: fn(&File) -> usize| self.files.iter().map(of).sum();
        (sum(|file| file.lines), sum(|file| file.ran))
    }

    /// Whether enough of its lines ran. A decoder without a line has not been seen at all.
    pub(super) fn is_enough(&self) -> bool {
        let (lines, ran) = self.count();
        lines > 0 && ran * 100 >= lines * PERCENT_MIN
    }

    fn show(&self) -> String {
        let (lines, ran) = self.count();
        let word = if self.is_enough() { "ok" } else { "TOO FEW" };
        let mut text = format!("{:<54} {} {word}", self.name, share(lines, ran));
        for file in &self.files {
            let row = format!("\n  {:<52} {}", file.path, share(file.lines, file.ran));
            text.push_str(&row);
            if !self.is_enough() {
                text.push_str(&format!("  not: {:?}", file.missed));
            }
        }
        text
    }

    /// The row for programs.
    pub(super) fn to_json(&self) -> Value {
        let (lines, ran) = self.count();
        let files = self.files.iter();
        let files =
            files.map(|file| json!({"path": file.path, "lines": file.lines, "ran": file.ran}));
        json!({
            "decoder": self.name,
            "lines": lines,
            "ran": ran,
            "enough": self.is_enough(),
            "files": files.collect::<Vec<_>>(),
        })
    }
}

/// Tenths of a per cent, in whole numbers.
fn share(lines: usize, ran: usize) -> String {
    let tenths = (ran * 1000).checked_div(lines).unwrap_or(0);
    format!(
        "{ran:>5} of {lines:>5} lines {:>4}.{} %",
        tenths / 10,
        tenths % 10
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "/elsewhere/src/lib.rs
    1|      9|fn a() {
/repository/gateway/journal/src/log.rs
    1|       |//! Text | with a bar.
    2|      3|fn b() {
    3|      0|    c();
    4|      3|}
";

    #[test]
    fn lines_are_counted_by_file_and_added_up_over_targets() {
        let mut lines = Lines::new();
        add(SHOWN, Path::new("/repository"), &mut lines);
        assert_eq!(lines.len(), 1, "what lies elsewhere is not ours");
        let file = &lines["gateway/journal/src/log.rs"];
        assert_eq!(*file, BTreeMap::from([(2, true), (3, false), (4, true)]));
        let other = SHOWN
            .replace("3|      0|", "3|      7|")
            .replace("4|      3|", "4|      0|");
        add(&other, Path::new("/repository"), &mut lines);
        assert!(lines["gateway/journal/src/log.rs"].values().all(|ran| *ran));
    }

    #[test]
    fn a_decoder_needs_nine_lines_in_ten() {
        let path = "gateway/journal/src/log.rs";
        let decoder = |missed: usize| {
            let file = (1..=20).map(|line| (line, line > missed)).collect();
            Decoder::of(
                "log",
                &["gateway/journal/src/log.rs"],
                &Lines::from([(path.into(), file)]),
            )
        };
        assert!(decoder(2).is_enough());
        assert!(!decoder(3).is_enough());
        assert!(decoder(3).show().contains("TOO FEW") && decoder(3).show().contains("[1, 2, 3]"));
        assert!(!Decoder::of("log", &["gateway/journal/src/log.rs"], &Lines::new()).is_enough());
        assert_eq!(share(3, 2), "    2 of     3 lines   66.6 %");
    }
}
