//! `portcullis explain`: why an order was accepted or refused, from the journal, months later.
//!
//! The journal is replayed up to the record before the order; then every check is asked, the record applied, and
//! the account shown as it stood before and after; then it is read on, to a digest that confirms what was shown.
//! Invariants: nothing is asked of a gateway; the verdict shown is the one that the replay comes to, and where no
//! digest of the journal behind it says the same, that is said.

mod report;

use crate::check::load_config;
use crate::gateway::check_names;
use crate::journal::folder::Folder;
use crate::journal::naming::{Scales, parse_order};
use crate::journal::progress::Progress;
use crate::journal::words::Words;
use crate::replay::follower::{CoreFollower, Deaf, End};
use crate::{REFUSED, cannot};
use clap::{ArgGroup, Args};
use portcullis_domain::{CommandKind, Head, Record, SessionId, UserRef};
use portcullis_risk_core::{Effect, EffectSink};
use std::path::PathBuf;
use std::process::ExitCode;

/// In whose name remarks are made.
const TOOL: &str = "explain";

/// What is to be explained.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["order", "seq"])))]
pub(crate) struct Arguments {
    /// The journal's folder.
    folder: PathBuf,
    /// The order or replace: USER:NUMBER, or USER:ROW:NUMBER, as DESK1:42.
    order: Option<String>,
    /// The order or replace of this record.
    #[arg(long, value_name = "SEQ")]
    seq: Option<u64>,
    /// Take the scales of prices and money from this config.
    #[arg(long, value_name = "CONFIG")]
    config: Option<PathBuf>,
}

/// Which records are explained.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Seq(u64),
    Order(SessionId, UserRef),
}

impl Wanted {
    fn is(self, head: &Head) -> bool {
        match self {
            Self::Seq(seq) => head.seq == seq,
            Self::Order(session, user_ref) => {
                let order = head.kind == CommandKind::NewOrder as u8
                    || head.kind == CommandKind::Replace as u8;
                order
                    && head.session == session.raw()
                    && (head.row, head.number) == (user_ref.row, user_ref.number)
            }
        }
    }

    fn is_past(self, head: &Head) -> bool {
        matches!(self, Self::Seq(seq) if head.seq > seq)
    }
}

/// Explains it.
pub(crate) fn explain(arguments: &Arguments) -> ExitCode {
    match try_explain(arguments) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(why)) => {
            eprintln!("portcullis: {why}");
            ExitCode::from(REFUSED)
        }
        Err(why) => cannot(why),
    }
}

/// Explains each record that is wanted; what is wrong with the journal behind it, if something is.
fn try_explain(arguments: &Arguments) -> Result<Option<String>, String> {
    let folder = Folder::open(&arguments.folder)?;
    let config = arguments.config.as_deref().map(load_config).transpose();
    let config = config.map_err(|errors| errors.to_string())?;
    if let Some(config) = &config {
        check_names(&folder.disk, &config.names)?;
    }
    let wanted = match (&arguments.order, arguments.seq) {
        (_, Some(seq)) => Wanted::Seq(seq),
        (Some(order), None) => {
            let (session, user_ref) = parse_order(&folder.naming, order)?;
            Wanted::Order(session, user_ref)
        }
        (None, None) => return Err("name an order, or a record with --seq".to_owned()),
    };
    let words = Words {
        naming: &folder.naming,
        scales: Scales(config.as_ref()),
    };
    let mut reading = Reading {
        follower: CoreFollower::open(&folder)?,
        progress: Progress::begin(TOOL),
        found: false,
        unconfirmed: Vec::new(),
    };
    let fault = reading.explain_all(wanted, &words);
    if !reading.found && fault.is_none() {
        return Err(not_found(wanted, arguments));
    }
    let doubt = reading.say_unconfirmed();
    Ok(fault.or(doubt))
}

/// The journal under way.
struct Reading {
    follower: CoreFollower,
    progress: Progress,
    /// Whether a record was explained.
    found: bool,
    /// Records that were explained behind the last digest that was compared.
    unconfirmed: Vec<Unconfirmed>,
}

/// A record that was explained, and no digest was compared since.
struct Unconfirmed {
    seq: u64,
    /// Whether it was explained under limits that may not have been in force.
    in_doubt: bool,
}

