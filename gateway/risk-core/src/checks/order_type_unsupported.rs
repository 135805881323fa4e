//! The order is of a type whose exposure the rules can price.
//!
//! Risk thread; found by ingress, which sees the wire, and stamped on the record, so that it stands in
//! the log like any other. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct OrderTypeUnsupported;

impl FormCheck for OrderTypeUnsupported {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 6,
        name: "ORDER_TYPE_UNSUPPORTED",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x0024,
        fix_reason: 11,
        summary: "the rules cannot price this order type (pegged, discretionary, cross)",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        form.found_early(Self::DESCRIPTOR.code())
    }

    fn explain(_form: &Form) -> Explanation {
        Explanation::default()
    }
}
