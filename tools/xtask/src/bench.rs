//! `cargo xtask bench`: builds a bench and what it drives, and runs it.
//!
//! Benches are programs of their own; this verb only knows their names. A bench is added by its
//! line in [`BENCHES`]. Invariants: benches run one after the other, never two at once; a bench that
//! ends with 1 has missed a bar, with anything else above 0 it could not measure.

use std::path::PathBuf;
use std::process::Command;

use crate::verb::{Fault, Outcome, Verb};
use crate::workspace::Workspace;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "bench",
    arguments: "NAME|all [--quick] [--json]",
    summary: "measure: builds a bench and runs it; further arguments go to the bench",
    run,
};

/// One bench.
#[derive(Clone, Copy, Debug)]
struct Bench {
    /// As it is asked for, and the name of its program.
    name: &'static str,
    /// Its package, and those of the programs it drives.
    packages: &'static [&'static str],
    /// What makes it short.
    quick: &'static [&'static str],
}

/// Every bench, in the order in which `all` runs them.
const BENCHES: &[Bench] = &[
    Bench {
        name: "kernel",
        packages: &["portcullis-bench-kernel"],
        quick: &["--orders", "20000"],
    },
    Bench {
        name: "ring",
        packages: &["portcullis-bench-pipeline"],
        quick: &["--quick"],
    },
    Bench {
        name: "pipeline",
        packages: &["portcullis-bench-pipeline"],
        quick: &["--quick"],
    },
    Bench {
        name: "reload",
        packages: &["portcullis-bench-pipeline"],
        quick: &["--quick"],
    },
    Bench {
        name: "wire",
        packages: &["portcullis-bench-wire", "portcullis"],
        quick: &["--quick"],
    },
];

/// The exit code of a bench that measured and missed a bar.
const BAR_MISSED: i32 = 1;

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    let Some((name, rest)) = arguments.split_first() else {
        return Err(Fault(format!("which bench? {}", names())));
    };
    let benches = asked_for(name)?;
    let mut outcome = Outcome::Passed;
    for (at, bench) in benches.iter().enumerate() {
        eprintln!("bench {} of {}: {}", at + 1, benches.len(), bench.name);
        build(workspace, bench)?;
        if measure(workspace, bench, rest)? == Outcome::Failed {
            outcome = Outcome::Failed;
        }
    }
    Ok(outcome)
}

fn asked_for(name: &str) -> Result<Vec<&'static Bench>, Fault> {
    let found: Vec<&Bench> = (BENCHES.iter())
        .filter(|bench| name == "all" || bench.name == name)
        .collect();
    if found.is_empty() {
        return Err(Fault(format!("`{name}` is no bench: {}", names())));
    }
    Ok(found)
}

fn names() -> String {
    let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
    format!("say one of {}, all", names.join(", "))
}

/// The arguments of a bench: `--quick` in its own words, the rest as given.
fn in_its_words(bench: &Bench, rest: &[String]) -> Vec<String> {
    let word = |argument: &String| match argument.as_str() {
        "--quick" => bench.quick.iter().map(|&word| word.to_owned()).collect(),
        _ => vec![argument.clone()],
    };
    rest.iter().flat_map(word).collect()
}

fn build(workspace: &Workspace, bench: &Bench) -> Result<(), Fault> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--release"])
        .current_dir(workspace.root());
    for package in bench.packages {
        cargo.args(["--package", package]);
    }
    let status = cargo
        .status()
        .map_err(|error| Fault::of("cargo build", error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Fault::of(bench.name, "it does not build: see above")),
    }
}

fn measure(workspace: &Workspace, bench: &Bench, rest: &[String]) -> Result<Outcome, Fault> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.root().join("target"), PathBuf::from);
    let program = target.join("release").join(bench.name);
    let status = Command::new(&program)
        .args(in_its_words(bench, rest))
        .current_dir(workspace.root())
        .status()
        .map_err(|error| Fault::of(program.display(), error))?;
    match status.code() {
        Some(0) => Ok(Outcome::Passed),
        Some(BAR_MISSED) => Ok(Outcome::Failed),
        _ => Err(Fault::of(
            bench.name,
            format!("it could not measure: {status}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_every_bench_and_a_wrong_name_is_a_fault_that_lists_them() {
        let count = |name| asked_for(name).map(|benches| benches.len());
        assert_eq!(count("all"), Ok(BENCHES.len()));
        assert_eq!(count("wire"), Ok(1));
        let Err(Fault(reason)) = asked_for("wires") else {
            panic!("there is none of that name");
        };
        assert!(reason.contains("wire, all"), "{reason}");
    }

    #[test]
    fn quick_is_said_in_the_words_of_the_bench() {
        let said = |bench, words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            in_its_words(bench, &words).join(" ")
        };
        assert_eq!(
            said(&BENCHES[0], &["--json", "--quick"]),
            "--json --orders 20000"
        );
        assert_eq!(
            said(&BENCHES[1], &["--quick", "--rounds", "5"]),
            "--quick --rounds 5"
        );
    }
}
