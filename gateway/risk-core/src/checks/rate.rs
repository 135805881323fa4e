//! Orders of the account keep to its rate: a GCRA (see `gcra`).
//!
//! Risk thread. Counted whatever the other checks say; cancels are not. Unit of the numbers: ns that
//! the schedule is ahead. Boundary: as far ahead as the tolerance passes.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct Rate;

impl Check for Rate {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 21,
        name: "RATE",
        band: Band::Rate,
        judges_reducing: true,
        fields: &[
            ("account", "rate_interval_ns"),
            ("account", "rate_count"),
            ("account", "rate_burst"),
        ],
        ouch_reason: 0x0029,
        fix_reason: 99,
        summary: "orders of the account come too fast",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.rates.account.fails()
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance
            .limits
            .rate
            .admits(glance.now_ns, glance.account.rate_tat_ns)
    }

    fn explain(view: &View<'_>) -> Explanation {
        super::explain_rate(&view.rates.account)
    }
}
