//! A buy's limit is at most the collar's upper price, a sell's at least its lower one.
//!
//! Risk thread. Both prices were prepared when the reference moved; better than the reference is never
//! refused. Unit: ticks. Missing or stale reference: passed over, since REFERENCE_MISSING or
//! REFERENCE_STALE judges that. Boundary: equal passes.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;
use portcullis_domain::Side;

pub(crate) struct Collar;

impl Check for Collar {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 32,
        name: "COLLAR",
        band: Band::Price,
        judges_reducing: true,
        fields: &[("instrument", "collar_ppm")],
        ouch_reason: 0x0026,
        fix_reason: 16,
        summary: "the limit is too far through the reference price",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        let (Some((lo, hi)), Some(price)) = (view.references.collar, view.price) else {
            return false;
        };
        match view.side {
            Side::Buy => price > hi,
            Side::Sell => price < lo,
        }
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        match glance.side {
            Side::Buy => glance.price <= glance.reference.hi,
            Side::Sell => glance.price >= glance.reference.lo,
        }
    }

    fn explain(view: &View<'_>) -> Explanation {
        let (lo, hi) = view.references.collar.unwrap_or((0, 0));
        let limit = match view.side {
            Side::Buy => hi,
            Side::Sell => lo,
        };
        Explanation::of(limit.into(), 0, view.price.unwrap_or(0).into(), 0)
    }
}
