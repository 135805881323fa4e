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
