//! Programs that a verb starts: what they say goes to a file, and they end with their handle.
//!
//! Owned by the verb's thread. Invariants: a child is dead and reaped when its handle is gone; a
//! wait for one has a bound.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::verb::Fault;

/// How often a child is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How much of what a child said is shown.
const SHOWN_BYTES: usize = 8 << 10;

/// A program that runs.
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts it; its standard error, and its standard output unless that is piped, go to a file of
    /// its name.
    pub(crate) fn start(
        name: &'static str,
        folder: &Path,
        command: &mut Command,
    ) -> Result<Self, Fault> {
        let log = folder.join(format!("{name}.log"));
        let opened = File::options().create(true).append(true).open(&log);
        let file = opened.map_err(|error| Fault::of(log.display(), error))?;
        let child = command
            .stderr(file)
            .spawn()
            .map_err(|error| Fault::of(command.get_program().display(), error))?;
        Ok(Self { name, child, log })
    }

    /// Its pipes, if it was given them and they were not taken.
    pub(crate) fn pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        self.child.stdin.take().zip(self.child.stdout.take())
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The rest of the first line that it says with this beginning.
    pub(crate) fn line_with(&mut self, prefix: &str, bound: Duration) -> Result<String, Fault> {
        let deadline = Instant::now() + bound;
        loop {
            let said = self.said();
            let whole = said
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            if let Some(rest) = whole.filter_map(|line| line.strip_prefix(prefix)).next() {
                return Ok(rest.trim().to_owned());
            }
            if let Some(status) = self.ended()? {
                return Err(Fault::of(self.name, format!("{status} before `{prefix}`")));
            }
            if Instant::now() > deadline {
                return Err(Fault::of(self.name, format!("no `{prefix}` in {bound:?}")));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// How it ended, once it does.
    pub(crate) fn wait(&mut self, bound: Duration) -> Result<ExitStatus, Fault> {
        let deadline = Instant::now() + bound;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(Fault::of(
                    self.name,
                    format!("it still runs after {bound:?}"),
                ));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) -> Result<(), Fault> {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .map_err(|error| Fault::of("kill", error))?;
        match status.success() {
            true => Ok(()),
            false => Err(Fault::of("kill", status)),
        }
    }

    /// Ends it without asking.
    pub(crate) fn kill(&mut self) -> Result<(), Fault> {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        ended.map(drop).map_err(|error| Fault::of(self.name, error))
    }

    /// Shows the end of what it said.
    pub(crate) fn show_log(&self) {
        let said = self.said();
        let mut start = said.len().saturating_sub(SHOWN_BYTES);
        while !said.is_char_boundary(start) {
            start += 1;
        }
        println!("-- what {} said:\n{}", self.name, said[start..].trim_end());
    }

    fn said(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, Fault> {
        let status = self.child.try_wait();
        status.map_err(|error| Fault::of(self.name, error))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command without anything to read.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(20);

    fn shell(test: &str, script: &str) -> (PathBuf, Running) {
        let name = format!("xtask-children-{test}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        let mut command = command(Path::new("sh"));
        let child = Running::start("shell", &folder, command.args(["-c", script])).unwrap();
        (folder, child)
    }

    #[test]
    fn a_line_is_found_when_it_is_whole_and_an_end_before_it_is_a_fault() {
        let (folder, mut child) = shell("line", "echo ready at 7 >&2; exit 3");
        assert_eq!(child.line_with("ready at ", BOUND), Ok("7".to_owned()));
        assert_eq!(child.wait(BOUND).unwrap().code(), Some(3));
        let Err(Fault(reason)) = child.line_with("never", BOUND) else {
            panic!("it said no such thing")
        };
        assert!(reason.contains("before `never`"), "{reason}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_wait_has_a_bound_and_a_child_ends_on_request_or_without() {
        let (folder, mut child) = shell("bound", "exec sleep 600");
        assert!(child.wait(Duration::from_millis(1)).is_err());
        assert!(child.line_with("x", Duration::from_millis(1)).is_err());
        child.terminate().unwrap();
        assert_eq!(child.wait(BOUND).unwrap().code(), None);
        fs::remove_dir_all(folder).unwrap();
        let (folder, mut child) = shell("kill", "exec sleep 600");
        child.kill().unwrap();
        assert_eq!(child.wait(BOUND).unwrap().code(), None);
        fs::remove_dir_all(folder).unwrap();
    }
}
