//! The work that a release is built for, and the proof that it does it right.
//!
//! Orders over TCP as the wire bench sends them, and the demo: each check, fills, replaces, cancels, kill switches, a
//! journal and its replay. Invariant: a run that ends with a fault, or whose counts do not agree, ends the release.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::remove;
use crate::verb::Fault;

/// Seconds of the demo's flow: enough for each step of its script.
const SECONDS: &str = "6";

/// How the demo's threads run: one that spins, as the wire bench's gateway.
const THREADS: [&str; 4] = ["--topology", "fused", "--idle", "busy"];

/// The loads.
pub(super) struct Loads {
    /// The bench's program.
    wire: PathBuf,
    folder: PathBuf,
}

impl Loads {
    pub(super) fn new(target: &Path, folder: &Path) -> Self {
        Self {
            wire: target.join("release/wire"),
            folder: folder.to_owned(),
        }
    }

    /// Has a binary do all of its work. What it is told by the environment its children are told too.
    pub(super) fn give(&self, binary: &Path, told: &[(&str, &Path)]) -> Result<(), Fault> {
        let told = || told.iter().copied();
        let mut wire = Command::new(&self.wire);
        wire.arg("--unmeasured").arg("--gateway").arg(binary);
        said(wire.envs(told()))?;
        let journal = self.folder.join("journal");
        demo(binary, &journal, told())?;
        said(
            Command::new(binary)
                .arg("replay")
                .arg(&journal)
                .envs(told()),
        )?;
        remove(&journal)
    }

    /// Holds what a binary decides against another of the same sources: each journal, replayed by either, has the
    /// digest with which it was written.
    pub(super) fn agree(&self, ordinary: &Path, shipped: &Path) -> Result<(), Fault> {
        let journal = self.folder.join("journal");
        for writer in [ordinary, shipped] {
            let digest = demo(writer, &journal, [].into_iter())?;
            for reader in [ordinary, shipped] {
                let replayed = said(Command::new(reader).arg("replay").arg(&journal))?;
                must_have(&replayed, &digest).map_err(|Fault(why)| {
                    let (writer, reader) = (writer.display(), reader.display());
                    Fault(format!(
                        "a journal of {writer}, replayed by {reader}: {why}"
                    ))
                })?;
            }
            remove(&journal)?;
        }
        Ok(())
    }
}

/// Runs the demo, whose counts must agree; the digest it ended with.
fn demo<'a>(
    binary: &Path,
    journal: &Path,
    told: impl Iterator<Item = (&'a str, &'a Path)>,
) -> Result<String, Fault> {
    remove(journal)?;
    let mut command = Command::new(binary);
    command
        .args(["demo", "--json", "--seconds", SECONDS])
        .args(THREADS)
        .arg("--journal")
        .arg(journal)
        .envs(told);
    digest_of(&said(&mut command)?)
}

/// The digest in the last line of what the demo said.
fn digest_of(said: &str) -> Result<String, Fault> {
    let last = said.lines().last().unwrap_or_default();
    let figures: serde_json::Value =
        serde_json::from_str(last).map_err(|error| Fault::of("the demo's last line", error))?;
    let digest = figures["digest"].as_str();
    digest
        .filter(|digest| !digest.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| Fault::of("the demo's last line", "it has no digest"))
}

fn must_have(replayed: &str, digest: &str) -> Result<(), Fault> {
    match replayed.contains(&format!("digest {digest}")) {
        true => Ok(()),
        false => Err(Fault(format!("not the digest {digest}: {replayed}"))),
    }
}

/// Runs a program that must end well; what it said.
fn said(command: &mut Command) -> Result<String, Fault> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| Fault::of(&name, error))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(Fault(format!(
            "{name}: {}\n{}{}",
            output.status,
            text(&output.stdout),
            text(&output.stderr)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_the_last_line_and_another_one_is_a_fault() {
        let digest = digest_of("words\n{\"digest\": \"00ff\"}\n");
        assert_eq!(digest, Ok("00ff".to_owned()));
        assert!(digest_of("words\n{\"digest\": \"\"}\n").is_err());
        assert!(digest_of("words\n").is_err());
        assert_eq!(must_have("7 commands, digest 00ff\n", "00ff"), Ok(()));
        let Err(Fault(why)) = must_have("digest 00fe", "00ff") else {
            panic!("it is another");
        };
        assert_eq!(why, "not the digest 00ff: digest 00fe");
    }

    #[test]
    fn a_run_that_fails_is_a_fault_with_all_that_it_said() {
        let Err(Fault(why)) = said(Command::new("sh").args(["-c", "echo a; echo b >&2; exit 1"]))
        else {
            panic!("it ended with 1");
        };
        assert!(why.ends_with("a\nb\n"), "{why}");
    }
}
