//! The strictest trading state of all scopes lets orders through.
//!
//! Risk thread. Scopes: venue, clearing member, firm, account, instrument, session. The numbers are the
//! states' own.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;
use portcullis_domain::TradingState;

pub(crate) struct StateHalted;

impl Check for StateHalted {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 16,
        name: "STATE_HALTED",
        band: Band::State,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x0007,
        fix_reason: 2,
        summary: "venue, firm, account, instrument or session is Halted or CancelOnly",
    };
    const READS_FIRM: bool = true;

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.state >= TradingState::CancelOnly
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.is_active()
    }

    fn explain(view: &View<'_>) -> Explanation {
        let state = view.state as i128;
        Explanation::of(TradingState::ReduceOnly as i128, state, 0, 0)
    }
}
