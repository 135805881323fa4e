//! A snapshot of a replica, and a replica out of one.
//!
//! Owned by whoever follows the journal; never by the thread that decides. Invariants: a snapshot is made only
//! behind a record whose digest the journal notes and the replica has; the table of limits that it names is one
//! that the folder has, from a start or a flip; the records that it covers are on the disk before it is.

use super::prelude::Prelude;
use super::rebuild::{Follower, Ground, RecoveryError, Step, limit_table};
use crate::egress::ClientStreams;
use crate::replica::ReplicaParts;
use portcullis_domain::{HashSeed, Seq, Timestamp};
use portcullis_journal::{
    Mode, SectionReader, SegmentName, SnapshotHeader, SnapshotReader, SnapshotWriter, Storage,
    StorageFile,
};
use portcullis_risk_core::RiskCore;
use portcullis_venue::RecallVenue;
use std::io::{self, Read, Write};

/// The sections of a snapshot.
const CORE: u32 = 1;
const STREAMS: u32 = 2;
const VENUE: u32 = 3;

/// What came of making a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotMade {
    /// The last record in it.
    pub seq: Seq,
    /// The record that was begun from.
    pub began: u64,
    /// The digest that the journal notes there.
    pub digest: u64,
}

/// Makes a snapshot behind the first digest that the journal notes at or after `wanted`, following the journal
/// from the newest snapshot. `None` where the journal ends before that, and it may be asked again; and once `goes_on`,
/// which is asked before each entry, says no.
///
/// # Errors
/// What the journal or the file system say; another digest than the journal's.
pub fn make_snapshot<S: Storage, V: RecallVenue>(
    ground: &Ground<'_, S>,
    venue: V,
    wanted: Seq,
    now: Timestamp,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Option<SnapshotMade>, RecoveryError> {
    let mut follower = Follower::begin(ground, venue, Mode::Follow)?;
    while goes_on()
        && let Some(step) = follower.step()?
    {
        if let Step::Compared(seq) = step
            && seq >= wanted
        {
            return save_snapshot(&mut follower, ground, seq, now).map(Some);
        }
    }
    Ok(None)
}

/// Writes what a follower stands at: behind the record `seq`, whose digest it has just compared.
///
/// # Errors
/// Those of the file system.
///
/// # Panics
/// If it stands elsewhere.
pub fn save_snapshot<S: Storage, V: RecallVenue>(
    follower: &mut Follower<S, V>,
    ground: &Ground<'_, S>,
    seq: Seq,
    now: Timestamp,
) -> Result<SnapshotMade, RecoveryError> {
    assert_eq!(follower.taken(), seq.raw(), "a snapshot is of one record");
    let storage = ground.storage;
    let began = follower.began();
    let (chain, term) = (follower.reader().chain(), follower.reader().term());
    let identity = follower.reader().segment().identity.clone();
    let segment = follower.reader().segment().seq_first;
    let replica = follower.replica();
    let digest = replica.core().digest();
    let header = SnapshotHeader {
        seq: seq.raw(),
        chain,
        term,
        core_digest: digest,
        limits: replica.core().limits_built_digest(),
        prelude: identity.prelude,
        made_ns: now.ns(),
        journal: identity.journal,
        rules: identity.rules,
    };
    let sync = || sync_up_to(storage, began, segment);
    let mut writer =
        SnapshotWriter::begin(storage.clone(), header).map_err(RecoveryError::Snapshot)?;
    let core = replica.core();
    let mut streams = Vec::new();
    let mut bytes = Vec::new();
    let written = write_core(&mut writer, core).and_then(|()| {
        replica.streams().save(&mut streams);
        write_section(&mut writer, STREAMS, &streams)?;
        replica.venue().save(&mut bytes);
        write_section(&mut writer, VENUE, &bytes)?;
        sync()?;
        writer.finish()
    });
    written.map_err(RecoveryError::Snapshot)?;
    Ok(SnapshotMade { seq, began, digest })
}

/// Syncs the segments that hold the records behind `began`, up to the one that begins with `last`: the
/// writer's own may only have been handed to the system.
fn sync_up_to<S: Storage>(storage: &S, began: u64, last: u64) -> io::Result<()> {
    let mut names: Vec<SegmentName> = (storage.list()?.iter())
        .filter_map(|file| SegmentName::parse(&file.name))
        .filter(|name| name.seq_first() <= last)
        .collect();
    names.sort();
    let first = names.partition_point(|name| name.seq_first() <= began);
    for name in &names[first.saturating_sub(1)..] {
        storage.open(&name.to_string())?.sync()?;
    }
    Ok(())
}

fn write_core<S: Storage>(writer: &mut SnapshotWriter<S>, core: &RiskCore) -> io::Result<()> {
    writer.begin_section(CORE)?;
    let mut written = Ok(());
    core.save(&mut |word: u64| {
        if written.is_ok() {
            written = writer.write_all(&word.to_le_bytes());
        }
    });
    written
}

fn write_section<S: Storage>(
    writer: &mut SnapshotWriter<S>,
    id: u32,
    bytes: &[u8],
) -> io::Result<()> {
    writer.begin_section(id)?;
    writer.write_all(bytes)
}

/// The parts of a replica out of a snapshot, which is whole.
pub(super) fn load<S: Storage, V: RecallVenue>(
    ground: &Ground<'_, S>,
    mut venue: V,
    slot: &str,
) -> Result<ReplicaParts<V>, RecoveryError> {
    let reader = SnapshotReader::open(ground.storage, slot)?;
    let core = core_of(ground.storage, ground.prelude, ground.hash_seed, &reader)?;
    let streams = ClientStreams::load(ground.egress, &bytes_of(reader.section(STREAMS))?);
    let streams = streams.map_err(RecoveryError::Streams)?;
    let saved = bytes_of(reader.section(VENUE))?;
    venue.load(&saved).map_err(RecoveryError::Venue)?;
    Ok(ReplicaParts {
        core: Box::new(core),
        streams,
        venue,
    })
}

/// The core alone out of a snapshot, for whoever needs no more than verdicts and accounts.
///
/// # Errors
/// What of the snapshot is damaged, or is not what it says.
pub fn load_core<S: Storage>(
    storage: &S,
    prelude: &Prelude,
    hash_seed: HashSeed,
    slot: &str,
) -> Result<RiskCore, RecoveryError> {
    let reader = SnapshotReader::open(storage, slot)?;
    core_of(storage, prelude, hash_seed, &reader)
}

/// What clients were told, as the snapshot in a slot has it saved.
pub(crate) fn saved_streams<S: Storage>(storage: &S, slot: &str) -> Result<Vec<u8>, RecoveryError> {
    bytes_of(SnapshotReader::open(storage, slot)?.section(STREAMS))
}

fn core_of<S: Storage>(
    storage: &S,
    prelude: &Prelude,
    hash_seed: HashSeed,
    reader: &SnapshotReader<S>,
) -> Result<RiskCore, RecoveryError> {
    let header = reader.header();
    let table = limit_table(storage, header.limits)?;
    let mut words = Words::of(reader.section(CORE))?;
    let core = RiskCore::load(&prelude.capacities, table, hash_seed, &mut words);
    let core = core.map_err(RecoveryError::Core)?;
    if core.digest() != header.core_digest || core.seq().raw() != header.seq {
        return Err(RecoveryError::SnapshotDigest {
            seq: Seq::new(header.seq),
            noted: header.core_digest,
            found: core.digest(),
        });
    }
    Ok(core)
}

fn missing() -> RecoveryError {
    let what = "it is not there: the snapshot is of another build";
    RecoveryError::Snapshot(io::Error::new(io::ErrorKind::NotFound, what))
}

fn bytes_of<F: StorageFile>(
    section: Option<SectionReader<'_, F>>,
) -> Result<Vec<u8>, RecoveryError> {
    let mut bytes = Vec::new();
    let mut section = section.ok_or_else(missing)?;
    section
        .read_to_end(&mut bytes)
        .map_err(RecoveryError::Snapshot)?;
    Ok(bytes)
}

/// A section's words.
struct Words<'a, F>(SectionReader<'a, F>);

impl<'a, F: StorageFile> Words<'a, F> {
    fn of(section: Option<SectionReader<'a, F>>) -> Result<Self, RecoveryError> {
        section.map(Self).ok_or_else(missing)
    }
}

impl<F: StorageFile> Iterator for Words<'_, F> {
    type Item = u64;

    /// None where the section ends or does not read: whoever takes words misses some then.
    fn next(&mut self) -> Option<u64> {
        let mut word = [0; 8];
        self.0.read_exact(&mut word).ok()?;
        Some(u64::from_le_bytes(word))
    }
}
