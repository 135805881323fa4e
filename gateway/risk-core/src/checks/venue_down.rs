//! The session's link to the engine is up and its orders are reconciled.
//!
//! Risk thread. Until the engine has answered for what was in flight, no new order passes. Cancels do.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct VenueDown;

impl Check for VenueDown {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 12,
        name: "VENUE_DOWN",
        band: Band::Venue,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x0002,
        fix_reason: 2,
        summary: "the session's link to the engine is down, not yet reconciled, or takes nothing",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        !view.link_up
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.session.link_up
    }

    fn explain(_view: &View<'_>) -> Explanation {
        Explanation::default()
    }
}
