//! There is a slot for the order, or for one more version of it.
//!
//! Risk thread. Each account keeps a few slots that only its reducing orders use; those are counted
//! before this check is judged. A bound fixed at start, not a limit.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct OrdersFull;

impl Check for OrdersFull {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 13,
        name: "ORDERS_FULL",
        band: Band::Venue,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x000A,
        fix_reason: 99,
        summary: "no order slot is free; reducing orders have a few of their own",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        !view.order_slot
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.orders.general_has_room()
    }

    fn explain(_view: &View<'_>) -> Explanation {
        Explanation::default()
    }
}
