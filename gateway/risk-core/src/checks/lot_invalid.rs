//! The quantity on the wire is a whole number of lots.
//!
//! Risk thread; found by ingress, which sees the wire, and stamped on the record, so that it stands in
//! the log like any other. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct LotInvalid;

impl FormCheck for LotInvalid {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 5,
        name: "LOT_INVALID",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x0013,
        fix_reason: 13,
        summary: "the quantity is not a whole number of lots",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        form.found_early(Self::DESCRIPTOR.code())
    }

    fn explain(_form: &Form) -> Explanation {
        Explanation::default()
    }
}
