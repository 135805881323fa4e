//! No more than repeat_max identical orders in a row, each within repeat_window_ns of the one before.
//!
//! Risk thread. Identical: instrument, side, quantity, limit. Remembered whatever the other checks say;
//! replaces are not judged. Unset: fails.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct Repeated;

impl Check for Repeated {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 23,
        name: "REPEATED",
        band: Band::Rate,
        judges_reducing: false,
        fields: &[("account", "repeat_window_ns"), ("account", "repeat_max")],
        ouch_reason: 0x002A,
        fix_reason: 6,
        summary: "too many identical orders in a row",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        !view.replace && view.repeated > view.limits.repeat_max
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.repeated <= glance.limits.repeat_max
    }

    fn explain(view: &View<'_>) -> Explanation {
        let limit = view.limits.repeat_max;
        Explanation::of(limit.into(), i128::from(view.repeated) - 1, 1, 0)
    }
}
