//! `cargo xtask vectors FILE...`: command vectors, run through the risk core.
//!
//! One thread. Each command of a file is encoded as a record and applied by the core as the server
//! applies it; refusals, answers and figures are compared with what the file expects. Invariants:
//! every line of every file is either compared or named as bad; what is not read is not passed.

mod driver;
mod fields;
mod op;
mod reader;
mod run;

#[cfg(test)]
mod tests;

use reader::VectorFile;
use run::Outcome;
use std::path::Path;
use std::process::ExitCode;

/// Runs the files; the last line of standard output is a JSON object of what came of them.
///
/// Exit code 0: all agree. 1: a mismatch. 2: a file that cannot be read, or a bad line.
pub(crate) fn main(files: &[String]) -> ExitCode {
    if files.is_empty() {
        eprintln!("usage: cargo xtask vectors FILE... (JSON lines, plain or gzip)");
        return ExitCode::from(2);
    }
    let mut total = Outcome::default();
    for name in files {
        match run_file(Path::new(name)) {
            Ok(outcome) => {
                eprintln!("{name}: {} lines, {} mismatches", outcome.lines, outcome.mismatches);
                if let Some(first) = &outcome.first_mismatch {
                    eprintln!("{first}");
                }
                total.add(outcome);
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        }
    }
    println!("{}", total.to_json());
    ExitCode::from(u8::from(total.mismatches > 0))
}

fn run_file(path: &Path) -> Result<Outcome, String> {
    let file = VectorFile::read(path)?;
    let mut machine = driver::CoreMachine::new(&file.config, file.lines.len())
        .map_err(|why| format!("{}:1: {why}", path.display()))?;
    Ok(run::run(&file, &mut machine, driver::check_names()))
}
