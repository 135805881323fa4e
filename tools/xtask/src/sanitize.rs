//! `cargo xtask sanitize [address|thread|model]`: tests under AddressSanitizer and ThreadSanitizer, and
//! the ring of messages under the model checker `loom`.
//!
//! The runtimes come with the toolchain; the standard library does not come instrumented, and its
//! sources would be needed to build it so. What looks like a race for that reason alone is named here
//! and passed over. Not a step of `ci`: it builds everything anew, twice. Invariant: each sanitizer
//! first has to find a planted fault.

use crate::verb::{Fault, Outcome, Verb};
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "sanitize",
    arguments: "[address|thread|model]",
    summary: "tests of runtime, transport, pipeline and the sessions under the sanitizers; the ring modelled",
    run,
};

/// What is tested: cargo's words for it.
const TARGETS: [&[&str]; 2] = [
    &[
        "--package",
        "portcullis-runtime",
        "--package",
        "portcullis-transport",
        "--package",
        "portcullis-pipeline",
        // Not the examples in docs: those are built without the sanitizer.
        "--tests",
    ],
    &["--package", "portcullis", "--test", "sessions"],
];

struct Sanitizer {
    /// Its word on the command line, for rustc too.
    word: &'static str,
    /// How its reports begin.
    name: &'static str,
    /// A program that it must find at fault.
    planted: &'static str,
    /// Reports that are not about our code.
    suppressions: &'static str,
    /// Tests that it cannot run.
    passed_over: &'static [&'static str],
}

/// Locks all memory, and a sanitizer maps more of that than any machine has.
const LOCKS_MEMORY: &str = "a_limit_in_the_way_is_named_with_what_to_raise";

const SANITIZERS: [Sanitizer; 2] = [
    Sanitizer {
        word: "address",
        name: "AddressSanitizer",
        planted: "fn main() {\n    let gone = { let here = Box::new(7_u64); &raw const *here };\n    \
                  println!(\"{}\", unsafe { gone.read_volatile() });\n}\n",
        suppressions: "",
        passed_over: &[LOCKS_MEMORY],
    },
    Sanitizer {
        word: "thread",
        name: "ThreadSanitizer",
        planted: "static mut SHARED: u64 = 0;\n\
                  fn write() { for n in 0..1_000 { unsafe { (&raw mut SHARED).write_volatile(n) } } }\n\
                  fn main() {\n    let other = std::thread::spawn(write);\n    write();\n    \
                  other.join().unwrap();\n}\n",
        // Of the standard library's channels, of the harness's mutex, and of the cell that the first handler
        // of a signal is kept in, one half is compiled with the test and seen, the other not: they look
        // unordered. The gateway's own threads use neither of the first two.
        suppressions: "race:std::sync::mpmc\nrace:Mutex<core::option::Option<test::run_test\n\
                       race:OnceLock<core::option::Option<libc::\n",
        passed_over: &[LOCKS_MEMORY],
    },
];

/// The word that stands for the model checker.
const MODEL: &str = "model";

/// What is modelled: each interleaving of the ring's two ends, up to two switches where none waits.
const MODELLED: [&str; 8] = [
    "test",
    "--release",
    "--package",
    "portcullis-runtime",
    "--features",
    "loom",
    "--lib",
    "under_loom",
];

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    let (chosen, models): (Vec<&Sanitizer>, bool) = match arguments {
        [] => (SANITIZERS.iter().collect(), true),
        [word] if word == MODEL => (Vec::new(), true),
        [word] => (
            SANITIZERS.iter().filter(|s| s.word == word).collect(),
            false,
        ),
        _ => (Vec::new(), false),
    };
    if chosen.is_empty() && !models {
        return Err(Fault(format!(
            "sanitize takes address, thread, model or nothing, not `{}`",
            arguments.join(" ")
        )));
    }
    let host = host()?;
    let mut passed = !models || model_holds(workspace)?;
    for sanitizer in chosen {
        let folder = workspace
            .root()
            .join("target")
            .join(format!("sanitize-{}", sanitizer.word));
        std::fs::create_dir_all(&folder).map_err(|error| Fault::of(folder.display(), error))?;
        if !finds_planted(sanitizer, &folder)? {
            println!("{}: it does not find the planted fault", sanitizer.name);
            passed = false;
        }
        for target in TARGETS {
            passed &= tests_pass(workspace, sanitizer, &host, &folder, target)?;
        }
    }
    Ok(Outcome::of(passed))
}

