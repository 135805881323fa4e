//! `portcullis replay JOURNAL --limits CONFIG`: which verdicts of a recorded day would be others under other limits.
//!
//! Two cores apply the same records: one as it was, one under the config's limits. What the recorded day cannot say
//! of the other one is not guessed: see [`twin`] for what becomes of reports on orders that only one of them has.
//! Invariants: the core that is as it was is held against the journal's digests; each flip is named by record,
//! account and check.

mod tally;
mod twin;

use super::follower::flip_of;
use super::verdict::{self, Verdict};
use crate::check::load_config;
use crate::gateway::check_names;
use crate::journal::folder::Folder;
use crate::journal::progress::Progress;
use crate::{REFUSED, cannot};
use portcullis_domain::{Record, UNIT_BYTES};
use portcullis_journal::Entry;
use portcullis_pipeline::replica::Diverged;
use portcullis_risk_core::{Effect, EffectSink, RiskCore};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use tally::Tally;
use twin::Twin;

/// What is asked.
pub(super) struct Asked<'a> {
    pub(super) journal: &'a Path,
    /// The config whose limits are tried.
    pub(super) limits: &'a Path,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) json: bool,
}

/// Lists each verdict that would be another, and what they come to.
pub(super) fn what_if(asked: &Asked<'_>) -> ExitCode {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match run(asked, &mut out) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(damage)) => {
            eprintln!("portcullis: {damage}");
            ExitCode::from(REFUSED)
        }
        Err(why) => cannot(why),
    }
}

/// The comparison; what is wrong with the journal, if something is.
fn run(asked: &Asked<'_>, out: &mut impl Write) -> Result<Option<String>, String> {
    let folder = Folder::open(asked.journal)?;
    let config = load_config(asked.limits).map_err(|errors| errors.to_string())?;
    check_names(&folder.disk, &config.names).map_err(|why| {
        format!(
            "{}: {why}; the config must have the journal's names at their places",
            asked.limits.display()
        )
    })?;
    let (recorded, _) = folder.first_core()?;
    let (twin, _) = folder.first_core()?;
    let mut reader = folder.reader(recorded.seq().next())?;
    let mut comparison = Comparison {
        recorded,
        twin: Twin::new(twin),
        tally: Tally::default(),
        folder: &folder,
        json: asked.json,
    };
    let mut progress = Progress::begin("what if");
    let (mut records, mut bytes) = (0, 0);
    let damage = loop {
        match reader.next() {
            Ok(Some(Entry::Record(record))) => {
                let record = record.to_record();
                if record.head.seq > asked.to {
                    break None;
                }
                if !comparison.twin.is_apart() && record.head.seq >= asked.from {
                    let timestamp_ns = record.head.timestamp_ns;
                    comparison.twin.part(config.limit_table(), timestamp_ns)?;
                }
                comparison.take(&record, out)?;
                records += 1;
                bytes += (record.head.units() * UNIT_BYTES) as u64;
                progress.at(records, bytes);
            }
            Ok(Some(Entry::Digest { seq, digest })) => {
                let found = comparison.recorded.digest();
                if found != digest {
                    let noted = digest;
                    break Some(Diverged { seq, noted, found }.to_string());
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    progress.done(records, bytes);
    if !comparison.twin.is_apart() {
        return Err(format!(
            "{}: record {} is not in this journal, which ends with {}",
            asked.journal.display(),
            asked.from,
            comparison.recorded.seq().raw(),
        ));
    }
    let (tally, twin) = (&comparison.tally, &comparison.twin);
    tally.print(out, &folder.naming, &twin.figures, asked.json)?;
    out.flush().map_err(|error| error.to_string())?;
    Ok(damage)
}

/// Both cores, and what they differ in.
struct Comparison<'a> {
    recorded: Box<RiskCore>,
    twin: Twin,
    tally: Tally,
    folder: &'a Folder,
    json: bool,
}

impl Comparison<'_> {
    /// Gives a record to both.
    fn take(&mut self, record: &Record, out: &mut impl Write) -> Result<(), String> {
        if let Some(digest) = flip_of(&record.head) {
            self.stage(digest);
        }
        let plan = self.twin.plan(&record.head, &self.recorded);
        let mut heard = Heard::default();
        self.recorded.apply(record, &mut heard);
        drop(self.recorded.take_retired());
        let theirs = self.twin.take(record, plan, &heard, &self.recorded);
        if !self.twin.is_apart() {
            return Ok(());
        }
        let flip = self.tally.note(&heard, &theirs);
        let Some(flip) = flip else {
            return Ok(());
        };
        let (seq, naming) = (record.head.seq, &self.folder.naming);
        let line = if self.json {
            flip.as_json(seq, naming).to_string()
        } else {
            flip.line(seq, naming)
        };
        writeln!(out, "{line}").map_err(|error| error.to_string())
    }

    /// The table of a flip in the journal: for the twin only while it is one.
    fn stage(&mut self, digest: u64) {
        // One that was refused when it was logged may have none, and is refused again.
        let Ok(table) = self.folder.limit_table(digest) else {
            return;
        };
        if !self.twin.is_apart() {
            self.twin.stage(table.clone());
        }
        drop(self.recorded.stage(Box::new(table)));
    }
}

/// What a core said of one record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    pub(super) verdict: Option<Verdict>,
    /// Whether a control command was carried out.
    pub(super) control: Option<bool>,
    pub(super) alarms: u64,
}

impl EffectSink for Heard {
    fn on_effect(&mut self, effect: Effect) {
        if let Some(verdict) = verdict::of(&effect) {
            self.verdict = Some(verdict);
        }
        match effect {
            Effect::Controlled(outcome) => self.control = Some(outcome.result.is_ok()),
            Effect::Alarmed(_) => self.alarms += 1,
            Effect::Approved(_)
            | Effect::Refused(_)
            | Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::StateChanged { .. } => {}
        }
    }
}

impl Heard {
    /// Whether an order or replace was accepted; `None` where there was no verdict.
    fn accepted(&self) -> Option<bool> {
        self.verdict.map(|verdict| verdict.failing.is_empty())
    }
}
