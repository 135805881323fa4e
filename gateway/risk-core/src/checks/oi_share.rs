//! One account's part in the open interest of a side stays within oi_share_max.
//!
//! Risk thread. Unit: lots. Boundary: equal passes; an order that adds nothing passes.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct OiShare;

impl Check for OiShare {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 40,
        name: "OI_SHARE",
        band: Band::Exposure,
        judges_reducing: false,
        fields: &[("instrument", "oi_share_max")],
        ouch_reason: 0x0020,
        fix_reason: 3,
        summary: "the share of one account in open interest would pass oi_share_max",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        let interest = &view.interest;
        interest.would > interest.was && interest.would > i128::from(view.instrument.oi_share_max)
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.would_be <= glance.instrument_limits.oi_share_max
    }

    fn explain(view: &View<'_>) -> Explanation {
        let interest = &view.interest;
        let rise = interest.would - interest.was;
        let limit = i128::from(view.instrument.oi_share_max);
        let free = (limit - interest.was).max(0);
        Explanation::of(
            limit,
            interest.was,
            rise,
            i128::from(view.qty) - rise + free,
        )
    }
}
