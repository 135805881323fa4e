//! What lives on while gateways die: clients that remember all they were told, and an engine with a book.
//!
//! Shared by the verbs that kill gateways. Invariant: what survives judges the gateway by bytes alone.

mod book;
mod client;
pub(crate) mod config;
mod crowd;
mod engine;
mod gateway;
mod link;
mod messages;
mod orders;
mod percentile;
mod random;
mod scratch;

pub(crate) use config::Setup;
pub(crate) use crowd::Crowd;
pub(crate) use engine::{Engine, EngineFigures};
pub(crate) use gateway::{Gateway, Recovered, Replayed};
pub(crate) use orders::Orders;
pub(crate) use percentile::percentile;
pub(crate) use random::Random;
pub(crate) use scratch::Scratch;
