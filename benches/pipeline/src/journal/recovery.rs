//! What a restart takes: a million accounts out of a snapshot, and the records behind it; what making one takes.
//!
//! One thread, on the second core; orders go their way on the first meanwhile. Invariant: what is recovered has
//! the digest that was recorded, or there is no figure.

use crate::ground::{Land, ouch};
use crate::recorder::{Engine, Recorded, record};
use crate::replay::{a_second, agree, read};
use portcullis_bench_harness::{Bar, Latency, Rounds, Row, Unit, with_core};
use portcullis_bench_pipeline::crowd::Crowd;
use portcullis_bench_pipeline::market::Market;
use portcullis_bench_pipeline::outcome::{median, paired};
use portcullis_bench_pipeline::pipeline::{Pipeline, Span};
use portcullis_bench_pipeline::rig::{Deciding, agents_before};
use portcullis_bench_pipeline::traffic::{Schedule, Traffic};
use portcullis_bench_pipeline::wait::{AGENTS_CORE, Wait};
use portcullis_domain::{Seq, Timestamp};
use portcullis_journal::Mode;
use portcullis_pipeline::item::VenueItem;
use portcullis_pipeline::recovery::{Follower, Step, rebuild, save_snapshot};
use std::path::Path;
use std::time::{Duration, Instant};

/// Commands that a restart must replay from the last snapshot, and how long it may take.
const COMMANDS: u64 = 100_000_000;
const WITHIN_NS: u64 = 60_000_000_000;

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) crowd: Crowd,
    pub(crate) commands: u64,
    pub(crate) rounds: u32,
    pub(crate) wait: Wait,
    pub(crate) step: Duration,
}

/// Slept between two steps.
const REST: Duration = Duration::from_millis(30);

/// All that was measured.
#[derive(Debug, Default)]
struct Figures {
    made: Rounds,
    written: Rounds,
    snapshot_bytes: Rounds,
    loaded: Rounds,
    verified: Rounds,
    tail: Rounds,
    whole: Rounds,
    calm: [Rounds; 3],
    beside: [Rounds; 3],
}

/// A percentile: its name, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);

/// Percentiles of an order's way while a snapshot is made.
const PERCENTILES: [Percentile; 3] = [
    ("p50", Latency::p50),
    ("p99.9", Latency::p999),
    ("max", Latency::max),
];

/// The rows.
pub(crate) fn measure(folder: &Path, plan: Plan) -> Result<Vec<Row>, String> {
    let folder = folder.join("recovery");
    let land = Land::new(&folder, plan.crowd)?;
    eprintln!(
        "recovery: {} commands over {} accounts are recorded",
        plan.commands, plan.crowd.accounts
    );
    let recorded = record(&land, plan.crowd, Engine::Ouch, plan.commands)?;
    let mut figures = Figures::default();
    make(&land, plan, recorded, &mut figures)?;
    for round in 0..plan.rounds {
        eprintln!("recovery: round {} of {}", round + 1, plan.rounds);
        recover(&land, plan, recorded, &mut figures)?;
    }
    beside_orders(&land, plan, recorded, &mut figures)?;
    let removed = std::fs::remove_dir_all(&folder);
    removed.map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(figures.rows(plan))
}

/// Follows the journal past its opening, and makes a snapshot there.
fn make(land: &Land, plan: Plan, recorded: Recorded, figures: &mut Figures) -> Result<(), String> {
    let ground = land.ground(false);
    let wanted = Seq::new(recorded.records - plan.commands);
    let mut follower = Follower::begin(&ground, ouch(plan.crowd), Mode::Whole).map_err(words)?;
    loop {
        match follower.step().map_err(words)? {
            Some(Step::Compared(seq)) if seq >= wanted => {
                let begun = Instant::now();
                let saved = save_snapshot(&mut follower, &ground, seq, Timestamp::from_ns(1));
                saved.map_err(words)?;
                figures.written.push(begun.elapsed().as_nanos() as u64);
                figures.snapshot_bytes.push(land.bytes_of("snapshot")?);
                return Ok(());
            }
            Some(_) => {}
            None => return Err("no digest was noted behind the opening".to_owned()),
        }
    }
}

/// A start: all segments behind the snapshot are read and checked, then the snapshot is loaded and the
/// records behind it are replayed.
fn recover(
    land: &Land,
    plan: Plan,
    recorded: Recorded,
    figures: &mut Figures,
) -> Result<(), String> {
    let (verified, _) = read(land)?;
    let ground = land.ground(true);
    let begun = Instant::now();
    let follower = Follower::begin(&ground, ouch(plan.crowd), Mode::Whole).map_err(words)?;
    let loaded = begun.elapsed();
    if follower.began() == 0 {
        return Err("the snapshot was not begun from".to_owned());
    }
    let behind = recorded.records - follower.began();
    drop(follower);
    let begun = Instant::now();
    let rebuilt = rebuild(&ground, ouch(plan.crowd), Mode::Whole, &mut |_| {});
    let mut rebuilt = rebuilt.map_err(words)?;
    let took = begun.elapsed();
    agree(rebuilt.replica.core(), recorded)?;
    let tail = took.saturating_sub(loaded);
    figures.loaded.push(loaded.as_nanos() as u64);
    figures.verified.push(a_second(recorded.records, verified));
    figures.tail.push(a_second(behind, tail));
    let share = |took: Duration, of: u64| took.as_nanos() * u128::from(COMMANDS) / u128::from(of);
    let whole = loaded.as_nanos() + share(verified, recorded.records) + share(tail, behind);
    figures.whole.push(whole as u64);
    Ok(())
}

