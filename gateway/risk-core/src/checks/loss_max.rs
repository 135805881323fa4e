//! Equity less the day base is at least -loss_max.
//!
//! Risk thread. Unit: quanta. Where a position has no reference: passed over. Boundary: a loss of
//! exactly loss_max passes. Unset: fails.

use super::reducible;
use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;
use crate::view::Worth;

pub(crate) struct LossMax;

impl Check for LossMax {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 38,
        name: "LOSS_MAX",
        band: Band::Exposure,
        judges_reducing: false,
        fields: &[("account", "loss_max")],
        ouch_reason: 0x0020,
        fix_reason: 99,
        summary: "the account has lost more than loss_max today",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        match view.worth {
            Worth::Unknown | Worth::Enough => false,
            Worth::Exact { day_result, .. } => day_result < -i128::from(view.limits.loss_max),
        }
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.proved
    }

    fn explain(view: &View<'_>) -> Explanation {
        let limit = view.limits.loss_max;
        let lost = match view.worth {
            Worth::Unknown | Worth::Enough => 0,
            Worth::Exact { day_result, .. } => -day_result,
        };
        Explanation::of(limit.into(), lost, 0, reducible(view))
    }
}
