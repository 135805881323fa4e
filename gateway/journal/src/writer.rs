//! Writing a journal: records gather in a frame, a frame goes to the disk in one write.
//!
//! The log thread. Invariants: a frame that was offered to the disk once keeps its bytes until the disk has taken
//! them, at the same place; frames follow each other without a gap across segments; [`JournalWriter::synced`] never
//! passes what a successful sync covered. Must never reach for a clock, wait for space, or write over a frame that is
//! written.

mod copy;
mod gathered;
mod opening;
mod segments;

pub use copy::JournalCopy;
pub use gathered::Append;
pub use opening::{JournalStart, Opening, WriterOptions};

use crate::error::{Fault, JournalError};
use crate::frame::{Chain, FRAME_BYTES_MAX, FrameHeader, Position, Term};
use crate::recover::{Recovered, set_aside};
use crate::segment::{HEADER_BYTES, SegmentName};
use crate::source::{SegmentSource, Spare, make_spare};
use crate::storage::{Storage, StorageFile};
use bytemuck::cast_slice;
use gathered::Gathered;
use portcullis_domain::{RECORD_BYTES_MAX, Seq, Timestamp, UNIT_BYTES, Unit};
use segments::{Open, become_segment, segment_header, sync_segments};
use std::io;

/// Writes a journal.
pub struct JournalWriter<S: Storage> {
    storage: S,
    source: Box<dyn SegmentSource<S> + Send>,
    opening: Opening,
    reserve_bytes: u64,
    /// The frames are a leader's.
    copies: bool,
    open: Open<S::File>,
    /// Taken, and not yet a segment by name.
    spare: Option<Spare<S::File>>,
    /// Segments behind, with frames that no sync has covered. By name: nobody may ever ask for a sync, and an open
    /// file would keep the space of a segment that was removed.
    unsynced: Vec<SegmentName>,
    folder_synced: bool,
    sync_failed: bool,
    frame: Gathered,
    /// Behind the last frame that is written.
    position: Position,
    synced: u64,
    _lock: S::Lock,
}

impl<S: Storage> JournalWriter<S> {
    /// Begins a journal in a folder that has none.
    ///
    /// # Errors
    /// Those of the file system; `AlreadyExists` if a segment stands in the folder.
    pub fn create(
        storage: S,
        lock: S::Lock,
        source: Box<dyn SegmentSource<S> + Send>,
        options: WriterOptions,
        opening: Opening,
        start: JournalStart,
    ) -> io::Result<Self> {
        Self::create_either(storage, lock, source, options, opening, start, false)
    }

