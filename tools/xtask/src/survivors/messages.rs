//! What a client sends, and what it reads of what it is told.

use super::config::{REFERENCE_WIRE, SYMBOLS, TICK_WIRE};
use super::random::Random;
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    Appendage, AppendageBuilder, CancelOrder, Capacity, CrossType, Display, Element, EncodeError,
    EnterOrder, MassCancel, OrderSide, OrderState, Outbound, ReplaceOrder, TimeInForce, UserRefNum,
    YesNo,
};

/// Room for any of them.
const MESSAGE_BYTES: usize = 256;

/// Ticks around the reference price.
const SPREAD_TICKS: u64 = 5;

/// The rows that a client's numbers stand in, in turn: a number tells its row.
const ROWS: [u8; 3] = [0, 3, u8::MAX];

/// After a number, the next of its row.
pub(super) const ROW_STEP: u32 = ROWS.len() as u32;

/// The row in which a number stands.
const fn row(number: u32) -> u8 {
    ROWS[(number % ROW_STEP) as usize]
}

/// What a message says of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It was accepted; the words that its client gave it, and what is open of it.
    Accepted {
        number: u32,
        words: String,
        open: u32,
    },
    /// It was refused.
    Rejected { number: u32 },
    /// It is the new version of another.
    Replaced {
        original: u32,
        number: u32,
        open: u32,
    },
    /// So much less of it is open: executed or cancelled.
    Less { number: u32, lots: u32 },
    /// Anything else, with the number that it names.
    Other { number: Option<u32> },
    /// It names the number in a row where that does not stand.
    OtherRow { number: u32, row: u8 },
    /// It does not parse.
    Unreadable,
}

/// The words that a client gives an order.
pub(super) fn words(client: usize, number: u32) -> String {
    format!("{client}-{number}")
}

fn user_ref(number: u32) -> UserRefNum {
    UserRefNum::new(number).expect("numbers start at 1")
}

/// An order near the reference price.
pub(super) fn enter(client: usize, number: u32, random: &mut Random) -> Vec<u8> {
    let symbol = SYMBOLS[random.below(SYMBOLS.len() as u64) as usize];
    let ticks = random.below(2 * SPREAD_TICKS + 1);
    let order = EnterOrder {
        user_ref_num: user_ref(number),
        side: if random.one_in(2) {
            OrderSide::Buy
        } else {
            OrderSide::Sell
        },
        quantity: 1 + random.below(9) as u32,
        symbol: Alpha::new(symbol.as_bytes()).expect("short"),
        price: REFERENCE_WIRE + ticks * TICK_WIRE - SPREAD_TICKS * TICK_WIRE,
        time_in_force: if random.one_in(4) {
            TimeInForce::Ioc
        } else {
            TimeInForce::Day
        },
        display: Display::Visible,
        capacity: Capacity::Agency,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::new(words(client, number).as_bytes()).expect("short"),
    };
    of_row(number, |group, out| order.encode(group, out))
}

/// Less, or nothing, of an order.
pub(super) fn cancel(number: u32) -> Vec<u8> {
    let cancel = CancelOrder {
        user_ref_num: user_ref(number),
        quantity: 0,
    };
    of_row(number, |group, out| cancel.encode(group, out))
}

/// Another version of an order, which stands in the row of the first.
pub(super) fn replace(original: u32, number: u32, random: &mut Random) -> Vec<u8> {
    let replace = ReplaceOrder {
        orig_user_ref_num: user_ref(original),
        user_ref_num: user_ref(number),
        quantity: 1 + random.below(9) as u32,
        price: REFERENCE_WIRE + random.below(SPREAD_TICKS) * TICK_WIRE,
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        iso_eligible: YesNo::No,
        cl_ord_id: Alpha::BLANK,
    };
    of_row(number, |group, out| replace.encode(group, out))
}

/// Nothing is to stay open, in any row; its own number is one of row 0.
pub(super) fn cancel_all(number: u32) -> Vec<u8> {
    let cancel = MassCancel {
        user_ref_num: user_ref(number),
        firm: Alpha::BLANK,
        symbol: Alpha::BLANK,
    };
    encoded(|out| cancel.encode(None, out))
}

