//! `portcullis replay` and `portcullis journal replay`: a journal's records applied anew, or those of a plain log of
//! earlier versions.
//!
//! Invariant: the core is the server's own, made from the prelude; a flip finds its table in the file that its
//! digest names; a journal's notes of the core's digest are held against the replay's; each verdict is made again from the limits of the
//! epoch it carries.

pub(crate) mod follower;
mod plain;
mod print;
pub(crate) mod verdict;
mod what_if;

use crate::journal::folder::Folder;
use crate::journal::progress::Progress;
use crate::{REFUSED, cannot};
use clap::Args;
use follower::{CoreFollower, End};
use portcullis_domain::Head;
use portcullis_risk_core::RiskCore;
use print::{Printed, Printer};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a replay can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A journal's folder, or a plain log of earlier versions.
    journal: PathBuf,
    /// Print each effect, a line each.
    #[arg(long)]
    effects: bool,
    /// Print each verdict on an order or replace: record, epoch, SESSION:ROW:NUMBER, what.
    #[arg(long, conflicts_with = "effects")]
    verdicts: bool,
    /// Stop behind this record.
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
    /// Replay under the limits of this config too, and list each verdict that would be another.
    #[arg(long, value_name = "CONFIG", conflicts_with_all = ["effects", "verdicts"])]
    limits: Option<PathBuf>,
    /// With --limits: from this record on; before it the journal's own limits are in force.
    #[arg(long, value_name = "SEQ", requires = "limits")]
    from: Option<u64>,
    /// With --limits: one JSON object a flip, and one of totals last.
    #[arg(long, requires = "limits")]
    json: bool,
}

/// What a replay came to.
pub(crate) struct Replayed {
    pub(crate) records: u64,
    pub(crate) effects: u64,
    pub(crate) verdicts: u64,
    pub(crate) core: Box<RiskCore>,
    /// How a journal ends that the next start cuts, which is no damage.
    pub(crate) cut: Option<String>,
    /// Why the log does not read to its end, or that it is not what its core came to.
    pub(crate) damage: Option<String>,
}

/// Replays a log and prints what came of it.
pub(crate) fn replay(arguments: &Arguments) -> ExitCode {
    if let Some(limits) = &arguments.limits {
        let asked = what_if::Asked {
            journal: &arguments.journal,
            limits,
            from: arguments.from.unwrap_or(1),
            to: arguments.to.unwrap_or(u64::MAX),
            json: arguments.json,
        };
        return what_if::what_if(&asked);
    }
    let printed = match (arguments.effects, arguments.verdicts) {
        (true, _) => Printed::Effects,
        (false, true) => Printed::Verdicts,
        (false, false) => Printed::Nothing,
    };
    let stdout = std::io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    let mut sink = Printer::new(&mut out, printed);
    let path = &arguments.journal;
    let replayed = match replay_into(path, arguments.to.unwrap_or(u64::MAX), &mut sink) {
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
    if let Some(cut) = &replayed.cut {
        eprintln!("replay: {cut}");
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
/// In words, why it does not begin, or is not what it says; that it was cut, too.
pub(crate) fn replay_quietly(path: &Path) -> Result<Replayed, String> {
    let mut nowhere = std::io::sink();
    let replayed = replay_into(
        path,
        u64::MAX,
        &mut Printer::new(&mut nowhere, Printed::Nothing),
    )?;
    match replayed.damage.as_ref().or(replayed.cut.as_ref()) {
        None => Ok(replayed),
        Some(why) => Err(why.clone()),
    }
}

fn replay_into<W: Write>(
    path: &Path,
    to: u64,
    sink: &mut Printer<'_, W>,
) -> Result<Replayed, String> {
    if path.is_dir() {
        replay_journal(path, to, sink)
    } else {
        plain::replay(path, to, sink)
    }
}

/// Replays a journal from its first record, and holds each digest that it notes against the replay's own.
fn replay_journal<W: Write>(
    path: &Path,
    to: u64,
    sink: &mut Printer<'_, W>,
) -> Result<Replayed, String> {
    let mut follower = CoreFollower::open(&Folder::open(path)?)?;
    follower.say_remarks("replay");
    let mut progress = Progress::begin("replay");
    let mut stop = |head: &Head| head.seq > to;
    let end = follower.run(&mut stop, sink, &mut |so_far| {
        progress.at(so_far.records, so_far.bytes);
    });
    progress.done(follower.records, follower.bytes);
    follower.say_remarks("replay");
    let damage = match end {
        End::Journal | End::Held => None,
        End::Damage(error) => Some(error.to_string()),
        End::Diverged(error) => Some(error.to_string()),
    };
    Ok(Replayed {
        records: follower.records,
        effects: sink.effects,
        verdicts: sink.verdicts,
        cut: follower.cut(),
        core: follower.into_core(),
        damage,
    })
}
