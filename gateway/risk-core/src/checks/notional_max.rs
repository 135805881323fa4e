//! One order's price x quantity is at most notional_max: the smallest of account, firm and clearing
//! member.
//!
//! Risk thread. Unit: quanta. A market order counts at its protection price; without a reference it is
//! passed over. Boundary: equal passes. Unset: fails.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct NotionalMax;

impl Check for NotionalMax {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 25,
        name: "NOTIONAL_MAX",
        band: Band::Size,
        judges_reducing: false,
        fields: &[("account", "notional_max"), ("firm", "notional_max")],
        ouch_reason: 0x0030,
        fix_reason: 3,
        summary: "price x quantity of the order is above notional_max",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.notional
            .is_some_and(|notional| notional > notional_max(view))
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.notional <= glance.limits.notional_max
            && glance.notional <= glance.firm.limits.notional_max
    }

    fn explain(view: &View<'_>) -> Explanation {
        let limit = notional_max(view);
        let passing = super::per_lot(view).map_or(0, |per_lot| limit.div_euclid(per_lot));
        Explanation::of(limit, 0, view.notional.unwrap_or(0), passing)
    }
}

fn notional_max(view: &View<'_>) -> i128 {
    view.limits
        .notional_max
        .min(view.firm_limits.notional_max)
        .into()
}
