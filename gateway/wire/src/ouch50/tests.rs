//! Sample messages of the tests.

use super::*;
use crate::Alpha;

/// An order number.
pub(super) fn number(value: u32) -> UserRefNum {
    UserRefNum::new(value).expect("order numbers start at 1")
}

/// A plain limit order.
pub(super) fn enter() -> EnterOrder {
    EnterOrder {
        user_ref_num: number(1),
        side: OrderSide::Buy,
        quantity: 100,
        symbol: Alpha::new(b"ESH4").expect("fits"),
        price: 47_500_000,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Principal,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::new(b"order 1").expect("fits"),
    }
}

/// A replace of [`enter`].
pub(super) fn replace() -> ReplaceOrder {
    ReplaceOrder {
        orig_user_ref_num: number(1),
        user_ref_num: number(2),
        quantity: 80,
        price: 47_502_500,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        iso_eligible: YesNo::No,
        cl_ord_id: Alpha::new(b"order 2").expect("fits"),
    }
}

/// A cancel of [`enter`].
pub(super) fn cancel() -> CancelOrder {
    CancelOrder {
        user_ref_num: number(1),
        quantity: 0,
    }
}
