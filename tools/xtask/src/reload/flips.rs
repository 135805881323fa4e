//! Reloads, there and back, as a desk asks for them; and one of a file with a mistake.
//!
//! A thread of its own, beside the flow. Invariant: each is answered before the next is asked.

use super::config::{BAD_CONFIG, OTHER_PASSWORD, PASSWORD, Setup, Which};
use super::drive::logs_on;
use crate::gateway;
use crate::verb::Fault;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

/// Flow under each epoch, beyond the time that the next reload is read in.
const BETWEEN: Duration = Duration::from_millis(200);

/// What is asked for.
pub(super) struct Flips<'a> {
    pub(super) portcullis: &'a Path,
    pub(super) socket: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) accounts: u32,
    pub(super) wanted: u32,
    /// The gateway's process.
    pub(super) process: u32,
    /// Where its clients connect.
    pub(super) address: SocketAddr,
}

/// One reload, as its answer tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reload {
    /// Its flip's place in the log.
    pub(super) seq: u64,
    pub(super) epoch: u32,
    /// Changes that it found.
    pub(super) changes: u64,
    /// Reading, validating and comparing.
    pub(super) read_ms: u64,
    /// Building the table and keeping its file.
    pub(super) built_ms: u64,
    /// From the table's staging to the core's word.
    pub(super) flipped_us: u64,
    /// From the question to the answer, as the desk sees it.
    pub(super) whole_ms: u64,
    /// The gateway's memory after it.
    pub(super) resident_kib: u64,
}

/// What the gateway answered.
pub(super) struct Flipped {
    pub(super) reloads: Vec<Reload>,
    pub(super) bad_reload: BadReload,
    /// Whether under B the late user's password was B's and no longer A's.
    pub(super) password_changed: bool,
}

/// What came of the file with a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadReload {
    pub(super) refused: bool,
    /// Whether the answer names file and line.
    pub(super) told: bool,
    /// Whether the epoch was the same after it.
    pub(super) unchanged: bool,
}

impl Flips<'_> {
    pub(super) fn ask(&self) -> Result<Flipped, Fault> {
        let mut reloads = Vec::new();
        let mut bad_reload = None;
        let mut password_changed = logs_on(self.address, PASSWORD)?;
        for flip in 0..self.wanted {
            let which = Which::in_epoch(flip + 2);
            reloads.push(self.reload(which)?);
            if flip == 0 {
                bad_reload = Some(self.bad_reload()?);
                password_changed &= logs_on(self.address, OTHER_PASSWORD)?;
                password_changed &= !logs_on(self.address, PASSWORD)?;
            }
            thread::sleep(BETWEEN);
        }
        Ok(Flipped {
            reloads,
            bad_reload: bad_reload.ok_or_else(|| Fault("no reload was asked for".to_owned()))?,
            password_changed,
        })
    }

    fn asked(&self, config: &str) -> Result<Output, Fault> {
        let path = self.folder.join(config);
        let path = path.to_string_lossy();
        gateway::asked(self.portcullis, self.socket, &["reload", &path])
    }

    fn reload(&self, which: Which) -> Result<Reload, Fault> {
        let begun = Instant::now();
        let output = self.asked(which.config_name())?;
        let whole_ms = begun.elapsed().as_millis() as u64;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let resident_kib = memory_kib(self.process, "VmRSS:")?;
        let reload = output.status.success();
        let reload = reload.then(|| parse(&said, whole_ms, resident_kib));
        let reload = reload.flatten().ok_or_else(|| {
            let end: Vec<&str> = said.lines().rev().take(5).collect();
            Fault::of(
                format!("ctl reload {}", which.config_name()),
                end.join(" | "),
            )
        })?;
        eprintln!(
            "epoch {}: {} changes read and compared in {} ms, built and kept in {} ms, flipped in {} us",
            reload.epoch, reload.changes, reload.read_ms, reload.built_ms, reload.flipped_us
        );
        Ok(reload)
    }

    fn bad_reload(&self) -> Result<BadReload, Fault> {
        let before = self.epoch()?;
        let output = self.asked(BAD_CONFIG)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        eprintln!("a bad file: {}", said.lines().next().unwrap_or_default());
        Ok(BadReload {
            refused: !output.status.success() && said.contains("nothing changed"),
            told: said.contains(&Setup::bad_place(self.accounts)),
            unchanged: self.epoch()? == before,
        })
    }

    fn epoch(&self) -> Result<u64, Fault> {
        let said = gateway::control(self.portcullis, self.socket, &["state"])?;
        number_after(&said, "epoch ").ok_or_else(|| Fault::of("ctl state", said))
    }
}

fn parse(said: &str, whole_ms: u64, resident_kib: u64) -> Option<Reload> {
    Some(Reload {
        seq: number_after(said, "done seq ")?,
        epoch: u32::try_from(number_after(said, " epoch ")?).ok()?,
        changes: changes(said)?,
        read_ms: milliseconds_after(said, "read and compared in ")?,
        built_ms: milliseconds_after(said, "built and kept in ")?,
        flipped_us: number_after(said, "flipped in ")?,
        whole_ms,
        resident_kib,
    })
}

fn changes(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains(" changes, "))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A line of the kernel's account of a process's memory.
pub(super) fn memory_kib(process: u32, line: &str) -> Result<u64, Fault> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).map_err(|error| Fault::of(&path, error))?;
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    let number = found.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    number.ok_or_else(|| Fault(format!("{path}: no line `{line}`")))
}

/// The whole number after the last such words.
fn number_after(text: &str, words: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(words)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Seconds with three decimals after these words, in milliseconds.
fn milliseconds_after(text: &str, words: &str) -> Option<u64> {
    let seconds = number_after(text, words)?;
    let (_, rest) = text.rsplit_once(words)?;
    Some(seconds * 1_000 + number_after(rest.split_once(" s")?.0, ".")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let said = "tighter  account a: qty_max 2 -> 1\n2000014 changes, 7 looser; the first 10000 \
                    are listed\nread and compared in 2.045 s, table built and kept in 0.601 s\n\
                    done seq 81234 epoch 3, flipped in 812 us\n";
        let reload = Reload {
            seq: 81_234,
            epoch: 3,
            changes: 2_000_014,
            read_ms: 2_045,
            built_ms: 601,
            flipped_us: 812,
            whole_ms: 7,
            resident_kib: 9,
        };
        assert_eq!(parse(said, 7, 9), Some(reload));
        assert_eq!(parse("failed the config has mistakes", 7, 9), None);
    }
}
