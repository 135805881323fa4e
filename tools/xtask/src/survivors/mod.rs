//! What lives on while gateways die: clients that remember all they were told, and an engine with a book.
//!
//! Shared by the verbs that kill gateways. Invariant: what survives judges the gateway by bytes alone.

mod client;
pub(crate) mod config;
mod engine;
mod gateway;
mod link;
mod messages;
mod random;
mod scratch;

pub(crate) use client::{Crowd, Orders};
pub(crate) use config::Setup;
pub(crate) use engine::{Engine, EngineFigures};
pub(crate) use gateway::{Gateway, Replayed};
pub(crate) use random::Random;
pub(crate) use scratch::Scratch;
