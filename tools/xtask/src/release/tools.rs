//! LLVM's tools that merge profiles and lay a binary out: the system's, or Debian's, unpacked under the target folder.
//!
//! Invariants: they are of the compiler's own LLVM version, whose profiles no older one reads; nothing is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::verb::Fault;
use crate::workspace::Workspace;

/// Names a folder that holds them.
const VARIABLE: &str = "PORTCULLIS_LLVM_BIN";

/// What is needed.
const NAMES: [&str; 3] = ["llvm-profdata", "merge-fdata", "llvm-bolt"];

/// How a binary is laid out: blocks so that what is executed follows each other, functions by who calls whom, what is
/// hardly executed apart, functions with the same code once. Text on huge pages was slower wherever it was tried.
/// Records for debuggers and backtraces are kept right.
const LAYOUT: [&str; 7] = [
    "-reorder-blocks=ext-tsp",
    "-reorder-functions=cdsort",
    "-split-functions",
    "-split-all-cold",
    "-icf=1",
    "-no-huge-pages",
    "-update-debug-sections",
];

/// The tools.
pub(super) struct Tools {
    bin: PathBuf,
    /// Where libraries of theirs lie that the system need not have.
    libraries: Vec<PathBuf>,
}

impl Tools {
    /// Finds them, or fetches them through apt.
    pub(super) fn find(workspace: &Workspace, target: &Path) -> Result<Self, Fault> {
        if let Some(folder) = std::env::var_os(VARIABLE) {
            let tools = Self::of(PathBuf::from(folder), Vec::new());
            return tools.all_there().map(|()| tools);
        }
        let major = llvm_major(workspace)?;
        let system = Self::of(bin(Path::new("/"), major), Vec::new());
        if system.all_there().is_ok() {
            return Ok(system);
        }
        let root = target.join("llvm");
        let fetched = Self::of(bin(&root, major), libraries(&root, major));
        if fetched.all_there().is_err() {
            eprintln!("fetching LLVM {major}'s tools into {}", root.display());
            let packages = [format!("bolt-{major}"), format!("llvm-{major}")];
            debian::unpack(&packages.each_ref().map(String::as_str), &root).map_err(
                |Fault(why)| {
                    Fault(format!(
                        "LLVM {major}'s tools ({}) are not to be had: {why}; install them and name their folder by {VARIABLE}",
                        NAMES.join(", ")
                    ))
                },
            )?;
        }
        fetched.all_there().map(|()| fetched)
    }

    const fn of(bin: PathBuf, libraries: Vec<PathBuf>) -> Self {
        Self { bin, libraries }
    }

    fn all_there(&self) -> Result<(), Fault> {
        match NAMES.iter().find(|name| !self.bin.join(name).is_file()) {
            None => Ok(()),
            Some(name) => Err(Fault::of(self.bin.join(name).display(), "it is not there")),
        }
    }

    fn command(&self, name: &str) -> Result<Command, Fault> {
        let mut command = Command::new(self.bin.join(name));
        if !self.libraries.is_empty() {
            let joined = std::env::join_paths(&self.libraries);
            let joined = joined.map_err(|error| Fault::of("the tools' folder", error))?;
            command.env("LD_LIBRARY_PATH", joined);
        }
        Ok(command)
    }

    /// Puts together what runs of a counting build left in a folder.
    pub(super) fn merge_counts(&self, raw: &Path, into: &Path) -> Result<(), Fault> {
        let files = files_in(raw)?;
        let mut command = self.command("llvm-profdata")?;
        debian::succeed(command.arg("merge").args(files).arg("-o").arg(into))
    }

    /// A copy that notes which blocks it goes through, in files that begin with this path.
    pub(super) fn instrument(&self, binary: &Path, into: &Path, notes: &Path) -> Result<(), Fault> {
        let mut file = std::ffi::OsString::from("-instrumentation-file=");
        file.push(notes);
        let mut command = self.command("llvm-bolt")?;
        let command = command
            .arg(binary)
            .args(["-instrument", "-instrumentation-file-append-pid"]);
        debian::succeed(command.arg(file).arg("-o").arg(into))
    }

    /// Puts together what runs of an instrumented binary left in a folder.
    pub(super) fn merge_blocks(&self, raw: &Path, into: &Path) -> Result<(), Fault> {
        let files = files_in(raw)?;
        let mut command = self.command("merge-fdata")?;
        debian::succeed(command.arg("-o").arg(into).args(files))
    }

    /// Lays a binary out by what was noted.
    pub(super) fn lay_out(&self, binary: &Path, notes: &Path, into: &Path) -> Result<(), Fault> {
        let mut data = std::ffi::OsString::from("-data=");
        data.push(notes);
        let mut command = self.command("llvm-bolt")?;
        let command = command.arg(binary).arg(data).args(LAYOUT);
        debian::succeed(command.arg("-o").arg(into))
    }
}

/// Where Debian's packages put them.
fn bin(root: &Path, major: u32) -> PathBuf {
    root.join(format!("usr/lib/llvm-{major}/bin"))
}

fn libraries(root: &Path, major: u32) -> Vec<PathBuf> {
    vec![
        root.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH)),
        root.join(format!("usr/lib/llvm-{major}/lib")),
    ]
}

/// Profiles that runs left, at least one.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let fault = |error| Fault::of(folder.display(), error);
    let entries = fs::read_dir(folder).map_err(fault)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut files = paths.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    files.sort();
    match files.is_empty() {
        true => Err(Fault::of(folder.display(), "no run left a profile here")),
        false => Ok(files),
    }
}

/// The compiler's LLVM version.
fn llvm_major(workspace: &Workspace) -> Result<u32, Fault> {
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .arg("-vV")
        .current_dir(workspace.root())
        .output()
        .map_err(|error| Fault::of("rustc -vV", error))?;
    let said = String::from_utf8_lossy(&output.stdout);
    major_of(&said).ok_or_else(|| Fault::of("rustc -vV", "it names no LLVM version"))
}

fn major_of(said: &str) -> Option<u32> {
    let version = said
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_llvm_version_is_read() {
        assert_eq!(major_of("host: x\nLLVM version: 22.1.2\n"), Some(22));
        assert_eq!(major_of("host: x\n"), None);
        let workspace = Workspace::find().expect("the tests run inside it");
        assert!(llvm_major(&workspace).is_ok_and(|major| major >= 20));
    }

    #[test]
    fn tools_are_there_only_all_together_and_a_run_without_a_profile_is_a_fault() {
        let root = std::env::temp_dir().join(format!("portcullis-llvm-{}", std::process::id()));
        let tools = Tools::of(bin(&root, 22), libraries(&root, 22));
        fs::create_dir_all(&tools.bin).unwrap();
        assert!(files_in(&tools.bin).is_err());
        for name in NAMES {
            assert!(tools.all_there().is_err());
            fs::write(tools.bin.join(name), "").unwrap();
        }
        assert_eq!(tools.all_there(), Ok(()));
        assert_eq!(files_in(&tools.bin).map(|files| files.len()), Ok(3));
        fs::remove_dir_all(root).unwrap();
    }
}
