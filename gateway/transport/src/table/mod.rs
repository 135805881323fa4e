//! The two tables of connections that every transport has, and the rings between them.
//!
//! The inbound table gives slots out; a ring carries the write half of each new connection to the
//! outbound table, another carries back the connections that the outbound table forgot. Invariants:
//! each ring has a place for every slot and a slot is in each at most once, so neither can be full;
//! a slot is free only when both tables forgot it. Nothing here knows what a stream is.

mod inbound;
mod outbound;

pub(crate) use inbound::{InboundTable, Settled};
pub(crate) use outbound::OutboundTable;

use portcullis_pipeline::transport::ConnectionId;
use portcullis_runtime::ring;

/// A write half on its way to, or in, the outbound table.
#[derive(Debug)]
struct WriteHalf<W> {
    connection: ConnectionId,
    stream: W,
}

/// Tables of `connections_max` slots. `idle_reads_max` is how many fruitless reads a round of hot
/// connections may cost before they cool.
///
/// # Panics
/// If `connections_max` is zero or above [`ConnectionId::SLOTS_MAX`].
pub(crate) fn tables<R, W>(
    connections_max: usize,
    idle_reads_max: u32,
) -> (InboundTable<R, W>, OutboundTable<W>) {
    assert!(
        (1..=ConnectionId::SLOTS_MAX).contains(&connections_max),
        "a table has 1 to {} connections, not {connections_max}",
        ConnectionId::SLOTS_MAX
    );
    let (to_outbound, arriving) = ring(connections_max);
    let (to_inbound, forgotten) = ring(connections_max);
    (
        InboundTable::new(connections_max, idle_reads_max, to_outbound, forgotten),
        OutboundTable::new(connections_max, arriving, to_inbound),
    )
}

#[cfg(test)]
mod tests;
