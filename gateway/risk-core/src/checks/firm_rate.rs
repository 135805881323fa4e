//! Orders of the firm or its clearing member keep to its rate: a GCRA (see `gcra`).
//!
//! Risk thread. Counted whatever the other checks say; cancels are not. Unit of the numbers: ns that
//! the schedule is ahead. Boundary: as far ahead as the tolerance passes.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct FirmRate;

impl Check for FirmRate {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 22,
        name: "FIRM_RATE",
        band: Band::Rate,
        judges_reducing: true,
        fields: &[
            ("firm", "rate_interval_ns"),
            ("firm", "rate_count"),
            ("firm", "rate_burst"),
        ],
        ouch_reason: 0x0029,
        fix_reason: 99,
        summary: "orders of the firm or its clearing member come too fast",
    };
    const READS_FIRM: bool = true;

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.rates.firm.fails() || view.rates.member.fails()
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        let firm = glance.firm;
        firm.limits.rate.admits(glance.now_ns, firm.rate_tat_ns)
    }

    fn explain(view: &View<'_>) -> Explanation {
        let firm = &view.rates.firm;
        super::explain_rate(if firm.fails() {
            firm
        } else {
            &view.rates.member
        })
    }
}
