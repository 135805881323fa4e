//! The machine, the compiler and the commit that figures belong to.
//!
//! Read once at a bench's start. Invariant: a fact that cannot be had is `unknown`, never guessed.

use core::fmt;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// Facts of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The processor as it names itself.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// The compiler's version.
    pub rustc: String,
    /// Load average over 1, 5 and 15 minutes when the bench began.
    pub load_average: String,
    /// The commit, with `-dirty` where the tree differs from it.
    pub commit: String,
}

impl Machine {
    /// Asks the system.
    #[must_use]
    pub fn read() -> Self {
        Self {
            cpu: cpu(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: file("/proc/sys/kernel/osrelease"),
            rustc: said("rustc", &["--version"]),
            load_average: file("/proc/loadavg")
                .split(' ')
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            commit: said(
                "git",
                &[
                    "describe",
                    "--always",
                    "--abbrev=7",
                    "--exclude=*",
                    "--dirty",
                ],
            ),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "cores": self.cores,
            "kernel": self.kernel,
            "rustc": self.rustc,
            "load_average": self.load_average,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "commit {}; {}, {} cores, Linux {}, {}, load average at start {}",
            self.commit, self.cpu, self.cores, self.kernel, self.rustc, self.load_average
        )
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn file(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| unknown(), |text| text.trim().to_owned())
}

fn cpu() -> String {
    let text = file("/proc/cpuinfo");
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    field("model name").map_or_else(unknown, |name| {
        let (family, model) = (field("cpu family"), field("model\t"));
        match (family, model) {
            (Some(family), Some(model)) => format!("{name} (family {family} model {model})"),
            _ => name,
        }
    })
}

/// The first line that a program says.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.ok().filter(|output| output.status.success());
    let line = text.and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.lines().next().map(str::to_owned)
    });
    line.unwrap_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_unknown() {
        assert_eq!(said("no-such-program-at-all", &[]), "unknown");
        assert_eq!(file("/no/such/file"), "unknown");
        assert!(Machine::read().cores >= 1);
    }
}
