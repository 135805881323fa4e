//! A matching engine of its own: OUCH 5.0 over SoupBinTCP with the ladder behind it, as a process that
//! outlives the gateways in front of it.
//!
//! It exists for tests of crashes and failovers, so it counts what such a test asks for: each order
//! that came twice, what is open, how far each session's numbers are. One thread owns all of it and
//! waits for sockets; questions come from another thread ([`Asker`]).
//!
//! Invariants:
//! - A session outlives its connections: its stream is kept from the first message, and can be had
//!   again from any number. A new login takes the session over, and the old connection is closed with
//!   whatever of it was not read.
//! - A number at or below the last one of its session and row is ignored and counted, as OUCH asks.
//! - What is asked before an account query is answered before it.
//! - Bytes from outside never panic it; what cannot be read is counted.
//!
//! It must never be taken for a venue: it knows no risk, no money and no disk.

mod book;
mod config;
mod connection;
mod figures;
mod floor;
mod say;
mod session;
mod stream;

pub use config::{EngineConfig, EngineUser, SetupError, TradedInstrument};
pub use floor::{Ask, Asker, Engine};
