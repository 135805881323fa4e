//! The session may send orders of this type.
//!
//! Risk thread; found by ingress, which sees the wire, and stamped on the record, so that it stands in
//! the log like any other. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct OrderTypeNotPermitted;

impl FormCheck for OrderTypeNotPermitted {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 9,
        name: "ORDER_TYPE_NOT_PERMITTED",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x002C,
        fix_reason: 11,
        summary: "the session may not send this order type",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        form.found_early(Self::DESCRIPTOR.code())
    }

    fn explain(_form: &Form) -> Explanation {
        Explanation::default()
    }
}
