//! A replica out of a journal: from its newest snapshot or its beginning, record by record.
//!
//! Owned by whoever follows the journal. Invariants: records come from the journal's own reader, which holds
//! them to their checksums and numbers; at each digest that the journal notes the replica has the same one, or
//! following ends with an error that says where.

use super::prelude::Prelude;
use super::snapshot::load;
use crate::egress::{ClientStreams, EgressConfig};
use crate::replica::{Diverged, Replica, ReplicaParts};
use portcullis_domain::{HashSeed, Seq};
use portcullis_journal::{
    Entry, JournalError, JournalReader, Mode, Storage, WordFile, newest_snapshot, read_words,
};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{CapacityError, RiskCore};
use portcullis_venue::RecallVenue;
use portcullis_venue::saved::SavedError;
use std::fmt;
use std::io;

/// What a replica is made on.
#[derive(Debug)]
pub struct Ground<'a, S> {
    /// The journal's folder.
    pub storage: &'a S,
    /// What the journal's core was made from.
    pub prelude: &'a Prelude,
    /// Where keys lie in the core's tables: this process's own.
    pub hash_seed: HashSeed,
    /// How clients are told.
    pub egress: &'a EgressConfig,
    /// Whether the newest snapshot is begun from, where there is one; else record 1.
    pub from_snapshot: bool,
}

