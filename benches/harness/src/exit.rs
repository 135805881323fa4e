//! How a bench ends: with an exit code that means something.
//!
//! On the main thread. Invariant: 0 all bars hold, 1 one is missed, 2 it could not be measured.

use std::process::ExitCode;

/// The exit code of a bench that measured, and whether all its bars hold, or could not, and why.
#[must_use]
pub fn exit_code(bench: &str, outcome: Result<bool, String>) -> ExitCode {
    match outcome {
        Ok(holds) => ExitCode::from(u8::from(!holds)),
        Err(why) => {
            eprintln!("{bench}: {why}");
            ExitCode::from(2)
        }
    }
}
