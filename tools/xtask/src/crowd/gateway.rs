//! The gateway that a crowd meets: its own process, as a venue would run it.
//!
//! Invariants: every wait has a bound; it is dead when its handle is gone.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::arguments::Arguments;
use super::config;
use super::memory::Memory;
use crate::children::{Running, command};
use crate::verb::Fault;

/// How long it may take to start, or to drain and stop.
const TURN: Duration = Duration::from_secs(60);

/// The gateway.
pub(super) struct Gateway {
    binary: PathBuf,
    socket: PathBuf,
    running: Running,
    pub(super) address: SocketAddr,
}

/// What it counted, by the words of its last line.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted(Vec<(String, u64)>);

impl Gateway {
    /// Starts it, and puts money and prices in.
    pub(super) fn start(
        binary: &Path,
        folder: &Path,
        arguments: &Arguments,
    ) -> Result<Self, Fault> {
        let socket = folder.join("ctl.sock");
        let file = folder.join("crowd.toml");
        let text = config::text(arguments, &socket)?;
        std::fs::write(&file, text).map_err(|error| Fault::of(file.display(), error))?;
        let mut run = command(binary);
        let mut running = Running::start("gateway", folder, run.arg("run").arg(&file))?;
        let address = running.line_with("listening on ", TURN);
        let address = address.inspect_err(|_| running.show_log())?;
        let address = address.parse().map_err(|error| Fault::of(address, error))?;
        let gateway = Self {
            binary: binary.to_owned(),
            socket,
            running,
            address,
        };
        for account in config::accounts() {
            gateway.control(&["deposit", &account, config::DEPOSIT])?;
        }
        for symbol in config::SYMBOLS {
            gateway.control(&["reference", symbol, config::REFERENCE])?;
        }
        Ok(gateway)
    }

    pub(super) fn memory(&self) -> Result<Memory, Fault> {
        Memory::of(self.running.id())
    }

    pub(super) fn show_log(&self) {
        self.running.show_log();
    }

    /// Has it drain and stop; what it counted.
    pub(super) fn stop(mut self) -> Result<Counted, Fault> {
        self.running.terminate()?;
        let status = self.running.wait(TURN)?;
        if !status.success() {
            self.running.show_log();
            return Err(Fault::of("the gateway, stopping", status));
        }
        let line = self.running.line_with("clients: ", TURN)?;
        Ok(Counted::read(&line))
    }

    fn control(&self, request: &[&str]) -> Result<(), Fault> {
        let output = Command::new(&self.binary)
            .arg("ctl")
            .arg("--socket")
            .arg(&self.socket)
            .args(request)
            .output()
            .map_err(|error| Fault::of("portcullis ctl", error))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        Err(Fault::of(format!("ctl {}", request.join(" ")), said.trim()))
    }
}

impl Counted {
    fn read(line: &str) -> Self {
        let pairs = line.split(", ").filter_map(|pair| {
            let (name, count) = pair.trim().rsplit_once(' ')?;
            Some((name.replace(' ', "_"), count.parse().ok()?))
        });
        Self(pairs.collect())
    }

    /// A count by its name; one that the gateway did not give is 0.
    pub(super) fn of(&self, name: &str) -> u64 {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or(0, |(_, count)| *count)
    }

    pub(super) fn all(&self) -> &[(String, u64)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_read_by_its_words() {
        let counted = Counted::read("connections 12, logins refused 3, lagged 4");
        assert_eq!(counted.of("connections"), 12);
        assert_eq!(counted.of("logins_refused"), 3);
        assert_eq!(counted.of("lagged"), 4);
        assert_eq!(counted.of("no such"), 0);
        assert_eq!(counted.all().len(), 3);
    }
}
