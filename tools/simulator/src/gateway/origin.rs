//! What a gateway begins with: nothing, or what its journal says.
//!
//! As the server does it, on a disk in memory. Invariants: a journal that does not read to its end is not
//! gone on from; what the disk says for now is told from what the journal says for ever.

use super::{Gateway, core, egress_config, elsewhere, session_name};
use crate::clock::SimClock;
use crate::market::Market;
use crate::plan::Plant;
use crate::venue::{Engine, Floor};
use portcullis_domain::{Seq, Timestamp};
use portcullis_journal::{
    Fault, Identity, InlineSource, JournalError, JournalReader, JournalStart, JournalWriter,
    MemoryDisk, MemoryLock, Mode, Opening, RecoverOptions, Recovered, Storage, Term, WordFile,
    WriterOptions, read_words, recover, write_words,
};
use portcullis_pipeline::durability::{Durability, DurabilityEnds, durability};
use portcullis_pipeline::egress::ClientStreams;
use portcullis_pipeline::recovery::{Follower, Ground, Prelude, RecoveryError, rebuild};
use portcullis_pipeline::replica::ReplicaParts;
use portcullis_pipeline::sequencer::Resumption;
use portcullis_risk_core::RiskCore;
use portcullis_runtime::Clock;
use portcullis_transport::{MemoryInbound, MemoryOutbound};
use portcullis_venue::RecallVenue;
use std::io;

/// Segments so short that a run has many.
const SEGMENT_BYTES: u64 = 1 << 15;

/// Bytes of a frame.
const FRAME_BYTES: usize = 1 << 12;

/// Room left in a segment when the writer calls itself short.
const RESERVE_BYTES: u64 = 1 << 11;

/// What a gateway begins with.
pub(super) struct Origin {
    pub(super) core: Box<RiskCore>,
    pub(super) streams: ClientStreams,
    pub(super) floor: Floor,
    pub(super) writer: JournalWriter<MemoryDisk>,
    pub(super) prelude: Prelude,
    pub(super) ends: DurabilityEnds,
    /// Where the log goes on, if it does.
    pub(super) resumption: Option<Resumption>,
}

/// Why a gateway does not start.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The disk does not let it, now.
    Disk(io::Error),
    /// The journal does not, with the journal's own words.
    Journal(String),
    /// The engine's book does not fit the journal.
    Engine(String),
}

/// What a gateway is started on.
pub(crate) struct Start<'a> {
    pub(crate) market: &'a Market,
    pub(crate) disk: &'a MemoryDisk,
    pub(crate) policy: Durability,
    pub(crate) clock: &'a SimClock,
    pub(crate) connections_max: usize,
    pub(crate) plant: Option<Plant>,
    pub(crate) engine: &'a Engine,
}

impl Start<'_> {
    /// The last record, or with a planted gap the one after it.
    fn planted_seq(&self, seq: Seq) -> Seq {
        match self.plant {
            Some(Plant::SeqGap) => seq.next(),
            Some(_) | None => seq,
        }
    }
}

fn read_prelude(disk: &MemoryDisk, digest: u64) -> Result<Prelude, OpenError> {
    let words = read_words(disk, WordFile::Prelude, digest).map_err(refused)?;
    let prelude = Prelude::from_words(&words);
    prelude.ok_or_else(|| OpenError::Journal("the prelude is none".to_owned()))
}

/// Makes a snapshot behind the first noted digest at or after `wanted`, as the server's follower does on a
/// thread of its own; whether one was made. `floor` is told the past alone.
pub(crate) fn make_snapshot(
    market: &Market,
    disk: &MemoryDisk,
    floor: Floor,
    wanted: Seq,
    now: Timestamp,
) -> Result<bool, OpenError> {
    let reader = JournalReader::open(disk.clone(), wanted, Mode::Follow).map_err(refused)?;
    let prelude = read_prelude(disk, reader.segment().identity.prelude)?;
    let ground = Ground {
        storage: disk,
        prelude: &prelude,
        hash_seed: elsewhere(wanted.raw()),
        egress: &egress_config(market),
        from_snapshot: true,
    };
    let made =
        portcullis_pipeline::recovery::make_snapshot(&ground, floor, wanted, now, &mut || true);
    let made = made.map_err(not_rebuilt)?;
    Ok(made.is_some())
}

/// A planted fault: the streams as they stood when half of the journal was written, as a snapshot that is
/// taken for a newer one would have them.
fn stale_streams(
    start: &Start<'_>,
    ground: &Ground<'_, MemoryDisk>,
    seq: Seq,
) -> Result<ClientStreams, OpenError> {
    let ground = Ground {
        storage: ground.storage,
        prelude: ground.prelude,
        hash_seed: ground.hash_seed,
        egress: ground.egress,
        from_snapshot: false,
    };
    let ground = &ground;
    let floor = Floor::aside(start.market);
    let mut follower = Follower::begin(ground, floor, Mode::Whole).map_err(not_rebuilt)?;
    while follower.taken() < seq.raw() / 2 && follower.step().map_err(not_rebuilt)?.is_some() {}
    Ok(follower.into_rebuilt().replica.into_parts().streams)
}

