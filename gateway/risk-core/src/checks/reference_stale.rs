//! No reference price the order depends on is older than ref_max_age_ns.
//!
//! Risk thread. Depends on: the instrument's, and those of all positions of the account. The numbers are
//! of the instrument's own. Boundary: exactly that old passes.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct ReferenceStale;

impl Check for ReferenceStale {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 31,
        name: "REFERENCE_STALE",
        band: Band::PriceQuality,
        judges_reducing: false,
        fields: &[("instrument", "ref_max_age_ns")],
        ouch_reason: 0x0001,
        fix_reason: 99,
        summary: "a reference price the order depends on is older than ref_max_age_ns",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.references.stale
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.fresh && glance.proved
    }

    fn explain(view: &View<'_>) -> Explanation {
        let age_ns = view.references.age_ns.unwrap_or(0);
        Explanation::of(view.instrument.ref_max_age_ns.into(), age_ns.into(), 0, 0)
    }
}
