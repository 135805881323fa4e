//! How little room the rings of a run have.
//!
//! Once a start. Invariant: rings are as small as they may be, so that they fill up.

use portcullis_pipeline::wiring::RingSizes;
use portcullis_risk_core::EFFECTS_MAX;

/// Units of the lanes, the reports and the commands.
const LANE_UNITS: usize = 128;
const SEQUENCED_UNITS: usize = 64;
pub(super) const LOG_UNITS: usize = 128;

/// What follows from effects: much more than is sequenced at a time, as the server has it, or risk would
/// wait for room in it while the sequencer waits for room to risk.
const FEEDBACK_UNITS: usize = 1_024;

/// The sizes of all rings but the one to the log.
pub(super) const fn ring_sizes(sessions: usize) -> RingSizes {
    RingSizes {
        orders_units: LANE_UNITS,
        priority_units: LANE_UNITS,
        reports_units: LANE_UNITS,
        commands_units: LANE_UNITS,
        feedback_units: FEEDBACK_UNITS,
        sequenced_units: SEQUENCED_UNITS,
        venue_items: RingSizes::venue_items_min(SEQUENCED_UNITS),
        egress_items: 4 * EFFECTS_MAX,
        control_items: 2 * EFFECTS_MAX,
        connection_items: 64,
        logons: 8,
        retired_tables: 4,
        looks: 1,
        sessions,
    }
}
