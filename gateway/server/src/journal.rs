//! `portcullis journal`: the tools that read a journal's folder.
//!
//! Each opens the folder anew and writes nothing in it. Exit codes: 0 all is well, 1 a check failed (damage, a
//! difference, another digest), 2 it could not be tried. Answers go to standard output, progress and rates to
//! standard error.

mod clock;
mod diff;
mod export;
pub(crate) mod folder;
mod inspect;
pub(crate) mod naming;
pub(crate) mod progress;
mod verify;
pub(crate) mod words;

pub(crate) use clock::utc;

use crate::replay;
use clap::Subcommand;
use std::process::ExitCode;

/// What can be done with a journal.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// What stands there: segments, snapshots, limit tables, damage; with --seq the records in words.
    Inspect(inspect::Arguments),
    /// Check all of it: checksums, chain, digests by replay, snapshots, limit tables.
    Verify(verify::Arguments),
    /// Apply its records anew: print effects and digest.
    Replay(replay::Arguments),
    /// Find the first record or frame at which two journals differ.
    Diff(diff::Arguments),
    /// Write records, verdicts or fills as CSV.
    Export(export::Arguments),
}

/// Does it.
pub(crate) fn run(verb: &Verb) -> ExitCode {
    match verb {
        Verb::Inspect(arguments) => inspect::inspect(arguments),
        Verb::Verify(arguments) => verify::verify(arguments),
        Verb::Replay(arguments) => replay::replay(arguments),
        Verb::Diff(arguments) => diff::diff(arguments),
        Verb::Export(arguments) => export::export(arguments),
    }
}
