//! What each half of a transport has counted since it was made.
//!
//! Plain words, owned by the half's thread and handed out as copies: the agent publishes them.
//! Invariant: they only grow.

/// Counted by an inbound half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InboundCounters {
    /// Connections taken in.
    pub accepted: u64,
    /// Connections turned away because every slot was taken.
    pub refused_full: u64,
    /// Connections turned away because the system had no means for them, such as descriptors.
    pub refused_failed: u64,
    /// Times the listener itself failed to hand over a connection.
    pub accept_failures: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Reads tried, fruitless ones with them.
    pub read_calls: u64,
    /// Times the system was asked which connections are ready.
    pub poll_calls: u64,
    /// Times the system was asked to watch a connection that cooled, or one no longer that had been hot for long.
    pub watch_calls: u64,
}

/// Counted by an outbound half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct OutboundCounters {
    /// Bytes written.
    pub written_bytes: u64,
    /// Writes tried, fruitless ones with them.
    pub write_calls: u64,
    /// Connections shut down by this half.
    pub closed: u64,
}
