//! The pipeline with a journal, by what waits for it: measured in turn, each load of each round.
//!
//! On the measuring thread. Invariants: all ways of a round are given the same loads, in percent of what that
//! round's pipeline took whose log nobody waits for; a way's threads sleep while another one is measured; at
//! its end each journal is read and must hold what its core applied.

use crate::disk_cost::{DiskCost, disk_cost};
use crate::log_thread::{LogThread, start};
use crate::ways_rows::Figures;
use portcullis_bench_harness::hop_ns;
use portcullis_bench_pipeline::crowd::Crowd;
use portcullis_bench_pipeline::market::Market;
use portcullis_bench_pipeline::pipeline::{Pipeline, Span};
use portcullis_bench_pipeline::rig::{Deciding, agents_before, deciding_before};
use portcullis_bench_pipeline::traffic::{Schedule, Traffic};
use portcullis_bench_pipeline::two_hops::TwoHops;
use portcullis_bench_pipeline::wait::{AGENTS_CORE, ENDS_CORE, Wait};
use portcullis_domain::UNIT_BYTES;
use portcullis_journal::Disk;
use portcullis_pipeline::durability::{Durability, Gate};
use portcullis_pipeline::item::VenueItem;
use portcullis_pipeline::mapped_segment::map_segment;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The core of the log, where there are as many.
pub(crate) const LOG_CORE: usize = 2;

/// Slept after each step.
const REST: Duration = Duration::from_millis(60);

/// A log that writes nothing more for so long has written all.
const QUIET: Duration = Duration::from_millis(2);

/// Who waits for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// There is none.
    NoLog,
    /// Nobody.
    Memory,
    /// What leaves, until its record is written.
    Journaled,
    /// What leaves, until its record is on the disk.
    Synced,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::NoLog, Self::Memory, Self::Journaled, Self::Synced];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoLog => "no journal",
            Self::Memory => "memory",
            Self::Journaled => "journaled",
            Self::Synced => "synced",
        }
    }

    const fn policy(self) -> Option<Durability> {
        match self {
            Self::NoLog => None,
            Self::Memory => Some(Durability::Memory),
            Self::Journaled => Some(Durability::Journaled),
            Self::Synced => Some(Durability::Synced),
        }
    }
}

/// Where agents, ends and log run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Agents and ends on one core, by one thread; the log alone on the other.
    Fused,
    /// Agents on one core, ends on the other; the log on a third, or beside the ends where there is none.
    Split,
}

impl Placement {
    pub(crate) const ALL: [Self; 2] = [Self::Fused, Self::Split];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fused => "fused",
            Self::Split => "split",
        }
    }
}

/// How much is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// An order every two milliseconds: each by itself, whatever the disk takes.
    Alone,
    /// In percent of what is taken with a log that nobody waits for.
    Percent(u64),
}

impl Load {
    pub(crate) const ALL: [Self; 3] = [Self::Alone, Self::Percent(10), Self::Percent(50)];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Alone => "an order at a time".to_owned(),
            Self::Percent(percent) => format!("{percent}% load"),
        }
    }

    fn schedule(self, capacity: u64) -> Schedule {
        let interval = match self {
            Self::Alone => Duration::from_millis(2),
            Self::Percent(percent) => {
                Duration::from_nanos(100_000_000_000 / (capacity * percent).max(1))
            }
        };
        Schedule::Every {
            orders: 1,
            interval,
        }
    }
}

/// What a run is made of.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) crowd: Crowd,
    pub(crate) wait: Wait,
    pub(crate) step: Duration,
    pub(crate) rounds: u32,
    /// Calls of the disk alone.
    pub(crate) writes: u64,
    pub(crate) syncs: u64,
    /// Segments that wait before a step: more than it fills.
    pub(crate) segments: usize,
    pub(crate) folder: PathBuf,
}

