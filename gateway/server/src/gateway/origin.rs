//! What a gateway begins with: nothing, or what its journal says.
//!
//! Control thread, once, before any agent lives. Invariants: one gateway holds a journal's folder; a journal
//! that does not read to its end, or whose engine's book cannot be made again, is not gone on from; what the
//! config says otherwise than the journal is named.

use super::assemble::{Options, StartError, cannot};
use super::names;
use super::recovery::{go_on, rebuild_from};
use super::room::Room;
use super::snapshots::Inherited;
use super::tables::{egress_config, new_session_name, symbols};
use super::venue_kind::VenueKind;
use super::venues::venue;
use crate::{hash_seed, prelude};
use portcullis_control::config::{Config, DurabilityPolicy, JournalProfile};
use portcullis_domain::{Digest, Seq};
use portcullis_journal::replication::read_heard;
use portcullis_journal::{
    Disk, Identity, JournalError, JournalStart, JournalWriter, Opening, RecoverOptions, Recovered,
    Storage, Term, ThreadSource, WordFile, WriterOptions, recover, write_words,
};
use portcullis_pipeline::durability::{Durability, DurabilityEnds, durability};
use portcullis_pipeline::egress::ClientStreams;
use portcullis_pipeline::mapped_segment::map_segment;
use portcullis_pipeline::recovery::Prelude;
use portcullis_pipeline::sequencer::Resumption;
use portcullis_risk_core::{Capacities, RiskCore};
use portcullis_runtime::{Clock, SystemClock};
use portcullis_wire::soupbin::SessionName;
use std::path::Path;

/// The rules that this build decides by: raised with every change of a verdict on the same records.
pub(crate) const RULES: u32 = 1;

/// What a gateway begins with.
pub(crate) struct Origin {
    pub(super) core: Box<RiskCore>,
    pub(super) streams: ClientStreams,
    pub(super) venue: VenueKind,
    pub(super) session_name: SessionName,
    pub(super) journal: Option<OpenJournal>,
    /// Where the log goes on, if it does.
    pub(super) resumption: Option<Resumption>,
}

/// A journal that is held and written.
pub(crate) struct OpenJournal {
    pub(super) disk: Disk,
    pub(super) prelude: Prelude,
    pub(super) writer: JournalWriter<Disk>,
    pub(super) ends: DurabilityEnds,
    /// The journal's own number.
    pub(super) number: u64,
    /// Who made snapshots of it while it was followed.
    pub(super) inherited: Option<Inherited>,
}

/// What a config's gateway begins with.
pub(super) fn origin(config: &Config, options: &Options<'_>) -> Result<Origin, StartError> {
    let capacities = prelude::capacities(config);
    let folder = options.journal.or(config.profile.journal.folder.as_deref());
    let Some(folder) = folder else {
        keeps_nothing(config)?;
        return new_origin(config, options, &capacities);
    };
    let (disk, lock) = hold_folder(folder, &config.profile.journal)?;
    let unreadable = |error: JournalError| cannot("recovery", error);
    let accept_unsynced_loss = options.accept_unsynced_loss;
    let how = RecoverOptions {
        accept_unsynced_loss,
        rules: Some(RULES),
    };
    match recover(&disk, &how).map_err(unreadable)? {
        None => begin_journal(config, options, disk, lock),
        Some(mut recovered) => {
            not_succeeded(&disk, &recovered)?;
            recovered.set_snapshots_aside(&disk).map_err(unreadable)?;
            let rebuilt = rebuild_from(config, options, &disk, &recovered)?;
            go_on(config, disk, lock, &recovered, rebuilt)
        }
    }
}

/// A config that says how durable a journal is, or who follows it, wants one.
fn keeps_nothing(config: &Config) -> Result<(), StartError> {
    let written = config.profile.journal.durability_written;
    let listens = config.profile.replication.listen.is_some();
    let wants = match written {
        Some(policy) if policy != DurabilityPolicy::Memory => {
            format!("[journal] durability is \"{}\"", policy.word())
        }
        Some(_) | None if listens => "[replication] listen is there".to_owned(),
        Some(_) | None => return Ok(()),
    };
    let mend = "name its folder in [journal] folder, or with --journal FOLDER";
    Err(StartError(format!(
        "{wants}, and no journal is kept: {mend}"
    )))
}

pub(super) fn place(folder: &Path) -> String {
    format!("the journal {}", folder.display())
}

/// A journal's folder, held for one writer.
///
/// # Errors
/// In words, why it cannot be.
pub(crate) fn hold_folder(
    folder: &Path,
    journal: &JournalProfile,
) -> Result<(Disk, <Disk as Storage>::Lock), StartError> {
    let disk = open_folder(folder, journal).map_err(|error| cannot(&place(folder), error))?;
    let lock = disk.lock().map_err(|error| {
        let why = "another gateway writes this journal, or it cannot be held";
        cannot(&place(folder), format!("{why}: {error}"))
    })?;
    Ok((disk, lock))
}

