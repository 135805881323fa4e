//! What a client sends, and what it reads of what it is told.

use super::config::{REFERENCE_WIRE, SYMBOLS, TICK_WIRE};
use super::random::Random;
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    CancelOrder, Capacity, CrossType, Display, EnterOrder, MassCancel, OrderSide, Outbound,
    ReplaceOrder, TimeInForce, UserRefNum, YesNo,
};

/// Room for any of them.
const MESSAGE_BYTES: usize = 256;

/// Ticks around the reference price.
const SPREAD_TICKS: u64 = 5;

/// What a message says of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It was accepted; the words that its client gave it.
    Accepted { number: u32, words: String },
    /// It was refused.
    Rejected { number: u32 },
    /// It is the new version of another.
    Replaced { number: u32 },
    /// Anything else.
    Other,
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
    match Outbound::parse(message) {
        Ok(Outbound::OrderAccepted(view)) => Said::Accepted {
            number: view.user_ref_num().get(),
            words: view.cl_ord_id().as_str().trim().to_owned(),
        },
        Ok(Outbound::Rejected(view)) => Said::Rejected {
            number: view.user_ref_num(),
        },
        Ok(Outbound::OrderReplaced(view)) => Said::Replaced {
            number: view.user_ref_num().get(),
        },
        Ok(_) => Said::Other,
        Err(_) => Said::Unreadable,
    }
}
