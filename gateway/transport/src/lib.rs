//! Where bytes come in and go out: TCP, and memory in its place for tests and the simulator.
//!
//! Each transport is a pair of halves: the inbound half belongs to ingress, the outbound half to
//! egress, on one thread or on two. Invariants: nothing blocks; tables are made once and never grow;
//! a slot is given again only after both halves forgot it, and then with another generation. This
//! crate must never look into the bytes it carries, and is the only one of the data plane that
//! touches a socket.

mod counters;
mod descriptors;
mod memory;
mod table;
mod tcp;

pub use counters::{InboundCounters, OutboundCounters};
pub use descriptors::{allow_descriptors, descriptors_wanted};
pub use memory::{
    MemoryClient, MemoryInbound, MemoryNetwork, MemoryOptions, MemoryOutbound, memory_transport,
};
pub use tcp::{TcpInbound, TcpOptions, TcpOutbound, tcp_transport, tcp_transport_with};
