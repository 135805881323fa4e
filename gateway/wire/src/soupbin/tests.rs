//! Frames and both session machines, on made-up time.

mod catching_up;
mod client;
mod frames;
mod server;

use super::*;
use crate::Alpha;
use portcullis_domain::Timestamp;
use std::vec::Vec;

const SECOND: u64 = 1_000_000_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_ns(seconds * SECOND)
}

fn name<const N: usize>(text: &[u8]) -> Alpha<N> {
    Alpha::new(text).expect("fits")
}

fn login_of(session: Option<&[u8]>, sequence: u64) -> LoginRequest {
    LoginRequest {
        user: name(b"user"),
        password: Password(name(b"secret")),
        session: session.map(name),
        sequence,
        silence_max: None,
    }
}

/// The encoded form of a packet.
fn packet(write: impl FnOnce(&mut [u8]) -> Result<usize, NoRoom>) -> Vec<u8> {
    let mut out = [0xAA; PACKET_BYTES_MAX + 10];
    let len = write(&mut out).expect("there is room");
    assert!(
        out[len..].iter().all(|byte| *byte == 0xAA),
        "nothing is written behind the packet"
    );
    out[..len].to_vec()
}

/// Type and payload of each packet in a run of them.
fn packets(mut bytes: &[u8]) -> Vec<(char, Vec<u8>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        match parse(bytes) {
            Ok(Parsed::Packet { packet, consumed }) => {
                found.push((char::from(packet.type_byte()), bytes[3..consumed].to_vec()));
                bytes = &bytes[consumed..];
            }
            other => panic!("{other:?} at {bytes:?}"),
        }
    }
    found
}
