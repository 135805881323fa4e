//! The quantity is at least one lot.
//!
//! Risk thread. Of a replace it is the quantity that would be open. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct QuantityInvalid;

impl FormCheck for QuantityInvalid {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 2,
        name: "QUANTITY_INVALID",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x0013,
        fix_reason: 13,
        summary: "the quantity is below 1 lot",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        form.qty < 1
    }

    fn explain(form: &Form) -> Explanation {
        Explanation::of(1, 0, form.qty.into(), 0)
    }
}
