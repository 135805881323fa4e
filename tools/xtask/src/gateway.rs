//! The gateway as a program: built, asked for a password's hash, spoken to over its control socket.
//!
//! Owned by the verb's thread. Invariant: what it says when it fails is in the fault.

use crate::verb::Fault;
use crate::workspace::Workspace;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Builds the gateway and says where it is.
pub(crate) fn built(workspace: &Workspace) -> Result<PathBuf, Fault> {
    program(workspace, "portcullis", "portcullis")
}

/// Builds a program of a package and says where it is.
pub(crate) fn program(workspace: &Workspace, package: &str, name: &str) -> Result<PathBuf, Fault> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "build",
        "--release",
        "--package",
        package,
        "--message-format",
        "json-render-diagnostics",
    ];
    println!("$ cargo {}", arguments.join(" "));
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(workspace.root())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Fault::of("cargo build", error))?;
    if !output.status.success() {
        return Err(Fault::of("cargo build", output.status));
    }
    executable(&String::from_utf8_lossy(&output.stdout), name).ok_or_else(|| {
        Fault(format!(
            "cargo build: it does not say where the binary `{name}` is"
        ))
    })
}

/// The binary of this name among cargo's messages.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// The hash of a password as a config wants it.
pub(crate) fn password_hash(portcullis: &Path, password: &str) -> Result<String, Fault> {
    let wrong = |error: std::io::Error| Fault::of("portcullis hash-password", error);
    let mut child = Command::new(portcullis)
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(wrong)?;
    let mut input = child.stdin.take().expect("it was asked for");
    writeln!(input, "{password}").map_err(wrong)?;
    drop(input);
    let output = child.wait_with_output().map_err(wrong)?;
    if !output.status.success() {
        return Err(Fault::of("portcullis hash-password", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Asks or tells a running gateway; what it answered, whatever that is.
pub(crate) fn asked(portcullis: &Path, socket: &Path, request: &[&str]) -> Result<Output, Fault> {
    let mut ctl = Command::new(portcullis);
    let ctl = ctl.arg("ctl").arg("--socket").arg(socket).args(request);
    ctl.output()
        .map_err(|error| Fault::of("portcullis ctl", error))
}

/// Has a running gateway do something; a refusal is a fault.
pub(crate) fn control(portcullis: &Path, socket: &Path, request: &[&str]) -> Result<String, Fault> {
    let output = asked(portcullis, socket, request)?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    Err(Fault::of(format!("ctl {}", request.join(" ")), said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_found_among_the_messages_of_cargo() {
        let messages = r#"
            {"reason":"compiler-artifact","target":{"name":"portcullis-wire"},"executable":null}
            {"reason":"compiler-artifact","target":{"name":"portcullis"},"executable":"/t/portcullis"}
            {"reason":"build-finished","success":true}"#;
        let found = executable(messages, "portcullis");
        assert_eq!(found, Some("/t/portcullis".into()));
        assert_eq!(executable(messages, "another"), None);
    }
}
