//! Builds the fuzz targets, in one of three ways.
//!
//! libFuzzer's coverage comes from LLVM's own pass, which stable rustc takes by `-C passes`. No
//! address sanitizer: what is fuzzed has no `unsafe`. Each way has a folder of its own, so that
//! going from one to another builds nothing again.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::verb::Fault;
use crate::workspace::Workspace;

/// Edge counters, their table, and the operands of comparisons, for libFuzzer to read.
const EDGES: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Counters that know their lines.
const LINES: &[&str] = &["--cfg=fuzzing", "-Cinstrument-coverage"];

/// How the targets are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To be fuzzed.
    Plain,
    /// To be fuzzed, with a fault in each decoder.
    Planted,
    /// To count lines.
    Lines,
}

/// The folder of all that this verb makes.
pub(super) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("fuzz")
}

/// Builds the targets and gives the folder of their binaries.
pub(super) fn targets(workspace: &Workspace, way: Way) -> Result<PathBuf, Fault> {
    let (name, flags) = match way {
        Way::Plain | Way::Planted => ("edges", EDGES),
        Way::Lines => ("lines", LINES),
    };
    let host = host()?;
    let folder = folder(workspace).join(name);
    let mut arguments = vec!["build", "--release", "--bins", "--target", &host];
    if way == Way::Planted {
        arguments.extend(["--features", "planted"]);
    }
    println!("$ cargo {} (in fuzz, for {way:?})", arguments.join(" "));
    let status = Command::new(cargo())
        .args(&arguments)
        .arg("--target-dir")
        .arg(&folder)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", flags.join(" "))
        .current_dir(workspace.root().join("fuzz"))
        .status()
        .map_err(|error| Fault::of("cargo", error))?;
    if !status.success() {
        return Err(Fault(
            "the fuzz targets do not build: see above (libFuzzer takes a C++ compiler)".into(),
        ));
    }
    let binaries = folder.join(&host).join("release");
    if way != Way::Planted {
        return Ok(binaries);
    }
    // The next plain build would write over them.
    let aside = folder.join("planted");
    std::fs::create_dir_all(&aside).map_err(|error| Fault::of(aside.display(), error))?;
    for target in super::target::TARGETS {
        copy(&binaries.join(target.name), &aside.join(target.name))?;
    }
    Ok(aside)
}

fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    let copied = std::fs::copy(from, to);
    copied
        .map(|_| ())
        .map_err(|error| Fault::of(to.display(), error))
}

/// The machine's own triple: named, so that the flags do not reach build scripts.
fn host() -> Result<String, Fault> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .output()
        .map_err(|error| Fault::of("rustc", error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Fault("rustc -vV does not say its host".into()))
}

/// Cargo, as it was called.
pub(super) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
