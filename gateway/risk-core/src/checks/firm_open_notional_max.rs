//! Price x quantity of all open orders of the firm, and of its clearing member, stays within theirs.
//!
//! Risk thread. As OPEN_NOTIONAL_MAX, over all accounts of the firm.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct FirmOpenNotionalMax;

impl Check for FirmOpenNotionalMax {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 36,
        name: "FIRM_OPEN_NOTIONAL_MAX",
        band: Band::Exposure,
        judges_reducing: false,
        fields: &[("firm", "open_notional_max")],
        ouch_reason: 0x0020,
        fix_reason: 3,
        summary: "open notional of firm or clearing member would pass open_notional_max",
    };
    const READS_FIRM: bool = true;

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        let firm = i128::from(view.firm_limits.open_notional_max);
        let member = i128::from(view.member_limits.open_notional_max);
        view.hold_notional.is_some_and(|hold| {
            view.firm_open.notional.saturating_add(hold) > firm
                || view.member_open.notional.saturating_add(hold) > member
        })
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        let firm = glance.firm;
        let free = (firm.limits.open_notional_max).checked_sub(glance.notional);
        free.is_some_and(|free| firm.open_notional <= i128::from(free))
    }

    fn explain(view: &View<'_>) -> Explanation {
        let firm = i128::from(view.firm_limits.open_notional_max);
        let hold = view.hold_notional.unwrap_or(0);
        if view.firm_open.notional.saturating_add(hold) > firm {
            return super::explain_notional(view, firm, view.firm_open.notional);
        }
        let member = view.member_limits.open_notional_max.into();
        super::explain_notional(view, member, view.member_open.notional)
    }
}
