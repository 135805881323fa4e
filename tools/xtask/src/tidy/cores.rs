//! What the cores may not name: clocks, floats, hash maps, randomness, `std`; and where `alloc`
//! and `unsafe` may stand.
//!
//! The compiler holds some of this (`no_std`, the `unsafe_code` lint); this rule also sees
//! `extern crate`, inferred float literals and a lint that somebody has lifted. Tests are free, but
//! for `unsafe`.

use super::Finding;
use super::tokens::{Token, flatten, lex};
use super::tree::{File, Tree};

/// Folders of pure decisions: same input, same answer.
const CORES: &[&str] = &[
    "gateway/domain/src/",
    "gateway/risk-core/src/",
    "gateway/wire/src/",
];

/// Words that bring in a system, a clock, chance or rounding.
const NOT_IN_CORES: &[&str] = &[
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "f32",
    "f64",
    "rand",
    "std",
];

/// Files and folders of the cores that may allocate: constructors from capacities, and the tables
/// that the control thread builds.
const MAY_ALLOCATE: &[&str] = &[
    "gateway/risk-core/src/accounts.rs",
    "gateway/risk-core/src/drift.rs",
    "gateway/risk-core/src/engine.rs",
    "gateway/risk-core/src/executions.rs",
    "gateway/risk-core/src/instruments.rs",
    "gateway/risk-core/src/key_index.rs",
    "gateway/risk-core/src/lib.rs",
    "gateway/risk-core/src/limits/",
    "gateway/risk-core/src/orders.rs",
    "gateway/risk-core/src/orders/numbers.rs",
    "gateway/risk-core/src/orders/queue.rs",
    "gateway/risk-core/src/positions.rs",
    "gateway/risk-core/src/positions/",
    "gateway/risk-core/src/sessions.rs",
    "gateway/risk-core/src/sweeps.rs",
];

/// Folders whose business is memory and system calls.
const MAY_BE_UNSAFE: &[&str] = &["gateway/runtime/", "gateway/transport/"];

/// Tests that carry a counting allocator, which the language cannot express otherwise.
const TESTS_WITH_AN_ALLOCATOR: &[&str] = &[
    "gateway/server/tests/sessions/allocation.rs",
    "matching-adapter/ladder/tests/allocation.rs",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        // What does not lex is a finding of the sizes rule.
        let Ok(stream) = lex(&file.text) else {
            continue;
        };
        if !within(&file.path, MAY_BE_UNSAFE) && !within(&file.path, TESTS_WITH_AN_ALLOCATOR) {
            findings.extend(unsafe_words(file, &flatten(stream.clone(), false)));
        }
        if within(&file.path, CORES) && !file.is_test() {
            let tokens = flatten(stream, true);
            findings.extend(core_words(file, &tokens));
            if !within(&file.path, MAY_ALLOCATE) {
                findings.extend(allocations(file, &tokens));
            }
            findings.extend(without_no_std(file, &tokens));
        }
    }
    findings
}

fn within(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

fn unsafe_words(file: &File, tokens: &[Token]) -> Vec<Finding> {
    let remedy = "put it behind a safe function of gateway/runtime or gateway/transport";
    let words = tokens.iter().filter(|token| token.text == "unsafe");
    words
        .map(|token| Finding::breach(&file.path, token.line, "`unsafe`", remedy))
        .collect()
}

fn core_words(file: &File, tokens: &[Token]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if NOT_IN_CORES.contains(&token.text.as_str()) {
            let what = format!("`{}` in a core", token.text);
            let remedy = "time, order and chance come in with the command; numbers are integers";
            findings.push(Finding::breach(&file.path, token.line, what, remedy));
        } else if is_float(tokens, at) {
            let what = format!("float literal `{}` in a core", token.text);
            let remedy = "write it as an integer of a smaller unit";
            findings.push(Finding::breach(&file.path, token.line, what, remedy));
        }
    }
    findings
}

/// Whether the literal at `at` is a float, and not the fields of `pair.0.1`.
fn is_float(tokens: &[Token], at: usize) -> bool {
    let text = tokens[at].text.as_str();
    let back = |steps: usize| {
        at.checked_sub(steps)
            .map(|index| tokens[index].text.as_str())
    };
    let fields = back(1) == Some(".") && back(2) != Some(".");
    let decimal = text.starts_with(|first: char| first.is_ascii_digit())
        && !["0x", "0b", "0o"]
            .iter()
            .any(|radix| text.starts_with(radix));
    let suffixed = text.ends_with("f32") || text.ends_with("f64");
    let exponent = text.split('_').next().is_some_and(|digits| {
        digits
            .split_once(['e', 'E'])
            .is_some_and(|(mantissa, power)| {
                mantissa.bytes().all(|b| b.is_ascii_digit()) && power.starts_with(is_power_start)
            })
    });
    decimal && !fields && (text.contains('.') || suffixed || exponent)
}

