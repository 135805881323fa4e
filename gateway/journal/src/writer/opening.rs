//! What a writer begins with: its bounds, who it is, and where the journal begins.
//!
//! Plain values.

use crate::frame::{Chain, Term};
use crate::segment::Identity;
use portcullis_domain::Timestamp;

/// Bounds of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterOptions {
    /// Bytes of a frame, its header counted: what is gathered before it must be written.
    pub frame_bytes_max: usize,
    /// The writer calls itself short when less than this is left in the last segment it has.
    pub reserve_bytes: u64,
}

impl WriterOptions {
    /// An eighth of a segment in reserve, and frames of up to 256 KiB, or what a segment holds.
    #[must_use]
    pub const fn for_segments_of(segment_bytes: u64) -> Self {
        Self {
            frame_bytes_max: 1 << 18,
            reserve_bytes: segment_bytes / 8,
        }
    }
}

/// Who begins to write, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Which journal, and what writes it.
    pub identity: Identity,
    /// The writer's term.
    pub term: Term,
    /// Digest of the limits in force.
    pub limits: u64,
    /// The time, for people.
    pub now: Timestamp,
}

/// Where a new journal begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalStart {
    /// Number of the first record.
    pub next_seq: u64,
    /// The chain before it.
    pub chain: Chain,
}

impl JournalStart {
    /// The beginning of the journal with this number: record 1.
    #[must_use]
    pub const fn first(journal: u64) -> Self {
        Self {
            next_seq: 1,
            chain: Chain::new(journal),
        }
    }
}
