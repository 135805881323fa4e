//! The instrument is one the limit table knows.
//!
//! Risk thread. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct InstrumentUnknown;

impl FormCheck for InstrumentUnknown {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 1,
        name: "INSTRUMENT_UNKNOWN",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x0017,
        fix_reason: 1,
        summary: "the instrument does not exist",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        !form.instrument_known
    }

    fn explain(_form: &Form) -> Explanation {
        Explanation::default()
    }
}
