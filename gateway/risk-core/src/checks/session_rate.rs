//! Orders of the session keep to its rate: a GCRA (see `gcra`).
//!
//! Risk thread. Counted whatever the other checks say; cancels are not. Unit of the numbers: ns that
//! the schedule is ahead. Boundary: as far ahead as the tolerance passes.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct SessionRate;

impl Check for SessionRate {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 20,
        name: "SESSION_RATE",
        band: Band::Rate,
        judges_reducing: true,
        fields: &[
            ("session", "rate_interval_ns"),
            ("session", "rate_count"),
            ("session", "rate_burst"),
        ],
        ouch_reason: 0x0029,
        fix_reason: 99,
        summary: "orders of the session come too fast",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.rates.session.fails()
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance
            .session_rate
            .admits(glance.now_ns, glance.session.rate_tat_ns)
    }

    fn explain(view: &View<'_>) -> Explanation {
        super::explain_rate(&view.rates.session)
    }
}
