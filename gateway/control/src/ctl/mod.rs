//! The control protocol: one request a line over a local Unix socket, one answer each.
//!
//! The format stands in docs/ctl.md. Owned by the control thread. Invariants: a request is parsed
//! into a typed value, names resolved and amounts exact, before anything happens; what changes the
//! core becomes a command to be sequenced; no client can stall another. Never decides whether a
//! command is allowed: the core does.

mod answer;
mod backend;
pub mod client;
mod request;
pub mod server;
mod words;

pub use answer::{Answer, Status};
pub use backend::{CtlBackend, KeepLimits, Outcome, Ready};
pub use request::{CtlRequest, Query, RequestError, parse_request};

/// The longest request in bytes.
pub const REQUEST_BYTES_MAX: usize = 4_096;

#[cfg(test)]
mod tests;
