//! The gateway of a run: the agents of the product, wired as the server wires them, on one thread.
//!
//! Owned by the world, which steps each agent by itself and stands for the other threads: credentials and
//! control. It begins anew or goes on from its journal, as the server does. Invariant: nothing here
//! decides.

mod origin;
mod wiring;

pub(crate) use origin::{OpenError, Start, make_snapshot, open};

use crate::market::{HEARTBEAT, Market, ORDERS_MAX};
use crate::plan::Plant;
use crate::venue::Floor;
use origin::Origin;
use portcullis_domain::{Duration, HashSeed, Seq, Timestamp};
use portcullis_journal::MemoryDisk;
use portcullis_pipeline::durability::{Gate, Passage};
use portcullis_pipeline::egress::{Egress, EgressConfig, EgressCounters};
use portcullis_pipeline::ingress::{Ingress, IngressConfig, VenueAbilities};
use portcullis_pipeline::log::Log;
use portcullis_pipeline::resend::{Resender, ResenderConfig, resend_ends};
use portcullis_pipeline::risk::{LatencySink, Risk};
use portcullis_pipeline::sequencer::Sequencer;
use portcullis_pipeline::signals::RiskSignals;
use portcullis_pipeline::venue::{Venue, VenueHalves};
use portcullis_pipeline::wiring::{ControlRings, Rings};
use portcullis_risk_core::RiskCore;
use portcullis_runtime::{Agent, Clock, StopFlag, record_ring};
use portcullis_transport::{MemoryInbound, MemoryOutbound};
use portcullis_wire::soupbin::{ServerLimits, SessionName};
use wiring::{LOG_UNITS, ring_sizes};

/// The name every session has.
pub(crate) const SESSION_NAME: &[u8] = b"DAY1";

/// Orders that wait for links that take nothing.
const PENDING_MAX: usize = 256;

/// What a session's store holds: less than most runs tell, so that the rest comes from the journal.
const STORE_BYTES: usize = 1 << 12;
const STORE_MESSAGES: usize = 24;

/// After how long a record that is not durable is trouble.
const STALL: Duration = Duration::from_ns(100_000_000);

/// An agent of the gateway, or half of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The venue agent's half that brings the engine's reports.
    Reports,
    Ingress,
    Sequencer,
    Risk,
    Log,
    /// Its half that hands orders over.
    Orders,
    Egress,
}

impl Stage {
    /// In the order of the fused topology, the log where its thread would have come round.
    pub(crate) const ALL: [Self; 7] = [
        Self::Reports,
        Self::Ingress,
        Self::Sequencer,
        Self::Risk,
        Self::Log,
        Self::Orders,
        Self::Egress,
    ];
}

/// Latencies are the server's affair.
pub(crate) struct Unmeasured;

impl LatencySink for Unmeasured {
    fn on_orders(&mut self, _waited_ns: u64, _taken_ns: u64, _orders: u64) {}
}

/// The gateway.
pub(crate) struct Gateway {
    ingress: Ingress<MemoryInbound>,
    sequencer: Sequencer,
    risk: Risk<Unmeasured>,
    log: Log<MemoryDisk>,
    /// A thread of its own elsewhere.
    resender: Resender<MemoryDisk, Floor>,
    venue: VenueHalves<Floor>,
    egress: Egress<MemoryOutbound>,
    gate: Gate,
    /// What the other threads hold.
    pub(crate) hands: ControlRings,
}

impl Gateway {
    /// The agents, from where the gateway begins.
    fn new(start: &Start<'_>, origin: Origin, transport: (MemoryInbound, MemoryOutbound)) -> Self {
        let market = start.market;
        let sessions = market.config.sessions as usize;
        let Rings {
            agents: mut rings,
            control: hands,
        } = Rings::new(&ring_sizes(sessions));
        let (records, records_out) = record_ring(LOG_UNITS);
        rings.risk.log = Some(records);
        let signals = RiskSignals::default();
        let (inbound, outbound) = transport;
        let last_trade = market.last_trade.clone();
        let ends = origin.ends;
        let recalled = origin.resumption.as_ref().map_or(Seq::ZERO, |it| it.seq);
        let to_engine = match start.plant {
            Some(Plant::SentEarly) => Gate::open(),
            Some(_) | None => ends.gate.clone(),
        };
        let mut sequencer = Sequencer::new(rings.sequencer, signals.clone());
        if let Some(resumption) = &origin.resumption {
            sequencer = sequencer.resuming(resumption);
        }
        let venue = Venue::new(
            origin.floor,
            rings.venue_orders,
            rings.venue_reports,
            sessions,
            PENDING_MAX,
        );
        let (resending, source) = resend_ends(&rings.reach);
        let journal = ResenderConfig {
            storage: start.disk.clone(),
            prelude: origin.prelude,
            hash_seed: elsewhere(start.clock.now().ns()),
            egress: egress_config(market),
            venue: start.engine.make_aside(market),
            tell: Box::new(|_| {}),
        };
        Self {
            resender: Resender::new(journal, source, start.clock.now()),
            ingress: Ingress::new(
                ingress_config(market, start.connections_max),
                inbound,
                rings.ingress,
                StopFlag::new(),
            ),
            sequencer: sequencer.watching(ends.watch, STALL),
            risk: Risk::new(origin.core, rings.risk, Unmeasured, last_trade, signals),
            log: Log::new(origin.writer, records_out, ends.log, Box::new(|_| {})),
            venue: VenueHalves::new(venue.behind(to_engine, recalled)),
            egress: Egress::over(
                origin.streams,
                outbound,
                rings.egress_items,
                rings.egress_connections,
                rings.reach,
            )
            .behind(ends.gate.clone())
            .resending(resending),
            gate: ends.gate,
            hands,
        }
    }

