//! The engine's words in OUCH 5.0.
//!
//! Pure functions on the floor's thread. Invariant: a message about a number of another row than 0
//! names the row. It must never decide anything.

use portcullis_domain::{Qty, UserRef};
use portcullis_wire::field::Letter;
use portcullis_wire::ouch50::{
    AppendageBuilder, Element, EncodeError, EnterOrder, InstrumentScale, OrderAccepted,
    OrderReplaced, OrderState, UserRefNum,
};

/// A message about a row of numbers, as written by `write` with the appendage that names the row.
pub(crate) fn message(
    row: u8,
    write: impl FnOnce(
        Option<portcullis_wire::ouch50::Appendage<'_>>,
        &mut [u8],
    ) -> Result<usize, EncodeError>,
) -> Vec<u8> {
    let mut builder = AppendageBuilder::new();
    if row != 0 {
        let first = builder.push(Element::UserRefIdx(row));
        first.expect("the first element");
    }
    let appendage = (row != 0).then(|| builder.finish());
    let mut message = vec![0; 192];
    let len = write(appendage, &mut message).expect("the engine says what its protocol can");
    message.truncate(len);
    message
}

/// An order that is in.
pub(crate) const fn accepted(
    version: &EnterOrder,
    timestamp: u64,
    order_ref_num: u64,
    order_state: OrderState,
) -> OrderAccepted {
    OrderAccepted {
        timestamp,
        user_ref_num: version.user_ref_num,
        side: version.side,
        quantity: version.quantity,
        symbol: version.symbol,
        price: version.price,
        time_in_force: version.time_in_force,
        display: version.display,
        order_ref_num,
        capacity: version.capacity,
        iso_eligible: version.iso_eligible,
        cross_type: version.cross_type,
        order_state,
        cl_ord_id: version.cl_ord_id,
    }
}

/// A version that is now the order, of which so much is open.
pub(crate) const fn replaced(
    accepted: &OrderAccepted,
    original: UserRefNum,
    open_wire: u32,
) -> OrderReplaced {
    OrderReplaced {
        timestamp: accepted.timestamp,
        orig_user_ref_num: original,
        user_ref_num: accepted.user_ref_num,
        side: accepted.side,
        quantity: open_wire,
        symbol: accepted.symbol,
        price: accepted.price,
        time_in_force: accepted.time_in_force,
        display: accepted.display,
        order_ref_num: accepted.order_ref_num,
        capacity: accepted.capacity,
        iso_eligible: accepted.iso_eligible,
        cross_type: accepted.cross_type,
        order_state: accepted.order_state,
        cl_ord_id: accepted.cl_ord_id,
    }
}

/// A number that names an order of this engine, none of which is 0.
pub(crate) const fn number(of: UserRef) -> UserRefNum {
    UserRefNum::new(of.number).expect("numbers start at 1")
}

pub(crate) fn letter(byte: u8) -> Letter {
    Letter::new(byte).expect("a letter")
}

/// Lots of an order that came over this wire.
pub(crate) fn wire(scale: &InstrumentScale, qty: Qty) -> u32 {
    let wire = scale.qty_to_wire(qty);
    wire.expect("no more than what came over the wire")
}
