//! The instrument is in the account's set of those it may trade.
//!
//! Risk thread. Not judged of a reducing order: whoever is in must be able to get out.

use super::reducible;
use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct NotPermitted;

impl Check for NotPermitted {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 18,
        name: "NOT_PERMITTED",
        band: Band::State,
        judges_reducing: false,
        fields: &[("account", "instruments")],
        ouch_reason: 0x000C,
        fix_reason: 99,
        summary: "the account may not trade the instrument",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        !view.permitted
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.holds(glance.limits.permission_set)
    }

    fn explain(view: &View<'_>) -> Explanation {
        Explanation::of(0, 0, view.qty.into(), reducible(view))
    }
}