/// A gateway that heard of a higher term than its log's was succeeded, and does not lead again.
fn not_succeeded(disk: &Disk, recovered: &Recovered) -> Result<(), StartError> {
    let heard = read_heard(disk).map_err(|error| cannot("recovery", error))?;
    match heard {
        Some((journal, term)) if journal == recovered.identity.journal && term > recovered.term => {
            let why = format!(
                "its log is of term {}, and it has heard that term {} is led elsewhere: start it as a standby of that \
                 gateway, `portcullis standby CONFIG`, and promote it there if it is to lead again",
                recovered.term.raw(),
                term.raw()
            );
            Err(cannot(&place(disk.folder()), why))
        }
        Some(_) | None => Ok(()),
    }
}

fn open_folder(folder: &Path, journal: &JournalProfile) -> std::io::Result<Disk> {
    let disk = match journal.folder_bytes_max {
        Some(quota_bytes) => Disk::with_quota(folder, quota_bytes)?,
        None => Disk::open(folder)?,
    };
    Ok(match journal.durability() {
        DurabilityPolicy::Synced => disk,
        DurabilityPolicy::Memory | DurabilityPolicy::Journaled | DurabilityPolicy::Replicated => {
            disk.mapping_segments(map_segment)
        }
    })
}

fn new_origin(
    config: &Config,
    options: &Options<'_>,
    capacities: &Capacities,
) -> Result<Origin, StartError> {
    let core = RiskCore::new(capacities, config.limit_table(), hash_seed::draw());
    let core = core.map_err(|error| cannot("the risk core", error))?;
    let session_name = new_session_name(config);
    let egress = egress_config(config, session_name, symbols(config)?);
    Ok(Origin {
        core: Box::new(core),
        streams: ClientStreams::new(&egress),
        venue: venue(config, options.plant)?,
        session_name,
        journal: None,
        resumption: None,
    })
}

/// A gateway whose journal begins with its first record.
fn begin_journal(
    config: &Config,
    options: &Options<'_>,
    disk: Disk,
    lock: <Disk as Storage>::Lock,
) -> Result<Origin, StartError> {
    let capacities = prelude::capacities(config);
    let mut origin = new_origin(config, options, &capacities)?;
    let journal = &config.profile.journal;
    let room = Room::look(&disk, journal.segment_bytes);
    let unwritten = |error: std::io::Error| cannot(&place(disk.folder()), room.explain(&error));
    let limits = write_words(&disk, WordFile::Limits, &config.limits.to_words());
    let prelude = Prelude {
        capacities,
        limits: limits.map_err(unwritten)?,
        session_name: origin.session_name,
    };
    let digest = write_words(&disk, WordFile::Prelude, &prelude.to_words()).map_err(unwritten)?;
    names::keep(&disk, &config.names).map_err(unwritten)?;
    let opening = Opening {
        identity: Identity {
            journal: new_number(),
            prelude: digest,
            rules: RULES,
            build: build(),
        },
        term: Term::new(1),
        limits: prelude.limits,
        now: SystemClock.now(),
    };
    let number = opening.identity.journal;
    let start = JournalStart::first(number);
    let source = ThreadSource::start(disk.clone(), journal.segment_bytes).map_err(unwritten)?;
    let options = WriterOptions::for_segments_of(journal.segment_bytes);
    let writer = JournalWriter::create(
        disk.clone(),
        lock,
        Box::new(source),
        options,
        opening,
        start,
    );
    origin.journal = Some(OpenJournal {
        writer: writer.map_err(unwritten)?,
        ends: durability(policy(journal.durability()), Seq::ZERO),
        number,
        inherited: None,
        disk,
        prelude,
    });
    Ok(origin)
}

pub(crate) const fn policy(word: DurabilityPolicy) -> Durability {
    match word {
        DurabilityPolicy::Memory => Durability::Memory,
        DurabilityPolicy::Journaled => Durability::Journaled,
        DurabilityPolicy::Synced => Durability::Synced,
        DurabilityPolicy::Replicated => Durability::Replicated,
    }
}

pub(crate) fn build() -> String {
    format!("portcullis {}", env!("CARGO_PKG_VERSION"))
}

/// A number that nothing else has: of the time, the process and where its memory happens to lie.
pub(crate) fn new_number() -> u64 {
    let mut digest = Digest::new();
    digest.push(SystemClock.now().ns());
    digest.push(u64::from(std::process::id()));
    digest.push(std::ptr::from_ref(&digest).addr() as u64);
    digest.value()
}
