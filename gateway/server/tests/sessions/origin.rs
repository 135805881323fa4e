//! What a rig's gateway begins with: nothing, or what the journal of a former one says.
//!
//! Once, before any agent lives. Invariant: a gateway goes on from the disk alone.

use crate::limits;
use crate::rig::{Setup, capacities, egress_config, ladder};
use portcullis_domain::{HashSeed, Seq, Timestamp};
use portcullis_journal::{
    Identity, InlineSource, JournalStart, JournalWriter, MemoryDisk, Mode, Opening, RecoverOptions,
    Storage, Term, WordFile, WriterOptions, recover, write_words,
};
use portcullis_pipeline::durability::{DurabilityEnds, durability};
use portcullis_pipeline::egress::ClientStreams;
use portcullis_pipeline::recovery::{Ground, Prelude, rebuild};
use portcullis_pipeline::replica::ReplicaParts;
use portcullis_pipeline::sequencer::Resumption;
use portcullis_risk_core::RiskCore;
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_venue::RecallVenue;
use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::SessionName;

const SEGMENT_BYTES: u64 = 1 << 16;
const JOURNAL: u64 = 7;

/// What it begins with.
pub(crate) struct Origin {
    pub(crate) core: Box<RiskCore>,
    pub(crate) streams: ClientStreams,
    pub(crate) engine: EmbeddedVenue,
    pub(crate) journal: Option<OpenJournal>,
    pub(crate) resumption: Option<Resumption>,
}

/// A journal that is held and written.
pub(crate) struct OpenJournal {
    pub(crate) disk: MemoryDisk,
    pub(crate) writer: JournalWriter<MemoryDisk>,
    pub(crate) ends: DurabilityEnds,
}

/// The name of every session.
pub(crate) fn session_name() -> SessionName {
    Alpha::new(b"DAY1").expect("short")
}

/// What the core is made from.
pub(crate) fn prelude(setup: Setup) -> Prelude {
    Prelude {
        capacities: capacities(setup),
        limits: table(setup).digest(),
        session_name: session_name(),
    }
}

fn spec(setup: Setup) -> LimitSpec {
    limits::wide(setup.sessions, setup.cancel_on_disconnect)
}

fn table(setup: Setup) -> LimitTable {
    LimitTable::build(&spec(setup)).expect("the limits load")
}

/// A new gateway.
pub(crate) fn begin(setup: Setup) -> Origin {
    let core = RiskCore::new(&capacities(setup), table(setup), HashSeed::FIXED)
        .expect("the capacities do");
    let journal = setup.durability.map(|policy| {
        let disk = MemoryDisk::new();
        let limits = write_words(&disk, WordFile::Limits, &spec(setup).to_words());
        let words = prelude(setup).to_words();
        let digest = write_words(&disk, WordFile::Prelude, &words).expect("the disk takes it");
        let opening = Opening {
            identity: Identity {
                journal: JOURNAL,
                prelude: digest,
                rules: 1,
                build: "sessions".to_owned(),
            },
            term: Term::new(1),
            limits: limits.expect("the disk takes it"),
            now: Timestamp::ZERO,
        };
        let lock = disk.lock().expect("nobody else has it");
        let writer = JournalWriter::create(
            disk.clone(),
            lock,
            Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES)),
            WriterOptions::for_segments_of(SEGMENT_BYTES),
            opening,
            JournalStart::first(JOURNAL),
        );
        OpenJournal {
            disk,
            writer: writer.expect("a disk in memory takes it"),
            ends: durability(policy, Seq::ZERO),
        }
    });
    Origin {
        core: Box::new(core),
        streams: ClientStreams::new(&egress_config(setup)),
        engine: ladder(setup),
        journal,
        resumption: None,
    }
}

/// A gateway that goes on where the journal on a disk ends.
pub(crate) fn go_on(setup: Setup, disk: MemoryDisk) -> Origin {
    let policy = setup.durability.expect("there was a journal");
    let lock = disk.lock().expect("the former gateway is gone");
    let recovered = recover(&disk, &RecoverOptions::default()).expect("it reads");
    let recovered = recovered.expect("it is there");
    let (prelude, egress) = (prelude(setup), egress_config(setup));
    let ground = Ground {
        storage: &disk,
        prelude: &prelude,
        hash_seed: HashSeed::FIXED,
        egress: &egress,
        from_snapshot: true,
    };
    let rebuilt = rebuild(&ground, ladder(setup), Mode::Whole, &mut |_| {}).expect("it replays");
    let (mut replica, seq) = (rebuilt.replica, rebuilt.seq);
    assert_eq!(replica.venue().recalled().fault, None);
    let core = replica.core();
    let resumption = Resumption::behind(seq, core);
    let opening = Opening {
        identity: recovered.identity.clone(),
        term: recovered.term,
        limits: core.limits_digest(),
        now: Timestamp::ZERO,
    };
    let writer = JournalWriter::resume(
        disk.clone(),
        lock,
        Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES)),
        WriterOptions::for_segments_of(SEGMENT_BYTES),
        opening,
        &recovered,
    );
    let ReplicaParts {
        core,
        streams,
        venue,
    } = replica.into_parts();
    Origin {
        core,
        streams,
        engine: venue,
        journal: Some(OpenJournal {
            disk,
            writer: writer.expect("a disk in memory takes it"),
            ends: durability(policy, seq),
        }),
        resumption: Some(resumption),
    }
}
