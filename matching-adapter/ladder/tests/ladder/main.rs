//! The ladder from outside: against a naive oracle, over all ways to cut its work, through its
//! snapshots, and on small cases that other engines are known to get wrong.
//!
//! Runs on the test's thread. These tests must never look inside the ladder: they know its commands,
//! its reports and its audit.

mod cases;
mod desk;
mod flow;
mod naive;
mod oracle;
mod resume;
mod rules;
mod snapshot;
