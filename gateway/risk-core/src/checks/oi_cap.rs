//! The open interest that the order's side could come to stays within oi_cap.
//!
//! Risk thread. Only what opens counts: `would` over `was`. Unit: lots. Boundary: equal passes; an order
//! that adds nothing passes whatever the total.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct OiCap;

impl Check for OiCap {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 39,
        name: "OI_CAP",
        band: Band::Exposure,
        judges_reducing: false,
        fields: &[("instrument", "oi_cap")],
        ouch_reason: 0x0020,
        fix_reason: 3,
        summary: "the side's open interest would pass oi_cap",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        let interest = &view.interest;
        let rise = interest.would - interest.was;
        rise > 0 && interest.total + rise > i128::from(view.instrument.oi_cap)
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        // What does not reduce raises it: by the whole order, or by what it leaves beyond flat.
        let rise = glance.qty.min(glance.would_be);
        let total = glance.interest_total().checked_add(rise);
        total.is_some_and(|total| total <= glance.instrument_limits.oi_cap)
    }

    fn explain(view: &View<'_>) -> Explanation {
        let interest = &view.interest;
        let rise = interest.would - interest.was;
        let limit = i128::from(view.instrument.oi_cap);
        let free = (limit - interest.total).max(0);
        Explanation::of(
            limit,
            interest.total,
            rise,
            i128::from(view.qty) - rise + free,
        )
    }
}
