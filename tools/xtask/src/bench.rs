//! `cargo xtask bench`: builds a bench and what it drives, and runs it.
//!
//! Benches are programs of their own; this verb only knows their names. A bench is added by its
//! line in [`BENCHES`]. Invariants: benches run one after the other, never two at once; a bench that
//! ends with 1 has missed a bar, with anything else above 0 it could not measure. A bench of a
//! workspace of its own is fetched when it is asked for by name; among all it runs if what it links
//! is here already, and is said to be absent if not. Behind all of them stands what they come to.

mod left;
mod total;

use portcullis_bench_harness::PEERS_BARS;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::instructions;
use crate::lines;
use crate::proxies;
use crate::verb::{Fault, Outcome, Verb};
use crate::workspace::Workspace;
use total::Total;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "bench",
    arguments: "NAME|all [--quick] [--json] [--html] | instructions [--record] [--json] | lines [--quick] [--json]",
    summary: "measure: builds a bench and runs it; `all` or --html write target/bench/report.html; further arguments go to the bench",
    run,
};

/// One bench.
#[derive(Clone, Copy, Debug)]
struct Bench {
    /// As it is asked for, and the name of its program.
    name: &'static str,
    /// Its package, and those of the programs it drives.
    packages: &'static [&'static str],
    /// Its own workspace, where what it links must not enter ours.
    apart: Option<Apart>,
    /// What makes it short.
    quick: &'static [&'static str],
    /// What follows that among all, which are to be done in five minutes.
    quick_among_all: &'static [&'static str],
    /// Fetches what it stands beside, into the target folder.
    prepare: Option<fn(&Path)>,
}

/// A workspace of a bench's own.
#[derive(Clone, Copy, Debug)]
struct Apart {
    folder: &'static str,
    /// Its rows that are held to a bar: absent where it is not built.
    bars: u64,
}

/// Every bench, in the order in which `all` runs them.
const BENCHES: &[Bench] = &[
    Bench {
        name: "kernel",
        packages: &["portcullis-bench-kernel"],
        apart: None,
        quick: &["--quick", "--rounds", "1"],
        quick_among_all: &[],
        prepare: None,
    },
    Bench {
        name: "sweep",
        packages: &["portcullis-bench-kernel"],
        apart: None,
        quick: &["--quick", "--rounds", "1"],
        quick_among_all: &[],
        prepare: None,
    },
    Bench {
        name: "scale",
        packages: &["portcullis-bench-kernel"],
        apart: None,
        quick: &["--quick", "--rounds", "1"],
        quick_among_all: &[],
        prepare: None,
    },
    Bench {
        name: "ring",
        packages: &["portcullis-bench-pipeline"],
        quick: &["--quick"],
        quick_among_all: &[],
        apart: None,
        prepare: None,
    },
    Bench {
        name: "pipeline",
        packages: &["portcullis-bench-pipeline"],
        quick: &["--quick"],
        quick_among_all: &[],
        apart: None,
        prepare: None,
    },
    Bench {
        name: "reload",
        packages: &["portcullis-bench-pipeline"],
        quick: &["--quick"],
        quick_among_all: &[],
        apart: None,
        prepare: None,
    },
    Bench {
        name: "journal",
        packages: &["portcullis-bench-pipeline"],
        quick: &["--quick"],
        quick_among_all: &["--rounds", "1"],
        apart: None,
        prepare: None,
    },
    Bench {
        name: "wire",
        packages: &["portcullis-bench-wire", "portcullis"],
        apart: None,
        quick: &["--quick"],
        quick_among_all: &["--rounds", "3"],
        prepare: Some(proxies::prepare),
    },
    Bench {
        name: "peers",
        packages: &["portcullis-bench-peers"],
        apart: Some(Apart {
            folder: "benches/peers",
            bars: PEERS_BARS,
        }),
        quick: &["--quick"],
        quick_among_all: &[],
        prepare: None,
    },
];

