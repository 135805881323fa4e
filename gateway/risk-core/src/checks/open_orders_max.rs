//! The account has fewer than open_orders_max open orders.
//!
//! Risk thread. Not evaluated for a replace, which opens none. Boundary: the last one passes. Unset:
//! fails.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct OpenOrdersMax;

impl Check for OpenOrdersMax {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 26,
        name: "OPEN_ORDERS_MAX",
        band: Band::Size,
        judges_reducing: false,
        fields: &[("account", "open_orders_max")],
        ouch_reason: 0x001E,
        fix_reason: 3,
        summary: "the account has open_orders_max open orders",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        !view.replace && view.open.orders + 1 > view.limits.open_orders_max
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        i64::from(glance.account.open_orders) < glance.limits.open_orders_max
    }

    fn explain(view: &View<'_>) -> Explanation {
        let limit = view.limits.open_orders_max;
        Explanation::of(limit.into(), view.open.orders.into(), 1, 0)
    }
}
