//! There is a slot for the account's position in the instrument.
//!
//! Risk thread. A reducing order has one already. A bound fixed at start, not a limit.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct PositionsFull;

impl Check for PositionsFull {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 14,
        name: "POSITIONS_FULL",
        band: Band::Venue,
        judges_reducing: false,
        fields: &[],
        ouch_reason: 0x000A,
        fix_reason: 99,
        summary: "no position slot is free",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        !view.position_slot
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        // It has one: that is what a glance begins with.
        let _ = glance;
        true
    }

    fn explain(_view: &View<'_>) -> Explanation {
        Explanation::default()
    }
}
