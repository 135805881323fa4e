//! Threads: which agents share one, where it runs, and what is left when it has ended.
//!
//! The code of an agent is the same in each topology; only this file differs.

use super::latency::Latencies;
use super::venue_kind::{EngineFigures, VenueKind};
use portcullis_control::config::{Config, Idle, Topology};
use portcullis_domain::{AccountId, InstrumentId};
use portcullis_journal::Disk;
use portcullis_pipeline::egress::{Egress, EgressCounters};
use portcullis_pipeline::ingress::{Ingress, IngressCounters};
use portcullis_pipeline::log::Log;
use portcullis_pipeline::risk::Risk;
use portcullis_pipeline::sequencer::Sequencer;
use portcullis_pipeline::venue::{Venue, VenueHalves};
use portcullis_risk_core::RiskCore;
use portcullis_runtime::{
    Agent, DutyReader, DutyWriter, IdleStrategy, Seat, StopFlag, SystemClock, TscClock,
    pin_to_core, run, run_behind,
};
use portcullis_transport::{TcpInbound, TcpOutbound};
use std::io;
use std::thread::{Builder, JoinHandle};

/// A sleep of a parked thread.
const PARK_NS: u64 = 50_000;

type RiskAgent = Risk<Latencies>;

/// What a thread of a config does without work.
pub(crate) const fn idle(word: Idle) -> IdleStrategy {
    match word {
        Idle::Busy => IdleStrategy::Busy,
        Idle::Yield => IdleStrategy::yielding(),
        Idle::Park => IdleStrategy::Park { span_ns: PARK_NS },
    }
}

/// All agents of a gateway.
pub(super) struct Agents {
    pub(super) ingress: Ingress<TcpInbound>,
    pub(super) sequencer: Sequencer,
    pub(super) risk: RiskAgent,
    pub(super) venue: Venue<VenueKind>,
    pub(super) egress: Egress<TcpOutbound>,
    pub(super) log: Option<Log<Disk>>,
}

/// How threads behave.
#[derive(Clone, Debug)]
pub(super) struct Behaviour {
    pub(super) topology: Topology,
    pub(super) idle: Idle,
    pub(super) cores: Vec<usize>,
}

impl Behaviour {
    const fn threads(&self) -> &'static [&'static str] {
        match self.topology {
            Topology::Fused => &["gateway"],
            Topology::Split => &["sessions", "deciding"],
            Topology::Dedicated => &["ingress", "sequencer", "risk", "venue", "egress"],
        }
    }

    /// What whoever starts it should know of its threads and cores.
    fn notes(&self) -> Vec<String> {
        let threads = self.threads();
        let mut notes = Vec::new();
        let pinned = self.cores.len();
        if (1..threads.len()).contains(&pinned) {
            let rest = threads[pinned..].join(", ");
            notes.push(format!(
                "[threads] cores names {pinned} for {} threads; not pinned: {rest}",
                threads.len()
            ));
        }
        // Where the system does not say, nothing is known that could be wrong.
        let usable = std::thread::available_parallelism().map_or(usize::MAX, usize::from);
        if self.idle == Idle::Busy && threads.len() > usable {
            notes.push(format!(
                "{} busy threads share {usable} cores and will starve one another: set [threads] \
                 idle = \"yield\", or a topology of fewer threads",
                threads.len()
            ));
        }
        notes
    }
}

/// What is left of a gateway that has stopped.
pub(crate) struct Finished {
    /// Whether everything had gone where it belonged.
    pub(crate) drained: bool,
    pub(crate) core: Box<RiskCore>,
    pub(crate) latencies: Latencies,
    pub(crate) engine: Option<EngineFigures>,
    pub(crate) ingress: IngressCounters,
    pub(crate) egress: EgressCounters,
}

/// What accounts are left with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Left {
    /// Lots on hold of open orders.
    pub(crate) holds: i128,
    /// Positions that are not flat.
    pub(crate) positions: u64,
}

impl Finished {
    /// What the accounts of a config are left with.
    pub(crate) fn left(&self, config: &Config) -> Left {
        let mut left = Left::default();
        for account in (0..config.limits.accounts.len() as u32).map(AccountId::new) {
            for instrument in (0..config.limits.instruments.len() as u32).map(InstrumentId::new) {
                let position = self.core.position(account, instrument);
                left.holds += i128::from(position.open_buy) + i128::from(position.open_sell);
                left.positions += u64::from(position.net != 0);
            }
        }
        left
    }
}

