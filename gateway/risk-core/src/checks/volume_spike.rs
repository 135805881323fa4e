//! The instrument's volume breaker is closed and the order does not trip it.
//!
//! Risk thread. The order that would trip it is itself judged (see `volume_window`). Of a replace its
//! rise counts; it is evaluated even without one. Unit: lots. Boundary: the threshold passes.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct VolumeSpike;

impl Check for VolumeSpike {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 49,
        name: "VOLUME_SPIKE",
        band: Band::Flow,
        judges_reducing: false,
        fields: &[
            ("instrument", "spike_floor"),
            ("instrument", "spike_ppm"),
            ("instrument", "cooldown_ns"),
        ],
        ouch_reason: 0x0021,
        fix_reason: 99,
        summary: "the instrument's volume breaker is open, or this order would trip it",
    };

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        view.spike.fails(view.rise)
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.instrument.window.is_clear(glance.now_ns, glance.qty)
    }

    fn explain(view: &View<'_>) -> Explanation {
        let spike = &view.spike;
        let free = i128::from(spike.threshold) - i128::from(spike.volume);
        let passing = if spike.tripped { 0 } else { free.max(0) };
        Explanation::of(
            spike.threshold.into(),
            spike.volume.into(),
            view.rise.into(),
            passing,
        )
    }
}
