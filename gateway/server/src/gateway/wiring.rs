//! How much room the rings of a server have.
//!
//! Control thread, once. Invariant: what comes from clients, the engine and people has the room that the
//! config gives it; the rest has what its readers need. It must never make a ring itself.

use portcullis_control::config::Config;
use portcullis_domain::UNIT_BYTES;
use portcullis_pipeline::wiring::RingSizes;

/// Rings of items, in items of the longest kind.
const VENUE_ITEMS: usize = 12_288;
const EGRESS_ITEMS: usize = 8_192;
const CONTROL_ITEMS: usize = 8_192;
const CONNECTION_ITEMS: usize = 4_096;
const FEEDBACK_UNITS: usize = 4_096;
const SEQUENCED_UNITS: usize = 8_192;

const _: () = assert!(VENUE_ITEMS >= RingSizes::venue_items_min(SEQUENCED_UNITS));

/// The sizes of all rings but the one to the log.
pub(super) fn ring_sizes(config: &Config) -> RingSizes {
    let capacities = &config.profile.capacities;
    RingSizes {
        orders_units: units(capacities.order_ring_bytes),
        priority_units: units(capacities.cancel_ring_bytes),
        reports_units: units(capacities.report_ring_bytes),
        commands_units: units(capacities.control_ring_bytes),
        feedback_units: FEEDBACK_UNITS,
        sequenced_units: SEQUENCED_UNITS,
        venue_items: VENUE_ITEMS,
        egress_items: EGRESS_ITEMS,
        control_items: CONTROL_ITEMS,
        connection_items: CONNECTION_ITEMS,
        logons: capacities.logons_pending_max as usize,
        retired_tables: 8,
        looks: 64,
        sessions: config.sessions.len(),
    }
}

/// Units of the ring to the log, where there is one.
pub(super) fn log_units(config: &Config) -> usize {
    units(config.profile.capacities.log_ring_bytes)
}

const fn units(bytes: u32) -> usize {
    bytes as usize / UNIT_BYTES
}
