//! The program `flow`: drives order flow against a gateway and prints what came of it.
//!
//! **Thread.** One.
//! **Invariants.** Exits 0 only if every message was answered as it should be and everything is
//! closed and flat at the end; 1 if not, 2 if it could not run.
//! **Never.** Decide anything that the library does not.

mod args;

use portcullis_flow::{FlowReport, Progress, run};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{}", args::USAGE);
        return ExitCode::SUCCESS;
    }
    let options = match args::parse(&arguments) {
        Ok(options) => options,
        Err(what) => return refuse(&what),
    };
    let show = std::io::stderr().is_terminal();
    let mut progress = |progress: &Progress| {
        if show {
            show_progress(progress);
        }
    };
    match run(&options.config, &mut progress) {
        Ok(report) => {
            if show {
                eprintln!();
            }
            finish(&report, options.json)
        }
        Err(error) => refuse(&error.to_string()),
    }
}

fn show_progress(progress: &Progress) {
    let mut out = std::io::stderr().lock();
    let shown = write!(
        out,
        "\r{:<10} {:>6} ms  sent {:>9}  accepted {:>9}  refused {:>8}  traded {:>9}  open {:>7} ",
        progress.phase,
        progress.elapsed_ns / 1_000_000,
        progress.messages_sent,
        progress.accepted,
        progress.refused,
        progress.executed_qty,
        progress.open_orders,
    );
    // A terminal that is gone is no reason to stop.
    if shown.is_ok() {
        let _gone = out.flush();
    }
}

fn finish(report: &FlowReport, json: bool) -> ExitCode {
    print!("{report}");
    if json {
        println!("{}", report.to_json());
    }
    if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

fn refuse(what: &str) -> ExitCode {
    eprintln!("flow: {what}");
    ExitCode::from(2)
}
