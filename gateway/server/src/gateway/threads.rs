//! Threads: which agents share one, where it runs, and what is left when it has ended.
//!
//! The code of an agent is the same in each topology; only this file differs.

use super::latency::Latencies;
use super::venue_kind::{EngineFigures, VenueKind};
use portcullis_control::config::{Idle, Topology};
use portcullis_pipeline::egress::{Egress, EgressCounters};
use portcullis_pipeline::ingress::{Ingress, IngressCounters};
use portcullis_pipeline::log::Log;
use portcullis_pipeline::risk::Risk;
use portcullis_pipeline::sequencer::Sequencer;
use portcullis_pipeline::venue::Venue;
use portcullis_risk_core::RiskCore;
use portcullis_runtime::{Agent, IdleStrategy, StopFlag, SystemClock, pin_to_core, run};
use portcullis_transport::{TcpInbound, TcpOutbound};
use std::fs::File;
use std::io::{self, BufWriter};
use std::thread::{Builder, JoinHandle};

/// A sleep of a parked thread.
const PARK_NS: u64 = 50_000;

type RiskAgent = Risk<SystemClock, Latencies>;

/// All agents of a gateway.
pub(super) struct Agents {
    pub(super) ingress: Ingress<TcpInbound>,
    pub(super) sequencer: Sequencer,
    pub(super) risk: RiskAgent,
    pub(super) venue: Venue<VenueKind>,
    pub(super) egress: Egress<TcpOutbound>,
    pub(super) log: Option<Log<BufWriter<File>>>,
}

/// How threads behave.
#[derive(Clone, Debug)]
pub(super) struct Behaviour {
    pub(super) topology: Topology,
    pub(super) idle: Idle,
    pub(super) cores: Vec<usize>,
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

/// What threads leave, gathered.
#[derive(Default)]
struct Left {
    risk: Option<(Box<RiskCore>, Latencies)>,
    engine: Option<EngineFigures>,
    ingress: Option<IngressCounters>,
    egress: Option<EgressCounters>,
}

impl Left {
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
    handles: Vec<JoinHandle<(bool, Left)>>,
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
        let mut starter = Starter {
            handles: Vec::new(),
            behaviour,
            stop,
        };
        match behaviour.topology {
            // Both ends are read before anything is decided, and what was decided is written before
            // either end is read again: no fruitless read stands in the way of an order or a report.
            Topology::Fused => starter.spawn("gateway", move |cycle| {
                let drained = cycle.run(&mut [
                    &mut venue,
                    &mut ingress,
                    &mut sequencer,
                    &mut risk,
                    &mut egress,
                ]);
                let left = Left::default().with_ingress(&ingress).with_egress(&egress);
                (drained, left.with_venue(&venue).with_risk(risk))
            })?,
            Topology::Split => {
                starter.spawn("sessions", move |cycle| {
                    let drained = cycle.run(&mut [&mut ingress, &mut egress]);
                    (
                        drained,
                        Left::default().with_ingress(&ingress).with_egress(&egress),
                    )
                })?;
                starter.spawn("deciding", move |cycle| {
                    let drained = cycle.run(&mut [&mut sequencer, &mut risk, &mut venue]);
                    (drained, Left::default().with_venue(&venue).with_risk(risk))
                })?;
            }
            Topology::Dedicated => {
                starter.spawn_each(ingress, sequencer, risk, venue, egress)?;
            }
        }
        if let Some(mut log) = log {
            starter.spawn_unpinned("log", move |cycle| {
                (cycle.run(&mut [&mut log]), Left::default())
            })?;
        }
        Ok(Self {
            handles: starter.handles,
        })
    }

    /// Waits for all threads to end.
    ///
    /// # Panics
    /// If one of them did: its invariant was broken, and so the gateway's.
    pub(super) fn join(self) -> Finished {
        let mut all_drained = true;
        let mut left = Left::default();
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
    handles: Vec<JoinHandle<(bool, Left)>>,
    behaviour: &'a Behaviour,
    stop: &'a StopFlag,
}

/// What a thread runs its agents with.
struct Cycle {
    idle: IdleStrategy,
    stop: StopFlag,
}

impl Cycle {
    fn run(&self, agents: &mut [&mut dyn Agent]) -> bool {
        run(agents, &SystemClock, self.idle, &self.stop)
    }
}

impl Starter<'_> {
    fn spawn(
        &mut self,
        name: &'static str,
        work: impl FnOnce(Cycle) -> (bool, Left) + Send + 'static,
    ) -> io::Result<()> {
        let core = self.behaviour.cores.get(self.handles.len()).copied();
        let idle = match self.behaviour.idle {
            Idle::Busy => IdleStrategy::Busy,
            Idle::Yield => IdleStrategy::yielding(),
            Idle::Park => IdleStrategy::Park { span_ns: PARK_NS },
        };
        self.spawn_on(name, core, idle, work)
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
                Left::default().with_ingress(&ingress),
            )
        })?;
        self.spawn("sequencer", move |cycle| {
            (cycle.run(&mut [&mut sequencer]), Left::default())
        })?;
        self.spawn("risk", move |cycle| {
            (cycle.run(&mut [&mut risk]), Left::default().with_risk(risk))
        })?;
        self.spawn("venue", move |cycle| {
            (
                cycle.run(&mut [&mut venue]),
                Left::default().with_venue(&venue),
            )
        })?;
        self.spawn("egress", move |cycle| {
            (
                cycle.run(&mut [&mut egress]),
                Left::default().with_egress(&egress),
            )
        })
    }

    /// Beside the pinned threads: it blocks on files.
    fn spawn_unpinned(
        &mut self,
        name: &'static str,
        work: impl FnOnce(Cycle) -> (bool, Left) + Send + 'static,
    ) -> io::Result<()> {
        self.spawn_on(name, None, IdleStrategy::Park { span_ns: PARK_NS }, work)
    }

    fn spawn_on(
        &mut self,
        name: &'static str,
        core: Option<usize>,
        idle: IdleStrategy,
        work: impl FnOnce(Cycle) -> (bool, Left) + Send + 'static,
    ) -> io::Result<()> {
        let cycle = Cycle {
            idle,
            stop: self.stop.clone(),
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
}
