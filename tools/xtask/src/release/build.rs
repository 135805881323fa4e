//! The three builds of a release: the ordinary one, one that counts, one by these counts.
//!
//! Invariants: all are of the release profile and of the same sources; flags that the user gives the compiler are kept,
//! and ours follow them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::PROGRAM;
use crate::verb::Fault;
use crate::workspace::Workspace;

/// What separates cargo's flags for the compiler, so that a path may have a space.
const SEPARATOR: &str = "\x1f";

/// Cargo, which builds.
pub(super) struct Build;

impl Build {
    /// The ordinary one, and beside it the program that gives it work.
    pub(super) fn ordinary(workspace: &Workspace, target: &Path) -> Result<PathBuf, Fault> {
        let packages = [PROGRAM, "portcullis-bench-wire"];
        built(workspace, target, &packages, &[])
    }

    /// One that counts which ways its code takes.
    pub(super) fn counting(workspace: &Workspace, folder: &Path) -> Result<PathBuf, Fault> {
        let target = folder.join("counting");
        // Programs that the build itself runs count too, and leave theirs here.
        let flag = with_path("-Cprofile-generate=", &target.join("of-the-build"));
        built(workspace, &target, &[PROGRAM], &[flag])
    }

    /// One by these counts, that says where it may be taken apart.
    pub(super) fn by_counts(
        workspace: &Workspace,
        folder: &Path,
        counts: &Path,
    ) -> Result<PathBuf, Fault> {
        let flags = [
            with_path("-Cprofile-use=", counts),
            "-Clink-arg=-Wl,--emit-relocs".into(),
        ];
        built(workspace, &folder.join("by-counts"), &[PROGRAM], &flags)
    }
}

fn with_path(flag: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(flag);
    flag.push(path);
    flag
}

/// Builds packages; where the gateway's binary lies.
fn built(
    workspace: &Workspace,
    target: &Path,
    packages: &[&str],
    flags: &[OsString],
) -> Result<PathBuf, Fault> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--target-dir"])
        .arg(target)
        .current_dir(workspace.root());
    for package in packages {
        cargo.args(["--package", package]);
    }
    if !flags.is_empty() {
        cargo.env("CARGO_ENCODED_RUSTFLAGS", encoded(given(), flags));
    }
    let status = cargo
        .status()
        .map_err(|error| Fault::of("cargo build", error))?;
    match status.success() {
        true => Ok(target.join("release").join(PROGRAM)),
        false => Err(Fault::of(PROGRAM, "it does not build: see above")),
    }
}

/// Flags that the user gives the compiler.
fn given() -> Vec<OsString> {
    let words = |text: OsString, by: &str| {
        let text = text.to_string_lossy().into_owned();
        let words = text.split(by).filter(|word| !word.is_empty());
        words.map(OsString::from).collect::<Vec<_>>()
    };
    match std::env::var_os("CARGO_ENCODED_RUSTFLAGS") {
        Some(text) => words(text, SEPARATOR),
        None => std::env::var_os("RUSTFLAGS").map_or_else(Vec::new, |text| words(text, " ")),
    }
}

fn encoded(given: Vec<OsString>, flags: &[OsString]) -> OsString {
    let all: Vec<OsString> = given.into_iter().chain(flags.iter().cloned()).collect();
    all.join(SEPARATOR.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_flags_follow_the_users_and_a_path_may_have_a_space() {
        let flag = with_path("-Cprofile-use=", Path::new("/a b/c"));
        let both = encoded(vec!["-Ctarget-cpu=native".into()], &[flag]);
        let words: Vec<&str> = both.to_str().unwrap().split(SEPARATOR).collect();
        assert_eq!(words, ["-Ctarget-cpu=native", "-Cprofile-use=/a b/c"]);
    }
}
