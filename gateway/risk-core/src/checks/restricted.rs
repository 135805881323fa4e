//! The instrument is not on the restricted list of the account's firm or clearing member.
//!
//! Risk thread. A restricted instrument may be left, not entered: not judged of a reducing order.

use super::reducible;
use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct Restricted;

impl Check for Restricted {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 19,
        name: "RESTRICTED",
        band: Band::State,
        judges_reducing: false,
        fields: &[("firm", "restricted")],
        ouch_reason: 0x0022,
        fix_reason: 0,
        summary: "the instrument is on the firm's restricted list",
    };
    const READS_FIRM: bool = true;

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.restricted
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        !glance.is_restricted()
    }

    fn explain(view: &View<'_>) -> Explanation {
        Explanation::of(0, 0, view.qty.into(), reducible(view))
    }
}
