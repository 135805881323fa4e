//! There was room for the order in front of the sequencer.
//!
//! Risk thread; found by ingress, which sees the wire, and stamped on the record, so that it stands in
//! the log like any other. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct Overloaded;

impl FormCheck for Overloaded {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 10,
        name: "OVERLOADED",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x000A,
        fix_reason: 99,
        summary: "the gateway is overloaded; cancels still pass",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        form.found_early(Self::DESCRIPTOR.code())
    }

    fn explain(_form: &Form) -> Explanation {
        Explanation::default()
    }
}
