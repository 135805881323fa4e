//! The account is one the limit table knows.
//!
//! Risk thread. Fail closed: an account without a row of limits has no limits to keep.
//! Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct AccountUnknown;

impl FormCheck for AccountUnknown {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 0,
        name: "ACCOUNT_UNKNOWN",
        band: Band::Form,
        judges_reducing: true,
        fields: &[],
        ouch_reason: 0x000C,
        fix_reason: 3,
        summary: "the account does not exist",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        !form.account_known
    }

    fn explain(_form: &Form) -> Explanation {
        Explanation::default()
    }
}
