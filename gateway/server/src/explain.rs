//! `portcullis explain`: why an order was accepted or refused, from the journal, months later.
//!
//! The journal is replayed up to the record before the order; then every check is asked, the record applied, and
//! the account shown as it stood before and after. Invariants: nothing is asked of a gateway; the verdict shown is the
//! one that the replay comes to, whose digests were held against the journal's.

mod report;

use crate::check::load_config;
use crate::gateway::check_names;
use crate::journal::folder::Folder;
use crate::journal::naming::{Scales, parse_order};
use crate::journal::progress::Progress;
use crate::journal::words::Words;
use crate::replay::follower::{CoreFollower, End};
use crate::{REFUSED, cannot};
use clap::{ArgGroup, Args};
use portcullis_domain::{CommandKind, Head, Record, SessionId, UserRef};
use portcullis_risk_core::{Effect, EffectSink};
use std::path::PathBuf;
use std::process::ExitCode;

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
    let mut follower = CoreFollower::open(&folder)?;
    let mut progress = Progress::begin("explain");
    let mut found = 0_u64;
    loop {
        let mut stop = |head: &Head| wanted.is(head) || wanted.is_past(head);
        let end = follower.run(&mut stop, &mut Heard::default(), &mut |so_far| {
            progress.at(so_far.records, so_far.bytes);
        });
        let fault = match end {
            End::Held => {
                let record = *follower.held().expect("a run that ended there holds it");
                if wanted.is_past(&record.head) {
                    None
                } else {
                    found += 1;
                    explain_one(&mut follower, &record, &words);
                    continue;
                }
            }
            End::Journal => None,
            End::Damage(error) => Some(error.to_string()),
            End::Diverged(error) => Some(error.to_string()),
        };
        if found == 0 && fault.is_none() {
            return Err(not_found(wanted, arguments));
        }
        return Ok(fault);
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
