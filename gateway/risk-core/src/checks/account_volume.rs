//! The account's ordered lots in the instrument keep to account_volume_max a window: a weighted GCRA.
//!
//! Risk thread. Unit of the numbers: ns of the window, of which a lot takes ceil(window / max). Of a
//! replace its rise counts; without one it passes. Unset: fails.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct AccountVolume;

impl Check for AccountVolume {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 48,
        name: "ACCOUNT_VOLUME",
        band: Band::Flow,
        judges_reducing: false,
        fields: &[("account", "account_volume_max")],
        ouch_reason: 0x0025,
        fix_reason: 99,
        summary: "the account's volume in the instrument would pass account_volume_max",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        let rises = view.rise > 0 || !view.replace;
        let unset = view.volume.lot_cost_ns == 0;
        rises && (unset || view.volume.taken_ns > view.volume.window_ns)
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.limits.volume_max != 0
            && (glance.volume_taken_ns <= glance.instrument_limits.window_ns())
    }

    fn explain(view: &View<'_>) -> Explanation {
        let volume = &view.volume;
        let free = (volume.window_ns - volume.ahead_ns).max(0);
        let passing = free.checked_div(volume.lot_cost_ns.into()).unwrap_or(0);
        let asked = volume.taken_ns - volume.ahead_ns;
        Explanation::of(volume.window_ns, volume.ahead_ns, asked, passing)
    }
}
