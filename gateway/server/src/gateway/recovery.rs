//! A gateway that goes on where its journal ends.
//!
//! Control thread, once, before any agent lives. Invariants: what the config must agree on with the journal is
//! held against it first; a replica is rebuilt and compared before anything is written; whoever starts it reads
//! what was found, in words.

use super::assemble::{Options, StartError, cannot};
use super::names;
use super::origin::{OpenJournal, Origin, RULES, build, place, policy};
use super::room::Room;
use super::snapshots::Inherited;
use super::tables::{egress_config, new_session_name, symbols};
use super::venue_kind::VenueKind;
use super::venues::venue;
use crate::{hash_seed, prelude};
use portcullis_control::config::Config;
use portcullis_journal::{
    Disk, Identity, JournalWriter, Mode, Opening, Recovered, Storage, ThreadSource, WordFile,
    WriterOptions, read_words,
};
use portcullis_pipeline::durability::{DurabilityEnds, durability};
use portcullis_pipeline::recovery::{Ground, Prelude, Rebuilt, rebuild};
use portcullis_pipeline::replica::ReplicaParts;
use portcullis_pipeline::sequencer::Resumption;
use portcullis_risk_core::RiskCore;
use portcullis_runtime::{Clock, SystemClock};
use portcullis_venue::{RecallEnd, RecallVenue};
use portcullis_wire::soupbin::SessionName;
use std::time::Instant;

/// What a journal came to, and what it was made from.
pub(crate) struct FromJournal {
    prelude: Prelude,
    rebuilt: Rebuilt<VenueKind>,
}

impl FromJournal {
    /// What a follower of the journal has come to.
    pub(crate) const fn new(prelude: Prelude, rebuilt: Rebuilt<VenueKind>) -> Self {
        Self { prelude, rebuilt }
    }
}

/// Rebuilds what stood at the journal's end.
pub(super) fn rebuild_from(
    config: &Config,
    options: &Options<'_>,
    disk: &Disk,
    recovered: &Recovered,
) -> Result<FromJournal, StartError> {
    say(disk, recovered);
    let prelude = read_prelude(disk, recovered.identity.prelude)?;
    agree(config, disk, &prelude)?;
    let egress = egress_config(config, prelude.session_name, symbols(config)?);
    let ground = Ground {
        storage: disk,
        prelude: &prelude,
        hash_seed: hash_seed::draw(),
        egress: &egress,
        from_snapshot: true,
    };
    let began = Instant::now();
    let mut progress = |seq: u64| {
        eprintln!(
            "recovery: record {seq} after {} ms",
            began.elapsed().as_millis()
        );
    };
    let mode = if options.accept_unsynced_loss {
        Mode::Accepting
    } else {
        Mode::Whole
    };
    let rebuilt = rebuild(&ground, venue(config, options.plant)?, mode, &mut progress);
    let rebuilt = rebuilt.map_err(|error| cannot("recovery", error))?;
    eprintln!(
        "recovery: up to record {} in {} ms, from {}; digest compared up to record {}",
        rebuilt.seq.raw(),
        began.elapsed().as_millis(),
        match rebuilt.began {
            0 => "the first record".to_owned(),
            snapshot => format!("the snapshot of record {snapshot}"),
        },
        rebuilt.compared,
    );
    Ok(FromJournal { prelude, rebuilt })
}

/// A gateway that goes on from what its journal came to.
pub(crate) fn go_on(
    config: &Config,
    disk: Disk,
    lock: <Disk as Storage>::Lock,
    recovered: &Recovered,
    mut from: FromJournal,
) -> Result<Origin, StartError> {
    hold_book(config, &mut from)?;
    let opening = Opening {
        identity: Identity {
            rules: RULES,
            build: build(),
            ..recovered.identity.clone()
        },
        term: recovered.term,
        limits: from.rebuilt.replica.core().limits_digest(),
        now: SystemClock.now(),
    };
    let writer = resume_writer(config, &disk, lock, opening, recovered)?;
    names::keep(&disk, &config.names).map_err(|error| cannot(&place(disk.folder()), error))?;
    let promoted = Promoted {
        disk,
        writer,
        journal: recovered.identity.journal,
        ends: durability(
            policy(config.profile.journal.durability()),
            from.rebuilt.seq,
        ),
        inherited: None,
    };
    Ok(origin_of(promoted, from))
}

/// A journal that was followed, and is led from here on.
pub(crate) struct Promoted {
    pub(crate) disk: Disk,
    pub(crate) writer: JournalWriter<Disk>,
    /// Its number.
    pub(crate) journal: u64,
    /// What must hold before anything leaves.
    pub(crate) ends: DurabilityEnds,
    /// Who made snapshots of it while it was followed.
    pub(crate) inherited: Option<Inherited>,
}

/// A gateway that takes over from the one that it followed.
///
/// # Errors
/// What of its config is not the journal's.
pub(crate) fn take_over(
    config: &Config,
    promoted: Promoted,
    mut from: FromJournal,
) -> Result<Origin, StartError> {
    agree(config, &promoted.disk, &from.prelude)?;
    hold_book(config, &mut from)?;
    Ok(origin_of(promoted, from))
}

