//! The agents: ingress, sequencer, risk, venue, egress, and the log beside them.
//!
//! Each agent is a struct with one `do_work`, generic over transport, clock and venue; which of them
//! share a thread is the server's affair. Invariants: agents talk over bounded rings alone; whatever
//! changes the core is a sequenced record; nothing here blocks. This crate must never open a socket
//! or a file.

pub mod durability;
pub mod egress;
pub mod ingress;
pub mod item;
pub mod log;
pub mod mapped_segment;
pub mod recovery;
pub mod replica;
pub mod resend;
pub mod risk;
mod rounds;
pub mod sequencer;
pub mod signals;
pub mod stream_reach;
pub mod tables;
pub mod transport;
pub mod venue;
pub mod wiring;
