//! The message asks for nothing the gateway does not do.
//!
//! Risk thread; found by ingress, which sees the wire, and stamped on the record, so that it stands in
//! the log like any other. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct MessageUnsupported;

impl FormCheck for MessageUnsupported {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 8,
        name: "MESSAGE_UNSUPPORTED",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x000F,
        fix_reason: 99,
        summary: "the message asks for what the gateway does not do (turning the side, an unknown option)",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        form.found_early(Self::DESCRIPTOR.code())
    }

    fn explain(_form: &Form) -> Explanation {
        Explanation::default()
    }
}
