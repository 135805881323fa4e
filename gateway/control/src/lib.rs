//! The control plane: config, credentials, the control protocol and the price feed's format.
//!
//! Owned by the control and credential threads. Invariants: nothing here decides on an order;
//! whatever changes the core leaves this crate as a command to be sequenced. Must never be used by
//! a crate of the data plane.

pub mod config;
pub mod credentials;
pub mod ctl;
pub mod decimal;
pub mod feed;
pub mod field_value;
pub mod names;
mod nearest;