impl Plan {
    /// The log's core, and how it waits there; how the ends wait.
    fn places(&self, placement: Placement) -> (usize, Wait, Wait) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        match (self.wait, placement) {
            (Wait::Spin, Placement::Fused) => (AGENTS_CORE, Wait::Spin, Wait::Spin),
            (Wait::Spin, Placement::Split) if cores > LOG_CORE => {
                (LOG_CORE, Wait::Spin, Wait::Spin)
            }
            (Wait::Spin, Placement::Split) => (ENDS_CORE, Wait::Share, Wait::Share),
            (Wait::Share | Wait::Yield, _) => (ENDS_CORE, Wait::Yield, Wait::Yield),
        }
    }
}

/// A pipeline and its log.
struct Logged {
    way: Way,
    pipeline: Pipeline<Deciding, VenueItem>,
    log: Option<(LogThread, Gate)>,
    segments: usize,
}

/// What a step's log did.
#[derive(Clone, Copy, Debug)]
struct Written {
    records: u64,
    frames: u64,
    /// From a duty cycle's beginning to its frame's being as durable as is asked, half of them.
    kept_ns: u64,
}

impl Logged {
    fn begin(way: Way, placement: Placement, plan: &Plan) -> Result<Self, String> {
        let (core, log_wait, ends_wait) = plan.places(placement);
        let (mut log, mut side) = (None, None);
        if let Some(policy) = way.policy() {
            let folder = plan.folder.join(way.name());
            let disk = Disk::open(&folder);
            let disk = disk.map_err(|error| format!("{}: {error}", folder.display()))?;
            let disk = match policy {
                Durability::Synced => disk,
                Durability::Memory | Durability::Journaled | Durability::Replicated => {
                    disk.mapping_segments(map_segment)
                }
            };
            let (thread, agents_side, gate) = start(disk, policy, core, log_wait)?;
            (log, side) = (Some((thread, gate)), Some(agents_side));
        }
        // Without a log nobody shares the core of the ends.
        let wait = if log.is_some() { ends_wait } else { plan.wait };
        let market = Market::new(plan.crowd);
        let (rig, mut traffic) = match placement {
            Placement::Fused => {
                let (agents, ends) = agents_before(plan.crowd, side)?;
                (None, Traffic::new(ends, market, wait).running(agents))
            }
            Placement::Split => {
                let (rig, ends) = deciding_before(plan.crowd, plan.wait, side)?;
                (Some(rig), Traffic::new(ends, market, wait))
            }
        };
        if let Some((_, gate)) = &log {
            traffic = traffic.behind(gate.clone());
        }
        let mut logged = Self {
            way,
            pipeline: Pipeline { rig, traffic },
            log,
            segments: plan.segments,
        };
        logged.step(|pipeline| pipeline.awake(Traffic::open))?;
        Ok(logged)
    }

    /// Measures something, and what the log wrote meanwhile.
    fn step<T>(
        &mut self,
        work: impl FnOnce(&mut Pipeline<Deciding, VenueItem>) -> Result<T, String>,
    ) -> Result<(T, Written), String> {
        let Some((log, gate)) = &mut self.log else {
            let done = work(&mut self.pipeline)?;
            std::thread::sleep(REST);
            let nothing = Written {
                records: 0,
                frames: 1,
                kept_ns: 0,
            };
            return Ok((done, nothing));
        };
        log.prepare(self.segments)?;
        let (kept, frames) = (gate.kept(), log.kept.counts());
        log.pause(false);
        let done = work(&mut self.pipeline);
        come_to_rest(gate);
        log.pause(true);
        let frames = log.kept.counts().since(&frames);
        let written = Written {
            records: gate.kept().raw() - kept.raw(),
            frames: frames.len().max(1),
            kept_ns: frames.quantile_ns(1, 2),
        };
        std::thread::sleep(REST);
        Ok((done?, written))
    }

    /// Ends it; orders sent, and refused.
    fn finish(self) -> Result<(u64, u64), String> {
        if let Some((log, _)) = &self.log {
            log.pause(false);
        }
        let ended = self.pipeline.finish();
        let (mut traffic, decided) = ended.map_err(|why| format!("{}: {why}", self.way.name()))?;
        let risk = decided.or(traffic.finish_agents()?);
        let risk = risk.expect("agents run on one thread or another");
        traffic.agree(risk.core())?;
        let counts = &traffic.counts;
        if let Some((log, _)) = self.log {
            log.finish(risk.core().seq())?;
        }
        Ok((counts.sent, counts.refused))
    }
}

