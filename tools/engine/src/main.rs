//! The program `ouch-engine`: an engine for tests of crashes and failovers.
//!
//! **Thread.** The engine's, and one that reads questions from the standard input.
//! **Invariants.** The first line says where it listens; each question is answered by one line. It
//! ends with its input, so that it does not outlive who started it. Exits 0 when it was told to end, 2
//! if it could not run.
//! **Never.** Decide anything that the library does not.

mod args;

use portcullis_engine::{Ask, Asker, Engine};
use std::io::{BufRead, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{}", args::USAGE);
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("ouch-engine: {what}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let config = args::parse(arguments)?;
    let engine = Engine::listen(&config).map_err(|error| error.to_string())?;
    let asker = engine.asker();
    print(&format!("{{\"listening\":\"{}\"}}", engine.address()))?;
    let questions = std::thread::Builder::new().name("questions".to_owned());
    let spawned = questions.spawn(move || answer(&asker));
    spawned.map_err(|error| format!("the thread that reads questions: {error}"))?;
    engine
        .run()
        .map_err(|error| format!("the sockets: {error}"))
}

/// Reads questions until the input ends, and the engine with it.
fn answer(asker: &Asker) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match line.trim() {
            "figures" => {
                let Some(figures) = asker.figures() else {
                    return;
                };
                if print(&figures).is_err() {
                    break;
                }
            }
            "break" if asker.ask(Ask::BreakAll) => {}
            "stop" | "break" => break,
            "" => {}
            other => eprintln!("ouch-engine: {other}: say figures, break or stop"),
        }
    }
    // One that has ended already needs no telling.
    let _ended = asker.ask(Ask::Stop);
}

fn print(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    let printed = writeln!(out, "{line}").and_then(|()| out.flush());
    printed.map_err(|error| format!("the standard output: {error}"))
}
