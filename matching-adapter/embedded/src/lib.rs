//! The embedded venue: the in-process ladder behind the gateway's venue trait.
//!
//! The venue agent owns an [`EmbeddedVenue`] and calls it from one thread. Approved orders become
//! ladder commands, ladder reports become venue reports; a client's bytes are read for what the
//! canonical order does not say ([`RawTerms`]) and go nowhere else.
//!
//! Invariants: orders are worked off in the order in which they were taken; equal orders give equal
//! reports, however the work is cut into polls, so that a log of the orders alone makes the book again
//! (`recall`); nothing is allocated after construction, but for a log's unanswered orders; a full inbox
//! takes no orders at all. It must never judge risk, know a wire format, or read a clock.

mod codes;
mod recall;
mod terms;
mod venue;

pub use portcullis_ladder::{
    Busy, ConfigError, Counters, Fees, Instruction, InstrumentConfig, InstrumentCounters, Ladder,
    LadderConfig,
};
pub use terms::{RawTerms, TermsReader};
pub use venue::EmbeddedVenue;
