//! What a run leaves: the log, the replay's verdicts, the clients' answers.
//!
//! Invariant: the three are read apart from each other; what is in none of them did not happen.

use super::naive::{Limits, Order, kind_of};
use crate::verb::Fault;
use portcullis_domain::{Command, Record, Seq, UserRef};
use portcullis_flow::Answer;
use portcullis_journal::{Disk, Entry, JournalError, JournalReader, Mode, WordFile, read_words};
use portcullis_risk_core::limits::LimitSpec;
use portcullis_wire::ouch50::Inbound;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command as Program;

/// All of it.
pub(super) struct Evidence {
    pub(super) log: Log,
    pub(super) answers: Vec<Answer>,
    pub(super) replayed: Replayed,
}

/// An order or replace, as its record states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) session: u32,
    pub(super) number: u32,
    pub(super) replace: bool,
    /// The order, where a probe's account sent it.
    pub(super) probe: Option<Order>,
    /// The reason that the codec gives, where the client's bytes are no message.
    pub(super) malformed: Option<u16>,
}

/// What the records say.
pub(super) struct Log {
    /// By record.
    pub(super) asked: HashMap<u64, Asked>,
    /// Record and table of each flip.
    pub(super) flips: Vec<(u64, u64)>,
    /// The table in force at the start.
    pub(super) first_table: u64,
    /// What bears on probes, by table.
    pub(super) tables: HashMap<u64, Limits>,
}

impl Log {
    /// The epoch that a record is judged in, by the flips before it.
    pub(super) fn epoch_at(&self, seq: u64) -> u32 {
        1 + self.flips.partition_point(|(flip, _)| *flip < seq) as u32
    }

    /// The limits of an epoch.
    pub(super) fn limits_of(&self, epoch: u32) -> Option<&Limits> {
        let table = match epoch.checked_sub(2) {
            None => self.first_table,
            Some(flip) => self.flips.get(flip as usize)?.1,
        };
        self.tables.get(&table)
    }
}

/// Reads a journal and the tables in its folder.
pub(super) fn read_log(path: &Path) -> Result<Log, Fault> {
    let fault = |error: String| Fault::of(path.display(), error);
    let disk = Disk::existing(path).map_err(|error| fault(error.to_string()))?;
    let of_journal = |error: JournalError| fault(error.to_string());
    let mut reader =
        JournalReader::open(disk.clone(), Seq::new(1), Mode::Whole).map_err(of_journal)?;
    let kept = |digest| read_words(&disk, WordFile::Limits, digest).map_err(of_journal);
    let (first_table, limits) = table(&kept(reader.segment().limits)?).map_err(fault)?;
    let mut log = Log {
        asked: HashMap::new(),
        flips: Vec::new(),
        first_table,
        tables: HashMap::from([(first_table, limits)]),
    };
    while let Some(entry) = reader.next().map_err(of_journal)? {
        if let Entry::Record(record) = entry {
            log.take(&record.to_record());
        }
    }
    for (_, digest) in &log.flips {
        if !log.tables.contains_key(digest) {
            log.tables.extend([table(&kept(*digest)?).map_err(fault)?]);
        }
    }
    Ok(log)
}

fn table(words: &[u64]) -> Result<(u64, Limits), String> {
    let spec = LimitSpec::from_words(words).ok_or("a limit table does not read")?;
    let limits = Limits::of(&spec).ok_or("a limit table lacks what the configs set")?;
    Ok((spec.digest(), limits))
}

impl Log {
    fn take(&mut self, record: &Record) {
        let Ok(command) = Command::decode(&record.head) else {
            return;
        };
        let malformed = Inbound::parse(record.raw()).err();
        let malformed = malformed.map(|error| error.reject_reason().code());
        let asked = if let Command::FlipLimits(flip) = command {
            self.flips.push((record.head.seq, flip.digest));
            return;
        } else if let Command::NewOrder(order) = command {
            let named = Order {
                account: order.account.index(),
                instrument: order.instrument.index(),
                qty: order.qty.lots(),
                price_ticks: order.price.map_or(0, |price| price.ticks()),
            };
            Asked {
                session: order.session.raw(),
                number: order.user_ref.number,
                replace: false,
                probe: kind_of(named.account).map(|_| named),
                malformed,
            }
        } else if let Command::Replace(request) = command {
            let UserRef { number, .. } = request.user_ref;
            Asked {
                session: request.session.raw(),
                number,
                replace: true,
                probe: None,
                malformed,
            }
        } else {
            return;
        };
        self.asked.insert(record.head.seq, asked);
    }
}

/// One verdict, as the replay printed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) seq: u64,
    pub(super) epoch: u32,
    pub(super) session: u32,
    pub(super) number: u32,
    /// The failing checks, with commas between; empty where it was accepted.
    pub(super) failing: String,
}

/// A replay of a log.
pub(super) struct Replayed {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) digest: String,
    pub(super) whole: bool,
}

impl Replayed {
    /// That of a journal that was refused.
    pub(super) fn nothing() -> Self {
        Self {
            verdicts: Vec::new(),
            digest: String::new(),
            whole: false,
        }
    }

    /// Replays a log with the gateway's own verb.
    pub(super) fn of(portcullis: &Path, log: &Path) -> Result<Self, Fault> {
        let mut replay = Program::new(portcullis);
        let output = replay.arg("replay").arg("--verdicts").arg(log).output();
        let output = output.map_err(|error| Fault::of("portcullis replay", error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut lines: Vec<&str> = text.lines().collect();
        let summary = lines.pop().unwrap_or_default();
        let unread = |line: &str| {
            let stderr = String::from_utf8_lossy(&output.stderr);
            Fault(format!("portcullis replay printed `{line}`\n{stderr}"))
        };
        let digest = summary
            .split(", ")
            .find_map(|part| part.strip_prefix("digest "));
        let verdicts = lines
            .iter()
            .map(|line| verdict(line).ok_or_else(|| unread(line)));
        Ok(Self {
            verdicts: verdicts.collect::<Result<_, _>>()?,
            digest: digest.ok_or_else(|| unread(summary))?.to_owned(),
            whole: output.status.success(),
        })
    }
}

/// `SEQ EPOCH SESSION:ROW:NUMBER accepted`, or `... refused CHECK,CHECK`.
fn verdict(line: &str) -> Option<Verdict> {
    let words: Vec<&str> = line.split(' ').collect();
    let (seq, epoch, order, failing) = match words[..] {
        [seq, epoch, order, "accepted"] => (seq, epoch, order, ""),
        [seq, epoch, order, "refused", failing] => (seq, epoch, order, failing),
        _ => return None,
    };
    let order: Vec<&str> = order.split(':').collect();
    let [session, "0", number] = order[..] else {
        return None;
    };
    Some(Verdict {
        seq: seq.parse().ok()?,
        epoch: epoch.parse().ok()?,
        session: session.parse().ok()?,
        number: number.parse().ok()?,
        failing: failing.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_and_nothing_else_is_one() {
        let read = verdict("81 2 5:0:17 refused QTY_MAX,MARGIN").expect("a verdict");
        assert_eq!((read.seq, read.epoch), (81, 2));
        assert_eq!((read.session, read.number), (5, 17));
        assert_eq!(read.failing, "QTY_MAX,MARGIN");
        assert_eq!(verdict("9 1 0:0:1 accepted").expect("one too").failing, "");
        for line in ["", "9 1 0:0:1", "9 1 0:0 accepted", "x 1 0:0:1 accepted"] {
            assert_eq!(verdict(line), None, "{line}");
        }
    }
}