/// What threads leave, gathered.
#[derive(Default)]
struct Parts {
    risk: Option<(Box<RiskCore>, Latencies)>,
    engine: Option<EngineFigures>,
    ingress: Option<IngressCounters>,
    egress: Option<EgressCounters>,
}

impl Parts {
    fn with_risk(mut self, risk: RiskAgent) -> Self {
        self.risk = Some(risk.into_parts());
        self
    }

    fn with_venue(mut self, venue: &Venue<VenueKind>) -> Self {
        self.engine = venue.venue().figures();
        self
    }

    fn with_ingress(mut self, ingress: &Ingress<TcpInbound>) -> Self {
        self.ingress = Some(*ingress.counters());
        self
    }

    fn with_egress(mut self, egress: &Egress<TcpOutbound>) -> Self {
        self.egress = Some(*egress.counters());
        self
    }

    fn merge(&mut self, other: Self) {
        self.risk = self.risk.take().or(other.risk);
        self.engine = self.engine.or(other.engine);
        self.ingress = self.ingress.or(other.ingress);
        self.egress = self.egress.or(other.egress);
    }
}

/// The running threads.
pub(super) struct Threads {
    handles: Vec<JoinHandle<(bool, Parts)>>,
    duties: Vec<DutyReader>,
}

impl Threads {
    /// Starts the threads of a topology.
    pub(super) fn start(
        agents: Agents,
        behaviour: &Behaviour,
        stop: &StopFlag,
    ) -> io::Result<Self> {
        let Agents {
            mut ingress,
            mut sequencer,
            mut risk,
            mut venue,
            mut egress,
            log,
        } = agents;
        for note in behaviour.notes() {
            eprintln!("{note}");
        }
        let mut starter = Starter {
            handles: Vec::new(),
            duties: Vec::new(),
            behaviour,
            stop,
        };
        match behaviour.topology {
            // Both ends are read before anything is decided, and what was decided is written before
            // either end is read again: no fruitless read stands in the way of an order or a report.
            // An order leaves before what it leaves behind here is looked after.
            Topology::Fused => starter.spawn("gateway", move |cycle| {
                let venue = VenueHalves::new(venue);
                let (mut reading, mut writing) = venue.halves();
                let drained = cycle.run(&mut [
                    &mut reading,
                    &mut ingress,
                    &mut sequencer,
                    &mut risk,
                    &mut writing,
                    &mut egress,
                ]);
                let venue = venue.into_inner();
                let left = Parts::default().with_ingress(&ingress).with_egress(&egress);
                (drained, left.with_venue(&venue).with_risk(risk))
            })?,
            Topology::Split => {
                starter.spawn("sessions", move |cycle| {
                    let drained = cycle.run(&mut [&mut ingress, &mut egress]);
                    (
                        drained,
                        Parts::default().with_ingress(&ingress).with_egress(&egress),
                    )
                })?;
                starter.spawn("deciding", move |cycle| {
                    let drained = cycle.run(&mut [&mut sequencer, &mut risk, &mut venue]);
                    (drained, Parts::default().with_venue(&venue).with_risk(risk))
                })?;
            }
            Topology::Dedicated => {
                starter.spawn_each(ingress, sequencer, risk, venue, egress)?;
            }
        }
        if let Some(log) = log {
            starter.spawn_log(log)?;
        }
        Ok(Self {
            handles: starter.handles,
            duties: starter.duties,
        })
    }

    /// How each thread of agents spends its time, for whoever asks first.
    pub(super) fn take_duties(&mut self) -> Vec<DutyReader> {
        std::mem::take(&mut self.duties)
    }

    /// Waits for all threads to end.
    ///
    /// # Panics
    /// If one of them did: its invariant was broken, and so the gateway's.
    pub(super) fn join(self) -> Finished {
        let mut all_drained = true;
        let mut left = Parts::default();
        for handle in self.handles {
            let (drained, part) = handle.join().expect("an agent's invariant was broken");
            all_drained &= drained;
            left.merge(part);
        }
        let (core, latencies) = left.risk.expect("each topology has a risk agent");
        Finished {
            drained: all_drained,
            core,
            latencies,
            engine: left.engine,
            ingress: left.ingress.unwrap_or_default(),
            egress: left.egress.unwrap_or_default(),
        }
    }

