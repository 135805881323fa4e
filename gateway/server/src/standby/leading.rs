//! A promoted standby becomes the gateway, from the replica's own parts.
//!
//! Main thread, once. Invariant: its term is on the disk. Must never give the term back: what fails here is told with
//! what to do, and nothing was let out.

use super::promotion::Handover;
use crate::CANNOT;
use crate::gateway::{FromJournal, Gateway, Inherited, Promoted, policy, take_over};
use crate::run::serve;
use portcullis_control::config::{Config, DurabilityPolicy};
use portcullis_control::ctl::server::CtlServer;
use portcullis_domain::Seq;
use portcullis_journal::Disk;
use portcullis_pipeline::durability::{DurabilityEnds, durability, replicated_once_in_step};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

/// Leads, from what the replica came to, until it is stopped.
pub(super) fn lead(
    config: &Config,
    disk: Disk,
    handover: Handover,
    inherited: Option<Inherited>,
    from: Result<Option<FromJournal>, String>,
    ctl: Option<CtlServer>,
    stop: &AtomicBool,
) -> ExitCode {
    let term = handover.promotion.term.raw();
    let from = match from {
        Ok(Some(from)) => from,
        Ok(None) => return cannot_lead(term, "it has no replica to lead with"),
        Err(why) => return cannot_lead(term, &why),
    };
    let (ends, words) = ends(config, Seq::new(handover.promotion.last_seq));
    let promoted = Promoted {
        disk,
        writer: handover.writer,
        journal: handover.journal,
        ends,
        inherited,
    };
    let doors = handover.doors;
    let gateway =
        take_over(config, promoted, from).and_then(|origin| Gateway::begin(config, origin, doors));
    let gateway = match gateway {
        Ok(gateway) => gateway,
        Err(why) => return cannot_lead(term, &why.to_string()),
    };
    eprintln!("promoted: leads term {term}, durability {words}");
    let code = serve(gateway, config.clone(), handover.feed, ctl, stop);
    drop(handover.leader_lock);
    code
}

/// What must hold before anything leaves, and that in words.
fn ends(config: &Config, seq: Seq) -> (DurabilityEnds, String) {
    let wanted = config.profile.journal.durability();
    let interim = config.profile.replication.promoted_durability;
    if wanted == DurabilityPolicy::Replicated && interim != wanted {
        let words = format!("{} until a standby has caught up", interim.word());
        return (replicated_once_in_step(policy(interim), seq), words);
    }
    (durability(policy(wanted), seq), wanted.word().to_owned())
}

fn cannot_lead(term: u64, why: &str) -> ExitCode {
    eprintln!(
        "standby: it has taken term {term} and cannot lead: {why}. Nothing was let out in that term. Mend it, start \
         `portcullis standby CONFIG` again and `promote --force` it; the gateway that led before must not be started \
         as a leader meanwhile"
    );
    ExitCode::from(CANNOT)
}
