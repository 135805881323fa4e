//! Limits of a client session.
//!
//! Owned by the limit table.

use super::Rate;
use super::field::limit_fields;

limit_fields!(
    /// The limits a session has.
    SessionField, SESSION_FIELDS, SessionCells {
        RateIntervalNs = 0, "rate_interval_ns", Nanoseconds, Higher, 1, 1_000_000_000, true,
            "interval in which `rate_count` orders may come on the session";
        RateCount = 1, "rate_count", Count, Lower, 1, 1_000_000_000, true,
            "orders per `rate_interval_ns`, sustained";
        RateBurst = 2, "rate_burst", Count, Lower, 1, 1_000_000, true,
            "orders that may come at once";
        CancelOnDisconnect = 3, "cancel_on_disconnect", Count, Neither, 0, 1, true,
            "1: a lost connection cancels the session's orders; 0: they stay";
    }
);

/// What the order path reads of a session's limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionLimits {
    pub(crate) rate: Rate,
    pub(crate) cancel_on_disconnect: bool,
}

impl SessionLimits {
    pub(super) fn new(cells: &SessionCells) -> Self {
        Self {
            rate: Rate::of(
                cells.cell(SessionField::RateIntervalNs),
                cells.cell(SessionField::RateCount),
                cells.cell(SessionField::RateBurst),
            ),
            cancel_on_disconnect: cells.cell(SessionField::CancelOnDisconnect).value() == Some(1),
        }
    }
}
