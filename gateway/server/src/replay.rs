//! `portcullis replay`: a journal's records applied anew, or those of a plain log of earlier versions.
//!
//! Invariant: the core is the server's own, made from the prelude; a flip finds its table in the file that its
//! digest names; a journal's notes of the core's digest are held against the replay's; each verdict is made again from the limits of the
//! epoch it carries.

mod verdict;

use crate::gateway::read_prelude;
use crate::{REFUSED, cannot, prelude};
use portcullis_domain::{Command, Record, Seq};
use portcullis_journal::{
    Disk, Entry, JournalReader, LogReader, Mode, WordFile, read_limit_file, read_words,
};
use portcullis_pipeline::replica::Diverged;
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
    if path.is_dir() {
        replay_journal(path, sink)
    } else {
        replay_plain_log(path, sink)
    }
}

/// Replays a journal from its first record, and holds each digest that it notes against the replay's own.
fn replay_journal<W: Write>(path: &Path, sink: &mut Printer<'_, W>) -> Result<Replayed, String> {
    let disk = Disk::existing(path).map_err(|error| error.to_string())?;
    let reader = JournalReader::open(disk.clone(), Seq::new(1), Mode::Whole);
    let mut reader = reader.map_err(|error| error.to_string())?;
    let prelude = read_prelude(&disk, reader.segment().identity.prelude);
    let prelude = prelude.map_err(|error| error.to_string())?;
    let table = limit_table(&disk, prelude.limits)?;
    let core = RiskCore::new(&prelude.capacities, table).map_err(|error| error.to_string())?;
    let mut replay = Replay::new(core, sink);
    loop {
        match reader.next() {
            Ok(Some(Entry::Record(record))) => {
                replay.take(&record.to_record(), &|digest| limit_table(&disk, digest));
            }
            Ok(Some(Entry::Digest { seq, digest })) => replay.compare(seq, digest)?,
            Ok(None) => break,
            Err(error) => {
                replay.damage = Some(error.to_string());
                break;
            }
        }
    }
    Ok(replay.done())
}

/// Replays a plain log of earlier versions; its tables stand beside it.
fn replay_plain_log<W: Write>(path: &Path, sink: &mut Printer<'_, W>) -> Result<Replayed, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut reader =
        LogReader::open(BufReader::with_capacity(1 << 20, file)).map_err(|e| e.to_string())?;
    let core = prelude::core(reader.prelude())?;
    let mut replay = Replay::new(core, sink);
    let table = |digest| {
        let words = read_limit_file(path, digest).map_err(|error| error.to_string())?;
        built(&words)
    };
    for read in &mut reader {
        match read {
            Ok(record) => replay.take(&record, &table),
            Err(error) => {
                replay.damage = Some(error.to_string());
                break;
            }
        }
    }
    Ok(replay.done())
}

fn limit_table(disk: &Disk, digest: u64) -> Result<LimitTable, String> {
    let words = read_words(disk, WordFile::Limits, digest).map_err(|error| error.to_string())?;
    built(&words)
}

fn built(words: &[u64]) -> Result<LimitTable, String> {
    let spec = LimitSpec::from_words(words).ok_or("a limit file does not read")?;
    LimitTable::build(&spec)
        .map_err(|error| format!("a limit file does not load: {:?}", error.faults))
}

/// A replay under way.
struct Replay<'s, 'o, W> {
    core: RiskCore,
    sink: &'s mut Printer<'o, W>,
    records: u64,
    damage: Option<String>,
}

impl<'s, 'o, W: Write> Replay<'s, 'o, W> {
    const fn new(core: RiskCore, sink: &'s mut Printer<'o, W>) -> Self {
        Self {
            core,
            sink,
            records: 0,
            damage: None,
        }
    }

    /// Applies a record; a flip needs its table, and one that was refused when it was logged may have none.
    fn take(&mut self, record: &Record, table: &dyn Fn(u64) -> Result<LimitTable, String>) {
        if let Ok(Command::FlipLimits(flip)) = Command::decode(&record.head) {
            match table(flip.digest) {
                Ok(table) => drop(self.core.stage(Box::new(table))),
                Err(error) => eprintln!(
                    "record {}: the limit table {:016x} of this flip: {error}; the flip is refused here, \
                     as it was then only if it was refused then",
                    record.head.seq, flip.digest,
                ),
            }
        }
        self.sink.seq = record.head.seq;
        self.core.apply(record, self.sink);
        // Tables out of force are of no more use here.
        drop(self.core.take_retired());
        self.records += 1;
    }

    fn compare(&self, seq: Seq, noted: u64) -> Result<(), String> {
        let found = self.core.digest();
        if found == noted {
            return Ok(());
        }
        Err(Diverged { seq, noted, found }.to_string())
    }

    fn done(self) -> Replayed {
        Replayed {
            records: self.records,
            effects: self.sink.effects,
            verdicts: self.sink.verdicts,
            core: self.core,
            damage: self.damage,
        }
    }
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
