//! What a client sends, and what it reads of what it is told.

use super::config::{REFERENCE_WIRE, SYMBOLS, TICK_WIRE};
use super::random::Random;
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    CancelOrder, Capacity, CrossType, Display, EnterOrder, MassCancel, OrderSide, OrderState,
    Outbound, ReplaceOrder, TimeInForce, UserRefNum, YesNo,
};

/// Room for any of them.
const MESSAGE_BYTES: usize = 256;

/// Ticks around the reference price.
const SPREAD_TICKS: u64 = 5;

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
    encoded(|out| order.encode(None, out).expect("it fits"))
}

/// Less, or nothing, of an order.
pub(super) fn cancel(number: u32) -> Vec<u8> {
    let cancel = CancelOrder {
        user_ref_num: user_ref(number),
        quantity: 0,
    };
    encoded(|out| cancel.encode(None, out).expect("it fits"))
}

/// Another version of an order.
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
    encoded(|out| replace.encode(None, out).expect("it fits"))
}

/// Nothing is to stay open.
pub(super) fn cancel_all(number: u32) -> Vec<u8> {
    let cancel = MassCancel {
        user_ref_num: user_ref(number),
        firm: Alpha::BLANK,
        symbol: Alpha::BLANK,
    };
    encoded(|out| cancel.encode(None, out).expect("it fits"))
}

fn encoded(encode: impl FnOnce(&mut [u8]) -> usize) -> Vec<u8> {
    let mut out = [0; MESSAGE_BYTES];
    let len = encode(&mut out);
    out[..len].to_vec()
}

/// What a message says.
pub(super) fn read(message: &[u8]) -> Said {
    let Ok(message) = Outbound::parse(message) else {
        return Said::Unreadable;
    };
    match message {
        Outbound::OrderAccepted(view) => Said::Accepted {
            number: view.user_ref_num().get(),
            words: view.cl_ord_id().as_str().trim().to_owned(),
            open: open(view.order_state(), view.quantity()),
        },
        Outbound::OrderReplaced(view) => Said::Replaced {
            original: view.orig_user_ref_num().get(),
            number: view.user_ref_num().get(),
            open: open(view.order_state(), view.quantity()),
        },
        Outbound::Rejected(view) => Said::Rejected {
            number: view.user_ref_num(),
        },
        Outbound::OrderExecuted(view) => less(view.user_ref_num(), view.quantity()),
        Outbound::OrderCanceled(view) => less(view.user_ref_num(), view.quantity()),
        Outbound::AiqCanceled(view) => less(view.user_ref_num(), view.decrement()),
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

const fn less(number: UserRefNum, lots: u32) -> Said {
    Said::Less {
        number: number.get(),
        lots,
    }
}

const fn other(number: UserRefNum) -> Said {
    Said::Other {
        number: Some(number.get()),
    }
}
