//! The time in force is one the gateway knows.
//!
//! Risk thread; found by ingress, which sees the wire, and stamped on the record, so that it stands in
//! the log like any other. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct TimeInForceUnsupported;

impl FormCheck for TimeInForceUnsupported {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 7,
        name: "TIME_IN_FORCE_UNSUPPORTED",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x000F,
        fix_reason: 11,
        summary: "the time in force is not supported",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        form.found_early(Self::DESCRIPTOR.code())
    }

    fn explain(_form: &Form) -> Explanation {
        Explanation::default()
    }
}
