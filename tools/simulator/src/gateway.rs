//! The gateway of a run: the agents of the product, wired as the server wires them, on one thread.
//!
//! Owned by the world, which steps each agent by itself and stands for the other threads: credentials,
//! control, log. Invariants: nothing here decides; rings are as small as they may be, so that they
//! fill up.

use crate::clock::SimClock;
use crate::market::{HEARTBEAT, Market, ORDERS_MAX};
use crate::venue::Floor;
use portcullis_domain::{Command, Record, Timestamp};
use portcullis_pipeline::egress::{Egress, EgressConfig, EgressCounters};
use portcullis_pipeline::ingress::{
    Ingress, IngressConfig, IngressRings, LoginQuery, LoginVerdict, VenueAbilities,
};
use portcullis_pipeline::item::{ConnectionItem, ControlItem, EgressItem, VenueItem};
use portcullis_pipeline::risk::{LatencySink, Risk, RiskRings};
use portcullis_pipeline::sequencer::{Sequencer, SequencerRings};
use portcullis_pipeline::signals::RiskSignals;
use portcullis_pipeline::stream_reach::{StreamReachWriter, stream_reach};
use portcullis_pipeline::venue::Venue;
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{EFFECTS_MAX, RiskCore};
use portcullis_runtime::{
    Agent, MessageConsumer, RecordConsumer, RecordProducer, RingConsumer, RingProducer, StopFlag,
    message_ring, record_ring, ring,
};
use portcullis_transport::{MemoryInbound, MemoryOutbound};
use portcullis_wire::soupbin::{ServerLimits, SessionName};

/// The name every session has.
pub(crate) const SESSION_NAME: &[u8] = b"DAY1";

/// Units of the lanes, the reports and the commands.
const LANE_UNITS: usize = 128;
const SEQUENCED_UNITS: usize = 64;
const LOG_UNITS: usize = 128;

/// What follows from effects: much more than is sequenced at a time, as the server has it, or risk would
/// wait for room in it while the sequencer waits for room to risk.
const FEEDBACK_UNITS: usize = 1_024;

/// As the server sizes it: while half full no order is sequenced, and the other half has room for
/// those that were and for what follows from a few ticks.
const VENUE_ITEMS: usize = 2 * (SEQUENCED_UNITS / 2 + 32 * EFFECTS_MAX);
const EGRESS_ITEMS: usize = 4 * EFFECTS_MAX;
const CONTROL_ITEMS: usize = 2 * EFFECTS_MAX;

/// Orders that wait for links that take nothing.
const PENDING_MAX: usize = 256;

/// What a session's store holds: more than a run tells.
const STORE_BYTES: usize = 1 << 17;
const STORE_MESSAGES: usize = 2_048;

/// An agent of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Ingress,
    Sequencer,
    Risk,
    Venue,
    Egress,
}

impl Stage {
    /// In the order of the fused topology.
    pub(crate) const ALL: [Self; 5] = [
        Self::Ingress,
        Self::Sequencer,
        Self::Risk,
        Self::Venue,
        Self::Egress,
    ];
}

/// Latencies are the server's affair.
pub(crate) struct Unmeasured;

impl LatencySink for Unmeasured {
    fn on_order(&mut self, _taken_ns: u64) {}
}

/// The gateway.
pub(crate) struct Gateway {
    ingress: Ingress<MemoryInbound>,
    sequencer: Sequencer,
    risk: Risk<SimClock, Unmeasured>,
    venue: Venue<Floor>,
    egress: Egress<MemoryOutbound>,
    /// What the other threads hold.
    pub(crate) hands: Hands,
}

/// The ends of rings that belong to other threads.
pub(crate) struct Hands {
    /// Logins to be verified.
    pub(crate) queries: RingConsumer<LoginQuery>,
    /// Those that were.
    pub(crate) verdicts: RingProducer<LoginVerdict>,
    /// Commands to be sequenced.
    pub(crate) commands: RecordProducer,
    /// What the core says to the people on duty.
    pub(crate) items: RingConsumer<ControlItem>,
    /// Tables for coming flips.
    pub(crate) tables: RingProducer<Box<LimitTable>>,
    /// Tables out of force.
    pub(crate) retired: RingConsumer<Box<LimitTable>>,
    /// Each record, as it was sequenced.
    pub(crate) log: RecordConsumer,
}

/// All rings, by the agent that holds each end.
struct Wiring {
    ingress: IngressRings,
    sequencer: SequencerRings,
    risk: RiskRings,
    venue_orders: MessageConsumer<VenueItem>,
    venue_reports: RecordProducer,
    egress_items: MessageConsumer<EgressItem>,
    egress_connections: RingConsumer<ConnectionItem>,
    reach: StreamReachWriter,
    hands: Hands,
}

