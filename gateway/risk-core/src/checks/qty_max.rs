//! One order has at most qty_max lots: the smallest of account, firm and clearing member.
//!
//! Risk thread. Of a replace, the new version itself is judged. Boundary: equal passes.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct QtyMax;

impl Check for QtyMax {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 24,
        name: "QTY_MAX",
        band: Band::Size,
        judges_reducing: true,
        fields: &[("account", "qty_max"), ("firm", "qty_max")],
        ouch_reason: 0x0031,
        fix_reason: 13,
        summary: "the order has more lots than qty_max",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.qty > qty_max(view)
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.qty <= glance.limits.qty_max && glance.qty <= glance.firm.limits.qty_max
    }

    fn explain(view: &View<'_>) -> Explanation {
        let limit = qty_max(view);
        Explanation::of(limit.into(), 0, view.qty.into(), limit.into())
    }
}

fn qty_max(view: &View<'_>) -> i64 {
    view.limits.qty_max.min(view.firm_limits.qty_max)
}
