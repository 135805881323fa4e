//! The risk core: one deterministic state machine that decides on every message.
//!
//! One thread owns a [`RiskCore`]; records go in, effects come out. Invariants: no clock, no I/O, no
//! randomness, no floating point; nothing is allocated after construction; the same records give
//! the same effects and the same digest. It must never know a wire format, a socket or a file.
#![no_std]

#[cfg(test)]
extern crate std;

mod accounts;
mod admission;
mod approach;
mod approved;
mod batch;
mod bound;
mod cancels;
mod capacities;
pub mod checks;
mod control;
mod counters;
mod drift;
mod effect;
mod engine;
mod executions;
mod gcra;
mod glance;
mod inspect;
mod instruments;
mod key_index;
mod ledger;
pub mod limits;
mod order;
mod orders;
mod positions;
mod readiness;
mod reports;
mod saved;
mod sessions;
mod sweeps;
mod valuation;
mod valuations;
mod venue;
mod view;
mod volume_window;

pub use crate::engine::RiskCore;
pub use admission::{CheckOutcome, CheckWord};
pub use approach::{LineSink, STAGES, Stage, Word};
pub use approved::{Approved, OutboundAction, OutboundOrder};
pub use capacities::{Capacities, CapacityError};
pub use counters::Counters;
pub use effect::{
    Alarm, AlarmKind, Answer, AnswerKind, ClientReport, ControlOutcome, ControlRefusal, Done,
    EFFECTS_MAX, Effect, EffectSink, Explanation, Refusal, SessionChange, Valued,
};
pub use inspect::{AccountView, InstrumentView, OrderView, PositionView, WorthView};
pub use readiness::Readiness;
pub use saved::SavedError;
