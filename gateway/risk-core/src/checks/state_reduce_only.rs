//! Under ReduceOnly, only orders that provably reduce pass.
//!
//! Risk thread. Not judged of a reducing order.

use super::reducible;
use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;
use portcullis_domain::TradingState;

pub(crate) struct StateReduceOnly;

impl Check for StateReduceOnly {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 17,
        name: "STATE_REDUCE_ONLY",
        band: Band::State,
        judges_reducing: false,
        fields: &[],
        ouch_reason: 0x000C,
        fix_reason: 2,
        summary: "venue, firm, account, instrument or session is ReduceOnly",
    };
    const READS_FIRM: bool = true;

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.state == TradingState::ReduceOnly
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.is_active()
    }

    fn explain(view: &View<'_>) -> Explanation {
        let reducible = reducible(view);
        Explanation::of(
            TradingState::Active as i128,
            view.state as i128,
            0,
            reducible,
        )
    }
}
