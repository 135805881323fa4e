//! The instrument, and each in which the account has something, has a reference price.
//!
//! Risk thread. Not judged of a reducing order: a limit order is open to whoever must get out. A market
//! order without a reference has no price and is never reducing.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct ReferenceMissing;

impl Check for ReferenceMissing {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 30,
        name: "REFERENCE_MISSING",
        band: Band::PriceQuality,
        judges_reducing: false,
        fields: &[],
        ouch_reason: 0x0001,
        fix_reason: 99,
        summary: "the instrument or a position of the account has no reference price",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.references.missing
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.proved
    }

    fn explain(_view: &View<'_>) -> Explanation {
        Explanation::default()
    }
}
