//! The binary `portcullis`: parse, allocate, pin, wire, run.

fn main() {}
