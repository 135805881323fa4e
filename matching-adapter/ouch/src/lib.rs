//! A real engine behind OUCH 5.0 over SoupBinTCP, unmodified: one engine session a client session.
//!
//! The venue agent owns an [`OuchVenue`] and calls it from one thread; connections are made on a
//! thread of their own ([`TcpDial`]), so that nothing here waits.
//!
//! Invariants:
//! - A client's bytes go to the engine as they came, but for what the approved order forces: the
//!   protection price and immediate-or-cancel of a market order, and the number of a version that
//!   the engine no longer knows by the one the client named.
//! - What was sent and is not answered is kept, and sent again after a broken link: every message of
//!   OUCH may be sent again harmlessly. An order that was never sent when the link broke is refused
//!   in the engine's name; a cancel waits for the link.
//! - Engine messages are taken in the order of their sequence numbers, each once. A link is up only
//!   after the engine's replay was taken and the unanswered messages were sent again. Where that
//!   cannot be, it stays down for a person ([`StopReason`]).
//! - After a restart, its place in the engine's stream and all that is unanswered come from the log
//!   alone. What an order's number shows never arrived is refused, not sent ([`ReplayEnd`]); nothing is
//!   sent before the engine has answered for each row of numbers with anything in doubt.
//! - Buffers, tables and stores have the sizes of [`OuchVenueConfig`] and never grow. No clock is
//!   read: time is what `poll` is given.
//!
//! It must never decide about risk, invent a report on an order the engine has, or read past a
//! message that might be an execution.

mod buffer;
mod chains;
mod config;
mod counters;
mod dial;
mod in_flight;
mod incoming;
mod link;
mod orders;
mod outgoing;
mod recall;
mod rows;
mod stop_reason;
mod venue;

pub use config::{ConfigError, EngineInstrument, EngineLogin, OuchVenueConfig, ReplayEnd, Route};
pub use counters::Counters;
pub use dial::{Dial, Dialed, EngineStream, TcpDial};
pub use link::LinkState;
pub use stop_reason::{StopReader, StopReason, StopWriter};
pub use venue::OuchVenue;
