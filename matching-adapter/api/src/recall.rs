//! What a venue is told of its own past, from the log.
//!
//! Called by whoever replays a log, on one thread, before the venue is polled for the first time.
//! Invariants: the records come in their order, each once; while the past is told nothing is sent
//! and nothing is asked of an engine; after [`RecallVenue::recalled`] the venue stands where one
//! would that had lived through the log. It must never be told what did not stand in the log.

use core::fmt;

use portcullis_domain::{ReportKind, SessionId, VenueReport};

use crate::saved::SavedError;
use crate::{Approved, MatchingVenue, NOTE_NOT_SENT, OutboundOrder};

/// A venue that can be made again from the log.
pub trait RecallVenue: MatchingVenue {
    /// The core approved this order at this place of the log, and it may have left or not. `raw` is
    /// the client's message, as [`MatchingVenue::submit`] was given it.
    fn recall_order(&mut self, order: Approved<OutboundOrder>, raw: &[u8]);

    /// This report stands in the log, with the engine's own bytes; empty where the venue or the
    /// gateway itself made it.
    fn recall_report(&mut self, report: &VenueReport, raw: &[u8]);

    /// The log says that the engine's sequence number of a session stood there: what
    /// [`VenueSink::on_sequence`](crate::VenueSink::on_sequence) told.
    fn recall_sequence(&mut self, session: SessionId, sequence: u64);

    /// The first thing that does not fit so far; the venue goes on recalling. What [`RecallVenue::recalled`] will say of
    /// it, for whoever has to know before the log ends.
    fn recall_fault(&self) -> Option<RecallFault>;

    /// The log ends here: says what is in doubt. From the next poll on the venue lives, and tells
    /// every session's link anew.
    fn recalled(&mut self) -> RecallEnd;

    /// Appends what it remembers of the log so far, between two records, before
    /// [`RecallVenue::recalled`].
    fn save(&self, out: &mut Vec<u8>);

    /// Takes what [`RecallVenue::save`] wrote in the place of all the log before it. Of a venue that
    /// was made with the same configuration, and was told nothing yet.
    ///
    /// # Errors
    /// What in the bytes cannot be, and where; the venue is then not to be used.
    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedError>;
}

/// Where a venue stands at the end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RecallEnd {
    /// Orders and replaces that were approved and of which the log has no answer.
    pub orders_in_doubt: u64,
    /// Cancels of which it has none.
    pub cancels_in_doubt: u64,
    /// The first thing that does not fit. A venue with one must not go live: its orders are not those
    /// of the log, so that holds and fills would be of two different books.
    pub fault: Option<RecallFault>,
}

/// What does not fit between a venue and a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecallFault {
    /// A report of the log is not the one that the venue makes at that place.
    ReportDiffers {
        /// Which one it is, counted from 1 over the reports of the log, those in a snapshot included.
        number: u64,
        /// What the log says.
        logged: VenueReport,
        /// What the venue says; `None` for nothing.
        made: Option<VenueReport>,
    },
    /// A venue of this kind is never made again from a log.
    NotRecallable,
}

impl fmt::Display for RecallFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReportDiffers {
                number,
                logged,
                made,
            } => {
                let session = logged.session.raw();
                let (row, order) = (logged.user_ref.row, logged.user_ref.number);
                write!(
                    f,
                    "report {number} of the log is {:?} of order {order} (row {row}) of session \
                     {session}, and the venue says ",
                    logged.kind
                )?;
                match made {
                    Some(made) => write!(
                        f,
                        "{:?} of order {} (row {}) of session {}",
                        made.kind,
                        made.user_ref.number,
                        made.user_ref.row,
                        made.session.raw()
                    )?,
                    None => f.write_str("nothing")?,
                }
                f.write_str(
                    "; the log was written with another venue, another configuration of it or \
                     another build: start with those",
                )
            }
            Self::NotRecallable => {
                f.write_str("a venue with planted faults or hostility is not made again from a log")
            }
        }
    }
}

/// Whether the gateway itself made this report, on something that never left it.
#[must_use]
pub const fn is_gateways_own(report: &VenueReport, raw: &[u8]) -> bool {
    let refuses = match report.kind {
        ReportKind::Rejected | ReportKind::ReplaceRejected { .. } | ReportKind::CancelRejected => {
            true
        }
        ReportKind::Accepted
        | ReportKind::Fill { .. }
        | ReportKind::Canceled
        | ReportKind::Reduced { .. }
        | ReportKind::Replaced { .. }
        | ReportKind::CancelPending
        | ReportKind::BrokenTrade { .. }
        | ReportKind::Information => false,
    };
    refuses && raw.is_empty() && report.note == NOTE_NOT_SENT
}
