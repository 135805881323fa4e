//! A gateway put together: rings, agents, threads.
//!
//! Start-up and shut-down alone; no decision that a test would want. Everything is allocated here,
//! before the first byte is read.

mod assemble;
mod credentials;
mod external;
mod latency;
mod names;
mod origin;
mod recovery;
mod snapshots;
mod tables;
mod terms;
mod threads;
mod venue_kind;
mod venues;
mod wiring;

pub(crate) use assemble::{Gateway, Options, Readers};
pub(crate) use names::keep as keep_names;
pub(crate) use recovery::read_prelude;
pub(crate) use threads::{Finished, Left};
