//! `portcullis replay`: a log's records applied anew.
//!
//! Invariant: the core is the server's own, made from the log's prelude; a flip finds its table in
//! the file beside the log that its digest names.

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

/// What a replay came to.
pub(crate) struct Replayed {
    pub(crate) records: u64,
    pub(crate) effects: u64,
    pub(crate) core: RiskCore,
    /// How the log ends, if not after a whole record.
    pub(crate) damage: Option<String>,
}

/// Replays a log and prints what came of it.
pub(crate) fn replay(path: &Path, print: bool) -> ExitCode {
    let stdout = std::io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    let mut sink = Printer {
        out: &mut out,
        print,
        effects: 0,
        seq: 0,
    };
    let replayed = match replay_into(path, &mut sink) {
        Ok(replayed) => replayed,
        Err(why) => return cannot(format!("{}: {why}", path.display())),
    };
    let core = &replayed.core;
    let written = writeln!(
        out,
        "{} records, {} effects, epoch {}, digest {:016x}, state {:016x}",
        replayed.records,
        replayed.effects,
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
    replay_into(
        path,
        &mut Printer {
            out: &mut nowhere,
            print: false,
            effects: 0,
            seq: 0,
        },
    )
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
    print: bool,
    effects: u64,
    seq: u64,
}

impl<W: Write> EffectSink for Printer<'_, W> {
    fn on_effect(&mut self, effect: Effect) {
        self.effects += 1;
        if !self.print {
            return;
        }
        let line = if let Effect::Refused(refusal) = &effect {
            let failing: Vec<_> = refusal.failing.codes().map(checks::name).collect();
            format!("refused {} {refusal:?}", failing.join(","))
        } else {
            format!("{effect:?}")
        };
        // A closed pipe ends the printing, not the replay.
        self.print = writeln!(self.out, "{} {line}", self.seq).is_ok();
    }
}