    fn create_either(
        storage: S,
        lock: S::Lock,
        source: Box<dyn SegmentSource<S> + Send>,
        options: WriterOptions,
        opening: Opening,
        start: JournalStart,
        copies: bool,
    ) -> io::Result<Self> {
        let listed = storage.list()?;
        if let Some(segment) = listed
            .iter()
            .find(|file| SegmentName::parse(&file.name).is_some())
        {
            let what = format!(
                "{}/{} is there: a journal stands here",
                storage.place(),
                segment.name
            );
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        Self::begin(storage, lock, source, options, opening, start, copies)
    }

    /// Goes on behind what was recovered, in a segment of its own. Segments that recovery gave up are set aside under
    /// another name first.
    ///
    /// # Errors
    /// Those of the file system; an identity or a term that is not the journal's.
    pub fn resume(
        storage: S,
        lock: S::Lock,
        source: Box<dyn SegmentSource<S> + Send>,
        options: WriterOptions,
        opening: Opening,
        recovered: &Recovered,
    ) -> Result<Self, JournalError> {
        Self::resume_either(storage, lock, source, options, opening, recovered, false)
    }

    fn resume_either(
        storage: S,
        lock: S::Lock,
        source: Box<dyn SegmentSource<S> + Send>,
        options: WriterOptions,
        opening: Opening,
        recovered: &Recovered,
        copies: bool,
    ) -> Result<Self, JournalError> {
        let fault = |fault| JournalError::of_folder(storage.place(), fault);
        let identity = &opening.identity;
        if identity.journal != recovered.identity.journal {
            return Err(fault(Fault::Identity));
        }
        if identity.prelude != recovered.identity.prelude {
            return Err(fault(Fault::Prelude {
                expected: identity.prelude,
                found: recovered.identity.prelude,
            }));
        }
        if opening.term < recovered.term {
            return Err(fault(Fault::TermBack {
                before: recovered.term.raw(),
                found: opening.term.raw(),
            }));
        }
        for name in &recovered.given_up {
            set_aside(&storage, name).map_err(|error| fault(Fault::Io(error)))?;
        }
        let start = JournalStart {
            next_seq: recovered.next_seq,
            chain: recovered.chain,
        };
        // What is gone on from counts as durable from now on. The last process may have died between writing
        // and syncing it, so that a power failure could still take it from under the segments that follow.
        sync_segments(&storage).map_err(|error| fault(Fault::Io(error)))?;
        let place = storage.place();
        Self::begin(storage, lock, source, options, opening, start, copies)
            .map_err(|error| JournalError::of_folder(place, Fault::Io(error)))
    }

    fn begin(
        storage: S,
        lock: S::Lock,
        mut source: Box<dyn SegmentSource<S> + Send>,
        options: WriterOptions,
        opening: Opening,
        start: JournalStart,
        copies: bool,
    ) -> io::Result<Self> {
        let segment_bytes = source.segment_bytes();
        let room =
            usize::try_from(segment_bytes).map_or(FRAME_BYTES_MAX, |bytes| bytes - HEADER_BYTES);
        let frame_bytes_max = options.frame_bytes_max.min(FRAME_BYTES_MAX).min(room);
        assert!(
            frame_bytes_max >= UNIT_BYTES + RECORD_BYTES_MAX,
            "a frame has room for a record"
        );
        assert!(start.next_seq >= 1, "records are counted from 1");
        let position = Position {
            next_seq: start.next_seq,
            chain: start.chain,
            term: opening.term,
        };
        let spare = make_spare(&storage, "first.spare".to_owned(), segment_bytes)?;
        let header = segment_header(&opening, &position, spare.bytes, copies);
        // Its header is on the disk before it has its name: the first segment of a folder is whole or not there.
        let open = become_segment(&storage, spare, &header, true).map_err(|(_, error)| error)?;
        storage.sync_folder()?;
        source.poll();
        let units_max = frame_bytes_max / UNIT_BYTES;
        let mut units = Vec::with_capacity(units_max);
        units.push(Unit::ZERO);
        Ok(Self {
            storage,
            source,
            opening,
            reserve_bytes: options.reserve_bytes,
            copies,
            open,
            spare: None,
            unsynced: Vec::new(),
            folder_synced: true,
            sync_failed: false,
            frame: Gathered {
                units,
                units_max,
                count: 0,
                closed: false,
                sealed: false,
                digest: None,
            },
            position,
            synced: start.next_seq - 1,
            _lock: lock,
        })
    }

    /// Writes the frame that is gathered, if one is, in one call; the number of its last record. After an error the
    /// frame is kept as it is: call again.
    ///
    /// # Errors
    /// Those of the file system; `WouldBlock` while the next segment is not made yet.
    pub fn write(&mut self, now: Timestamp) -> io::Result<Option<Seq>> {
        if self.frame.count == 0 {
            return Ok(None);
        }
        if !self.frame.sealed {
            self.seal(now);
        }
        let bytes: &[u8] = cast_slice(&self.frame.units);
        let length = bytes.len() as u64;
        let is_other = self.open.is_copied != self.copies;
        if is_other && self.open.offset == HEADER_BYTES as u64 {
            self.claim_segment(now)?;
        } else if is_other || self.open.offset + length > self.open.bytes {
            self.roll(now)?;
        }
        let bytes: &[u8] = cast_slice(&self.frame.units);
        self.open.file.write_at(bytes, self.open.offset)?;
        self.open.offset += length;
        let header =
            FrameHeader::from_unit(&self.frame.units[0]).expect("it was sealed or checked");
        self.position = Position::after(&header);
        self.frame.clear();
        Ok(Some(Seq::new(header.seq_last())))
    }

    /// Makes all that is written last; the number of the last record it covers.
    ///
    /// # Errors
    /// Those of the file system. After one that is not `WouldBlock` no further sync of this writer succeeds, since the
    /// system may have dropped what it could not write: the journal must be recovered.
    pub fn sync(&mut self) -> io::Result<Seq> {
        if self.sync_failed {
            return Err(io::Error::other(
                "an earlier sync of the journal failed: what it should have kept may be lost. Restart the gateway, so \
                 that it recovers from what the disk has",
            ));
        }
        let written = self.written();
        if self.synced < written.raw() || !self.folder_synced {
            if let Err(error) = self.sync_files() {
                self.sync_failed = error.kind() != io::ErrorKind::WouldBlock;
                return Err(error);
            }
            self.synced = written.raw();
        }
        Ok(written)
    }

    fn sync_files(&mut self) -> io::Result<()> {
        while let Some(name) = self.unsynced.last() {
            match self.storage.open(&name.to_string()) {
                Ok(file) => file.sync()?,
                // One that was removed is behind two snapshots, and they synced it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            self.unsynced.pop();
        }
        self.open.file.sync()?;
        if !self.folder_synced {
            self.storage.sync_folder()?;
            self.folder_synced = true;
        }
        Ok(())
    }

    /// The last record that is written.
    #[must_use]
    pub const fn written(&self) -> Seq {
        Seq::new(self.position.next_seq - 1)
    }

    /// The last record that a sync covered.
    #[must_use]
    pub const fn synced(&self) -> Seq {
        Seq::new(self.synced)
    }

    /// The number that the next record to be appended has.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.position.next_seq + self.frame.count as u64
    }

    /// The chain behind what is written.
    #[must_use]
    pub const fn chain(&self) -> Chain {
        self.position.chain
    }

    /// The term that frames made here have.
    #[must_use]
    pub const fn term(&self) -> Term {
        self.opening.term
    }

    /// The segment that is written to.
    #[must_use]
    pub const fn segment(&self) -> SegmentName {
        self.open.name
    }

    /// Segments begun from now on name these limits as those in force.
    pub const fn note_limits(&mut self, digest: u64) {
        self.opening.limits = digest;
    }
}
