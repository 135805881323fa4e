//! The Python that interop runs on: a virtual environment under target/, made when it is missing.
//!
//! The client and engine classes come from outside the project on purpose: they were written
//! without knowledge of ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::verb::Fault;
use crate::workspace::Workspace;

/// The package whose OUCH and SoupBinTCP classes interop uses, and its version.
const PACKAGE: (&str, &str) = ("nasdaq-protocols", "1.3.0");

/// The interpreter of an environment that has the package; makes the environment if need be.
///
/// # Errors
/// There is no `python3`, it cannot make environments, or the package cannot be had.
pub(crate) fn interpreter(workspace: &Workspace) -> Result<PathBuf, Fault> {
    let folder = workspace.root().join("target/python");
    let python = folder.join("bin/python");
    if installed_version(&python).as_deref() == Some(PACKAGE.1) {
        return Ok(python);
    }
    println!(
        "making {} with {} {}",
        folder.display(),
        PACKAGE.0,
        PACKAGE.1
    );
    succeed(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
        "install Python 3 with its venv module",
    )?;
    let wanted = format!("{}=={}", PACKAGE.0, PACKAGE.1);
    succeed(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", &wanted]),
        "pip must reach a package index, or a mirror named in its configuration",
    )?;
    match installed_version(&python) {
        Some(version) if version == PACKAGE.1 => Ok(python),
        found => {
            let found = found.unwrap_or_else(|| "nothing".into());
            Err(Fault(format!(
                "pip was asked for {wanted} and {found} is there"
            )))
        }
    }
}

/// The step that makes sure of it.
pub(crate) fn prepare(workspace: &Workspace) -> Result<(), Fault> {
    interpreter(workspace).map(|python| println!("{}", python.display()))
}

fn installed_version(python: &Path) -> Option<String> {
    let question = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))";
    let answer = Command::new(python)
        .args(["-c", question, PACKAGE.0])
        .output()
        .ok()?;
    answer
        .status
        .success()
        .then(|| String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

fn succeed(command: &mut Command, remedy: &str) -> Result<(), Fault> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .map_err(|error| Fault::of(&name, format!("{error}; {remedy}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Fault::of(&name, format!("{status}; {remedy}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_missing_or_fails_is_a_fault_with_the_remedy() {
        let missing = succeed(&mut Command::new("no-such-tool-here"), "install it");
        assert!(missing.unwrap_err().0.ends_with("install it"));
        let fails = succeed(&mut Command::new("false"), "mend it");
        assert!(fails.unwrap_err().0.ends_with("mend it"));
        assert_eq!(installed_version(Path::new("no-such-tool-here")), None);
    }
}
