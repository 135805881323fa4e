//! `portcullis ctl`: one request to a running gateway.

use crate::{REFUSED, cannot};
use portcullis_control::ctl::{Status, client};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// A reload of a million accounts is read and validated whole before it answers.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// Asks, and prints the answer.
pub(crate) fn ask(socket: &Path, request: &str) -> ExitCode {
    let answer = match client::ask(socket, request, SILENCE_MAX) {
        Ok(answer) => answer,
        Err(error) => {
            return cannot(format!(
                "{}: {error}; is the gateway running, and is this its socket?",
                socket.display()
            ));
        }
    };
    for line in &answer.lines {
        println!("{line}");
    }
    match answer.status {
        Status::Done(note) => {
            println!("{}", format!("done {note}").trim_end());
            ExitCode::SUCCESS
        }
        Status::Refused(why) => {
            println!("refused {why}");
            ExitCode::from(REFUSED)
        }
        Status::Failed(why) => {
            println!("failed {why}");
            ExitCode::from(REFUSED)
        }
    }
}
