//! Price x quantity of the account's open orders, this one included, is at most open_notional_max.
//!
//! Risk thread. Unit: quanta. Without a price (a market order without a reference) passed over.
//! Boundary: equal passes. Unset: fails.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct OpenNotionalMax;

impl Check for OpenNotionalMax {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 35,
        name: "OPEN_NOTIONAL_MAX",
        band: Band::Exposure,
        judges_reducing: false,
        fields: &[("account", "open_notional_max")],
        ouch_reason: 0x0020,
        fix_reason: 3,
        summary: "price x quantity of all open orders would pass open_notional_max",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        let limit = i128::from(view.limits.open_notional_max);
        view.hold_notional
            .is_some_and(|hold| view.open.notional.saturating_add(hold) > limit)
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        let free = glance.limits.open_notional_max.checked_sub(glance.notional);
        free.is_some_and(|free| glance.account.open_notional <= i128::from(free))
    }

    fn explain(view: &View<'_>) -> Explanation {
        let limit = view.limits.open_notional_max.into();
        super::explain_notional(view, limit, view.open.notional)
    }
}
