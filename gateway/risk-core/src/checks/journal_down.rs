//! The journal takes records as durably as the profile demands.
//!
//! Risk thread. What is not in the log did not happen, so an order that the log may not keep is not
//! taken. Cancels and reports pass: they only free what is held.

use super::{Band, Check, Descriptor};
use crate::effect::Explanation;
use crate::glance::Glance;
use crate::view::View;

pub(crate) struct JournalDown;

impl Check for JournalDown {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 11,
        name: "JOURNAL_DOWN",
        band: Band::Venue,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x0002,
        fix_reason: 2,
        summary: "the journal does not take records as durably as it must",
    };
    const READS_FIRM: bool = true;

    #[inline(always)]
    fn fails(view: &View<'_>) -> bool {
        !view.journal_up
    }

    #[inline(always)]
    fn is_clear(glance: &Glance<'_>) -> bool {
        glance.is_active()
    }

    fn explain(_view: &View<'_>) -> Explanation {
        Explanation::default()
    }
}
