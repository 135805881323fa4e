//! A gateway put together: rings, agents, threads.
//!
//! Start-up and shut-down alone; no decision that a test would want. Everything is allocated here,
//! before the first byte is read.

mod assemble;
mod credentials;
mod external;
mod latency;
mod terms;
mod threads;
mod venue_kind;

pub(crate) use assemble::{Gateway, Options, Readers};
pub(crate) use threads::{Finished, Left};
