//! What hostile clients send.
//!
//! Pure. Every order is a bid far below the market that takes what is there and goes: it meets
//! nobody, so that whatever trades is between those that behave.

use portcullis_wire::Alpha;
use portcullis_wire::ouch50::{
    Capacity, CrossType, Display, EnterOrder, OrderSide, TimeInForce, UserRefNum, YesNo,
};
use portcullis_wire::soupbin::{LoginRequest, PACKET_BYTES_MAX, Password, encode};

use crate::crowd::config::{PASSWORD, SYMBOLS};

/// 91.00, where the reference is 100.00.
const PRICE: u64 = 910_000;

/// A login to `user`; where the password is wrong, its last letter is.
pub(super) fn login(user: &str, right: bool) -> Vec<u8> {
    let mut password = PASSWORD.as_bytes().to_vec();
    if !right {
        password.pop();
    }
    let request = LoginRequest {
        user: Alpha::new(user.as_bytes()).expect("six letters"),
        password: Password(Alpha::new(&password).expect("short")),
        session: None,
        sequence: 0,
        silence_max: None,
    };
    packet(|out| encode::login_request(&request, out).ok())
}

/// A heartbeat.
pub(super) fn heartbeat() -> Vec<u8> {
    packet(|out| encode::client_heartbeat(out).ok())
}

/// An order of this number.
pub(super) fn order(number: u32, rests: bool) -> Vec<u8> {
    let order = EnterOrder {
        user_ref_num: UserRefNum::new(number).expect("numbers start at 1"),
        side: OrderSide::Buy,
        quantity: 1,
        symbol: Alpha::new(SYMBOLS[number as usize % SYMBOLS.len()].as_bytes()).expect("short"),
        price: PRICE,
        time_in_force: if rests {
            TimeInForce::Day
        } else {
            TimeInForce::Ioc
        },
        display: Display::Visible,
        capacity: Capacity::Agency,
        iso_eligible: YesNo::No,
        cross_type: CrossType::None,
        cl_ord_id: Alpha::new(b"hostile").expect("short"),
    };
    let mut message = [0; PACKET_BYTES_MAX];
    let len = order.encode(None, &mut message).expect("it fits");
    packet(|out| encode::unsequenced(&message[..len], out).ok())
}

/// Bytes that are no packet: a type that does not exist, in a length that does.
pub(super) fn no_packet(round: u32) -> Vec<u8> {
    let mut state = round.wrapping_mul(0x9E37_79B9) | 1;
    let mut bytes = vec![0, 40, 0x80 | (round as u8)];
    while bytes.len() < 64 {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes.push(state as u8);
    }
    bytes
}

/// Packets whose messages OUCH cannot answer, more than a gateway puts up with.
pub(super) fn no_messages() -> Vec<u8> {
    let one = packet(|out| encode::unsequenced(b"?what is this?", out).ok());
    one.repeat(32)
}

fn packet(write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Vec<u8> {
    let mut out = vec![0; PACKET_BYTES_MAX];
    let len = write(&mut out).expect("it fits a packet");
    out.truncate(len);
    out
}
