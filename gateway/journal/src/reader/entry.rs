//! What a journal holds, as it is given to whoever reads.
//!
//! Borrowed from a reader's buffer. Invariant: a record lies whole in the units it was checked in.

use bytemuck::cast_slice;
use portcullis_domain::{Head, Record, Seq, Unit};

/// A record where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// The head.
    pub head: &'a Head,
    /// The raw message behind it.
    pub raw: &'a [u8],
}

impl RecordRef<'_> {
    /// The record by itself.
    #[must_use]
    pub fn to_record(&self) -> Record {
        let mut record = Record::bare(*self.head);
        record.become_message(self.head, self.raw);
        record
    }
}

/// What a journal holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A record.
    Record(RecordRef<'a>),
    /// What the core's digest of effects was after a record.
    Digest {
        /// The record.
        seq: Seq,
        /// The digest.
        digest: u64,
    },
}

pub(crate) fn record_at(units: &[Unit], at: usize) -> RecordRef<'_> {
    let head: &Head = bytemuck::cast_ref(&units[at]);
    let raw: &[u8] = cast_slice(&units[at + 1..at + head.units()]);
    RecordRef {
        head,
        raw: &raw[..usize::from(head.raw_len)],
    }
}