    /// One duty cycle of one agent.
    pub(crate) fn step(&mut self, stage: Stage, now: Timestamp) {
        let (mut reports, mut orders) = self.venue.halves();
        match stage {
            Stage::Reports => reports.do_work(now),
            Stage::Ingress => self.ingress.do_work(now),
            Stage::Sequencer => self.sequencer.do_work(now),
            Stage::Risk => self.risk.do_work(now),
            Stage::Log => self.log.do_work(now) + self.resender.work(now),
            Stage::Orders => orders.do_work(now),
            Stage::Egress => self.egress.do_work(now),
        };
    }

    /// Whether nothing is under way in it.
    pub(crate) fn is_drained(&self) -> bool {
        self.undrained().is_empty()
    }

    /// The agents that still have something under way.
    pub(crate) fn undrained(&self) -> Vec<&'static str> {
        let (venue, _) = self.venue.halves();
        let agents: [&dyn Agent; 5] =
            [&self.sequencer, &self.risk, &self.log, &venue, &self.egress];
        let busy = agents.into_iter().filter(|agent| !agent.is_drained());
        let mut busy: Vec<_> = busy.map(|agent| agent.name()).collect();
        if !self.resender.is_idle() {
            busy.push("resend");
        }
        busy
    }

    /// The last record that is as durable as the policy asks.
    pub(crate) fn kept(&self) -> Seq {
        self.gate.kept()
    }

    /// Whether the journal is in trouble, so that answers leave before their records are kept.
    pub(crate) fn lets_out_what_is_not_kept(&mut self) -> bool {
        self.gate.passage(u64::MAX) == Passage::Degraded
    }

    /// The core.
    pub(crate) const fn core(&self) -> &RiskCore {
        self.risk.core()
    }

    /// The core, and what the other threads hold.
    pub(crate) const fn desk_side(&mut self) -> (&RiskCore, &mut ControlRings) {
        (self.risk.core(), &mut self.hands)
    }

    /// What egress counted.
    pub(crate) fn told(&self) -> &EgressCounters {
        self.egress.counters()
    }
}

/// A core with nothing in it.
pub(crate) fn core(market: &Market) -> Box<RiskCore> {
    let table = market.table(&market.config);
    Box::new(
        RiskCore::new(&market.capacities(), table, HashSeed::FIXED).expect("the capacities do"),
    )
}

/// Where keys lie in another core than the first: somewhere else each time, as on another machine, so that
/// digests which are equal show that it is nothing to them.
pub(crate) const fn elsewhere(word: u64) -> HashSeed {
    let other = HashSeed::FIXED.scatter(word);
    HashSeed::from_words([other, HashSeed::FIXED.scatter(!other)])
}

fn ingress_config(market: &Market, connections_max: usize) -> IngressConfig {
    IngressConfig {
        session_name: session_name(),
        connections_max,
        profiles: (0..market.config.sessions)
            .map(|session| market.profile(session))
            .collect(),
        symbols: market.symbols(),
        abilities: VenueAbilities::LADDER,
        limits: ServerLimits::default(),
    }
}

fn egress_config(market: &Market) -> EgressConfig {
    EgressConfig {
        session_name: session_name(),
        heartbeats: vec![HEARTBEAT; market.config.sessions as usize],
        orders_max: (ORDERS_MAX as usize) + market.config.accounts.len(),
        store_bytes: STORE_BYTES,
        store_messages: STORE_MESSAGES,
        symbols: market.symbols(),
    }
}

fn session_name() -> SessionName {
    SessionName::new(SESSION_NAME).expect("four letters")
}