/// A message with the row of the number that it is about; row 0 needs no naming.
fn of_row(
    number: u32,
    encode: impl FnOnce(Option<Appendage<'_>>, &mut [u8]) -> Result<usize, EncodeError>,
) -> Vec<u8> {
    let mut builder = AppendageBuilder::new();
    let row = row(number);
    if row != 0 {
        let first = builder.push(Element::UserRefIdx(row));
        first.expect("the first element");
    }
    let group = (row != 0).then(|| builder.finish());
    encoded(|out| encode(group, out))
}

fn encoded(encode: impl FnOnce(&mut [u8]) -> Result<usize, EncodeError>) -> Vec<u8> {
    let mut out = [0; MESSAGE_BYTES];
    let len = encode(&mut out).expect("it fits");
    out[..len].to_vec()
}

/// What a message says.
pub(super) fn read(message: &[u8]) -> Said {
    let Ok(message) = Outbound::parse(message) else {
        return Said::Unreadable;
    };
    match message {
        Outbound::OrderAccepted(view) => {
            let number = view.user_ref_num().get();
            let said = Said::Accepted {
                number,
                words: view.cl_ord_id().as_str().trim().to_owned(),
                open: open(view.order_state(), view.quantity()),
            };
            in_row(view.user_ref_idx(), number, said)
        }
        Outbound::OrderReplaced(view) => {
            let number = view.user_ref_num().get();
            let said = Said::Replaced {
                original: view.orig_user_ref_num().get(),
                number,
                open: open(view.order_state(), view.quantity()),
            };
            in_row(view.user_ref_idx(), number, said)
        }
        Outbound::Rejected(view) => {
            let number = view.user_ref_num();
            in_row(view.user_ref_idx(), number, Said::Rejected { number })
        }
        Outbound::OrderExecuted(view) => {
            less(view.user_ref_idx(), view.user_ref_num(), view.quantity())
        }
        Outbound::OrderCanceled(view) => {
            less(view.user_ref_idx(), view.user_ref_num(), view.quantity())
        }
        Outbound::AiqCanceled(view) => {
            less(view.user_ref_idx(), view.user_ref_num(), view.decrement())
        }
        Outbound::BrokenTrade(view) => other(view.user_ref_num()),
        Outbound::CancelPending(view) => other(view.user_ref_num()),
        Outbound::CancelReject(view) => other(view.user_ref_num()),
        Outbound::PriorityUpdate(view) => other(view.user_ref_num()),
        Outbound::OrderModified(view) => other(view.user_ref_num()),
        Outbound::OrderRestated(view) => other(view.user_ref_num()),
        Outbound::MassCancelResponse(view) => other(view.user_ref_num()),
        Outbound::DisableOrderEntryResponse(view) => other(view.user_ref_num()),
        Outbound::EnableOrderEntryResponse(view) => other(view.user_ref_num()),
        // The number that an account query is answered with is nobody's yet.
        Outbound::SystemEvent(_) | Outbound::AccountQueryResponse(_) => {
            Said::Other { number: None }
        }
    }
}

const fn open(state: OrderState, quantity: u32) -> u32 {
    match state {
        OrderState::Live => quantity,
        OrderState::Dead => 0,
    }
}

fn less(row: u8, number: UserRefNum, lots: u32) -> Said {
    let number = number.get();
    in_row(row, number, Said::Less { number, lots })
}

/// What is said of a number, if it stands in the row that is named.
fn in_row(named: u8, number: u32, said: Said) -> Said {
    if named == row(number) {
        return said;
    }
    Said::OtherRow { number, row: named }
}

const fn other(number: UserRefNum) -> Said {
    Said::Other {
        number: Some(number.get()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_wire::ouch50::{CancelReason, Inbound, OrderCanceled};

    #[test]
    fn a_number_stands_in_its_row_and_nowhere_else() {
        for number in 1..=6 {
            let entered = enter(0, number, &mut Random(1));
            let Ok(Inbound::EnterOrder(view)) = Inbound::parse(&entered) else {
                panic!("{entered:?}");
            };
            assert_eq!(view.user_ref_idx(), ROWS[number as usize % 3]);
            for of in 1..=6 {
                let canceled = OrderCanceled {
                    timestamp: 1,
                    user_ref_num: user_ref(number),
                    quantity: 4,
                    reason: CancelReason::from_code(b'U'),
                };
                let told = read(&of_row(of, |group, out| canceled.encode(group, out)));
                let said = Said::Less { number, lots: 4 };
                assert_eq!(told == said, number % ROW_STEP == of % ROW_STEP, "{told:?}");
            }
        }
    }
}
