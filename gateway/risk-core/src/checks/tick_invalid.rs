//! The price on the wire is a whole number of ticks.
//!
//! Risk thread; found by ingress, which sees the wire, and stamped on the record, so that it stands in
//! the log like any other. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct TickInvalid;

impl FormCheck for TickInvalid {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 4,
        name: "TICK_INVALID",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x001D,
        fix_reason: 16,
        summary: "the price is not a whole number of ticks",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        form.found_early(Self::DESCRIPTOR.code())
    }

    fn explain(_form: &Form) -> Explanation {
        Explanation::default()
    }
}
