//! `cargo xtask licences`: every crate that is linked may be, by its licence and by name.
//!
//! A crate without an SPDX expression is refused: somebody has to read its licence file and then
//! say so here. Invariant: an expression that this file cannot read is refused, not skipped.

use crate::metadata::{Metadata, Package};
use crate::verb::{Fault, Outcome, Verb, no_arguments};
use crate::workspace::Workspace;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "licences",
    arguments: "",
    summary: "the licence of each linked crate, and the crates that are not wanted",
    run,
};

/// Licences under which code may be linked into a program that is MIT or Apache-2.0.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that are not linked, with the reason.
const NOT_WANTED: &[(&str, &str)] = &[
    ("async-std", "it is no longer maintained"),
    (
        "native-tls",
        "it links a library that the machine may not have",
    ),
    (
        "openssl-sys",
        "it links a library that the machine may not have",
    ),
    ("serde_yaml", "it is no longer maintained"),
];

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    no_arguments(VERB.name, arguments)?;
    let metadata = Metadata::read(workspace)?;
    let complaints: Vec<String> = metadata.packages.iter().filter_map(complaint).collect();
    for text in &complaints {
        println!("{text}");
    }
    println!(
        "licences: {} packages, {} complaints",
        metadata.packages.len(),
        complaints.len()
    );
    Ok(Outcome::of(complaints.is_empty()))
}

fn complaint(package: &Package) -> Option<String> {
    let Package { name, version, .. } = package;
    if let Some((_, reason)) = NOT_WANTED.iter().find(|(unwanted, _)| unwanted == name) {
        return Some(format!(
            "{name} {version}: not wanted, since {reason}: find another crate"
        ));
    }
    let Some(expression) = &package.license else {
        return Some(format!(
            "{name} {version}: states no licence: do without it"
        ));
    };
    match satisfiable(expression) {
        Some(true) => None,
        Some(false) => Some(format!(
            "{name} {version}: `{expression}` is not allowed: do without it"
        )),
        None => Some(format!(
            "{name} {version}: `{expression}` is not an SPDX expression"
        )),
    }
}

/// Whether some choice among the licences of an SPDX expression is allowed; `None` where the
/// expression cannot be read. `/` between two licences is the old way to write OR.
fn satisfiable(expression: &str) -> Option<bool> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let answer = any_of(&mut rest)?;
    rest.is_empty().then_some(answer)
}

fn any_of(rest: &mut &[&str]) -> Option<bool> {
    let mut answer = all_of(rest)?;
    while take(rest, "OR") {
        answer |= all_of(rest)?;
    }
    Some(answer)
}

fn all_of(rest: &mut &[&str]) -> Option<bool> {
    let mut answer = one(rest)?;
    while take(rest, "AND") {
        answer &= one(rest)?;
    }
    Some(answer)
}

fn one(rest: &mut &[&str]) -> Option<bool> {
    if take(rest, "(") {
        let answer = any_of(rest)?;
        return take(rest, ")").then_some(answer);
    }
    let (licence, tail) = rest.split_first()?;
    *rest = tail;
    if matches!(*licence, "AND" | "OR" | "WITH" | ")") {
        return None;
    }
    if !take(rest, "WITH") {
        return Some(ALLOWED.contains(licence));
    }
    let (exception, tail) = rest.split_first()?;
    *rest = tail;
    Some(ALLOWED.contains(&format!("{licence} WITH {exception}").as_str()))
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    match rest.split_first() {
        Some((first, tail)) if *first == word => {
            *rest = tail;
            true
        }
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        let table = [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("GPL-3.0-only OR MIT", Some(true)),
            ("MIT/Apache-2.0", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("GPL-3.0-only AND MIT OR Zlib", Some(true)),
            ("MIT AND (GPL-3.0-only OR Zlib)", Some(true)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true)),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0", Some(true)),
            ("Apache-2.0 WITH Other-exception", Some(false)),
            ("(MIT", None),
            ("MIT MIT", None),
            ("MIT OR", None),
            ("", None),
        ];
        for (expression, expected) in table {
            assert_eq!(satisfiable(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_crate_is_refused_by_name_by_licence_and_for_having_none() {
        let package = |name: &str, license: Option<&str>| Package {
            name: name.into(),
            version: "1.0.0".into(),
            license: license.map(str::to_owned),
            ..Package::default()
        };
        assert_eq!(complaint(&package("a", Some("MIT"))), None);
        assert!(
            complaint(&package("a", None))
                .unwrap()
                .contains("states no licence")
        );
        assert!(
            complaint(&package("a", Some("SSPL-1.0")))
                .unwrap()
                .contains("is not allowed")
        );
        assert!(
            complaint(&package("openssl-sys", Some("MIT")))
                .unwrap()
                .contains("not wanted")
        );
    }
}
