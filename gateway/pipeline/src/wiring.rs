//! The rings between the agents, by who holds each end.
//!
//! Control thread, once, before any agent lives. Invariants: every ring of a gateway is made here, but for
//! the one to the log, which not each gateway has; the ring to the venue holds what may come while no order
//! is sequenced. It must never know what the sizes are for: a server gives room, a simulator little of it.

use crate::ingress::{IngressRings, LoginQuery, LoginVerdict};
use crate::item::{ConnectionItem, ControlItem, EgressItem, Look, VenueItem};
use crate::risk::RiskRings;
use crate::sequencer::SequencerRings;
use crate::stream_reach::{StreamReachWriter, stream_reach};
use portcullis_risk_core::EFFECTS_MAX;
use portcullis_risk_core::limits::LimitTable;
use portcullis_runtime::{
    MessageConsumer, RecordProducer, RingConsumer, RingProducer, message_ring, record_ring, ring,
};

/// Ticks and commands, each with all the effects that it may have, whose orders the ring to the venue holds
/// beside those that were sequenced.
const SPARE_EFFECTS: usize = 32;

/// Tables that wait for their flip.
const TABLES: usize = 2;

/// How much room each ring has.
#[derive(Clone, Copy, Debug)]
pub struct RingSizes {
    /// Orders and replaces of clients, in units of records.
    pub orders_units: usize,
    /// Cancels and events, in units of records.
    pub priority_units: usize,
    /// What the engine said, in units of records.
    pub reports_units: usize,
    /// Commands of the control thread, in units of records.
    pub commands_units: usize,
    /// What follows from effects, in units of records.
    pub feedback_units: usize,
    /// What is sequenced and not applied, in units of records.
    pub sequenced_units: usize,
    /// For the engine, in items of the longest kind.
    pub venue_items: usize,
    /// For clients, in items of the longest kind.
    pub egress_items: usize,
    /// For people, in items.
    pub control_items: usize,
    /// Connections that came and went, in items.
    pub connection_items: usize,
    /// Logins that are verified at a time.
    pub logons: usize,
    /// Tables out of force that nobody has taken back.
    pub retired_tables: usize,
    /// Questions to the core.
    pub looks: usize,
    /// Sessions whose streams have a reach.
    pub sessions: usize,
}

impl RingSizes {
    /// The least room of the ring to the venue, in items, where so many units are sequenced at a time. While it
    /// is half full no order is sequenced; the other half has room for those that were, each of two units at
    /// least, and for what follows from a few ticks and commands.
    #[must_use]
    pub const fn venue_items_min(sequenced_units: usize) -> usize {
        2 * (sequenced_units / 2 + SPARE_EFFECTS * EFFECTS_MAX)
    }
}

/// All rings.
#[derive(Debug)]
pub struct Rings {
    /// The agents' ends.
    pub agents: AgentRings,
    /// The ends of the control and the credential thread.
    pub control: ControlRings,
}

/// The agents' ends.
#[derive(Debug)]
pub struct AgentRings {
    /// The ends of ingress.
    pub ingress: IngressRings,
    /// The ends of the sequencer.
    pub sequencer: SequencerRings,
    /// The ends of risk; none to a log yet.
    pub risk: RiskRings,
    /// For the venue agent: what goes to the engine.
    pub venue_orders: MessageConsumer<VenueItem>,
    /// Of the venue agent: what the engine said.
    pub venue_reports: RecordProducer,
    /// For egress: what clients are told.
    pub egress_items: MessageConsumer<EgressItem>,
    /// For egress: connections that came and went.
    pub egress_connections: RingConsumer<ConnectionItem>,
    /// Of egress: how far each stream is.
    pub reach: StreamReachWriter,
}

/// The ends of the control and the credential thread.
#[derive(Debug)]
pub struct ControlRings {
    /// Logins to be verified.
    pub queries: RingConsumer<LoginQuery>,
    /// Those that were.
    pub verdicts: RingProducer<LoginVerdict>,
    /// Commands to be sequenced.
    pub commands: RecordProducer,
    /// What the core says to the people on duty.
    pub items: RingConsumer<ControlItem>,
    /// Tables for coming flips.
    pub tables: RingProducer<Box<LimitTable>>,
    /// Tables out of force.
    pub retired: RingConsumer<Box<LimitTable>>,
    /// Looks into the core.
    pub looks: RingProducer<Look>,
}

impl Rings {
    /// Rings of these sizes.
    ///
    /// # Panics
    /// If the ring to the venue has less than [`RingSizes::venue_items_min`], or a size is 0.
    #[must_use]
    pub fn new(sizes: &RingSizes) -> Self {
        let least = RingSizes::venue_items_min(sizes.sequenced_units);
        assert!(
            sizes.venue_items >= least,
            "the ring to the venue could fill up"
        );
        let (orders, orders_out) = record_ring(sizes.orders_units);
        let (priority, priority_out) = record_ring(sizes.priority_units);
        let (reports, reports_out) = record_ring(sizes.reports_units);
        let (commands, control_out) = record_ring(sizes.commands_units);
        let (feedback, feedback_out) = record_ring(sizes.feedback_units);
        let (sequenced, sequenced_out) = record_ring(sizes.sequenced_units);
        let (venue, venue_orders) = message_ring(sizes.venue_items);
        let (egress, egress_items) = message_ring(sizes.egress_items);
        let (connections, egress_connections) = ring(sizes.connection_items);
        let (control, items) = ring(sizes.control_items);
        let (queries, queries_out) = ring(sizes.logons);
        let (verdicts, verdicts_out) = ring(sizes.logons);
        let (tables, tables_out) = ring(TABLES);
        let (retired, retired_out) = ring(sizes.retired_tables);
        let (looks, looks_out) = ring(sizes.looks);
        let (reach, reach_out) = stream_reach(sizes.sessions);
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

#[cfg(test)]
mod tests {
    use super::*;

    const SEQUENCED_UNITS: usize = 8;

    fn rings(venue_items: usize) -> Rings {
        Rings::new(&RingSizes {
            orders_units: 16,
            priority_units: 16,
            reports_units: 16,
            commands_units: 16,
            feedback_units: 16,
            sequenced_units: SEQUENCED_UNITS,
            venue_items,
            egress_items: 16,
            control_items: 16,
            connection_items: 16,
            logons: 2,
            retired_tables: 1,
            looks: 1,
            sessions: 3,
        })
    }

    #[test]
    fn the_least_room_to_the_venue_will_do_and_no_log_is_there_yet() {
        let rings = rings(RingSizes::venue_items_min(SEQUENCED_UNITS));
        assert!(rings.agents.risk.log.is_none());
    }

    #[test]
    #[should_panic(expected = "the ring to the venue could fill up")]
    fn a_ring_to_the_venue_that_could_fill_up_is_not_made() {
        let _ = rings(RingSizes::venue_items_min(SEQUENCED_UNITS) - 1);
    }
}
