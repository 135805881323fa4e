//! `portcullis journal export`: records, verdicts or fills as CSV, for people who live in notebooks.
//!
//! One header line, then a line each, as they come: memory does not grow with the journal. Invariants: prices and
//! money are exact decimals where a config gives their scales, and whole ticks and quanta otherwise; verdicts and
//! fills are those that a replay of the journal comes to, whose digests were held against the journal's.

mod columns;
mod facts;

use super::folder::Folder;
use super::naming::Scales;
use super::progress::Progress;
use crate::check::load_config;
use crate::replay::follower::{CoreFollower, End};
use crate::{REFUSED, cannot};
use clap::{Args, ValueEnum};
use columns::{Columns, FILLS, RECORDS, VERDICTS};
use portcullis_domain::{Command, Record, ReportKind, Seq};
use portcullis_journal::Entry;
use portcullis_risk_core::{Effect, EffectSink};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is to be written, and where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The journal's folder.
    folder: PathBuf,
    /// The file to write; - is standard output.
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// From this record on.
    #[arg(long, value_name = "SEQ", default_value_t = 1)]
    from: u64,
    /// Up to this record.
    #[arg(long, value_name = "SEQ", default_value_t = u64::MAX, hide_default_value = true)]
    to: u64,
    /// What a line is.
    #[arg(long, value_enum, default_value_t = What::Records)]
    what: What,
    /// Take the scales of prices and money from this config.
    #[arg(long, value_name = "CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Each record.
    Records,
    /// Each verdict on an order or replace, with the numbers of the first failing check.
    Verdicts,
    /// Each execution, as the core booked it.
    Fills,
}

/// Why it did not end well.
enum Failure {
    /// It could not be tried.
    Cannot(String),
    /// The journal is not whole, or not what it says.
    Damaged(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Cannot(why)
    }
}

/// Writes it.
pub(crate) fn export(arguments: &Arguments) -> ExitCode {
    match try_export(arguments) {
        Ok(lines) => {
            eprintln!("export: {lines} lines and a header");
            ExitCode::SUCCESS
        }
        Err(Failure::Cannot(why)) => cannot(why),
        Err(Failure::Damaged(why)) => {
            eprintln!("portcullis: {why}; the lines written so far are those before it");
            ExitCode::from(REFUSED)
        }
    }
}

fn try_export(arguments: &Arguments) -> Result<u64, Failure> {
    let folder = Folder::open(&arguments.folder)?;
    let config = arguments.config.as_deref().map(load_config).transpose();
    let config = config.map_err(|errors| errors.to_string())?;
    let columns = Columns {
        naming: &folder.naming,
        scales: Scales(config.as_ref()),
    };
    let place = arguments.csv.display();
    let out: Box<dyn Write> = if arguments.csv.as_os_str() == "-" {
        Box::new(io::stdout().lock())
    } else {
        let file = File::create(&arguments.csv).map_err(|error| format!("{place}: {error}"))?;
        Box::new(file)
    };
    let mut table = Table {
        out: csv::Writer::from_writer(BufWriter::with_capacity(1 << 20, out)),
        lines: 0,
        fault: None,
    };
    table.line(match arguments.what {
        What::Records => &RECORDS[..],
        What::Verdicts => &VERDICTS[..],
        What::Fills => &FILLS[..],
    });
    let ended = match arguments.what {
        What::Records => records(&folder, &columns, arguments, &mut table),
        What::Verdicts | What::Fills => replayed(&folder, columns, arguments, &mut table),
    };
    let flushed = table.out.flush();
    if let Some(error) = table.fault.or(flushed.err()) {
        return Err(Failure::Cannot(format!("{place}: {error}")));
    }
    ended.map(|()| table.lines - 1)
}

/// The file under way.
struct Table {
    out: csv::Writer<BufWriter<Box<dyn Write>>>,
    lines: u64,
    /// The first error: nothing is written behind it.
    fault: Option<io::Error>,
}

impl Table {
    fn line<T: AsRef<[u8]>>(&mut self, fields: &[T]) {
        if self.fault.is_some() {
            return;
        }
        match self.out.write_record(fields) {
            Ok(()) => self.lines += 1,
            Err(error) => self.fault = Some(error.into()),
        }
    }
}

/// Each record, from the journal itself.
fn records(
    folder: &Folder,
    columns: &Columns<'_>,
    arguments: &Arguments,
    table: &mut Table,
) -> Result<(), Failure> {
    let first = folder.first_seq()?;
    if arguments.from < first {
        eprintln!("export: the first segments are gone: the journal begins with record {first}");
    }
    let mut reader = folder.reader(Seq::new(arguments.from.max(first)))?;
    let mut progress = Progress::begin("export");
    let (mut count, mut bytes) = (0, 0);
    while table.fault.is_none() {
        match reader.next() {
            Ok(Some(Entry::Record(record))) => {
                if record.head.seq > arguments.to {
                    break;
                }
                table.line(&columns.record(record.head));
                count += 1;
                bytes += (record.head.units() * 64) as u64;
                progress.at(count, bytes);
            }
            Ok(Some(Entry::Digest { .. })) => {}
            Ok(None) => break,
            Err(error) => return Err(Failure::Damaged(error.to_string())),
        }
    }
    progress.done(count, bytes);
    Ok(())
}

/// Verdicts or fills, from a replay.
fn replayed(
    folder: &Folder,
    columns: Columns<'_>,
    arguments: &Arguments,
    table: &mut Table,
) -> Result<(), Failure> {
    let mut follower = CoreFollower::open(folder)?;
    follower.say_remarks("export");
    let mut progress = Progress::begin("export");
    let mut sink = Lines {
        columns,
        what: arguments.what,
        from: arguments.from,
        table,
        record: Record::bare(Command::Tick.encode()),
    };
    let to = arguments.to;
    let end = follower.run(&mut |head| head.seq > to, &mut sink, &mut |so_far| {
        progress.at(so_far.records, so_far.bytes);
    });
    progress.done(follower.records, follower.bytes);
    follower.say_remarks("export");
    match end {
        End::Journal | End::Held => Ok(()),
        End::Damage(error) => Err(Failure::Damaged(error.to_string())),
        End::Diverged(error) => Err(Failure::Damaged(error.to_string())),
    }
}

/// Writes a line for each effect that is asked for.
struct Lines<'a> {
    columns: Columns<'a>,
    what: What,
    from: u64,
    table: &'a mut Table,
    /// The record in hand.
    record: Record,
}

impl EffectSink for Lines<'_> {
    fn on_record(&mut self, record: &Record) {
        self.record.head = record.head;
        self.record.head.raw_len = 0;
    }

    fn on_effect(&mut self, effect: Effect) {
        let head = &self.record.head;
        if head.seq < self.from {
            return;
        }
        match (self.what, &effect) {
            (What::Verdicts, Effect::Approved(approved)) => {
                if let Some(line) = self
                    .columns
                    .accepted(head, approved.get(), approved.epoch())
                {
                    self.table.line(&line);
                }
            }
            (What::Verdicts, Effect::Refused(refusal)) => {
                self.table.line(&self.columns.refused(head, refusal));
            }
            (What::Fills, Effect::Reported(report)) => {
                if let (ReportKind::Fill { .. }, Ok(Command::Report(told))) =
                    (report.kind, Command::decode(head))
                {
                    self.table.line(&self.columns.fill(head, report, &told));
                }
            }
            (_, _) => {}
        }
    }
}