/// Why a journal cannot be followed.
#[derive(Debug)]
pub enum RecoveryError {
    /// It does not read.
    Journal(JournalError),
    /// A table of limits does not load.
    Limits(u64),
    /// The tables of the prelude cannot be had.
    Capacities(CapacityError),
    /// The core of the snapshot does not load.
    Core(portcullis_risk_core::SavedError),
    /// The clients' streams of the snapshot do not.
    Streams(SavedError),
    /// The venue of the snapshot does not.
    Venue(SavedError),
    /// The snapshot came to another digest than it says.
    SnapshotDigest {
        /// Of the records up to this one.
        seq: Seq,
        /// What it says.
        noted: u64,
        /// What its core has.
        found: u64,
    },
    /// A snapshot cannot be written, or a section of one not be read.
    Snapshot(io::Error),
    /// The replica came to another digest than the journal's gateway.
    Diverged(Diverged),
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::Limits(digest) => write!(
                f,
                "the limit table {digest:016x} of the journal does not load with this build"
            ),
            Self::Capacities(error) => error.fmt(f),
            Self::Core(error) => write!(f, "the core of the snapshot: {error}"),
            Self::Streams(error) => write!(f, "what clients were told: {error}"),
            Self::Venue(error) => error.fmt(f),
            Self::SnapshotDigest { seq, noted, found } => write!(
                f,
                "the snapshot of record {} says that the digest is {noted:016x}, and its core has \
                 {found:016x}: another build made it. Remove it, and start from the records",
                seq.raw()
            ),
            Self::Snapshot(error) => write!(f, "the snapshot: {error}"),
            Self::Diverged(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RecoveryError {}

impl From<JournalError> for RecoveryError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<Diverged> for RecoveryError {
    fn from(error: Diverged) -> Self {
        Self::Diverged(error)
    }
}

/// A replica that follows a journal.
pub struct Follower<S: Storage, V> {
    storage: S,
    reader: JournalReader<S>,
    replica: Replica<V>,
    /// The last record taken.
    taken: u64,
    /// The last digest that was compared: of the records up to this one.
    compared: u64,
    /// Where it began.
    began: u64,
}

/// What was rebuilt.
#[derive(Debug)]
pub struct Rebuilt<V> {
    /// The replica, behind the journal's last record.
    pub replica: Replica<V>,
    /// The last record.
    pub seq: Seq,
    /// The record of the snapshot that was begun from; 0 without one.
    pub began: u64,
    /// The record whose digest was compared last.
    pub compared: u64,
}

impl<S: Storage, V: RecallVenue> Follower<S, V> {
    /// A follower behind the newest snapshot, or before record 1. `venue` was told nothing yet.
    ///
    /// # Errors
    /// What the journal's folder lacks, or does not agree on.
    pub fn begin(ground: &Ground<'_, S>, venue: V, mode: Mode) -> Result<Self, RecoveryError> {
        let newest = match ground.from_snapshot {
            true => newest_snapshot(ground.storage)?.newest(),
            false => None,
        };
        Self::behind(ground, venue, mode, newest.map(|(slot, _)| slot))
    }

    /// A follower behind the snapshot in a slot, which is whole, or before record 1.
    pub(crate) fn behind(
        ground: &Ground<'_, S>,
        venue: V,
        mode: Mode,
        slot: Option<&str>,
    ) -> Result<Self, RecoveryError> {
        let storage = ground.storage;
        let parts = match slot {
            Some(slot) => load(ground, venue, slot)?,
            None => beginning(ground, venue)?,
        };
        let began = parts.core.seq().raw();
        let reader = JournalReader::open(storage.clone(), Seq::new(began + 1), mode)?;
        Ok(Self {
            storage: storage.clone(),
            reader,
            replica: Replica::new(parts),
            taken: began,
            compared: began,
            began,
        })
    }

    /// Takes the next entry; what it was. `None` at the end, where a follower may ask again.
    ///
    /// # Errors
    /// Damage, and where; another digest than the journal's.
    pub fn step(&mut self) -> Result<Option<Step>, RecoveryError> {
        let Some(entry) = self.reader.next()? else {
            return Ok(None);
        };
        match entry {
            Entry::Record(record) => {
                if let Some(digest) = Replica::<V>::limits_wanted(record.head) {
                    // One that was refused then may have none, and is refused again.
                    if let Ok(table) = limit_table(&self.storage, digest) {
                        self.replica.stage(Box::new(table));
                    }
                }
                self.replica.take(*record.head, record.raw);
                self.taken = record.head.seq;
                Ok(Some(Step::Record(self.taken)))
            }
            Entry::Digest { seq, digest } => {
                self.replica.compare(seq, digest)?;
                self.compared = seq.raw();
                Ok(Some(Step::Compared(seq)))
            }
        }
    }

    /// The last record taken.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// The replica, as far as it has come.
    pub const fn replica(&mut self) -> &mut Replica<V> {
        &mut self.replica
    }

    /// The record that was begun behind.
    #[must_use]
    pub const fn began(&self) -> u64 {
        self.began
    }

    /// Where the journal's reader stands.
    #[must_use]
    pub const fn reader(&self) -> &JournalReader<S> {
        &self.reader
    }

    /// What it came to.
    #[must_use]
    pub fn into_rebuilt(mut self) -> Rebuilt<V> {
        self.replica.settle();
        Rebuilt {
            replica: self.replica,
            seq: Seq::new(self.taken),
            began: self.began,
            compared: self.compared,
        }
    }
}

/// What a follower took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A record.
    Record(u64),
    /// The digest of all up to this record, which is the replica's own.
    Compared(Seq),
}

/// Records between two words of progress.
const PROGRESS_EVERY: u64 = 1 << 20;

/// Rebuilds what stood at a journal's end, which `mode` judges; `progress` is told the last record now and then.
///
/// # Errors
/// As [`Follower::step`].
pub fn rebuild<S: Storage, V: RecallVenue>(
    ground: &Ground<'_, S>,
    venue: V,
    mode: Mode,
    progress: &mut dyn FnMut(u64),
) -> Result<Rebuilt<V>, RecoveryError> {
    let mut follower = Follower::begin(ground, venue, mode)?;
    let mut due = follower.taken() + PROGRESS_EVERY;
    while let Some(step) = follower.step()? {
        if let Step::Record(seq) = step
            && seq >= due
        {
            progress(seq);
            due = seq + PROGRESS_EVERY;
        }
    }
    Ok(follower.into_rebuilt())
}

/// What stood before record 1.
fn beginning<S: Storage, V>(
    ground: &Ground<'_, S>,
    venue: V,
) -> Result<ReplicaParts<V>, RecoveryError> {
    let table = limit_table(ground.storage, ground.prelude.limits)?;
    let core = RiskCore::new(&ground.prelude.capacities, table, ground.hash_seed);
    Ok(ReplicaParts {
        core: Box::new(core.map_err(RecoveryError::Capacities)?),
        streams: ClientStreams::new(ground.egress),
        venue,
    })
}

/// The table of limits with this digest.
pub(super) fn limit_table<S: Storage>(
    storage: &S,
    digest: u64,
) -> Result<LimitTable, RecoveryError> {
    let words = read_words(storage, WordFile::Limits, digest)?;
    let spec = LimitSpec::from_words(&words);
    let table = spec.and_then(|spec| LimitTable::build(&spec).ok());
    table.ok_or(RecoveryError::Limits(digest))
}
