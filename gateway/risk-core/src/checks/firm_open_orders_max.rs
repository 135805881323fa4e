//! Firm and clearing member have fewer than their open_orders_max open orders.
//!
//! Risk thread. As OPEN_ORDERS_MAX, over all accounts of the firm.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct FirmOpenOrdersMax;

impl Check for FirmOpenOrdersMax {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 27,
        name: "FIRM_OPEN_ORDERS_MAX",
        band: Band::Size,
        judges_reducing: false,
        fields: &[("firm", "open_orders_max")],
        ouch_reason: 0x001E,
        fix_reason: 3,
        summary: "firm or clearing member has open_orders_max open orders",
    };
    const READS_FIRM: bool = true;

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        let firm = view.firm_open.orders + 1 > view.firm_limits.open_orders_max;
        let member = view.member_open.orders + 1 > view.member_limits.open_orders_max;
        !view.replace && (firm || member)
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.firm.open_orders < glance.firm.limits.open_orders_max
    }

    fn explain(view: &View<'_>) -> Explanation {
        let firm = view.firm_open.orders + 1 > view.firm_limits.open_orders_max;
        let (limit, used) = if firm {
            (view.firm_limits.open_orders_max, view.firm_open.orders)
        } else {
            (view.member_limits.open_orders_max, view.member_open.orders)
        };
        Explanation::of(limit.into(), used.into(), 1, 0)
    }
}
