//! A replace finds fewer than four versions of its order unanswered.
//!
//! Risk thread. Each unanswered version holds its worst case; more would make holds meaningless.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::order::PENDING_MAX;
use crate::view::View;

pub(crate) struct ReplacePending;

impl Check for ReplacePending {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 15,
        name: "REPLACE_PENDING",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x0015,
        fix_reason: 99,
        summary: "four versions of the order are unanswered",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.versions_unanswered >= PENDING_MAX as i64
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        // It is no replace.
        let _ = glance;
        true
    }

    fn explain(view: &View<'_>) -> Explanation {
        let limit = PENDING_MAX as i128;
        Explanation::of(limit, view.versions_unanswered.into(), 1, 0)
    }
}
