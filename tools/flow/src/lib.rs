//! Drives order flow through real TCP sockets against a gateway that speaks SoupBinTCP and OUCH 5.0,
//! and judges the answers by the bytes that came back.
//!
//! | part | what |
//! |---|---|
//! | [`Driver`] | connects, drives, cancels, flattens, logs out; every phase on the caller's thread |
//! | [`run`] | all phases in their order |
//! | [`Source`] | a market-by-order file, or generated flow ([`GeneratorConfig`]) |
//! | [`Intent`], [`Act`] | one thing to do, before it has numbers and bytes |
//! | [`FlowReport`] | what was sent, how each message was answered, latency percentiles |
//! | [`Plant`] | a fault between socket and checker, to prove that the checker sees one |
//!
//! **Thread.** One: all sessions' sockets are polled by the thread that calls the driver.
//! **Invariants.** Every figure about answers comes from bytes received. Memory is bounded by the
//! number of live orders, the window and fixed buffers, not by the length of the flow, unless the
//! caller wants all answers kept. Prices,
//! quantities and times are integers.
//! **Never.** Link the risk core, the pipeline or a matching engine: what is judged here must not
//! judge itself. Spin while there is nothing to do.
//!
//! Units: prices in 10^-4 and quantities in shares, both as OUCH says them ("wire units"); times in
//! nanoseconds.

mod answer;
mod checker;
mod config;
mod driver;
mod error;
mod feed;
mod intent;
mod link;
mod mapping;
mod pace;
mod positions;
mod random;
mod report;
mod run;
mod synthesis;
mod tamper;
mod trades;
mod venue;

pub use answer::{Answer, AnswerKind};
pub use config::{
    AccountConfig, FlowConfig, GeneratorConfig, InstrumentConfig, Pace, Plant, SessionConfig,
    Source,
};
pub use driver::{Driver, Drove, Until};
pub use error::FlowError;
pub use intent::{Act, Enter, Flaw, Intent, Lane, Listing};
pub use mapping::DbnCounts;
pub use positions::OpenPosition;
pub use report::{FlowReport, LatencyNs, Progress, SessionReport, Tally};
pub use run::run;
pub use synthesis::FaultKind;
