//! `portcullis replay JOURNAL --limits CONFIG`: which verdicts of a recorded day would be others under other limits.
//!
//! Two cores apply the same records: one as it was, one under the config's limits. What the recorded day cannot say
//! of the other one is not guessed: see [`twin`] for what becomes of reports on orders that only one of them has.
//! Invariants: the core that is as it was is held against the journal's digests; each flip is named by record,
//! account and check.

mod tally;
mod twin;

use super::follower::{CoreFollower, Deaf, End, flip_of};
use super::verdict::{self, Verdict};
use crate::check::load_config;
use crate::gateway::check_names;
use crate::journal::folder::Folder;
use crate::journal::progress::Progress;
use crate::{REFUSED, cannot};
use portcullis_control::config::Config;
use portcullis_domain::{Head, Record};
use portcullis_risk_core::{Effect, EffectSink};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use tally::Tally;
use twin::Twin;

/// In whose name progress and remarks are said.
const TOOL: &str = "what if";

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

/// The comparison, printed; what is wrong with the journal, if something is.
fn run(asked: &Asked<'_>, out: &mut impl Write) -> Result<Option<String>, String> {
    let folder = Folder::open(asked.journal)?;
    let config = load_config(asked.limits).map_err(|errors| errors.to_string())?;
    check_names(&folder.disk, &config.names).map_err(|why| {
        format!(
            "{}: {why}; the config must have the journal's names at their places",
            asked.limits.display()
        )
    })?;
    let mut comparison = Comparison {
        recorded: CoreFollower::open(&folder)?,
        twin: Twin::new(folder.first_core()?.0),
        tally: Tally::default(),
        folder: &folder,
        json: asked.json,
    };
    comparison.recorded.say_remarks(TOOL);
    let ended = comparison.follow(asked, &config, out);
    let Comparison {
        recorded,
        twin,
        tally,
        ..
    } = &mut comparison;
    recorded.say_remarks(TOOL);
    let damage = ended?;
    if !twin.is_apart() {
        return Err(format!(
            "{}: record {} is not in this journal, which ends with {}",
            asked.journal.display(),
            asked.from,
            recorded.core().seq().raw(),
        ));
    }
    tally.print(out, &folder.naming, &twin.figures, asked.json)?;
    out.flush().map_err(|error| error.to_string())?;
    Ok(damage)
}

/// Both cores, and what they differ in.
struct Comparison<'a> {
    recorded: CoreFollower,
    twin: Twin,
    tally: Tally,
    folder: &'a Folder,
    json: bool,
}

impl Comparison<'_> {
    /// Gives each record to both, up to the last one asked for; what is wrong with the journal, if something is.
    fn follow(
        &mut self,
        asked: &Asked<'_>,
        config: &Config,
        out: &mut impl Write,
    ) -> Result<Option<String>, String> {
        let mut progress = Progress::begin(TOOL);
        let damage = loop {
            match self.recorded.run(&mut |_| true, &mut Deaf, &mut |_| {}) {
                End::Held => {}
                End::Journal => break None,
                End::Damage(error) => break Some(error.to_string()),
                End::Diverged(error) => break Some(error.to_string()),
            }
            let record = *self
                .recorded
                .held()
                .expect("a run that ended there holds it");
            let Head {
                seq, timestamp_ns, ..
            } = record.head;
            if seq > asked.to {
                break None;
            }
            if !self.twin.is_apart() && seq >= asked.from {
                self.twin.part(config.limit_table(), timestamp_ns)?;
            }
            self.take(&record, out)?;
            progress.at(self.recorded.records, self.recorded.bytes);
        };
        progress.done(self.recorded.records, self.recorded.bytes);
        Ok(damage)
    }

    /// Gives the record that is held to both.
    fn take(&mut self, record: &Record, out: &mut impl Write) -> Result<(), String> {
        self.stage(&record.head);
        let plan = self.twin.plan(&record.head, self.recorded.core());
        let mut heard = Heard::default();
        self.recorded.take_held(&mut heard);
        let theirs = self.twin.take(record, plan, &heard, self.recorded.core());
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

    /// The table of a flip in the journal, for the twin while it is one. What cannot be read, the recorded core's
    /// follower remarks on.
    fn stage(&mut self, head: &Head) {
        if self.twin.is_apart() {
            return;
        }
        if let Some(digest) = flip_of(head)
            && let Ok(table) = self.folder.limit_table(digest)
        {
            self.twin.stage(table);
        }
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
