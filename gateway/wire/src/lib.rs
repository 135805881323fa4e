//! Wire protocols of the gateway: codecs and session machines, one folder a protocol.
//!
//! **What.** [`soupbin`] frames and sessions SoupBinTCP 3.x, 4.0 and 4.1 in both roles; [`ouch50`]
//! reads, writes and patches OUCH 5.0 messages in both directions. Neither knows the other: a
//! SoupBinTCP payload is bytes, an OUCH message is bytes.
//!
//! **Thread.** None of its own. Everything here is a value or a state machine that belongs to
//! whichever agent holds it.
//!
//! **Invariants.** No I/O, no clock, no allocation: bytes and times come in as arguments, answers
//! go into the caller's buffers. A view exists only over bytes that were checked whole, and what a
//! builder wrote parses to what it was given.
//!
//! **Never.** Panic or read out of bounds on outside input; copy a message to read it; accept a
//! byte whose meaning is unknown.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod alpha;
pub mod field;
pub mod ouch50;
pub mod soupbin;

pub use alpha::Alpha;
