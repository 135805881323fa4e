//! `portcullis replay`: a log's records applied anew.
//!
//! Invariant: the core is the server's own, made from the log's prelude; a flip finds its table in
//! the file beside the log that its digest names; each verdict is made again from the limits of the
//! epoch it carries.

mod verdict;

use crate::{REFUSED, cannot, prelude};
use portcullis_domain::{Command, Record};
use portcullis_journal::{LogReader, read_limit_file};
use portcullis_risk_core::checks;
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Effect, EffectSink, RiskCore};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

/// What of a replay is printed, beside what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Printed {
    /// Nothing.
    Nothing,
    /// Each effect.
    Effects,
    /// Each verdict on an order or replace.
    Verdicts,
}

/// What a replay came to.
pub(crate) struct Replayed {
    pub(crate) records: u64,
    pub(crate) effects: u64,
    pub(crate) verdicts: u64,
    pub(crate) core: RiskCore,
    /// How the log ends, if not after a whole record.
    pub(crate) damage: Option<String>,
}

/// Replays a log and prints what came of it.
pub(crate) fn replay(path: &Path, printed: Printed) -> ExitCode {
    let stdout = std::io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    let mut sink = Printer::new(&mut out, printed);
    let replayed = match replay_into(path, &mut sink) {
        Ok(replayed) => replayed,
        Err(why) => return cannot(format!("{}: {why}", path.display())),
    };
    let core = &replayed.core;
    let written = writeln!(
        out,
        "{} records, {} effects, {} verdicts, epoch {}, digest {:016x}, state {:016x}",
        replayed.records,
        replayed.effects,
        replayed.verdicts,
        core.epoch(),
        core.digest(),
        core.state_hash(),
    );
    if let Err(error) = written.and_then(|()| out.flush()) {
        return cannot(error);
    }
    match replayed.damage {
        None => ExitCode::SUCCESS,
        Some(damage) => {
            eprintln!("portcullis: {}: {damage}", path.display());
            ExitCode::from(REFUSED)
        }
    }
}

/// Replays a log without printing.
///
/// # Errors
/// In words, why it does not begin.
pub(crate) fn replay_quietly(path: &Path) -> Result<Replayed, String> {
    let mut nowhere = std::io::sink();
    replay_into(path, &mut Printer::new(&mut nowhere, Printed::Nothing))
}

fn replay_into<W: Write>(path: &Path, sink: &mut Printer<'_, W>) -> Result<Replayed, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut reader =
        LogReader::open(BufReader::with_capacity(1 << 20, file)).map_err(|e| e.to_string())?;
    let mut core = prelude::core(reader.prelude())?;
    let mut records = 0;
    let mut damage = None;
    for read in &mut reader {
        let record = match read {
            Ok(record) => record,
            Err(error) => {
                damage = Some(error.to_string());
                break;
            }
        };
        stage_for(&record, path, &mut core)?;
        sink.seq = record.head.seq;
        core.apply(&record, sink);
        // Tables out of force are of no more use here.
        drop(core.take_retired());
        records += 1;
    }
    Ok(Replayed {
        records,
        effects: sink.effects,
        verdicts: sink.verdicts,
        core,
        damage,
    })
}

/// A flip needs its table; one that was refused when it was logged may have none.
fn stage_for(record: &Record, log: &Path, core: &mut RiskCore) -> Result<(), String> {
    let Ok(Command::FlipLimits(flip)) = Command::decode(&record.head) else {
        return Ok(());
    };
    let words = match read_limit_file(log, flip.digest) {
        Ok(words) => words,
        Err(error) => {
            eprintln!(
                "record {}: the limit table {:016x} of this flip: {error}; the flip is refused here, \
                 as it was then only if it was refused then",
                record.head.seq, flip.digest,
            );
            return Ok(());
        }
    };
    let spec = LimitSpec::from_words(&words).ok_or("a limit file does not read")?;
    let table = LimitTable::build(&spec);
    let table = table.map_err(|error| format!("a limit file does not load: {:?}", error.faults))?;
    drop(core.stage(Box::new(table)));
    Ok(())
}

struct Printer<'a, W> {
    out: &'a mut W,
    printed: Printed,
    effects: u64,
    verdicts: u64,
    seq: u64,
}

impl<'a, W: Write> Printer<'a, W> {
    const fn new(out: &'a mut W, printed: Printed) -> Self {
        Self {
            out,
            printed,
            effects: 0,
            verdicts: 0,
            seq: 0,
        }
    }
}

impl<W: Write> EffectSink for Printer<'_, W> {
    fn on_effect(&mut self, effect: Effect) {
        self.effects += 1;
        let verdict = verdict::of(&effect);
        self.verdicts += u64::from(verdict.is_some());
        let line = match (self.printed, verdict) {
            (Printed::Effects, _) => Some(effect_line(&effect)),
            (Printed::Verdicts, Some(verdict)) => Some(verdict.to_string()),
            (Printed::Verdicts, None) | (Printed::Nothing, _) => None,
        };
        let Some(line) = line else { return };
        if writeln!(self.out, "{} {line}", self.seq).is_err() {
            // A closed pipe ends the printing, not the replay.
            self.printed = Printed::Nothing;
        }
    }
}

fn effect_line(effect: &Effect) -> String {
    if let Effect::Refused(refusal) = effect {
        let failing: Vec<_> = refusal.failing.codes().map(checks::name).collect();
        format!("refused {} {refusal:?}", failing.join(","))
    } else {
        format!("{effect:?}")
    }
}
