//! One life of the gateway, and what its journal replays to.

use super::config::{REFERENCE, SYMBOLS};
use crate::children::{Running, command};
use crate::gateway::control;
use crate::verb::Fault;
use crate::wide_limits::user;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long a start may take, recovery included.
const START_WITHIN: Duration = Duration::from_secs(120);

/// How long a stop may.
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// What each account has.
const DEPOSIT: &str = "1_000_000_000";

/// A gateway that runs.
pub(crate) struct Gateway {
    portcullis: PathBuf,
    socket: PathBuf,
    running: Running,
    log: PathBuf,
    fresh: bool,
}

/// What a gateway said that it recovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recovered {
    pub(crate) digest: String,
    pub(crate) state: String,
    pub(crate) took_ms: u64,
    pub(crate) from_snapshot: bool,
}

/// What a journal replays to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replayed {
    pub(crate) records: u64,
    pub(crate) digest: String,
    pub(crate) state: String,
}

/// What a gateway said that was left when it was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stopped {
    pub(crate) open_orders: u64,
    pub(crate) lots_on_hold: u64,
    pub(crate) digest: String,
}

impl Gateway {
    /// Starts a life.
    pub(crate) fn start(portcullis: &Path, folder: &Path, config: &Path) -> Result<Self, Fault> {
        let fresh = !folder.join("journal").exists();
        Self::start_as("run", fresh, portcullis, folder, config)
    }

    /// Starts one that waits for its leader's end.
    pub(crate) fn stand_by(portcullis: &Path, folder: &Path, config: &Path) -> Result<Self, Fault> {
        Self::start_as("standby", false, portcullis, folder, config)
    }

    fn start_as(
        verb: &str,
        fresh: bool,
        portcullis: &Path,
        folder: &Path,
        config: &Path,
    ) -> Result<Self, Fault> {
        let log = folder.join("gateway.log");
        // What a former life said is over.
        let _ = std::fs::remove_file(&log);
        let mut run = command(portcullis);
        run.arg(verb).arg(config);
        Ok(Self {
            portcullis: portcullis.to_owned(),
            socket: folder.join("ctl.sock"),
            running: Running::start("gateway", folder, &mut run)?,
            log,
            fresh,
        })
    }

    /// Waits until it serves; what it recovered, unless it began anew.
    pub(crate) fn serve(&mut self) -> Result<Option<Recovered>, Fault> {
        if let Err(fault) = self.running.line_with("listening on ", START_WITHIN) {
            self.running.show_log();
            return Err(fault);
        }
        let said = std::fs::read_to_string(&self.log);
        let said = said.map_err(|error| Fault::of(self.log.display(), error))?;
        Ok(recovered(&said))
    }

    /// Gives a new gateway's accounts money, and its instruments prices.
    pub(crate) fn publish_prices(&mut self) -> Result<(), Fault> {
        let ctl = |request: &[&str]| control(&self.portcullis, &self.socket, request);
        if self.fresh {
            for client in 0..64 {
                // There are as many accounts as clients; the first that is not there ends it.
                if ctl(&["deposit", &user(client), DEPOSIT]).is_err() {
                    break;
                }
            }
        }
        for symbol in SYMBOLS {
            ctl(&["reference", symbol, REFERENCE])?;
        }
        Ok(())
    }

    /// Asks it something over its control socket.
    pub(crate) fn ask(&self, request: &[&str]) -> Result<String, Fault> {
        control(&self.portcullis, &self.socket, request)
    }

    /// Open orders, as it says.
    pub(crate) fn open_orders(&self) -> Result<u64, Fault> {
        let said = self.ask(&["state"])?;
        let count = after(&said, "open orders ").and_then(|count| count.parse().ok());
        count.ok_or_else(|| Fault::of("ctl state", said))
    }

    /// Shows the end of what it said.
    pub(crate) fn show_log(&self) {
        self.running.show_log();
    }

    /// Kills it after a while.
    pub(crate) fn die_within(mut self, span: Duration) -> Result<(), Fault> {
        std::thread::sleep(span);
        self.running.kill()
    }

    /// Stops it as it should be stopped.
    pub(crate) fn stop(mut self) -> Result<Stopped, Fault> {
        self.running.terminate()?;
        let status = self.running.wait(STOP_WITHIN)?;
        let said = std::fs::read_to_string(&self.log);
        let said = said.map_err(|error| Fault::of(self.log.display(), error))?;
        if !status.success() {
            self.running.show_log();
            return Err(Fault::of("the gateway's stop", status));
        }
        let line = said.lines().find(|line| line.starts_with("stopped: "));
        line.and_then(stopped)
            .ok_or_else(|| Fault("the gateway did not say what was left".to_owned()))
    }
}

/// The word behind another one.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(word)?;
    let end = rest.find([',', ';', ' ', '\n']).unwrap_or(rest.len());
    Some(&rest[..end])
}

fn recovered(said: &str) -> Option<Recovered> {
    let line = |beginning: &str| said.lines().find(|line| line.starts_with(beginning));
    let up_to = line("recovery: up to record ")?;
    let state = line("recovery: digest ")?;
    Some(Recovered {
        digest: after(state, "digest ")?.to_owned(),
        state: after(state, "state ")?.to_owned(),
        took_ms: after(up_to, " in ")?.parse().ok()?,
        from_snapshot: up_to.contains("the snapshot of record"),
    })
}

fn stopped(line: &str) -> Option<Stopped> {
    Some(Stopped {
        open_orders: after(line, "open orders ")?.parse().ok()?,
        lots_on_hold: after(line, "lots on hold ")?.parse().ok()?,
        digest: after(line, "digest ")?.to_owned(),
    })
}

impl Replayed {
    /// Replays a journal by itself.
    pub(crate) fn of(portcullis: &Path, journal: &Path) -> Result<Self, Fault> {
        let output = Command::new(portcullis).arg("replay").arg(journal).output();
        let output = output.map_err(|error| Fault::of("portcullis replay", error))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let replayed = replayed(said.trim());
        replayed.ok_or_else(|| {
            let why = String::from_utf8_lossy(&output.stderr);
            Fault::of("portcullis replay", format!("{said}{why}"))
        })
    }
}

fn replayed(line: &str) -> Option<Replayed> {
    Some(Replayed {
        records: line.split_once(" records")?.0.parse().ok()?,
        digest: after(line, "digest ")?.to_owned(),
        state: after(line, "state ")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read() {
        let said = "recovery: up to record 71 in 12 ms, from the snapshot of record 50; digest compared up to \
                    record 60\nrecovery: digest 00ff, state 0abc, open orders 3; in doubt at the engine: \
                    orders and replaces 0, cancels 0\n";
        let found = recovered(said).unwrap();
        assert_eq!(
            (found.digest.as_str(), found.state.as_str()),
            ("00ff", "0abc")
        );
        assert_eq!((found.took_ms, found.from_snapshot), (12, true));
        let line = "stopped: accepted 7, refused 1, open orders 2, lots on hold 5, digest 0a";
        let left = stopped(line).unwrap();
        assert_eq!((left.open_orders, left.lots_on_hold), (2, 5));
        let line = "9 records, 8 effects, 3 verdicts, epoch 1, digest 0a, state 0b";
        assert_eq!(replayed(line).unwrap().records, 9);
    }
}
