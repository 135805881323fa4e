//! What the gateway asks of a matching venue.
//!
//! The venue agent owns a venue and calls it from one thread. Invariants: a venue takes nothing but
//! [`Approved`] orders; it never blocks; what it cannot take now it gives back; it reports only as
//! much as it is given room for, and goes on at the next poll. It must never decide about risk.

mod recall;
mod refusal;
pub mod saved;

use portcullis_domain::{SessionId, Timestamp, VenueReport};
pub use portcullis_risk_core::{Approved, OutboundAction, OutboundOrder};
pub use recall::{RecallEnd, RecallFault, RecallVenue, is_gateways_own};
pub use refusal::{Asks, refusal};

/// Remark of a report that the gateway makes itself, in the engine's name, on an order, replace or
/// cancel that never left it: destination closed. No engine behind an adapter of ours says it, so
/// that a log tells what was never sent.
pub const NOTE_NOT_SENT: u8 = 0x02;

/// A matching engine, in process or behind a wire.
pub trait MatchingVenue {
    /// Takes an approved order. `raw` holds the client's own message where its protocol is the
    /// engine's, to be forwarded as it came but for what `order` forces; empty where the gateway
    /// itself asks.
    ///
    /// # Errors
    /// The order comes back where there is no room for it now: the caller offers it again, before any
    /// other of its session, and its hold stays. Other sessions' orders may come in between.
    fn submit(
        &mut self,
        order: Approved<OutboundOrder>,
        raw: &[u8],
    ) -> Result<(), Approved<OutboundOrder>>;

    /// Whether it takes orders at all now. While it does not, none is to be offered: one whose
    /// answers depend on the order of all sessions' commands says so instead of giving back, so that
    /// what it takes stands in the order of approval.
    fn takes_orders(&self) -> bool {
        true
    }

    /// Sends what was submitted on its way, as far as that can be done at once, and does nothing else:
    /// a caller with other work before it polls again does not let an order wait for that.
    fn send(&mut self, now: Timestamp) {
        let _ = now;
    }

    /// Does the venue's work at `now` and reports what came of it, at most `budget` calls of the
    /// sink. Returns how much was done; 0 is idle.
    fn poll(&mut self, now: Timestamp, budget: usize, sink: &mut impl VenueSink) -> usize;

    /// Whether nothing that was taken still waits for a report the venue itself owes.
    fn is_idle(&self) -> bool;
}

/// Where a venue's reports go.
pub trait VenueSink {
    /// Takes a report, and the engine's own bytes where the client is to have them as they came, at
    /// most [`RAW_BYTES_MAX`](portcullis_domain::RAW_BYTES_MAX) of them; empty where the gateway
    /// encodes the report itself. A message of the engine comes with one report at the most, or the
    /// client would be told twice. With bytes, the engine's sequence number of that session goes on
    /// by one.
    fn on_report(&mut self, report: VenueReport, raw: &[u8]);

    /// The engine's link to a session went up, its orders reconciled, or down.
    fn on_link(&mut self, session: SessionId, up: bool);

    /// The number of the engine's last message that was taken of a session is this, and no report
    /// told it: there was none, or the numbers go on elsewhere. With this and the reports that have
    /// bytes, the log holds the number that a later start goes on from.
    fn on_sequence(&mut self, session: SessionId, sequence: u64) {
        let _ = (session, sequence);
    }
}
