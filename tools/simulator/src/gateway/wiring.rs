//! The rings between the agents, by the agent that holds each end, and what other threads hold.
//!
//! Made once a start. Invariant: rings are as small as they may be, so that they fill up.

use portcullis_domain::{Command, Record, Timestamp};
use portcullis_pipeline::ingress::{IngressRings, LoginQuery, LoginVerdict};
use portcullis_pipeline::item::{ConnectionItem, ControlItem, EgressItem, VenueItem};
use portcullis_pipeline::risk::RiskRings;
use portcullis_pipeline::sequencer::SequencerRings;
use portcullis_pipeline::stream_reach::{StreamReachWriter, stream_reach};
use portcullis_risk_core::EFFECTS_MAX;
use portcullis_risk_core::limits::LimitTable;
use portcullis_runtime::{
    MessageConsumer, RecordConsumer, RecordProducer, RingConsumer, RingProducer, message_ring,
    record_ring, ring,
};

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
}

/// All rings, by the agent that holds each end.
pub(super) struct Wiring {
    pub(super) ingress: IngressRings,
    pub(super) sequencer: SequencerRings,
    pub(super) risk: RiskRings,
    /// Each record, for the log agent.
    pub(super) log: RecordConsumer,
    pub(super) venue_orders: MessageConsumer<VenueItem>,
    pub(super) venue_reports: RecordProducer,
    pub(super) egress_items: MessageConsumer<EgressItem>,
    pub(super) egress_connections: RingConsumer<ConnectionItem>,
    pub(super) reach: StreamReachWriter,
    pub(super) hands: Hands,
}

impl Wiring {
    pub(super) fn new(sessions: usize) -> Self {
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
            log: log_out,
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
            },
        }
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
