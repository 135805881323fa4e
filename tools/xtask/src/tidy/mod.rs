//! `cargo xtask tidy`: the house rules that a compiler does not hold.
//!
//! One file a rule; [`RULES`] lists them. A rule reads the [`Tree`] and returns findings; it must
//! never write, and must never pass over a file that it cannot read.

mod arrows;
mod cores;
mod decisions;
mod headers;
mod links;
mod manifests;
mod sizes;
mod tokens;
mod tree;
mod words;

use std::fmt;
use std::time::Instant;

use crate::verb::{Fault, Outcome, Verb, no_arguments};
use crate::workspace::Workspace;
use tree::Tree;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "tidy",
    arguments: "",
    summary: "the house rules: arrows, sizes, headers, words, reasons, links",
    run,
};

/// One rule of the house.
struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "arrows",
        check: arrows::check,
    },
    Rule {
        name: "sizes",
        check: sizes::check,
    },
    Rule {
        name: "headers",
        check: headers::check,
    },
    Rule {
        name: "cores",
        check: cores::check,
    },
    Rule {
        name: "words",
        check: words::check,
    },
    Rule {
        name: "manifests",
        check: manifests::check,
    },
    Rule {
        name: "decisions",
        check: decisions::check,
    },
    Rule {
        name: "links",
        check: links::check,
    },
];

/// Whether a finding fails the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Breach,
    Note,
}

/// Something a rule found: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    weight: Weight,
    file: String,
    line: usize,
    what: String,
    remedy: &'static str,
}

impl Finding {
    fn breach(file: &str, line: usize, what: impl Into<String>, remedy: &'static str) -> Self {
        Self {
            weight: Weight::Breach,
            file: file.to_owned(),
            line,
            what: what.into(),
            remedy,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Breach => "",
            Weight::Note => "note: ",
        };
        write!(
            f,
            "{weight}{}:{}: {}: {}",
            self.file, self.line, self.what, self.remedy
        )
    }
}

/// Paths of the Rust sources that people write, from the root.
pub(crate) fn rust_sources(workspace: &Workspace) -> Result<Vec<String>, Fault> {
    let tree = Tree::read(workspace)?;
    Ok(tree.rust().map(|file| file.path.clone()).collect())
}

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    no_arguments(VERB.name, arguments)?;
    let tree = Tree::read(workspace)?;
    let mut breaches = 0;
    for rule in RULES {
        let start = Instant::now();
        let findings = (rule.check)(&tree);
        let broken = findings
            .iter()
            .filter(|finding| finding.weight == Weight::Breach)
            .count();
        for finding in &findings {
            println!("{finding}");
        }
        println!(
            "tidy {:<10} {broken:>4} breaches  {:>6} ms",
            rule.name,
            start.elapsed().as_millis()
        );
        breaches += broken;
    }
    println!("tidy: {} files, {breaches} breaches", tree.files.len());
    Ok(Outcome::of(breaches == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_what_and_what_to_do() {
        let finding = Finding::breach("a/b.rs", 7, "too long", "split it");
        assert_eq!(finding.to_string(), "a/b.rs:7: too long: split it");
        let note = Finding {
            weight: Weight::Note,
            ..finding
        };
        assert_eq!(note.to_string(), "note: a/b.rs:7: too long: split it");
    }
}
