//! A limit price lies in 1..=price_max, in ticks.
//!
//! Risk thread. A market order has no limit and passes. Negative prices are refused here: no instrument
//! of this gateway trades at one. Form check: an order that fails it is answered with the form's failures alone and nothing of it is
//! counted or remembered.

use super::{Band, Descriptor, FormCheck};
use crate::effect::Explanation;
use crate::view::Form;

pub(crate) struct PriceInvalid;

impl FormCheck for PriceInvalid {
    const DESCRIPTOR: Descriptor = Descriptor {
        number: 3,
        name: "PRICE_INVALID",
        band: Band::Form,
        judges_reducing: true,
        fields: &[("instrument", "price_max")],
        ouch_reason: 0x001D,
        fix_reason: 16,
        summary: "the limit is below 1 tick or above price_max",
    };

    #[inline(always)]
    fn fails(form: &Form) -> bool {
        form.price
            .is_some_and(|price| price < 1 || price > form.price_max)
    }

    fn explain(form: &Form) -> Explanation {
        let price = form.price.unwrap_or(0);
        Explanation::of(form.price_max.into(), 0, price.into(), 0)
    }
}