/// Wants what fits into a few minutes.
const QUICK: &str = "--quick";

/// Wants the page of a run.
const HTML: &str = "--html";

/// The program that writes it, and its package.
const REPORT: &str = "bench-report";
const REPORT_PACKAGE: &str = "portcullis-bench-harness";

/// Counts of instructions, which are counted another way.
const INSTRUCTIONS: &str = "instructions";

/// Counts of cache lines, likewise.
const LINES: &str = "lines";

/// The exit code of a bench that measured and missed a bar.
const BAR_MISSED: i32 = 1;

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    let Some((name, rest)) = arguments.split_first() else {
        return Err(Fault(format!("which bench? {}", names())));
    };
    // Not in `all`: its figures are no times, and `ci` runs it.
    if name == INSTRUCTIONS {
        return instructions::run(workspace, rest);
    }
    if name == LINES {
        return lines::run(workspace, rest);
    }
    let benches = asked_for(name)?;
    let html = name == "all" || rest.iter().any(|argument| argument == HTML);
    let among_all = name == "all";
    let rest: Vec<String> = rest.iter().filter(|&word| word != HTML).cloned().collect();
    let mut outcome = Outcome::Passed;
    let (mut measured, mut total) = (Vec::new(), Total::default());
    for (at, bench) in benches.iter().copied().enumerate() {
        eprintln!("bench {} of {}: {}", at + 1, benches.len(), bench.name);
        if let Err(Fault(why)) = build(workspace, bench, among_all) {
            let Some(apart) = bench.apart.filter(|_| among_all) else {
                return Err(Fault(why));
            };
            say_absent(bench, &why, &rest);
            total.add_absent(bench.name, apart.bars);
            continue;
        }
        if let Some(prepare) = bench.prepare {
            prepare(&target(workspace, bench));
        }
        let rows = left::rows_of(&target(workspace, bench), bench.name);
        left::forget(&rows)?;
        if measure(workspace, bench, &in_its_words(bench, &rest, among_all))? == Outcome::Failed {
            outcome = Outcome::Failed;
        }
        if among_all && let Err(Fault(why)) = total.add(&rows) {
            eprintln!("{}: its rows are not in the sum: {why}", bench.name);
            total.add_absent(bench.name, 0);
            outcome = Outcome::Failed;
            continue;
        }
        measured.push(bench);
    }
    if among_all {
        say_total(&total, &rest);
    }
    if html {
        report(workspace, &measured)?;
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
    format!(
        "say one of {}, all, {INSTRUCTIONS}, {LINES}",
        names.join(", ")
    )
}

/// The arguments of a bench: `--quick` in its own words, the rest as given.
fn in_its_words(bench: &Bench, rest: &[String], among_all: bool) -> Vec<String> {
    let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let word = |argument: &String| match argument.as_str() {
        QUICK if among_all => own(&[bench.quick, bench.quick_among_all].concat()),
        QUICK => own(bench.quick),
        _ => vec![argument.clone()],
    };
    rest.iter().flat_map(word).collect()
}

/// Where a bench is built.
fn target(workspace: &Workspace, bench: &Bench) -> PathBuf {
    let ours = workspace.target();
    match bench.apart {
        None => ours,
        Some(_) => ours.join(bench.name),
    }
}

/// Writes the page of what has been measured.
fn report(workspace: &Workspace, benches: &[&Bench]) -> Result<(), Fault> {
    let ours = workspace.target();
    for bench in benches.iter().filter(|bench| bench.apart.is_some()) {
        left::bring_over(&target(workspace, bench), &ours, bench.name)?;
    }
    built(workspace, &[REPORT_PACKAGE], |_| {})?;
    let status = Command::new(ours.join("release").join(REPORT))
        .arg(ours.join("bench"))
        .args(benches.iter().map(|bench| bench.name))
        .status()
        .map_err(|error| Fault::of(REPORT, error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Fault::of(REPORT, "there is no page: see above")),
    }
}

