//! What the adapter counts.
//!
//! Owned by the venue agent's thread. Invariant: counting never decides.

/// Counts over all sessions since start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counters {
    /// Messages written to the engine.
    pub messages_sent: u64,
    /// Of these, sent again after a broken link.
    pub messages_resent: u64,
    /// Sequenced messages taken.
    pub messages_taken: u64,
    /// Sequenced messages whose number had been taken before: ignored.
    pub messages_repeated: u64,
    /// Reads of links, fruitless ones with them.
    pub reads: u64,
    /// Connections that could not be made.
    pub dials_failed: u64,
    /// Logins that were taken.
    pub logins: u64,
    /// Links that broke.
    pub links_lost: u64,
    /// Of these, links whose engine said nothing of a row of numbers that it was asked about, in time.
    pub answers_missing: u64,
    /// Orders given back for want of room.
    pub given_back: u64,
    /// Orders, replaces and cancels answered here because their session has no link.
    pub refused_without_link: u64,
    /// Orders and replaces of the time before a restart that the engine never had, refused here.
    pub refused_after_restart: u64,
    /// Messages about no order, answers that nobody asked for among them: forwarded to nobody.
    pub unattributed: u64,
    /// Messages of a type that OUCH 5.0 does not have, forwarded unread where they name an order.
    pub unknown_type: u64,
    /// Messages whose appendage could not be read: taken for what their fixed part says.
    pub appendage_unreadable: u64,
    /// Executions and decrements that are no whole number of ticks and lots.
    pub not_convertible: u64,
    /// Orders learned from the engine, not sent by this adapter since its start.
    pub orders_learned: u64,
    /// Orders that the engine told of and the table had no room for.
    pub orders_not_kept: u64,
}
