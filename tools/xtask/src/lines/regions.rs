//! Where in the core's sources an instruction stands, by `addr2line`.
//!
//! Invariant: of the frames that were inlined into each other the innermost of the core itself counts, so
//! that a line is named by the table that it belongs to, not by what fetched it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::trace::{Places, Touched};
use crate::verb::Fault;

const TOOL: &str = "addr2line";
/// In the paths of the core's sources.
const CORE: &str = "risk-core/src/";

/// Names of the instructions that touched a line first.
///
/// # Errors
/// `addr2line` cannot be had.
pub(super) fn names(
    program: &Path,
    places: &Places,
    touched: &Touched,
) -> Result<BTreeMap<u64, String>, Fault> {
    let lines = |batch: &super::trace::Batch| {
        let both = batch.floor.values().chain(batch.kernel.values());
        both.copied().collect::<Vec<_>>()
    };
    let instructions: BTreeSet<u64> = touched.batches.iter().flat_map(lines).collect();
    let asked: String = (instructions.iter())
        .map(|address| format!("{:x}\n", places.in_image(*address)))
        .collect();
    let said = said(program, asked)?;
    let mut names = BTreeMap::new();
    let frames = said.split("0x").skip(1).map(name);
    for (address, name) in instructions.iter().zip(frames) {
        names.insert(*address, name);
    }
    Ok(names)
}

fn said(program: &Path, asked: String) -> Result<String, Fault> {
    let mut child = Command::new(TOOL)
        .args([
            "--addresses",
            "--functions",
            "--inlines",
            "--demangle",
            "--exe",
        ])
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Fault::of(TOOL, format!("{error}; it comes with binutils")))?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let writer = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let output = child
        .wait_with_output()
        .map_err(|error| Fault::of(TOOL, error))?;
    let written = writer.join().expect("writing has no way to fail");
    written.map_err(|error| Fault::of(TOOL, error))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// From an address and its frames, innermost first, two lines each: file, line and function of the core's first.
fn name(frames: &str) -> String {
    let lines: Vec<&str> = frames.lines().skip(1).collect();
    let of_core = lines.chunks_exact(2).find_map(|frame| {
        let (_, file) = frame[1].split_once(CORE)?;
        let place = file.split(' ').next()?;
        Some(format!("{place} {}", function(frame[0])))
    });
    of_core.unwrap_or_else(|| "elsewhere".to_owned())
}

/// The last word of a path, without what the compiler adds.
fn function(path: &str) -> &str {
    let path = path
        .split('<')
        .next()
        .filter(|path| !path.is_empty())
        .unwrap_or(path);
    let path = path.trim_end_matches("::");
    let mut words = path.rsplit("::");
    let last = words.next().unwrap_or(path);
    let is_hash = last.len() == 17 && last.starts_with('h');
    if is_hash {
        words.next().unwrap_or(last)
    } else {
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_frame_of_the_core_names_a_line() {
        let frames = "0000beef\nportcullis_bench_kernel::floor::Read::line::h0123456789abcdef\n\
                      /x/benches/kernel/src/floor.rs:36\nvisit_lines<portcullis::floor::Read>\n\
                      /x/gateway/risk-core/src/positions.rs:70 (discriminator 2)\nwalk\n/x/floor.rs:1\n";
        assert_eq!(name(frames), "positions.rs:70 visit_lines");
        assert_eq!(name("0000beef\n??\n??:0\n"), "elsewhere");
        assert_eq!(function("a::b::c::h0123456789abcdef"), "c");
    }
}