/// Builds a bench. `offline`, one of a workspace of its own is built only from what is here already.
fn build(workspace: &Workspace, bench: &Bench, offline: bool) -> Result<(), Fault> {
    built(workspace, bench.packages, |cargo| {
        let Some(Apart { folder, .. }) = bench.apart else {
            return;
        };
        // A peer may ask for a newer compiler than ours and build with it all the same.
        cargo
            .args(["--ignore-rust-version", "--manifest-path"])
            .arg(workspace.root().join(folder).join("Cargo.toml"))
            .arg("--target-dir")
            .arg(target(workspace, bench));
        if offline {
            cargo.arg("--offline");
        }
    })
}

/// Builds packages, with what else cargo is told.
fn built(
    workspace: &Workspace,
    packages: &[&str],
    also: impl FnOnce(&mut Command),
) -> Result<(), Fault> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--release"])
        .current_dir(workspace.root());
    for package in packages {
        cargo.args(["--package", package]);
    }
    also(&mut cargo);
    let status = cargo
        .status()
        .map_err(|error| Fault::of("cargo build", error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Fault::of(
            packages.join(", "),
            "it does not build: see above",
        )),
    }
}

/// Says that a bench has no figures in this run of all of them, and why.
fn say_absent(bench: &Bench, why: &str, rest: &[String]) {
    let why = format!(
        "{why}; `cargo xtask bench {}` fetches what it links",
        bench.name
    );
    eprintln!("bench {}: absent: {why}", bench.name);
    if wants_json(rest) {
        println!("{}", total::absent(bench.name, &why));
    }
}

/// Says what all benches came to, in one last line.
fn say_total(total: &Total, rest: &[String]) {
    match wants_json(rest) {
        true => println!("{}", total.json()),
        false => println!("{}", total.text()),
    }
}

fn wants_json(rest: &[String]) -> bool {
    rest.iter().any(|argument| argument == "--json")
}

fn measure(workspace: &Workspace, bench: &Bench, words: &[String]) -> Result<Outcome, Fault> {
    let program = target(workspace, bench).join("release").join(bench.name);
    let status = Command::new(&program)
        .args(words)
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
        assert!(reason.contains("peers, all"), "{reason}");
    }

    #[test]
    fn what_links_the_peers_is_no_member_and_is_built_apart() {
        let workspace = Workspace::find().expect("the tests run inside it");
        let manifest = std::fs::read_to_string(workspace.root().join("Cargo.toml"));
        let manifest = manifest.expect("the workspace has a manifest");
        for bench in BENCHES {
            let Some(Apart { folder, .. }) = bench.apart else {
                assert!(!target(&workspace, bench).ends_with(bench.name));
                continue;
            };
            assert!(workspace.root().join(folder).join("Cargo.lock").is_file());
            let (_, excluded) = manifest.split_once("exclude = [").expect("one line");
            let (excluded, _) = excluded.split_once(']').expect("the same line");
            assert!(excluded.contains(&format!("\"{folder}\"")), "{excluded}");
            assert!(target(&workspace, bench).ends_with(bench.name));
            assert_eq!(total::absent(bench.name, "why")["note"], "why");
        }
    }

    #[test]
    fn quick_is_said_in_the_words_of_the_bench() {
        let said = |bench, words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            in_its_words(bench, &words, true).join(" ")
        };
        let wire = asked_for("wire").unwrap()[0];
        assert_eq!(
            said(&BENCHES[0], &["--json", "--quick"]),
            "--json --quick --rounds 1"
        );
        let journal = (BENCHES.iter().find(|bench| bench.name == "journal")).expect("it is there");
        let quick = ["--quick".to_owned()];
        let of_all = in_its_words(journal, &quick, true).join(" ");
        assert_eq!(of_all, "--quick --rounds 1");
        assert_eq!(in_its_words(journal, &quick, false), quick);
        assert_eq!(
            said(wire, &["--quick", "--rounds", "5"]),
            "--quick --rounds 3 --rounds 5"
        );
    }
}