fn is_power_start(letter: char) -> bool {
    letter.is_ascii_digit() || letter == '-' || letter == '+'
}

fn allocations(file: &File, tokens: &[Token]) -> Vec<Finding> {
    let text = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(|t| t.text.as_str());
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let path = text(Some(at + 1)) == Some(":") && text(Some(at + 2)) == Some(":");
        let declared = text(at.checked_sub(1)) == Some("crate");
        if token.text == "alloc" && (path || declared) {
            let remedy =
                "take memory from a constructor, or add the file to MAY_ALLOCATE with a reason";
            findings.push(Finding::breach(
                &file.path,
                token.line,
                "`alloc` in a core",
                remedy,
            ));
        }
    }
    findings
}

fn without_no_std(file: &File, tokens: &[Token]) -> Option<Finding> {
    let is_root = CORES
        .iter()
        .any(|core| file.path == format!("{core}lib.rs"));
    let marked = tokens.iter().any(|token| token.text == "no_std");
    (is_root && !marked).then(|| {
        let remedy = "write `#![no_std]` below the header";
        Finding::breach(&file.path, 1, "the core is not `no_std`", remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    const CORE: &str = "gateway/wire/src/a.rs";

    #[test]
    fn each_banned_word_is_found_in_code() {
        for word in NOT_IN_CORES {
            let text = format!("//! A.\nfn a() {{ let x = {word}::b(); }}");
            assert_eq!(found(CORE, &text), [format!("`{word}` in a core")]);
        }
        assert_eq!(found(CORE, "extern crate std;"), ["`std` in a core"]);
    }

    #[test]
    fn comments_strings_and_tests_may_say_what_they_like() {
        let text = "//! No std::time, no f64.\n/// HashMap\nconst A: &str = \"std::f64\";\n\
                    #[cfg(test)]\nextern crate std;\n#[cfg(test)]\nmod tests { use std::time::Instant; }";
        assert_eq!(found(CORE, text), Vec::<String>::new());
        assert!(found("gateway/wire/src/a/tests.rs", "use std::vec;").is_empty());
        assert!(found("gateway/control/src/a.rs", "use std::vec;").is_empty());
    }

    #[test]
    fn float_literals_are_found_and_fields_of_fields_are_not() {
        for literal in ["1.5", "2.", "1f64", "1e9", "1e-9", "3_0.5"] {
            let text = format!("fn a() {{ let x = {literal}; }}");
            assert_eq!(
                found(CORE, &text),
                [format!("float literal `{literal}` in a core")]
            );
        }
        let text = "fn a() { x.0.1; 0x1e9; 0xf64; 1_000u64; 0..9; \"1.5\"; b'e'; }";
        assert_eq!(found(CORE, text), Vec::<String>::new());
    }

    #[test]
    fn alloc_stands_only_in_the_files_that_may() {
        assert_eq!(found(CORE, "extern crate alloc;"), ["`alloc` in a core"]);
        assert_eq!(found(CORE, "use alloc::vec::Vec;"), ["`alloc` in a core"]);
        assert!(found(CORE, "fn a(alloc: u8) { alloc; }").is_empty());
        assert!(
            found(
                "gateway/risk-core/src/limits/table.rs",
                "use alloc::vec::Vec;"
            )
            .is_empty()
        );
        assert_eq!(
            found("gateway/risk-core/src/ledger.rs", "use alloc::vec::Vec;").len(),
            1
        );
    }

    #[test]
    fn unsafe_stands_only_in_runtime_and_transport_also_in_tests() {
        let text = "fn a() { unsafe { b() } }";
        for path in [
            CORE,
            "gateway/server/src/a.rs",
            "gateway/journal/tests/a.rs",
        ] {
            assert_eq!(found(path, text), ["`unsafe`"]);
        }
        assert!(found("gateway/runtime/src/a.rs", text).is_empty());
        assert!(
            found(
                "gateway/server/src/a.rs",
                "// unsafe\n#![deny(unsafe_code)]"
            )
            .is_empty()
        );
    }

    #[test]
    fn a_core_without_no_std_is_found() {
        let root = "gateway/domain/src/lib.rs";
        assert_eq!(found(root, "//! D.\n"), ["the core is not `no_std`"]);
        assert!(found(root, "//! D.\n#![no_std]\n").is_empty());
    }
}