/// Keeps the names of a config with a journal.
///
/// # Errors
/// Those of the file system.
pub(crate) fn keep_config_names(disk: &Disk, config: &Config) -> Result<(), StartError> {
    let kept = names::keep(disk, &config.names);
    kept.map_err(|error| cannot(&place(disk.folder()), error))
}

/// The engine's book must be one that can be gone on from.
fn hold_book(config: &Config, from: &mut FromJournal) -> Result<(), StartError> {
    let session_name = from.prelude.session_name;
    let replica = &mut from.rebuilt.replica;
    let end = replica.venue().recalled();
    if let Some(fault) = end.fault {
        return Err(cannot("recovery: the engine's book", fault));
    }
    say_state(config, session_name, replica.core(), &end);
    Ok(())
}

fn origin_of(journal: Promoted, from: FromJournal) -> Origin {
    let FromJournal { prelude, rebuilt } = from;
    let (mut replica, seq) = (rebuilt.replica, rebuilt.seq);
    let resumption = Resumption::behind(seq, replica.core());
    let ReplicaParts {
        core,
        streams,
        venue,
    } = replica.into_parts();
    Origin {
        core,
        streams,
        venue,
        session_name: prelude.session_name,
        journal: Some(OpenJournal {
            writer: journal.writer,
            ends: journal.ends,
            disk: journal.disk,
            prelude,
            number: journal.journal,
            inherited: journal.inherited,
        }),
        resumption: Some(resumption),
    }
}

fn resume_writer(
    config: &Config,
    disk: &Disk,
    lock: <Disk as Storage>::Lock,
    opening: Opening,
    recovered: &Recovered,
) -> Result<JournalWriter<Disk>, StartError> {
    let segment_bytes = config.profile.journal.segment_bytes;
    let room = Room::look(disk, segment_bytes);
    let source = ThreadSource::start(disk.clone(), segment_bytes);
    let source = source.map_err(|error| cannot(&place(disk.folder()), error))?;
    let options = WriterOptions::for_segments_of(segment_bytes);
    let disk = disk.clone();
    let at = place(disk.folder());
    JournalWriter::resume(disk, lock, Box::new(source), options, opening, recovered)
        .map_err(|error| cannot(&at, room.explain_journal(&error)))
}

/// Says what a person should hear of what stands there.
pub(crate) fn say(disk: &Disk, recovered: &Recovered) {
    if let Some(cut) = &recovered.cut {
        eprintln!(
            "recovery: {}/{}: cut at byte {}, behind the last good frame: {}; frames given up {}, segments {}",
            disk.place(),
            cut.segment,
            cut.offset,
            cut.fault,
            cut.frames_lost,
            cut.segments_lost.len(),
        );
    }
    for remark in &recovered.remarks {
        eprintln!("recovery: {remark}");
    }
}

/// Says what it goes on with.
fn say_state(config: &Config, session_name: SessionName, core: &RiskCore, end: &RecallEnd) {
    eprintln!(
        "recovery: digest {:016x}, state {:016x}, open orders {}; in doubt at the engine: orders and replaces \
         {}, cancels {}",
        core.digest(),
        core.state_hash(),
        core.open_orders(),
        end.orders_in_doubt,
        end.cancels_in_doubt,
    );
    if let Some(day) = other_day(config, session_name) {
        eprintln!(
            "recovery: the config's trading day is {day}, and the journal's sessions are those of {session_name}: \
             they go on as such. Sessions of another day begin with another [journal] folder"
        );
    }
    if core.limits_digest() != config.limit_table().digest() {
        eprintln!(
            "recovery: the config's limits are not those in force, which the journal says: `ctl diff CONFIG` \
             shows what differs, `ctl reload CONFIG` puts the config's into force"
        );
    }
}

/// The trading day that a config names, where the journal's sessions are of another.
fn other_day(config: &Config, session_name: SessionName) -> Option<SessionName> {
    config.profile.trading_day?;
    let named = new_session_name(config);
    (named != session_name).then_some(named)
}

/// The prelude that a journal names.
pub(crate) fn read_prelude<S: Storage>(storage: &S, digest: u64) -> Result<Prelude, StartError> {
    let words = read_words(storage, WordFile::Prelude, digest);
    let words = words.map_err(|error| cannot("recovery", error))?;
    let prelude = Prelude::from_words(&words);
    prelude.ok_or_else(|| cannot("recovery", "the journal's prelude is another build's"))
}

/// What of the config must be as the journal has it.
pub(crate) fn agree(config: &Config, disk: &Disk, prelude: &Prelude) -> Result<(), StartError> {
    let refuse = |why: String| {
        let mend = "start with the config of then, or with another [journal] folder";
        Err(cannot(&place(disk.folder()), format!("{why}; {mend}")))
    };
    if let Some((name, then, now)) = prelude.differing_capacity(&prelude::capacities(config)) {
        return refuse(format!(
            "[capacities] {name} is {now}, and the journal was begun with {then}"
        ));
    }
    match names::check(disk, &config.names) {
        Ok(()) => Ok(()),
        Err(why) => refuse(why),
    }
}