/// Waits until the log has written all that it was given.
fn come_to_rest(gate: &Gate) {
    let mut kept = gate.kept();
    let mut since = Instant::now();
    while since.elapsed() < QUIET {
        std::thread::sleep(QUIET / 8);
        if gate.kept() != kept {
            kept = gate.kept();
            since = Instant::now();
        }
    }
}

/// All rounds of a placement.
pub(crate) fn measure(plan: &Plan, placement: Placement) -> Result<Figures, String> {
    let beside_ends = plan.places(placement).0 == ENDS_CORE;
    let mut figures = Figures::new(placement, beside_ends);
    for round in 0..plan.rounds {
        let name = placement.name();
        eprintln!("pipeline, {name}: round {} of {}", round + 1, plan.rounds);
        let measured = measure_round(plan, round, &mut figures);
        let removed = remove(plan);
        measured.and(removed)?;
    }
    Ok(figures)
}

fn measure_round(plan: &Plan, round: u32, figures: &mut Figures) -> Result<(), String> {
    figures.canary.push(canary(plan.wait)?);
    let two_hops = TwoHops::new().ns(101, plan.wait)?;
    figures.two_hops.push(two_hops);
    let mut ways = Vec::new();
    for way in Way::ALL {
        ways.push(Logged::begin(way, figures.placement, plan)?);
    }
    turn(&mut ways, round);
    for logged in &mut ways {
        let (capacity, _) = logged.step(|pipeline| pipeline.capacity(Span::of(plan.step)))?;
        figures.capacity(logged.way).push(capacity);
    }
    let capacity = *(figures.capacity(Way::Memory).values().last()).expect("just measured");
    for load in Load::ALL {
        let frame_bytes = measure_load(plan, load, capacity, &mut ways, figures)?;
        figures.disk(load).push(alone(plan, frame_bytes)?);
    }
    for logged in ways {
        let (sent, refused) = logged.finish()?;
        figures.orders += sent;
        figures.refused += refused;
    }
    Ok(())
}

/// One load of all ways; the bytes of a frame that is waited for until it is written.
fn measure_load(
    plan: &Plan,
    load: Load,
    capacity: u64,
    ways: &mut [Logged],
    figures: &mut Figures,
) -> Result<usize, String> {
    let schedule = load.schedule(capacity);
    let mut frame_bytes = 0;
    for logged in ways {
        let step = logged.step(|pipeline| pipeline.latency(schedule, Span::of(plan.step)));
        let (latency, written) = step?;
        figures.keep(load, logged.way, latency);
        if logged.way == Way::NoLog {
            continue;
        }
        let records = written.records.div_ceil(written.frames);
        figures.frame(load, logged.way).push(records);
        figures.kept(load, logged.way).push(written.kept_ns);
        if logged.way == Way::Journaled {
            // An order's record and its report's are two units each.
            frame_bytes = (1 + 2 * records as usize) * UNIT_BYTES;
        }
    }
    Ok(frame_bytes)
}

/// The ways begin in another order each round.
fn turn(ways: &mut [Logged], round: u32) {
    let by = round as usize % ways.len();
    ways.rotate_left(by);
}

fn alone(plan: &Plan, frame_bytes: usize) -> Result<DiskCost, String> {
    let disk = Disk::open(&plan.folder.join("alone"));
    let disk = disk.map_err(|error| format!("{}: {error}", plan.folder.display()))?;
    disk_cost(&disk, frame_bytes, plan.writes, plan.syncs)
}

fn remove(plan: &Plan) -> Result<(), String> {
    let names = Way::ALL.iter().map(|way| way.name()).chain(["alone"]);
    for folder in names.map(|name| plan.folder.join(name)) {
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}", folder.display()));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn canary(wait: Wait) -> Result<u64, String> {
    match wait {
        Wait::Spin => hop_ns(ENDS_CORE, AGENTS_CORE).map_err(|error| error.to_string()),
        Wait::Share | Wait::Yield => Ok(0),
    }
}