fn model_holds(workspace: &Workspace) -> Result<bool, Fault> {
    println!("$ cargo {}", MODELLED.join(" "));
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(MODELLED)
        .current_dir(workspace.root())
        .status()
        .map_err(|error| Fault::of("cargo", error))?;
    Ok(status.success())
}

/// The triple of this machine: named, so that build scripts and macros are not instrumented.
fn host() -> Result<String, Fault> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.map_err(|error| Fault::of("rustc", error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Fault::of("rustc -vV", "it names no host"))
}

/// Whether the sanitizer reports what is wrong with a program that is.
fn finds_planted(sanitizer: &Sanitizer, folder: &Path) -> Result<bool, Fault> {
    let (source, binary) = (folder.join("planted.rs"), folder.join("planted"));
    std::fs::write(&source, sanitizer.planted)
        .map_err(|error| Fault::of(source.display(), error))?;
    let built = Command::new("rustc")
        .args(["--edition", "2024", "-g"])
        .args(flags(sanitizer))
        .arg("-o")
        .args([&binary, &source])
        .env("RUSTC_BOOTSTRAP", "1")
        .status()
        .map_err(|error| Fault::of("rustc", error))?;
    if !built.success() {
        return Err(Fault(format!(
            "rustc does not build with {}: the toolchain must have its runtime",
            sanitizer.name
        )));
    }
    let output = Command::new(&binary).output();
    let output = output.map_err(|error| Fault::of(binary.display(), error))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = !output.status.success() && said.contains(sanitizer.name);
    println!("{}: planted fault found: {found}", sanitizer.name);
    Ok(found)
}

fn flags(sanitizer: &Sanitizer) -> [String; 2] {
    // The standard library was built without; what follows from that is said above.
    let mixed = "-Cunsafe-allow-abi-mismatch=sanitizer".to_owned();
    [format!("-Zsanitizer={}", sanitizer.word), mixed]
}

fn tests_pass(
    workspace: &Workspace,
    sanitizer: &Sanitizer,
    host: &str,
    folder: &Path,
    target: &[&str],
) -> Result<bool, Fault> {
    let suppressions: PathBuf = folder.join("suppressions.txt");
    std::fs::write(&suppressions, sanitizer.suppressions)
        .map_err(|error| Fault::of(suppressions.display(), error))?;
    println!("$ cargo test {} ({})", target.join(" "), sanitizer.name);
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--no-fail-fast", "--target", host])
        .arg("--target-dir")
        .arg(folder)
        .args(target)
        .arg("--")
        .args(
            sanitizer
                .passed_over
                .iter()
                .flat_map(|test| ["--skip", test]),
        )
        .current_dir(workspace.root())
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", flags(sanitizer).join(" "))
        // Two tests that panic as they should may print where at once, under a lock of the standard library that
        // the sanitizer does not see: it is not built with one.
        .env("RUST_BACKTRACE", "0")
        .env(
            "TSAN_OPTIONS",
            format!("suppressions={}", suppressions.display()),
        )
        .status()
        .map_err(|error| Fault::of("cargo", error))?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_sanitizer_is_a_fault() {
        let workspace = Workspace::find().unwrap();
        assert!(run(&workspace, &["memory".to_owned()]).is_err());
        let two = ["address".to_owned(), "thread".to_owned()];
        assert!(run(&workspace, &two).is_err());
    }
}
