//! A program that a round starts: what it says goes to a file, and it ends with its handle.
//!
//! Owned by the measuring thread. Invariants: a child is dead and reaped when its handle is gone; one
//! at rest has been seen to stand still.

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running program.
pub(crate) struct Child {
    name: String,
    process: Process,
    said: PathBuf,
}

impl Child {
    /// Starts it; what it says goes to a file of its name in `folder`.
    pub(crate) fn start(name: &str, folder: &Path, command: &mut Command) -> Result<Self, String> {
        let said = folder.join(format!("{name}.log"));
        let file = File::create(&said).map_err(|error| format!("{}: {error}", said.display()))?;
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        Ok(Self {
            name: name.to_owned(),
            process,
            said,
        })
    }

    /// The rest of the first whole line it has said with this beginning, if it has.
    pub(crate) fn said(&self, prefix: &str) -> Option<String> {
        let text = std::fs::read_to_string(&self.said).ok()?;
        let mut whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        whole
            .find_map(|line| line.strip_prefix(prefix))
            .map(|rest| rest.trim().to_owned())
    }

    /// Memory that it has locked, as the system tells it.
    pub(crate) fn locked_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmLck:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// An error if it has ended, with what it said last.
    pub(crate) fn must_live(&mut self) -> Result<(), String> {
        match self.process.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!(
                "{} ended, {status}: {}",
                self.name,
                self.last_words()
            )),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }

    /// Has it stand still, and waits until it does.
    pub(crate) fn rest(&self) -> Result<(), String> {
        let fault = |error: rustix::io::Errno| format!("{} cannot rest: {error}", self.name);
        kill_process(self.pid(), Signal::STOP).map_err(fault)?;
        match waitpid(Some(self.pid()), WaitOptions::UNTRACED).map_err(fault)? {
            Some((_, status)) if status.stopped() => Ok(()),
            Some(_) | None => Err(format!("{} ended: {}", self.name, self.last_words())),
        }
    }

    /// Has it go on.
    pub(crate) fn wake(&self) -> Result<(), String> {
        kill_process(self.pid(), Signal::CONT)
            .map_err(|error| format!("{} cannot go on: {error}", self.name))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn terminate(&mut self, within: Duration) -> Result<ExitStatus, String> {
        kill_process(self.pid(), Signal::TERM)
            .map_err(|error| format!("{} cannot be asked to end: {error}", self.name))?;
        let begun = Instant::now();
        while begun.elapsed() < within {
            match self.process.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(format!("{}: {error}", self.name)),
            }
        }
        Err(format!(
            "{} still runs {within:?} after it was asked to end",
            self.name
        ))
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.said).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(12).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