    /// Whether a thread has ended on its own.
    pub(super) fn any_ended(&self) -> bool {
        self.handles.iter().any(JoinHandle::is_finished)
    }
}

struct Starter<'a> {
    handles: Vec<JoinHandle<(bool, Parts)>>,
    duties: Vec<DutyReader>,
    behaviour: &'a Behaviour,
    stop: &'a StopFlag,
}

/// What a thread runs its agents with.
struct Cycle {
    idle: IdleStrategy,
    seat: Seat,
    duty: DutyWriter,
}

impl Cycle {
    fn run(self, agents: &mut [&mut dyn Agent]) -> bool {
        // On the thread that reads it: counters of cores need not agree.
        let clock = TscClock::new();
        run(agents, &clock, self.idle, self.seat, self.duty)
    }
}

impl Starter<'_> {
    fn spawn(
        &mut self,
        name: &'static str,
        work: impl FnOnce(Cycle) -> (bool, Parts) + Send + 'static,
    ) -> io::Result<()> {
        let core = self.behaviour.cores.get(self.handles.len()).copied();
        let idle = self.idle();
        let duty = DutyWriter::default();
        self.duties.push(duty.reader());
        let cycle = Cycle {
            idle,
            seat: self.stop.take_seat(),
            duty,
        };
        let handle = Builder::new().name(name.to_owned()).spawn(move || {
            if let Some(core) = core
                && let Err(error) = pin_to_core(core)
            {
                eprintln!("thread {name}: {error}");
            }
            work(cycle)
        })?;
        self.handles.push(handle);
        Ok(())
    }

    /// What a thread does without work. The log's too: what leaves waits for it.
    const fn idle(&self) -> IdleStrategy {
        idle(self.behaviour.idle)
    }

    /// A thread for each agent.
    fn spawn_each(
        &mut self,
        mut ingress: Ingress<TcpInbound>,
        mut sequencer: Sequencer,
        mut risk: RiskAgent,
        mut venue: Venue<VenueKind>,
        mut egress: Egress<TcpOutbound>,
    ) -> io::Result<()> {
        self.spawn("ingress", move |cycle| {
            (
                cycle.run(&mut [&mut ingress]),
                Parts::default().with_ingress(&ingress),
            )
        })?;
        self.spawn("sequencer", move |cycle| {
            (cycle.run(&mut [&mut sequencer]), Parts::default())
        })?;
        self.spawn("risk", move |cycle| {
            (
                cycle.run(&mut [&mut risk]),
                Parts::default().with_risk(risk),
            )
        })?;
        self.spawn("venue", move |cycle| {
            (
                cycle.run(&mut [&mut venue]),
                Parts::default().with_venue(&venue),
            )
        })?;
        self.spawn("egress", move |cycle| {
            (
                cycle.run(&mut [&mut egress]),
                Parts::default().with_egress(&egress),
            )
        })
    }

    /// Beside the pinned threads, since it blocks on files, and behind them: it ends last, so that
    /// it has whatever was applied.
    fn spawn_log(&mut self, mut log: Log<Disk>) -> io::Result<()> {
        let stop = self.stop.clone();
        let idle = self.idle();
        let handle = Builder::new().name("log".to_owned()).spawn(move || {
            let drained = run_behind(&mut log, &SystemClock, idle, &stop);
            let synced = log.sync();
            if let Err(error) = &synced {
                eprintln!("journal: the end of it may not be on the disk: {error}");
            }
            (drained && synced.is_ok(), Parts::default())
        })?;
        self.handles.push(handle);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaviour(topology: Topology, idle: Idle, cores: &[usize]) -> Behaviour {
        Behaviour {
            topology,
            idle,
            cores: cores.to_vec(),
        }
    }

    #[test]
    fn threads_without_a_core_are_named() {
        let notes = behaviour(Topology::Dedicated, Idle::Yield, &[0, 1]).notes();
        let note = "[threads] cores names 2 for 5 threads; not pinned: risk, venue, egress";
        assert_eq!(notes, [note]);
        for unpinned in [Topology::Fused, Topology::Split, Topology::Dedicated] {
            assert!(behaviour(unpinned, Idle::Park, &[]).notes().is_empty());
        }
        let whole = behaviour(Topology::Split, Idle::Yield, &[0, 1]);
        assert!(whole.notes().is_empty());
    }
}