impl Reading {
    /// Explains each record that is wanted and reads on, to a digest at least; what is wrong with the journal, if
    /// something is.
    fn explain_all(&mut self, wanted: Wanted, words: &Words<'_>) -> Option<String> {
        self.follower.say_remarks(TOOL);
        loop {
            if let Some(end) = self.find(wanted) {
                return fault(end);
            }
            let record = *self.follower.held().expect("it was found");
            if wanted.is_past(&record.head) {
                return None;
            }
            self.found = true;
            explain_one(&mut self.follower, &record, words);
            self.follower.say_remarks(TOOL);
            self.unconfirmed.push(Unconfirmed {
                seq: record.head.seq,
                in_doubt: self.follower.is_in_doubt(),
            });
            if matches!(wanted, Wanted::Seq(_)) {
                return self.confirm().and_then(fault);
            }
        }
    }

    /// Holds the next record that is wanted, or the first past it; how the journal ended, if there is none.
    fn find(&mut self, wanted: Wanted) -> Option<End> {
        let mut stop = |head: &Head| wanted.is(head) || wanted.is_past(head);
        let progress = &mut self.progress;
        let end = self.follower.run(&mut stop, &mut Deaf, &mut |so_far| {
            progress.at(so_far.records, so_far.bytes);
        });
        self.drop_confirmed();
        match end {
            End::Held => None,
            End::Journal | End::Damage(_) | End::Diverged(_) => Some(end),
        }
    }

    /// Reads on to the next digest; how the journal ended, if there is none.
    fn confirm(&mut self) -> Option<End> {
        let progress = &mut self.progress;
        let end = self.follower.run_to_digest(&mut Deaf, &mut |so_far| {
            progress.at(so_far.records, so_far.bytes);
        });
        self.drop_confirmed();
        end
    }

    fn drop_confirmed(&mut self) {
        self.follower.say_remarks(TOOL);
        let compared_to = self.follower.compared_to;
        self.unconfirmed.retain(|record| record.seq > compared_to);
    }

    /// Says what no digest confirms; what is to be doubted of it.
    fn say_unconfirmed(&self) -> Option<String> {
        for Unconfirmed { seq, .. } in &self.unconfirmed {
            println!("record {seq}: not confirmed by a digest of the journal behind it");
        }
        let doubted = self.unconfirmed.iter().find(|record| record.in_doubt)?;
        Some(format!(
            "record {} is explained under limits that may not have been in force: a limit table that came \
             before it cannot be read; restore its file from a copy",
            doubted.seq
        ))
    }
}

/// What is wrong with a journal that ended so.
fn fault(end: End) -> Option<String> {
    match end {
        End::Held | End::Journal => None,
        End::Damage(error) => Some(error.to_string()),
        End::Diverged(error) => Some(error.to_string()),
    }
}

fn not_found(wanted: Wanted, arguments: &Arguments) -> String {
    let folder = arguments.folder.display();
    match wanted {
        Wanted::Seq(seq) => format!(
            "{folder}: record {seq} is not in this journal; `portcullis journal inspect {folder}` says what is"
        ),
        Wanted::Order(..) => format!(
            "{folder}: no order or replace of this journal is {}; `portcullis journal export {folder} --csv - --what \
             verdicts` lists all",
            arguments.order.as_deref().unwrap_or_default()
        ),
    }
}

/// Explains the record that is held, and applies it.
fn explain_one(follower: &mut CoreFollower, record: &Record, words: &Words<'_>) {
    let before = report::Standing::of(follower.core(), &record.head);
    let mut checks = Vec::new();
    let asked = follower
        .core_mut()
        .explain_all(&record.head, &mut |word| checks.push(word));
    let mut heard = Heard::default();
    follower.take_held(&mut heard);
    let account = before
        .account
        .or_else(|| report::account_of(&heard.effects));
    let after = report::Standing::about(follower.core(), account);
    let told = report::Report {
        words,
        record,
        core: follower.core(),
        checks: &checks,
        asked,
        effects: &heard.effects,
        before: &before,
        after: &after,
    };
    print!("{told}");
}

/// Keeps the effects of the last record.
#[derive(Default)]
struct Heard {
    effects: Vec<Effect>,
}

impl EffectSink for Heard {
    fn on_record(&mut self, _record: &Record) {
        self.effects.clear();
    }

    fn on_effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}
