//! TCP: a listener and its connections, as the two halves that the agents ask for.
//!
//! The halves of one connection are two descriptors of one socket, so that each thread owns its own
//! and none is shared. Owned by nobody once made: the halves go to their threads. Invariants: every
//! socket is non-blocking and without Nagle's delay; the system is asked for nothing that can wait.

mod inbound;
mod outbound;

pub use inbound::TcpInbound;
pub use outbound::TcpOutbound;

use crate::table::tables;
use mio::net::TcpListener;
use portcullis_pipeline::transport::ConnectionId;
use portcullis_runtime::set_congestion_control;
use std::io;
use std::net::SocketAddr;

/// Connections that may wait to be accepted; the system cuts it to its own limit.
const BACKLOG: i32 = 4_096;

/// How a TCP transport is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpOptions {
    /// Connections at once, 1 to [`ConnectionId::SLOTS_MAX`]. Each takes two descriptors.
    pub connections_max: usize,
    /// Size of the system's send buffer a connection, bytes; the system may round it. A small one
    /// makes a client that does not read noticed early. `None` leaves it to the system.
    pub send_buffer_bytes: Option<usize>,
    /// The congestion control of each connection, by the system's name; `None` leaves it to the system.
    pub congestion_control: Option<&'static str>,
    /// While few connections speak and some are hot, the system is asked about the others once in this many
    /// calls of `poll_ready`; while none is hot, or a crowd speaks, at each call. It names the listener as well.
    pub poll_every_calls: u32,
    /// Fruitless reads that all hot connections together may cost in a row before they cool and are
    /// left to the system to name: with one hot connection so many calls, with two half of them each. In a
    /// crowd each cools with its first.
    pub idle_reads_max: u32,
}

impl TcpOptions {
    /// The options for this many connections, the rest as it suits a gateway that polls busily.
    #[must_use]
    pub const fn new(connections_max: usize) -> Self {
        Self {
            connections_max,
            send_buffer_bytes: None,
            congestion_control: None,
            poll_every_calls: 16,
            idle_reads_max: 4_096,
        }
    }
}

/// Listens on `listen` for up to `connections_max` connections; returns the halves and the address
/// that was bound (the port that the system chose, if `listen` says 0).
///
/// # Errors
/// If `connections_max` is out of range, or the system refuses the address or the poller.
pub fn tcp_transport(
    listen: SocketAddr,
    connections_max: usize,
) -> io::Result<(TcpInbound, TcpOutbound, SocketAddr)> {
    tcp_transport_with(listen, TcpOptions::new(connections_max))
}

/// As [`tcp_transport`], with every option.
///
/// # Errors
/// As [`tcp_transport`].
pub fn tcp_transport_with(
    listen: SocketAddr,
    options: TcpOptions,
) -> io::Result<(TcpInbound, TcpOutbound, SocketAddr)> {
    if !(1..=ConnectionId::SLOTS_MAX).contains(&options.connections_max) {
        let what = format!(
            "connections_max is {}: give 1 to {}",
            options.connections_max,
            ConnectionId::SLOTS_MAX
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let in_words = |error: io::Error| {
        let what =
            format!("cannot listen on {listen}: {error}; is the port taken, the address ours?");
        io::Error::new(error.kind(), what)
    };
    // Sets SO_REUSEADDR, so that a restart need not wait for the connections of the last run.
    let listener = TcpListener::bind(listen).map_err(in_words)?;
    // Again, for a backlog that takes every client of a venue coming back in the same second.
    rustix::net::listen(&listener, BACKLOG)?;
    if let Some(name) = options.congestion_control {
        // Those that are accepted have it from the listener.
        set_congestion_control(&listener, name).map_err(|error| {
            let what = format!("the system does not give congestion control {name}: {error}");
            io::Error::new(error.kind(), what)
        })?;
    }
    let address = listener.local_addr()?;
    let (reads, writes) = tables(options.connections_max, options.idle_reads_max);
    let inbound = TcpInbound::new(listener, reads, options)?;
    Ok((inbound, TcpOutbound::new(writes), address))
}

#[cfg(test)]
mod tests;
