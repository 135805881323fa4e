//! `cargo xtask VERB`: the chores of the house, in the product's language.
//!
//! One module a verb. This file only finds the verb and turns its answer into an exit code: 0 all
//! right, 1 a check failed, 2 the command line or the machine is not as it must be. A verb is added
//! by its module and its line in [`VERBS`]; it must never start another verb except as a step that
//! the user sees.

mod bench;
mod children;
mod ci;
mod crash;
mod crowd;
mod debian;
mod demo;
mod docs;
mod failover;
mod fuzz;
mod gateway;
mod house;
mod instructions;
mod interop;
mod licences;
mod lines;
mod metadata;
mod proxies;
mod python;
mod release;
mod reload;
mod sanitize;
mod simulate;
mod steps;
mod survivors;
mod test;
mod tidy;
mod vectors;
mod verb;
mod wide_limits;
mod workspace;

use std::process::ExitCode;

use verb::{Fault, Outcome, Verb};
use workspace::Workspace;

/// Every verb, in the order in which the usage text shows them.
const VERBS: &[Verb] = &[
    test::VERB,
    ci::VERB,
    tidy::VERB,
    docs::VERB,
    licences::VERB,
    vectors::VERB,
    interop::VERB,
    failover::VERB,
    fuzz::VERB,
    demo::VERB,
    bench::VERB,
    release::VERB,
    sanitize::VERB,
    reload::VERB,
    crash::VERB,
    crowd::VERB,
    simulate::VERB,
];

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
    (verb_named(name)?.run)(&Workspace::find()?, rest)
}

/// The verb of this name.
fn verb_named(name: &str) -> Result<&'static Verb, Fault> {
    VERBS
        .iter()
        .find(|verb| verb.name == name)
        .ok_or_else(|| Fault(format!("`{name}` is not a verb\n{}", usage())))
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask VERB [ARGUMENTS]");
    for verb in VERBS {
        let call = format!("{} {}", verb.name, verb.arguments);
        text.push_str(&format!("\n  {call:<28} {}", verb.summary));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_is_found_by_its_name_and_shown_in_the_usage() {
        for verb in VERBS {
            assert_eq!(verb_named(verb.name).unwrap().summary, verb.summary);
            assert!(usage().contains(verb.summary));
        }
    }

    #[test]
    fn a_wrong_command_line_is_a_fault_and_help_is_not() {
        let line =
            |words: &[&str]| dispatch(&words.iter().map(|w| (*w).into()).collect::<Vec<_>>());
        assert!(line(&[]).is_err());
        assert!(line(&["no-such-verb"]).is_err());
        assert!(line(&["tidy", "surplus"]).is_err());
        assert!(line(&["docs", "--chekc"]).is_err());
        assert_eq!(line(&["help"]), Ok(Outcome::Passed));
    }
}
