//! If all open orders of the order's side filled, the position stays within position_max.
//!
//! Risk thread. Buy: n + B + q; sell: S + q - n. Unit: lots. Of a replace, q is the hold it would have,
//! in place of its own. Boundary: equal passes. Unset: fails.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;
use portcullis_domain::Qty;

pub(crate) struct PositionMax;

impl Check for PositionMax {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 34,
        name: "POSITION_MAX",
        band: Band::Exposure,
        judges_reducing: false,
        fields: &[("account", "position_max")],
        ouch_reason: 0x0020,
        fix_reason: 3,
        summary: "the worst-case position would pass position_max",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        used(view) + i128::from(view.hold) > i128::from(view.limits.position_max)
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.would_be <= glance.limits.position_max
    }

    fn explain(view: &View<'_>) -> Explanation {
        let limit = i128::from(view.limits.position_max);
        Explanation::of(limit, used(view), view.hold.into(), limit - used(view))
    }
}

#[inline(always)]
fn used(view: &View<'_>) -> i128 {
    i128::from(view.on_hold) + i128::from(view.side.signed(Qty::new(view.net)).lots())
}