/// What a start found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The last record of the journal; 0 for a new one.
    pub(crate) seq: u64,
    /// Whether the end of the journal was cut.
    pub(crate) cut: bool,
    /// Whether a snapshot was begun from.
    pub(crate) from_snapshot: bool,
}

/// Starts a gateway on a disk: a new one, or one that goes on.
pub(crate) fn open(
    ground: &Start<'_>,
    transport: (MemoryInbound, MemoryOutbound),
    floor: Floor,
) -> Result<(Gateway, Found), OpenError> {
    let lock = ground.disk.lock().map_err(OpenError::Disk)?;
    let recovered = recover(ground.disk, &RecoverOptions::default()).map_err(refused)?;
    let (origin, found) = match recovered {
        None => begin(ground, lock, floor)?,
        Some(mut recovered) => {
            let aside = recovered.set_snapshots_aside(ground.disk);
            aside.map_err(refused)?;
            go_on(ground, lock, floor, &recovered)?
        }
    };
    Ok((Gateway::new(ground, origin, transport), found))
}

fn begin(start: &Start<'_>, lock: MemoryLock, floor: Floor) -> Result<(Origin, Found), OpenError> {
    let Start { market, disk, .. } = *start;
    let words = market.words(&market.config);
    let limits = write_words(disk, WordFile::Limits, &words).map_err(OpenError::Disk)?;
    let prelude = Prelude {
        capacities: market.capacities(),
        limits,
        session_name: session_name(),
    };
    let digest = write_words(disk, WordFile::Prelude, &prelude.to_words());
    let opening = Opening {
        identity: Identity {
            journal: 1,
            prelude: digest.map_err(OpenError::Disk)?,
            rules: 1,
            build: "simulated".to_owned(),
        },
        term: Term::new(1),
        limits,
        now: start.clock.now(),
    };
    let first = JournalStart::first(opening.identity.journal);
    let source = Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES));
    let writer = JournalWriter::create(disk.clone(), lock, source, OPTIONS, opening, first);
    let origin = Origin {
        core: core(market),
        streams: ClientStreams::new(&egress_config(market)),
        floor,
        writer: writer.map_err(OpenError::Disk)?,
        prelude,
        ends: durability(start.policy, Seq::ZERO),
        resumption: None,
    };
    Ok((origin, Found::default()))
}

const OPTIONS: WriterOptions = WriterOptions {
    frame_bytes_max: FRAME_BYTES,
    reserve_bytes: RESERVE_BYTES,
};

fn go_on(
    start: &Start<'_>,
    lock: MemoryLock,
    floor: Floor,
    recovered: &Recovered,
) -> Result<(Origin, Found), OpenError> {
    let Start { market, disk, .. } = *start;
    let prelude = read_prelude(disk, recovered.identity.prelude)?;
    let ground = Ground {
        storage: disk,
        prelude: &prelude,
        hash_seed: elsewhere(start.clock.now().ns()),
        egress: &egress_config(market),
        from_snapshot: true,
    };
    let rebuilt = rebuild(&ground, floor, Mode::Whole, &mut |_| {}).map_err(not_rebuilt)?;
    let (mut replica, seq, began) = (rebuilt.replica, rebuilt.seq, rebuilt.began);
    if let Some(fault) = replica.venue().recalled().fault {
        return Err(OpenError::Engine(fault.to_string()));
    }
    let core = replica.core();
    let resumption = Resumption::behind(start.planted_seq(seq), core);
    let opening = Opening {
        identity: recovered.identity.clone(),
        term: recovered.term,
        limits: core.limits_digest(),
        now: start.clock.now(),
    };
    let source = Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES));
    let writer = JournalWriter::resume(disk.clone(), lock, source, OPTIONS, opening, recovered);
    let writer = writer.map_err(refused)?;
    let ReplicaParts {
        core,
        streams,
        venue,
    } = replica.into_parts();
    let streams = match start.plant {
        Some(Plant::StaleSnapshot) => stale_streams(start, &ground, seq)?,
        Some(_) | None => streams,
    };
    let origin = Origin {
        core,
        streams,
        floor: venue,
        writer,
        prelude,
        ends: durability(start.policy, seq),
        resumption: Some(resumption),
    };
    let found = Found {
        seq: seq.raw(),
        cut: recovered.cut.is_some(),
        from_snapshot: began > 0,
    };
    Ok((origin, found))
}

fn refused(error: JournalError) -> OpenError {
    let why = error.to_string();
    if let Fault::Io(error) = error.fault
        && error.kind() != io::ErrorKind::NotFound
    {
        return OpenError::Disk(error);
    }
    OpenError::Journal(why)
}

fn not_rebuilt(error: RecoveryError) -> OpenError {
    match error {
        RecoveryError::Journal(error) => refused(error),
        RecoveryError::Snapshot(error) if error.kind() != io::ErrorKind::NotFound => {
            OpenError::Disk(error)
        }
        RecoveryError::Limits(_)
        | RecoveryError::Core(_)
        | RecoveryError::Streams(_)
        | RecoveryError::Venue(_)
        | RecoveryError::Snapshot(_)
        | RecoveryError::SnapshotDigest { .. }
        | RecoveryError::Capacities(_)
        | RecoveryError::Diverged(_) => OpenError::Journal(error.to_string()),
    }
}
