//! How fast a journal is replayed: read and checked alone, into a core, into a whole replica.
//!
//! One thread, on the second core. Invariant: whoever replays comes to the digest that was recorded, or there
//! is no figure.

use crate::ground::{Land, embedded, ouch};
use crate::recorder::{Engine, Recorded, record};
use portcullis_bench_harness::{Bar, Rounds, Row, Unit};
use portcullis_bench_pipeline::crowd::{Checks, Crowd};
use portcullis_bench_pipeline::outcome::median;
use portcullis_domain::{Command, Record, Seq};
use portcullis_journal::{Entry, JournalReader, Mode};
use portcullis_pipeline::recovery::Follower;
use portcullis_risk_core::{Effect, EffectSink, LineSink, RiskCore, Word};
use portcullis_runtime::prefetch;
use portcullis_venue::RecallVenue;
use std::path::Path;
use std::time::{Duration, Instant};

/// Commands a second that a replay must come to.
const COMMANDS_A_SECOND: u64 = 5_000_000;

/// Records applied together by the core alone, as the kernel's bench does.
const BATCH: usize = 64;
/// Records that are read before the core's own rate is measured over them: near enough to stay at hand.
const BLOCK: usize = 1 << 12;

/// The crowd whose journal is replayed.
pub(crate) const CROWD: Crowd = Crowd {
    accounts: 10_000,
    active: 10_000,
    rows_spare: 0,
    checks: Checks::Some,
};

/// Commands a second of one engine's journal.
#[derive(Debug, Default)]
struct Rates {
    reading: Rounds,
    bytes: Rounds,
    kernel: Rounds,
    core: Rounds,
    replica: Rounds,
}

/// Replays a journal of each engine; the rows.
pub(crate) fn measure(
    folder: &Path,
    crowd: Crowd,
    commands: u64,
    rounds: u32,
) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (engine, name) in [
        (Engine::Embedded, "embedded book"),
        (Engine::Ouch, "OUCH adapter"),
    ] {
        let folder = folder.join(format!("replay-{engine:?}"));
        let land = Land::new(&folder, crowd)?;
        eprintln!("replay, {name}: {commands} commands are recorded");
        let recorded = record(&land, crowd, engine, commands)?;
        let mut rates = Rates::default();
        for round in 0..rounds {
            eprintln!("replay, {name}: round {} of {rounds}", round + 1);
            measure_round(&land, crowd, engine, recorded, &mut rates)?;
        }
        rows.extend(rates.rows(name));
        let removed = std::fs::remove_dir_all(&folder);
        removed.map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(rows)
}

fn measure_round(
    land: &Land,
    crowd: Crowd,
    engine: Engine,
    recorded: Recorded,
    rates: &mut Rates,
) -> Result<(), String> {
    let (took, bytes) = read(land)?;
    rates.reading.push(a_second(recorded.records, took));
    rates.bytes.push(a_second(bytes, took));
    rates
        .kernel
        .push(a_second(recorded.records, kernel(land, crowd, recorded)?));
    rates
        .core
        .push(a_second(recorded.records, core(land, crowd, recorded)?));
    let took = match engine {
        Engine::Embedded => replica(land, embedded(crowd), recorded)?,
        Engine::Ouch => replica(land, ouch(crowd), recorded)?,
    };
    rates.replica.push(a_second(recorded.records, took));
    Ok(())
}

pub(crate) fn a_second(count: u64, took: Duration) -> u64 {
    (u128::from(count) * 1_000_000_000 / took.as_nanos().max(1)) as u64
}

impl Rates {
    fn rows(&self, name: &str) -> Vec<Row> {
        let kernel = median(&self.kernel);
        let one = |what: &str, unit, value: &Rounds, floor, bar| {
            Row::of_rounds(
                "journal",
                format!("replay, {name}: {what}"),
                unit,
                value,
                floor,
                bar,
            )
        };
        vec![
            one(
                "bytes read and checked a second",
                Unit::Bytes,
                &self.bytes,
                None,
                Bar::None,
            ),
            one(
                "read and checked alone",
                Unit::PerSecond,
                &self.reading,
                None,
                Bar::None,
            ),
            one(
                "the core alone, records at hand",
                Unit::PerSecond,
                &self.kernel,
                None,
                Bar::None,
            ),
            one(
                "read and into the core",
                Unit::PerSecond,
                &self.core,
                kernel,
                Bar::AtLeast(COMMANDS_A_SECOND),
            ),
            one(
                "read and into the whole replica",
                Unit::PerSecond,
                &self.replica,
                kernel,
                Bar::AtLeast(COMMANDS_A_SECOND),
            ),
        ]
    }
}

