//! The segment that is written to, and the one that comes next.
//!
//! The writer's thread. Invariants: a segment has its header before it has its name; one that was begun for a leader's
//! frames gets none of this writer's own, unless it has no frame yet.

use super::{JournalWriter, Opening};
use crate::frame::Position;
use crate::segment::{HEADER_BYTES, SegmentHeader, SegmentName};
use crate::source::Spare;
use crate::storage::{Storage, StorageFile};
use portcullis_domain::{Timestamp, UNIT_BYTES};
use std::io;

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Open<F> {
    pub(super) file: F,
    pub(super) name: SegmentName,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) is_copied: bool,
}

impl<S: Storage> JournalWriter<S> {
    /// The segment was begun for a leader's frames and has none: it is this writer's from here on, under its name, since
    /// whoever follows has it open. Its header lies within a block of the disk, which keeps the old one or the new one.
    pub(super) fn claim_segment(&mut self, now: Timestamp) -> io::Result<()> {
        self.opening.now = now;
        let bytes = self.open.bytes;
        let header = segment_header(&self.opening, &self.position, bytes, self.copies);
        self.open.file.write_at(&header.to_bytes(), 0)?;
        self.open.is_copied = self.copies;
        Ok(())
    }

    /// Goes on in the next segment.
    pub(super) fn roll(&mut self, now: Timestamp) -> io::Result<()> {
        let spare = match self.spare.take() {
            Some(spare) => spare,
            None => self.source.take()?,
        };
        self.opening.now = now;
        let header = segment_header(&self.opening, &self.position, spare.bytes, self.copies);
        // Where frames are copied, a header alone tells that they are: it must not be what a power failure takes.
        let open = match become_segment(&self.storage, spare, &header, self.copies) {
            Ok(open) => open,
            Err((spare, error)) => {
                self.spare = Some(spare);
                return Err(error);
            }
        };
        let behind = std::mem::replace(&mut self.open, open);
        if self.synced + 1 < self.position.next_seq {
            self.unsynced.push(behind.name);
        }
        self.folder_synced = false;
        self.source.close(behind.file);
        self.source.poll();
        Ok(())
    }

    /// Whether this segment is the last there can be now, since no next one could be made, and less than the reserve is
    /// left in it. Asks for the next one to be made, too. One that is only not made yet is no reason: it will be.
    pub fn is_short(&mut self) -> bool {
        let ready = self.spare.is_some() || self.source.poll();
        !ready && self.source.is_refused() && self.room_bytes() < self.reserve_bytes
    }

    /// Bytes left in this segment behind what is gathered; none where it is full of a leader's frames.
    const fn room_bytes(&self) -> u64 {
        if self.open.is_copied && !self.copies && self.open.offset > HEADER_BYTES as u64 {
            return 0;
        }
        let gathered = (self.frame.units.len() * UNIT_BYTES) as u64;
        self.open.bytes.saturating_sub(self.open.offset + gathered)
    }
}

pub(super) fn segment_header(
    opening: &Opening,
    position: &Position,
    segment_bytes: u64,
    is_copied: bool,
) -> SegmentHeader {
    SegmentHeader {
        seq_first: position.next_seq,
        previous: position.chain,
        term: opening.term.max(position.term),
        limits: opening.limits,
        created_ns: opening.now.ns(),
        segment_bytes,
        is_copied,
        identity: opening.identity.clone(),
    }
}

/// A spare that could not become a segment, and why.
pub(super) type Refused<F> = (Spare<F>, io::Error);

/// Gives a spare its header and its name.
pub(super) fn become_segment<S: Storage>(
    storage: &S,
    spare: Spare<S::File>,
    header: &SegmentHeader,
    synced: bool,
) -> Result<Open<S::File>, Refused<S::File>> {
    let name = SegmentName::new(header.seq_first);
    let written = spare
        .file
        .write_at(&header.to_bytes(), 0)
        .and_then(|()| if synced { spare.file.sync() } else { Ok(()) })
        .and_then(|()| storage.rename(&spare.name, &name.to_string()));
    match written {
        Ok(()) => Ok(Open {
            file: spare.file,
            name,
            offset: HEADER_BYTES as u64,
            bytes: spare.bytes,
            is_copied: header.is_copied,
        }),
        Err(error) => Err((spare, error)),
    }
}

/// Makes all segments of a folder last, and their names.
pub(super) fn sync_segments<S: Storage>(storage: &S) -> io::Result<()> {
    for file in storage.list()? {
        if SegmentName::parse(&file.name).is_some() {
            storage.open(&file.name)?.sync()?;
        }
    }
    storage.sync_folder()
}
