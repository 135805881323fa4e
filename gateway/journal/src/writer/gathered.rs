//! The frame that is gathered: records in, a sealed frame out.
//!
//! The writer's thread. Invariant: once its header and checksum are made, its bytes stay as they are until they are
//! written.

use super::JournalWriter;
use crate::frame::{self, Chain, FrameHeader, SYNCED_BEFORE};
use crate::storage::Storage;
use bytemuck::cast_slice_mut;
use portcullis_domain::{Head, RAW_BYTES_MAX, RECORD_BYTES_MAX, Seq, Timestamp, UNIT_BYTES, Unit};

/// What came of a record or frame that was to be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Append {
    /// It stands in the frame that is gathered.
    Taken,
    /// There is no room for it until the frame is written.
    Full,
}

/// The frame that is gathered. Its first unit is the header's.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) units: Vec<Unit>,
    pub(super) units_max: usize,
    pub(super) count: u32,
    /// Nothing more goes in.
    pub(super) closed: bool,
    /// Header and checksum are made: its bytes stay as they are.
    pub(super) sealed: bool,
    pub(super) digest: Option<u64>,
}

impl Gathered {
    pub(super) fn clear(&mut self) {
        self.units.truncate(1);
        self.count = 0;
        self.closed = false;
        self.sealed = false;
        self.digest = None;
    }
}

impl<S: Storage> JournalWriter<S> {
    /// Appends a record to the frame that is gathered.
    ///
    /// # Panics
    /// If its number is not the next one, or its head says another length than `raw` has.
    pub fn append(&mut self, head: Head, raw: &[u8]) -> Append {
        assert!(head.seq == self.next_seq(), "records are appended in order");
        assert!(
            usize::from(head.raw_len) == raw.len() && raw.len() <= RAW_BYTES_MAX,
            "a head says its length"
        );
        let frame = &mut self.frame;
        let at = frame.units.len();
        if frame.closed || at + head.units() > frame.units_max {
            return Append::Full;
        }
        frame.units.push(head.to_unit());
        frame.units.resize(at + head.units(), Unit::ZERO);
        cast_slice_mut::<Unit, u8>(&mut frame.units[at + 1..])[..raw.len()].copy_from_slice(raw);
        frame.count += 1;
        Append::Taken
    }

    /// Notes the core's digest after the record that was appended last, and closes the frame behind it.
    ///
    /// # Panics
    /// If that record is not the last one appended, or is written already.
    pub fn note_digest(&mut self, seq: Seq, digest: u64) {
        assert!(
            self.frame.count > 0 && !self.frame.sealed,
            "the record is still gathered"
        );
        assert!(
            seq.raw() + 1 == self.next_seq(),
            "a digest follows its record"
        );
        self.frame.digest = Some(digest);
        self.frame.closed = true;
    }

    pub(super) fn seal(&mut self, now: Timestamp) {
        let units = &mut self.frame.units;
        let mut header = FrameHeader {
            flags: if self.synced + 1 == self.position.next_seq {
                SYNCED_BEFORE
            } else {
                0
            },
            seq_first: self.position.next_seq,
            count: self.frame.count,
            units: units.len() as u32 - 1,
            digest: 0,
            term: self.opening.term,
            written_ns: now.ns(),
            previous: self.position.chain,
            chain: Chain::new(0),
        };
        if let Some(digest) = self.frame.digest {
            header.note_digest(digest);
        }
        frame::seal(units, &mut header, self.opening.identity.journal);
        self.frame.closed = true;
        self.frame.sealed = true;
    }

    /// Records that are gathered and not written.
    #[must_use]
    pub const fn gathered(&self) -> u32 {
        self.frame.count
    }

    /// Whether the frame that is gathered takes one more record, however long that is.
    #[must_use]
    pub const fn takes_more(&self) -> bool {
        let longest = RECORD_BYTES_MAX / UNIT_BYTES;
        !self.frame.closed && self.frame.units.len() + longest <= self.frame.units_max
    }
}