fn reader(land: &Land) -> Result<JournalReader<portcullis_journal::Disk>, String> {
    let reader = JournalReader::open(land.disk.clone(), Seq::new(1), Mode::Whole);
    reader.map_err(|error| error.to_string())
}

/// Every frame, whole and in its place; the bytes of all.
pub(crate) fn read(land: &Land) -> Result<(Duration, u64), String> {
    let begun = Instant::now();
    let mut reader = reader(land)?;
    let mut bytes = 0;
    while let Some(frame) = reader.next_frame().map_err(|error| error.to_string())? {
        bytes += frame.header.bytes() as u64;
    }
    Ok((begun.elapsed(), bytes))
}

/// The core over records that lie in memory.
fn kernel(land: &Land, crowd: Crowd, recorded: Recorded) -> Result<Duration, String> {
    let mut core = crowd.core()?;
    let mut reader = reader(land)?;
    let mut block = vec![Record::bare(Command::Tick.encode()); BLOCK];
    let mut took = Duration::ZERO;
    loop {
        let filled = fill(&mut reader, &mut block)?;
        let begun = Instant::now();
        for batch in block[..filled].chunks(BATCH) {
            core.apply_batch(batch, &mut Fetch, &mut Nobody);
        }
        took += begun.elapsed();
        if filled < BLOCK {
            return agree(&core, recorded).map(|()| took);
        }
    }
}

/// Reading and the core, and nobody who is told.
fn core(land: &Land, crowd: Crowd, recorded: Recorded) -> Result<Duration, String> {
    let mut core = crowd.core()?;
    let mut batch = vec![Record::bare(Command::Tick.encode()); BATCH];
    let begun = Instant::now();
    let mut reader = reader(land)?;
    loop {
        let filled = fill(&mut reader, &mut batch)?;
        core.apply_batch(&batch[..filled], &mut Fetch, &mut Nobody);
        if filled < BATCH {
            break;
        }
    }
    let took = begun.elapsed();
    agree(&core, recorded).map(|()| took)
}

/// The next records, as many as there is room for.
fn fill(
    reader: &mut JournalReader<portcullis_journal::Disk>,
    room: &mut [Record],
) -> Result<usize, String> {
    let mut filled = 0;
    while filled < room.len() {
        match reader.next().map_err(|error| error.to_string())? {
            Some(Entry::Record(record)) => {
                room[filled].become_message(record.head, record.raw);
                filled += 1;
            }
            Some(Entry::Digest { .. }) => {}
            None => break,
        }
    }
    Ok(filled)
}

/// All of it, as recovery and followers do.
fn replica<V: RecallVenue>(land: &Land, venue: V, recorded: Recorded) -> Result<Duration, String> {
    let follower = Follower::begin(&land.ground(false), venue, Mode::Whole);
    let mut follower = follower.map_err(|error| error.to_string())?;
    let begun = Instant::now();
    while follower
        .step()
        .map_err(|error| error.to_string())?
        .is_some()
    {}
    let mut rebuilt = follower.into_rebuilt();
    let took = begun.elapsed();
    let end = rebuilt.replica.venue().recalled();
    if let Some(fault) = end.fault {
        return Err(fault.to_string());
    }
    agree(rebuilt.replica.core(), recorded).map(|()| took)
}

/// Whether a core stands where the recorded one did.
pub(crate) fn agree(core: &RiskCore, recorded: Recorded) -> Result<(), String> {
    if core.seq().raw() == recorded.records && core.digest() == recorded.digest {
        return Ok(());
    }
    Err(format!(
        "a replay came to record {} and digest {:016x}, not to {} and {:016x}",
        core.seq().raw(),
        core.digest(),
        recorded.records,
        recorded.digest
    ))
}

struct Fetch;

impl LineSink for Fetch {
    #[inline(always)]
    fn line<W: Word>(&mut self, word: &W) {
        prefetch(word);
    }
}

struct Nobody;

impl EffectSink for Nobody {
    #[inline(always)]
    fn on_effect(&mut self, effect: Effect) {
        std::hint::black_box(&effect);
    }
}
