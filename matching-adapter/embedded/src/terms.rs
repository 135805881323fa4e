//! What a client's own bytes say beside the canonical order.
//!
//! Owned by no thread. This crate knows no wire format, so whoever makes the venue brings the
//! reader. Invariant: a reader is asked only where there are bytes. It must never change an order's
//! side, quantity or price: those the risk core has judged.

use portcullis_domain::{InstrumentId, Qty};
use portcullis_ladder::Instruction;

/// Terms of an order that stand in its raw message alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RawTerms {
    /// Least lots to trade at once, of an immediate-or-cancel order; 0 for none. Of a wire quantity
    /// that is no whole number of lots, the next greater one.
    pub qty_min: Qty,
    /// The first instruction in it that the ladder does not do; the order is refused by its name.
    pub instruction: Option<Instruction>,
}

/// Reads the terms of a raw message for an instrument.
pub type TermsReader = Box<dyn Fn(InstrumentId, &[u8]) -> RawTerms + Send>;
