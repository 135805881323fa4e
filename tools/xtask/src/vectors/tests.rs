//! The vectors themselves through the naive model and the core, and what the reader refuses.

#[path = "../../../../gateway/risk-core/tests/model/naive/mod.rs"]
mod naive;

use super::op;
use super::reader::VectorFile;
use super::run::{Outcome, run};
use std::path::PathBuf;

/// The folder of the vectors: `PORTCULLIS_SHARED`, or `shared` beside the repository.
fn vectors() -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let shared = std::env::var_os("PORTCULLIS_SHARED").map(PathBuf::from);
    shared.unwrap_or_else(|| PathBuf::from(root).join("../shared")).join("vectors")
}

fn file(name: &str) -> VectorFile {
    VectorFile::read(&vectors().join(name)).expect("a vector file")
}

fn through_model(file: &VectorFile) -> Outcome {
    let names: Vec<&str> = file.checks.iter().map(String::as_str).collect();
    run(file, &mut naive::Naive::new(&file.config), &names)
}

#[test]
fn the_model_agrees_with_every_line_of_every_file() {
    for name in ["rules-short.jsonl", "rules-1.jsonl.gz", "rules-2.jsonl.gz", "rules-3.jsonl.gz"] {
        let outcome = through_model(&file(name));
        assert_eq!(outcome.first_mismatch, None);
        assert!(outcome.lines > 300, "{name} has {} lines", outcome.lines);
    }
}
