//! `cargo xtask VERB`: the chores of the house, in the product's language.
//!
//! One module a verb. This file only finds the verb and turns its answer into an exit code: 0 all
//! right, 1 a check failed, 2 the command line or the machine is not as it must be. A verb is added
//! by its module and its line in [`VERBS`]; it must never start another verb except as a step that
//! the user sees.

mod verb;
mod workspace;

use std::process::ExitCode;

use verb::{Fault, Outcome, Verb};
use workspace::Workspace;

/// Every verb, in the order in which the usage text shows them.
const VERBS: &[Verb] = &[];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(Outcome::Passed) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Err(Fault(reason)) => {
            eprintln!("xtask: {reason}");
            ExitCode::from(2)
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<Outcome, Fault> {
    let (name, rest) = match arguments.split_first() {
        None => return Err(Fault(usage())),
        Some((first, _)) if matches!(first.as_str(), "help" | "--help" | "-h") => {
            println!("{}", usage());
            return Ok(Outcome::Passed);
        }
        Some(split) => split,
    };
    let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
        return Err(Fault(format!("`{name}` is not a verb\n{}", usage())));
    };
    (verb.run)(&Workspace::find()?, rest)
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask VERB [ARGUMENTS]");
    for verb in VERBS {
        let call = format!("{} {}", verb.name, verb.arguments);
        text.push_str(&format!("\n  {call:<28} {}", verb.summary));
    }
    text
}
