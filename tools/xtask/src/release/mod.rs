//! `cargo xtask release`: the gateway's binary as it is shipped, built and laid out by a profile of its own work.
//!
//! A message's way through the gateway is some thirty kilobytes of code, and the system's own code has to make way for
//! each line of it. Compiled without knowing what is rare, a third of these lines' bytes is never executed. So the
//! compiler is given a profile, and what it has built is laid out by a second one, function by function and block by
//! block.
//!
//! Invariants: what is shipped is built from what lies here, without checks left out; a profile is never kept longer
//! than the build that it is for; a binary is put in its place only after it has replayed journals, an ordinary
//! build's and its own, to the digests that these had when they were written.

mod build;
mod loads;
mod tools;

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use crate::verb::{Fault, Outcome, Verb, no_arguments};
use crate::workspace::Workspace;
use build::Build;
use loads::Loads;
use tools::Tools;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "release",
    arguments: "",
    summary: "the binary as it is shipped, built and laid out by a profile of its own work: target/shipped/portcullis",
    run,
};

/// Folder below the target folder.
const FOLDER: &str = "shipped";

/// The binary, in whichever folder.
const PROGRAM: &str = "portcullis";

/// Of which ordinary build the binary is the shipped one.
const OF: &str = "of-build";

/// How much there is to do.
const STEPS: usize = 7;

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    no_arguments(VERB.name, arguments)?;
    println!("{}", shipped(workspace)?.display());
    Ok(Outcome::Passed)
}

/// The binary as it is shipped, made anew if the ordinary build is another than the one it was made beside.
fn shipped(workspace: &Workspace) -> Result<PathBuf, Fault> {
    let target = workspace.target();
    let folder = target.join(FOLDER);
    let (binary, of) = (folder.join(PROGRAM), folder.join(OF));
    step(1, "the ordinary build");
    let ordinary = Build::ordinary(workspace, &target)?;
    let now = fingerprint(&ordinary)?;
    if binary.is_file() && fs::read_to_string(&of).is_ok_and(|then| then == now) {
        eprintln!("{} is of this build", binary.display());
        return Ok(binary);
    }
    // What is there is of another build.
    for stale in [&binary, &of] {
        remove(stale)?;
    }
    let made = made(workspace, &folder, &ordinary)?;
    fs::rename(&made, &binary).map_err(|error| Fault::of(binary.display(), error))?;
    fs::write(&of, now).map_err(|error| Fault::of(of.display(), error))?;
    Ok(binary)
}

/// Builds, lays out and proves one; where it lies.
fn made(workspace: &Workspace, folder: &Path, ordinary: &Path) -> Result<PathBuf, Fault> {
    let tools = Tools::find(workspace, &workspace.target())?;
    let profiles = folder.join("profiles");
    remove(&profiles)?;
    fs::create_dir_all(&profiles).map_err(|error| Fault::of(profiles.display(), error))?;
    let loads = Loads::new(&workspace.target(), folder);

    step(2, "a build that counts what it does");
    let counting = Build::counting(workspace, folder)?;
    step(3, "its work");
    let raw = profiles.join("counts");
    loads.give(&counting, &[("LLVM_PROFILE_FILE", &raw.join("%p.profraw"))])?;
    let merged = profiles.join("counts.profdata");
    tools.merge_counts(&raw, &merged)?;

    step(4, "a build by these counts");
    let built = Build::by_counts(workspace, folder, &merged)?;
    step(5, "the work of that, block by block");
    let (instrumented, raw) = (folder.join("instrumented"), profiles.join("blocks"));
    fs::create_dir_all(&raw).map_err(|error| Fault::of(raw.display(), error))?;
    tools.instrument(&built, &instrumented, &raw.join("of"))?;
    loads.give(&instrumented, &[])?;
    let merged = profiles.join("blocks.fdata");
    tools.merge_blocks(&raw, &merged)?;

    step(6, "laying it out");
    let laid_out = folder.join("laid-out");
    tools.lay_out(&built, &merged, &laid_out)?;
    step(7, "whether it does what the ordinary build does");
    loads.agree(ordinary, &laid_out)?;
    Ok(laid_out)
}

fn step(number: usize, what: &str) {
    eprintln!("release {number} of {STEPS}: {what}");
}

/// What tells one build from another.
fn fingerprint(binary: &Path) -> Result<String, Fault> {
    let bytes = fs::read(binary).map_err(|error| Fault::of(binary.display(), error))?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    Ok(format!("{:016x} {}", hasher.finish(), bytes.len()))
}

/// Removes a file or a folder of an earlier run, if there is one.
fn remove(path: &Path) -> Result<(), Fault> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false if path.exists() => fs::remove_file(path),
        false => Ok(()),
    };
    removed.map_err(|error| Fault::of(path.display(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_told_from_another_by_each_of_its_bytes() {
        let folder =
            std::env::temp_dir().join(format!("portcullis-release-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let of = |bytes: &[u8]| {
            let file = folder.join("binary");
            fs::write(&file, bytes).unwrap();
            fingerprint(&file).unwrap()
        };
        assert_eq!(of(b"abc"), of(b"abc"));
        assert_ne!(of(b"abc"), of(b"abd"));
        assert_ne!(of(b"abc"), of(b"abc\0"));
        remove(&folder).unwrap();
        assert!(fingerprint(&folder.join("binary")).is_err());
        assert_eq!(remove(&folder), Ok(()), "there is none any more");
    }
}
