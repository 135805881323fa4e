//! What a recorded journal stands on: the folder with its prelude and limits, clients' streams, venues.
//!
//! Owned by nobody. Invariant: a replica is made on it as the gateway makes one at a start.

use portcullis_bench_pipeline::crowd::Crowd;
use portcullis_bench_pipeline::limits::{INSTRUMENTS, PRICE_MAX, QTY_MAX, SESSIONS};
use portcullis_domain::{Duration, HashSeed, InstrumentId, Price, Qty, SessionId};
use portcullis_journal::{Disk, Storage, WordFile, write_words};
use portcullis_pipeline::egress::EgressConfig;
use portcullis_pipeline::recovery::{Ground, Prelude};
use portcullis_pipeline::tables::{Symbol, SymbolTable};
use portcullis_venue_embedded::{EmbeddedVenue, Fees, InstrumentConfig, LadderConfig};
use portcullis_venue_ouch::{
    Dial, Dialed, EngineInstrument, EngineLogin, OuchVenue, OuchVenueConfig, ReplayEnd, Route,
};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::OUCH50;
use portcullis_wire::soupbin::{Password, UserName};
use std::io;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::Path;

/// Bytes of messages kept for a session, and messages: as in the product where nothing is said.
const STORE_BYTES: usize = 4 << 20;
const STORE_MESSAGES: usize = STORE_BYTES / 64;

/// The folder of a journal, and what its core and streams are made from.
pub(crate) struct Land {
    pub(crate) disk: Disk,
    pub(crate) prelude: Prelude,
    pub(crate) prelude_digest: u64,
    egress: EgressConfig,
}

impl Land {
    /// A folder that has a prelude and limits, and no journal yet.
    pub(crate) fn new(folder: &Path, crowd: Crowd) -> Result<Self, String> {
        let fault = |error: io::Error| format!("{}: {error}", folder.display());
        let disk = Disk::open(folder).map_err(fault)?;
        let limits = write_words(&disk, WordFile::Limits, &crowd.limits().to_words());
        let prelude = Prelude {
            capacities: crowd.capacities(),
            limits: limits.map_err(fault)?,
            session_name: Alpha::new(b"20260101").expect("eight characters"),
        };
        let prelude_digest = write_words(&disk, WordFile::Prelude, &prelude.to_words());
        Ok(Self {
            egress: EgressConfig {
                session_name: prelude.session_name,
                heartbeats: vec![Duration::from_ns(1_000_000_000); SESSIONS as usize],
                orders_max: crowd.capacities().orders_max as usize,
                store_bytes: STORE_BYTES,
                store_messages: STORE_MESSAGES,
                symbols: SymbolTable::new(&symbols()),
            },
            disk,
            prelude,
            prelude_digest: prelude_digest.map_err(fault)?,
        })
    }

    pub(crate) const fn ground(&self, from_snapshot: bool) -> Ground<'_, Disk> {
        Ground {
            storage: &self.disk,
            prelude: &self.prelude,
            hash_seed: HashSeed::FIXED,
            egress: &self.egress,
            from_snapshot,
        }
    }

    /// Bytes of the files whose names end so.
    pub(crate) fn bytes_of(&self, suffix: &str) -> Result<u64, String> {
        let listed = self.disk.list().map_err(|error| error.to_string())?;
        let of = listed.iter().filter(|file| file.name.contains(suffix));
        Ok(of.map(|file| file.bytes).sum())
    }
}

/// The instruments on the wire.
pub(crate) fn symbols() -> Vec<Symbol> {
    let scale = OUCH50.fits(
        NonZeroU64::MIN,
        NonZeroU32::MIN,
        Price::new(1),
        Price::new(PRICE_MAX),
        Qty::new(1),
    );
    let scale = scale.expect("prices of the bench fit the wire");
    let symbol = |instrument: u32| Symbol {
        name: Alpha::new(format!("SYM{instrument:02}").as_bytes()).expect("five characters"),
        instrument: InstrumentId::new(instrument),
        scale,
    };
    (0..INSTRUMENTS).map(symbol).collect()
}

/// The book in the process, which reads no further terms out of clients' messages.
pub(crate) fn embedded(crowd: Crowd) -> EmbeddedVenue {
    let capacities = crowd.capacities();
    let instrument = InstrumentConfig {
        qty_max: Qty::new(QTY_MAX),
        price_max: Price::new(PRICE_MAX),
        fees: Fees::default(),
    };
    let ladder = LadderConfig {
        instruments: vec![instrument; INSTRUMENTS as usize],
        sessions_max: SESSIONS,
        orders_max: capacities.orders_max,
        levels_max: capacities.orders_max,
        inbox_max: 4_096,
        trades_max: capacities.executions_max,
        window_ticks: 4_096,
        hash_seed: HashSeed::FIXED,
    };
    EmbeddedVenue::new(ladder, None).expect("a ladder of the bench's sizes")
}

/// An adapter to an engine that nobody connects to: the past is all it is told.
pub(crate) fn ouch(crowd: Crowd) -> OuchVenue<Nowhere> {
    let login = EngineLogin {
        address: ([127, 0, 0, 1], 1).into(),
        user: UserName::BLANK,
        password: Password(Alpha::BLANK),
        engine_session: None,
        next_sequence: 1,
    };
    let instruments = symbols().into_iter().map(|symbol| EngineInstrument {
        symbol: symbol.name,
        scale: symbol.scale,
    });
    let config = OuchVenueConfig {
        sessions: vec![Route::Own(login); SESSIONS as usize],
        instruments: instruments.collect(),
        orders_max: crowd.capacities().orders_max,
        in_flight_max: 4_096,
        hash_seed: HashSeed::FIXED,
        write_buffer_bytes: 1 << 20,
        reconnect_min: Duration::from_ns(1_000_000),
        reconnect_max: Duration::from_ns(1_000_000),
        silence_max: Duration::from_ns(1_000_000_000),
        replay_end: ReplayEnd::Answered,
    };
    OuchVenue::new(config, Nowhere).expect("an adapter of the bench's sizes")
}

/// Never connects.
#[derive(Debug)]
pub(crate) struct Nowhere;

impl Dial for Nowhere {
    type Stream = io::Cursor<Vec<u8>>;

    fn dial(&mut self, _session: SessionId) -> Dialed<Self::Stream> {
        Dialed::Pending
    }
}
