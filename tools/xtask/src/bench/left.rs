//! What benches leave in the folder of benches of where they were built: rows, and histograms.
//!
//! Asked before and after a bench runs. Invariant: what is there of a bench is of one run.

use crate::verb::Fault;
use std::io;
use std::path::{Path, PathBuf};

/// The file of a bench's rows.
pub(crate) fn rows_of(target: &Path, bench: &str) -> PathBuf {
    target.join("bench").join(format!("{bench}.jsonl"))
}

/// Takes a bench's rows of an earlier run away, so that they cannot be taken for this run's.
///
/// # Errors
/// They are there and stay.
pub(crate) fn forget(rows: &Path) -> Result<(), Fault> {
    match std::fs::remove_file(rows) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Fault::of(rows.display(), error))
        }
        _ => Ok(()),
    }
}

/// Brings what a bench left where it was built to the folder of all others, and takes its histograms of an earlier run
/// away there.
///
/// # Errors
/// A file cannot be read, written or taken away.
pub(crate) fn bring_over(from: &Path, to: &Path, bench: &str) -> Result<(), Fault> {
    // Where no other bench was measured there is none yet.
    let folder = to.join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| Fault::of(folder.display(), error))?;
    for old in histograms_of(to, bench)? {
        std::fs::remove_file(&old).map_err(|error| Fault::of(old.display(), error))?;
    }
    let mut files = histograms_of(from, bench)?;
    files.push(rows_of(from, bench));
    for file in files {
        let name = file.file_name().expect("it has the bench's name in it");
        std::fs::copy(&file, folder.join(name))
            .map_err(|error| Fault::of(file.display(), error))?;
    }
    Ok(())
}

fn histograms_of(target: &Path, bench: &str) -> Result<Vec<PathBuf>, Fault> {
    let folder = target.join("bench");
    let told = |error| Fault::of(folder.display(), error);
    let mut found = Vec::new();
    for file in std::fs::read_dir(&folder).map_err(told)? {
        let path = file.map_err(told)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let mine = |name: &str| name.starts_with(&format!("{bench}-")) && name.ends_with(".hlog");
        if name.is_some_and(mine) {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_comes_over_needs_no_other_bench_before_it() {
        let base = std::env::temp_dir().join(format!("xtask-left-first-{}", std::process::id()));
        let (from, to) = (base.join("from"), base.join("to"));
        fs::create_dir_all(from.join("bench")).expect("a folder of its own");
        fs::write(from.join("bench").join("peers.jsonl"), "rows").expect("just made");
        bring_over(&from, &to, "peers").expect("all is there");
        assert!(to.join("bench").join("peers.jsonl").exists());
        fs::remove_dir_all(&base).expect("made above");
    }

    #[test]
    fn what_comes_over_is_of_this_run_and_of_this_bench() {
        let base = std::env::temp_dir().join(format!("xtask-left-{}", std::process::id()));
        let (from, to) = (base.join("from"), base.join("to"));
        for (target, file) in [
            (&from, "peers.jsonl"),
            (&from, "peers-accepted.hlog"),
            (&to, "peers-of-earlier.hlog"),
            (&to, "ring-hop.hlog"),
        ] {
            fs::create_dir_all(target.join("bench")).expect("a folder of its own");
            fs::write(target.join("bench").join(file), file).expect("just made");
        }
        bring_over(&from, &to, "peers").expect("all is there");
        let left = fs::read_dir(to.join("bench")).expect("it is there");
        let mut names: Vec<_> = left.map(|file| file.expect("a file").file_name()).collect();
        names.sort();
        assert_eq!(
            names,
            ["peers-accepted.hlog", "peers.jsonl", "ring-hop.hlog"]
        );
        fs::remove_dir_all(&base).expect("made above");
    }
}
