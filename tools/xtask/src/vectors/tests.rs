//! The vectors through the naive model and the core, and what reader and runner must not let pass.

#[path = "../../../../gateway/risk-core/tests/model/naive/mod.rs"]
mod naive;

use super::op;
use super::reader::VectorFile;
use super::run::{Comparison, run};
use super::{compare, run_files};
use crate::verb::{Fault, Outcome};
use crate::workspace::Workspace;
use std::io::Write;
use std::path::{Path, PathBuf};

const FILES: [&str; 4] = [
    "rules-short.jsonl",
    "rules-1.jsonl.gz",
    "rules-2.jsonl.gz",
    "rules-3.jsonl.gz",
];

fn path(name: &str) -> PathBuf {
    let workspace = Workspace::find().expect("the workspace");
    workspace
        .shared(&format!("vectors/{name}"))
        .expect("a vector file")
}

fn through_model(file: &VectorFile) -> Comparison {
    let names: Vec<&str> = file.checks.iter().map(String::as_str).collect();
    run(file, &mut naive::Naive::new(&file.config), &names)
}

/// The short file, in which one line is replaced by what `change` makes of it.
fn changed(line: usize, change: impl Fn(&str) -> String) -> Result<VectorFile, String> {
    let text = std::fs::read_to_string(path("rules-short.jsonl")).expect("readable");
    let lines = text.lines().enumerate().map(|(index, text)| {
        if index + 1 == line {
            change(text)
        } else {
            text.to_string()
        }
    });
    let lines: Vec<String> = lines.collect();
    VectorFile::parse("planted".into(), lines.join("\n").as_bytes())
}

/// The number of the first line that has all of these in it.
fn line_with(parts: &[&str]) -> usize {
    let text = std::fs::read_to_string(path("rules-short.jsonl")).expect("readable");
    let found = text
        .lines()
        .position(|line| parts.iter().all(|part| line.contains(part)));
    found.expect("the short file has such a line") + 1
}

/// One test a file: the model is slow on purpose, and they run side by side.
fn the_model_agrees_with_every_line_of(name: &str) {
    let comparison = through_model(&VectorFile::read(&path(name)).expect("a vector file"));
    assert_eq!(comparison.first_mismatch, None);
    assert!(
        comparison.lines >= 400,
        "{name} has {} lines",
        comparison.lines
    );
}

#[test]
fn the_model_agrees_with_the_short_file() {
    the_model_agrees_with_every_line_of(FILES[0]);
}

#[test]
fn the_model_agrees_with_the_first_file() {
    the_model_agrees_with_every_line_of(FILES[1]);
}

#[test]
fn the_model_agrees_with_the_second_file() {
    the_model_agrees_with_every_line_of(FILES[2]);
}

#[test]
fn the_model_agrees_with_the_third_file() {
    the_model_agrees_with_every_line_of(FILES[3]);
}

#[test]
fn the_core_agrees_with_every_line_of_every_file() {
    let files: Vec<String> = FILES
        .iter()
        .map(|name| path(name).display().to_string())
        .collect();
    let workspace = Workspace::find().expect("the workspace");
    assert_eq!(run_files(&workspace, &files), Ok(Outcome::Passed));
}

#[test]
fn a_planted_fault_of_each_kind_is_found_at_its_line() {
    let plants = [
        (
            line_with(&["\"fails\":[]"]),
            "\"fails\":[]",
            "\"fails\":[\"MARGIN\"]",
        ),
        (
            line_with(&["\"expect\":\"forwarded\""]),
            "forwarded",
            "unknown",
        ),
        (
            line_with(&["probe", "\"cash\":0"]),
            "\"cash\":0",
            "\"cash\":1",
        ),
        (
            line_with(&["probe", "\"oi\":[[0"]),
            "\"oi\":[[0",
            "\"oi\":[[1",
        ),
        (
            line_with(&["\"checks\""]),
            "\"MARGIN\",\"ACCOUNT_VOLUME\"",
            "\"ACCOUNT_VOLUME\",\"MARGIN\"",
        ),
    ];
    for (line, from, to) in plants {
        let file = changed(line, |text| text.replacen(from, to, 1)).expect("still a vector file");
        let comparison = compare(&file).expect("it runs");
        assert_eq!(comparison.mismatches, 1, "planted at line {line}: {to}");
        let first = comparison.first_mismatch.expect("one mismatch");
        assert!(first.starts_with(&format!("planted:{line}: ")), "{first}");
    }
}

#[test]
fn a_bad_line_is_refused_by_file_line_and_field() {
    let order = line_with(&["\"op\":\"order\""]);
    let bad = [
        (order, "\"q\":", "\"quantity\":", "field `q` is missing"),
        (
            order,
            "\"q\":1,",
            "\"q\":1.5,",
            "field `q` must be an integer, not 1.5",
        ),
        (
            order,
            "\"side\":\"B\"",
            "\"side\":\"X\"",
            "field `side` must be B or S, not `X`",
        ),
        (
            order,
            "\"fails\"",
            "\"failing\"",
            "field `fails` is missing",
        ),
        (
            order,
            "\"op\":\"order\"",
            "\"op\":\"odor\"",
            "there is no command `odor`",
        ),
        (order, "{", "", "not JSON"),
        (
            1,
            "\"v\":125",
            "\"v\":\"125\"",
            "instruments[0]: field `v` must be an integer",
        ),
    ];
    for (line, from, to, words) in bad {
        let refused = changed(line, |text| text.replacen(from, to, 1));
        let why = refused
            .err()
            .unwrap_or_else(|| panic!("`{to}` at line {line} was taken"));
        assert!(
            why.starts_with(&format!("planted:{line}: ")) && why.contains(words),
            "{why}"
        );
    }
}

#[test]
fn gzip_is_known_by_content_and_a_missing_file_is_a_fault() {
    let plain = std::fs::read(path("rules-short.jsonl")).expect("readable");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&plain).expect("into memory");
    let packed = encoder.finish().expect("into memory");
    let file = VectorFile::parse("packed".into(), &packed).expect("the same file");
    assert_eq!(file.lines.len(), 399);
    let broken = VectorFile::parse("broken".into(), &packed[..packed.len() / 2]);
    assert!(broken.is_err_and(|why| why.starts_with("broken: cannot be decoded")));
    let workspace = Workspace::find().expect("the workspace");
    let missing = run_files(&workspace, &["no-such-file".into()]);
    assert!(matches!(missing, Err(Fault(why)) if why.starts_with("no-such-file: cannot be read")));
    assert!(run_files(&workspace, &[]).is_err());
    assert!(VectorFile::read(Path::new("no-such-file")).is_err());
}

#[test]
fn the_last_line_is_json_whatever_the_mismatch_says() {
    let comparison = Comparison {
        lines: 3,
        mismatches: 1,
        first_mismatch: Some("a \"quoted\" \\ name".into()),
    };
    let value: serde_json::Value =
        serde_json::from_str(&comparison.to_json()).expect("one JSON object");
    assert_eq!(value["lines"], 3);
    assert_eq!(value["first_mismatch"], "a \"quoted\" \\ name");
}