/// Orders at half of what is taken, in turn alone and while snapshots of the million accounts are made.
fn beside_orders(
    land: &Land,
    plan: Plan,
    recorded: Recorded,
    figures: &mut Figures,
) -> Result<(), String> {
    let active = plan.crowd.accounts.min(10_000);
    let crowd = Crowd {
        active,
        ..plan.crowd
    };
    let (agents, ends) = agents_before(crowd, None)?;
    let traffic = Traffic::new(ends, Market::new(crowd), plan.wait).running(agents);
    let mut pipeline: Pipeline<Deciding, VenueItem> = Pipeline { rig: None, traffic };
    pipeline.awake(Traffic::open)?;
    let capacity = pipeline.capacity(Span::of(plan.step))?;
    let half = Schedule::Every {
        orders: 1,
        interval: Duration::from_nanos(2_000_000_000 / capacity.max(1)),
    };
    for _ in 0..plan.rounds {
        let calm = pipeline.latency(half, Span::of(plan.step))?;
        keep(&mut figures.calm, &calm);
        let beside = while_one_is_made(&mut pipeline, plan, half, land, recorded, figures)?;
        keep(&mut figures.beside, &beside);
    }
    let (mut traffic, _) = pipeline.finish()?;
    traffic.finish_agents().map(drop)
}

fn keep(rounds: &mut [Rounds; 3], latency: &Latency) {
    for (rounds, (_, of)) in rounds.iter_mut().zip(PERCENTILES) {
        rounds.push(of(latency));
    }
}

/// Orders, step after step, from a snapshot's being begun to its being there.
fn while_one_is_made(
    pipeline: &mut Pipeline<Deciding, VenueItem>,
    plan: Plan,
    half: Schedule,
    land: &Land,
    recorded: Recorded,
    figures: &mut Figures,
) -> Result<Latency, String> {
    std::thread::scope(|scope| {
        let maker = scope.spawn(|| on_second_core(plan.wait, || make_next(land, plan, recorded)));
        let mut all = pipeline.latency(half, Span::of(plan.step))?;
        while !maker.is_finished() {
            std::thread::sleep(REST);
            all.add(&pipeline.latency(half, Span::of(plan.step))?);
        }
        let made = maker
            .join()
            .map_err(|_| "the maker of snapshots panicked")?;
        figures.made.push(made?.as_nanos() as u64);
        Ok(all)
    })
}

/// Makes a snapshot as the gateway's own thread does: from the last one, some way on. How long it took.
fn make_next(land: &Land, plan: Plan, recorded: Recorded) -> Result<Duration, String> {
    let ground = land.ground(true);
    let begun = Instant::now();
    let mut follower = Follower::begin(&ground, ouch(plan.crowd), Mode::Whole).map_err(words)?;
    let wanted = follower.taken() + (recorded.records - follower.taken()) / 8;
    loop {
        match follower.step().map_err(words)? {
            Some(Step::Compared(seq)) if seq.raw() >= wanted => {
                let saved = save_snapshot(&mut follower, &ground, seq, Timestamp::from_ns(1));
                return saved.map(|_| begun.elapsed()).map_err(words);
            }
            Some(_) => {}
            None => return Err("no digest was noted behind the last snapshot".to_owned()),
        }
    }
}

fn on_second_core<T: Send>(
    wait: Wait,
    work: impl FnOnce() -> Result<T, String> + Send,
) -> Result<T, String> {
    match wait {
        Wait::Spin => with_core(AGENTS_CORE, work).map_err(words)?,
        Wait::Share | Wait::Yield => work(),
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Figures {
    fn rows(&self, plan: Plan) -> Vec<Row> {
        let name = format!("recovery, {} accounts", plan.crowd.accounts);
        let one = |what: String, unit, value: &Rounds, floor, bar| {
            Row::of_rounds(
                "journal",
                format!("{name}: {what}"),
                unit,
                value,
                floor,
                bar,
            )
        };
        let plain = |what: &str, unit, value| one(what.to_owned(), unit, value, None, Bar::None);
        let mut rows = vec![
            plain("bytes of a snapshot", Unit::Bytes, &self.snapshot_bytes),
            plain(
                "a snapshot written, by who stands there",
                Unit::Ns,
                &self.written,
            ),
            plain(
                "a snapshot made beside orders, from the last one",
                Unit::Ns,
                &self.made,
            ),
            plain("a snapshot loaded", Unit::Ns, &self.loaded),
            plain(
                "records read and checked a second",
                Unit::PerSecond,
                &self.verified,
            ),
            plain(
                "records behind it replayed a second",
                Unit::PerSecond,
                &self.tail,
            ),
            one(
                format!(
                    "to {} million commands from it, by the rate of {}",
                    COMMANDS / 1_000_000,
                    plan.commands
                ),
                Unit::Ns,
                &self.whole,
                None,
                Bar::AtMost(WITHIN_NS),
            ),
        ];
        for (at, (percentile, _)) in PERCENTILES.into_iter().enumerate() {
            let (calm, beside) = (&self.calm[at], &self.beside[at]);
            let what = format!("orders at 50% load while one is made, {percentile}");
            rows.push(one(what, Unit::Ns, beside, median(calm), Bar::None));
            let added = paired(beside, calm, u64::saturating_sub);
            let what = format!("orders at 50% load, added by its being made, {percentile}");
            rows.push(one(what, Unit::Ns, &added, None, Bar::None));
        }
        rows
    }
}
