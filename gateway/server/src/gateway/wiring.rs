//! The rings between the agents, by the agent that holds each end.
//!
//! Control thread, once. Invariant: every ring of a gateway is made here, with the room the config gives it.

use portcullis_control::config::Config;
use portcullis_domain::UNIT_BYTES;
use portcullis_pipeline::ingress::{IngressRings, LoginQuery, LoginVerdict};
use portcullis_pipeline::item::{ConnectionItem, ControlItem, EgressItem, Look, VenueItem};
use portcullis_pipeline::risk::RiskRings;
use portcullis_pipeline::sequencer::SequencerRings;
use portcullis_pipeline::stream_reach::{StreamReachWriter, stream_reach};
use portcullis_risk_core::EFFECTS_MAX;
use portcullis_risk_core::limits::LimitTable;
use portcullis_runtime::{
    MessageConsumer, RecordProducer, RingConsumer, RingProducer, message_ring, record_ring, ring,
};

/// Rings of items, in items of the longest kind.
const VENUE_ITEMS: usize = 12_288;
const EGRESS_ITEMS: usize = 8_192;
const CONTROL_ITEMS: usize = 8_192;
const CONNECTION_ITEMS: usize = 4_096;
const FEEDBACK_UNITS: usize = 4_096;
const SEQUENCED_UNITS: usize = 8_192;

/// While the ring to the venue is half full no order is sequenced; the other half has room for those
/// that were, each of two units at least, and for what follows from a few ticks and commands.
const _: () = assert!(VENUE_ITEMS / 2 >= SEQUENCED_UNITS / 2 + 32 * EFFECTS_MAX);

/// All rings.
pub(super) struct Wiring {
    pub(super) agents: AgentRings,
    pub(super) control: ControlRings,
}

/// The agents' ends.
pub(super) struct AgentRings {
    pub(super) ingress: IngressRings,
    pub(super) sequencer: SequencerRings,
    pub(super) risk: RiskRings,
    pub(super) venue_orders: MessageConsumer<VenueItem>,
    pub(super) venue_reports: RecordProducer,
    pub(super) egress_items: MessageConsumer<EgressItem>,
    pub(super) egress_connections: RingConsumer<ConnectionItem>,
    pub(super) reach: StreamReachWriter,
    /// Units of the ring to the log, where there is one.
    pub(super) log_units: usize,
}

/// The ends of the control and the credential thread.
pub(super) struct ControlRings {
    pub(super) queries: RingConsumer<LoginQuery>,
    pub(super) verdicts: RingProducer<LoginVerdict>,
    pub(super) commands: RecordProducer,
    pub(super) items: RingConsumer<ControlItem>,
    pub(super) tables: RingProducer<Box<LimitTable>>,
    pub(super) retired: RingConsumer<Box<LimitTable>>,
    pub(super) looks: RingProducer<Look>,
}

impl Wiring {
    pub(super) fn new(config: &Config) -> Self {
        let capacities = &config.profile.capacities;
        let units = |bytes: u32| bytes as usize / UNIT_BYTES;
        let logons = capacities.logons_pending_max as usize;
        let (orders, orders_out) = record_ring(units(capacities.order_ring_bytes));
        let (priority, priority_out) = record_ring(units(capacities.cancel_ring_bytes));
        let (reports, reports_out) = record_ring(units(capacities.report_ring_bytes));
        let (commands, control_out) = record_ring(units(capacities.control_ring_bytes));
        let (feedback, feedback_out) = record_ring(FEEDBACK_UNITS);
        let (sequenced, sequenced_out) = record_ring(SEQUENCED_UNITS);
        let (venue, venue_orders) = message_ring(VENUE_ITEMS);
        let (egress, egress_items) = message_ring(EGRESS_ITEMS);
        let (connections, egress_connections) = ring(CONNECTION_ITEMS);
        let (control, items) = ring(CONTROL_ITEMS);
        let (queries, queries_out) = ring(logons);
        let (verdicts, verdicts_out) = ring(logons);
        let (tables, tables_out) = ring(2);
        let (retired, retired_out) = ring(8);
        let (looks, looks_out) = ring(64);
        let (reach, reach_out) = stream_reach(config.sessions.len());
        let agents = AgentRings {
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
                log: None,
                feedback,
                tables: tables_out,
                retired,
                looks: looks_out,
            },
            venue_orders,
            venue_reports: reports,
            egress_items,
            egress_connections,
            reach,
            log_units: units(capacities.log_ring_bytes),
        };
        let control = ControlRings {
            queries: queries_out,
            verdicts,
            commands,
            items,
            tables,
            retired: retired_out,
            looks,
        };
        Self { agents, control }
    }
}
