//! Replays a plain log of earlier versions; its tables stand beside it.
//!
//! Invariant: as that of a journal, but that such a log notes no digest.

use super::Replayed;
use super::follower::{built, flip_of, no_table};
use super::print::Printer;
use crate::prelude;
use portcullis_domain::Record;
use portcullis_journal::{LogReader, read_limit_file};
use portcullis_risk_core::{EffectSink, RiskCore};
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

pub(super) fn replay<W: Write>(
    path: &Path,
    to: u64,
    sink: &mut Printer<'_, W>,
) -> Result<Replayed, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut reader =
        LogReader::open(BufReader::with_capacity(1 << 20, file)).map_err(|e| e.to_string())?;
    let mut core = prelude::core(reader.prelude())?;
    let (mut records, mut damage) = (0, None);
    for read in &mut reader {
        match read {
            Ok(record) if record.head.seq > to => break,
            Ok(record) => {
                take(&mut core, path, &record, sink);
                records += 1;
            }
            Err(error) => {
                damage = Some(error.to_string());
                break;
            }
        }
    }
    Ok(Replayed {
        records,
        effects: sink.effects,
        verdicts: sink.verdicts,
        cut: None,
        core: Box::new(core),
        damage,
    })
}

/// Applies a record; a flip needs its table, and one that was refused when it was logged may have none.
fn take(core: &mut RiskCore, log: &Path, record: &Record, sink: &mut impl EffectSink) {
    if let Some(digest) = flip_of(&record.head) {
        let words = read_limit_file(log, digest).map_err(|error| error.to_string());
        match words.and_then(|words| built(&words)) {
            Ok(table) => drop(core.stage(Box::new(table))),
            Err(error) => eprintln!("replay: {}", no_table(record.head.seq, digest, &error)),
        }
    }
    sink.on_record(record);
    core.apply(record, sink);
    // Tables out of force are of no more use here.
    drop(core.take_retired());
}
