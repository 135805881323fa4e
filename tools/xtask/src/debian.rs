//! Debian's packages, unpacked into a folder.
//!
//! Invariants: nothing is installed and no right of root is needed; packages come through apt, which checks their
//! signatures. It must never write to the system's own lists or archives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::verb::Fault;

/// What apt keeps while it fetches, below the folder.
const APT: &str = "apt";

/// Unpacks packages, and what they need that this system has not.
///
/// # Errors
/// There is no apt, it reaches no packages, or it has none of such a name.
pub(crate) fn unpack(packages: &[&str], folder: &Path) -> Result<(), Fault> {
    let apt = Apt::new(folder)?;
    apt.run(&["update"])?;
    let install = [
        "install",
        "--yes",
        "--download-only",
        "--no-install-recommends",
    ];
    apt.run(&[&install, packages].concat())?;
    for archive in apt.archives()? {
        succeed(
            Command::new("dpkg-deb")
                .arg("--extract")
                .arg(&archive)
                .arg(folder),
        )?;
    }
    fs::remove_dir_all(folder.join(APT)).map_err(|error| Fault::of(folder.display(), error))
}

/// Debian's package client, with lists and archives of our own: the system's are not written to.
struct Apt {
    lists: PathBuf,
    cache: PathBuf,
}

impl Apt {
    fn new(folder: &Path) -> Result<Self, Fault> {
        let apt = Self {
            lists: folder.join(APT).join("lists"),
            cache: folder.join(APT).join("cache"),
        };
        for partial in [
            apt.lists.join("partial"),
            apt.cache.join("archives/partial"),
        ] {
            fs::create_dir_all(&partial).map_err(|error| Fault::of(partial.display(), error))?;
        }
        Ok(apt)
    }

    fn run(&self, arguments: &[&str]) -> Result<(), Fault> {
        let ours = |option: &str, folder: &Path| format!("{option}={}", folder.display());
        succeed(
            Command::new("apt-get")
                .args(["--quiet=2", "-o", "Debug::NoLocking=1"])
                // Root would have the packages fetched by a user who may not write below a home.
                .args(["-o", "APT::Sandbox::User=root"])
                .args(["-o", &ours("Dir::State::lists", &self.lists)])
                .args(["-o", &ours("Dir::Cache", &self.cache)])
                .args(arguments),
        )
    }

    /// The packages it has fetched.
    fn archives(&self) -> Result<Vec<PathBuf>, Fault> {
        let folder = self.cache.join("archives");
        let fault = |error| Fault::of(folder.display(), error);
        let mut archives = Vec::new();
        for entry in fs::read_dir(&folder).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            if path.extension().is_some_and(|ending| ending == "deb") {
                archives.push(path);
            }
        }
        archives.sort();
        Ok(archives)
    }
}

/// Runs a program; what it said last, if it fails.
pub(crate) fn succeed(command: &mut Command) -> Result<(), Fault> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| Fault::of(&name, error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    Err(Fault::of(&name, format!("{}: {last}", output.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_is_missing_or_fails_is_a_fault_with_what_it_said_last() {
        assert!(succeed(&mut Command::new("no-such-client-here")).is_err());
        let Err(Fault(why)) =
            succeed(Command::new("sh").args(["-c", "echo a; echo b >&2; exit 3"]))
        else {
            panic!("it ended with 3");
        };
        assert!(why.ends_with(": b"), "{why}");
    }
}