impl Wiring {
    fn new(sessions: usize) -> Self {
        let (orders, orders_out) = record_ring(LANE_UNITS);
        let (priority, priority_out) = record_ring(LANE_UNITS);
        let (reports, reports_out) = record_ring(LANE_UNITS);
        let (commands, control_out) = record_ring(LANE_UNITS);
        let (feedback, feedback_out) = record_ring(FEEDBACK_UNITS);
        let (sequenced, sequenced_out) = record_ring(SEQUENCED_UNITS);
        let (log, log_out) = record_ring(LOG_UNITS);
        let (venue, venue_orders) = message_ring(VENUE_ITEMS);
        let (egress, egress_items) = message_ring(EGRESS_ITEMS);
        let (connections, egress_connections) = ring(64);
        let (control, items) = ring(CONTROL_ITEMS);
        let (queries, queries_out) = ring(8);
        let (verdicts, verdicts_out) = ring(8);
        let (tables, tables_out) = ring(2);
        let (retired, retired_out) = ring(4);
        let (reach, reach_out) = stream_reach(sessions);
        Self {
            ingress: IngressRings {
                orders,
                priority,
                connections,
                queries,
                verdicts: verdicts_out,
                reach: reach_out,
            },
            sequencer: SequencerRings {
                control: control_out,
                reports: reports_out,
                feedback: feedback_out,
                priority: priority_out,
                orders: orders_out,
                sequenced,
            },
            risk: RiskRings {
                records: sequenced_out,
                venue,
                egress,
                control,
                log: Some(log),
                feedback,
                tables: tables_out,
                retired,
                looks: ring(1).1,
            },
            venue_orders,
            venue_reports: reports,
            egress_items,
            egress_connections,
            reach,
            hands: Hands {
                queries: queries_out,
                verdicts,
                commands,
                items,
                tables,
                retired: retired_out,
                log: log_out,
            },
        }
    }
}

impl Gateway {
    /// A gateway that was never up before.
    pub(crate) fn new(
        market: &Market,
        transport: (MemoryInbound, MemoryOutbound),
        floor: Floor,
        clock: SimClock,
        connections_max: usize,
    ) -> Self {
        let sessions = market.config.sessions as usize;
        let wiring = Wiring::new(sessions);
        let signals = RiskSignals::default();
        let (inbound, outbound) = transport;
        let last_trade = market.last_trade.clone();
        Self {
            ingress: Ingress::new(
                ingress_config(market, connections_max),
                inbound,
                wiring.ingress,
                StopFlag::new(),
            ),
            sequencer: Sequencer::new(wiring.sequencer, signals.clone()),
            risk: Risk::new(
                core(market),
                wiring.risk,
                clock,
                Unmeasured,
                last_trade,
                signals,
            ),
            venue: Venue::new(
                floor,
                wiring.venue_orders,
                wiring.venue_reports,
                sessions,
                PENDING_MAX,
            ),
            egress: Egress::new(
                &egress_config(market),
                outbound,
                wiring.egress_items,
                wiring.egress_connections,
                wiring.reach,
            ),
            hands: wiring.hands,
        }
    }

    /// One duty cycle of one agent.
    pub(crate) fn step(&mut self, stage: Stage, now: Timestamp) {
        match stage {
            Stage::Ingress => self.ingress.do_work(now),
            Stage::Sequencer => self.sequencer.do_work(now),
            Stage::Risk => self.risk.do_work(now),
            Stage::Venue => self.venue.do_work(now),
            Stage::Egress => self.egress.do_work(now),
        };
    }

    /// Whether nothing is under way in it.
    pub(crate) fn is_drained(&self) -> bool {
        self.sequencer.is_drained()
            && self.risk.is_drained()
            && self.venue.is_drained()
            && self.egress.is_drained()
    }

    /// The core.
    pub(crate) const fn core(&self) -> &RiskCore {
        self.risk.core()
    }

    /// What egress counted.
    pub(crate) const fn told(&self) -> &EgressCounters {
        self.egress.counters()
    }
}

impl Hands {
    /// Asks for a command under a number; `false` where there is no room.
    pub(crate) fn ask(&mut self, command: &Command, request: u32, now: Timestamp) -> bool {
        let mut head = command.encode();
        head.number = request;
        head.timestamp_ns = now.ns();
        self.commands.push(&Record::bare(head))
    }
}

/// A core with nothing in it.
pub(crate) fn core(market: &Market) -> Box<RiskCore> {
    let table = market.table(&market.config);
    Box::new(RiskCore::new(&market.capacities(), table).expect("the capacities do"))
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
