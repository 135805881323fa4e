//! Writing a copy of a leader's journal: its frames as they stand, byte for byte.
//!
//! The standby's following thread. Invariants: only frames that follow are taken, one at a time; each segment says that
//! it is copied, since what a frame says was synced, was so on the leader's disk alone. From [`JournalCopy::lead`] on no
//! frame of a leader's is taken, and none of its own is written into a segment of copied ones.

use super::{Append, JournalStart, JournalWriter, Opening, WriterOptions};
use crate::error::{FrameFault, JournalError};
use crate::frame::{self, FRAME_BYTES_MAX, FrameHeader, Term};
use crate::recover::Recovered;
use crate::segment::HEADER_BYTES;
use crate::source::SegmentSource;
use crate::storage::Storage;
use bytemuck::cast_slice_mut;
use portcullis_domain::{Seq, Timestamp, UNIT_BYTES, Unit};
use std::io;

/// Writes a copy of a journal.
pub struct JournalCopy<S: Storage> {
    writer: JournalWriter<S>,
}

impl<S: Storage> JournalCopy<S> {
    /// Begins a copy in a folder that has none. The opening's term is that of the frames before the first one.
    ///
    /// # Errors
    /// As [`JournalWriter::create`].
    pub fn create(
        storage: S,
        lock: S::Lock,
        source: Box<dyn SegmentSource<S> + Send>,
        options: WriterOptions,
        opening: Opening,
        start: JournalStart,
    ) -> io::Result<Self> {
        let writer =
            JournalWriter::create_either(storage, lock, source, options, opening, start, true)?;
        Ok(Self { writer })
    }

    /// Goes on behind what was recovered, as [`JournalWriter::resume`].
    ///
    /// # Errors
    /// As [`JournalWriter::resume`].
    pub fn resume(
        storage: S,
        lock: S::Lock,
        source: Box<dyn SegmentSource<S> + Send>,
        options: WriterOptions,
        opening: Opening,
        recovered: &Recovered,
    ) -> Result<Self, JournalError> {
        let writer =
            JournalWriter::resume_either(storage, lock, source, options, opening, recovered, true)?;
        Ok(Self { writer })
    }

    /// Takes a frame as it stands in another copy of this journal. It must be written before the next one is taken.
    ///
    /// # Errors
    /// If it is not the next frame of this journal.
    pub fn append_frame(&mut self, bytes: &[u8]) -> Result<Append, FrameFault> {
        let writer = &mut self.writer;
        if writer.frame.count > 0 {
            return Ok(Append::Full);
        }
        let units = bytes.len() / UNIT_BYTES;
        let room = writer.source.segment_bytes() - HEADER_BYTES as u64;
        if !bytes.len().is_multiple_of(UNIT_BYTES) || bytes.len() as u64 > room {
            return Err(FrameFault::Size);
        }
        if units < 2 || bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameFault::Size);
        }
        writer.frame.units.resize(units, Unit::ZERO);
        cast_slice_mut::<Unit, u8>(&mut writer.frame.units).copy_from_slice(bytes);
        match self.check_gathered() {
            Ok(header) => {
                let frame = &mut self.writer.frame;
                frame.count = header.count;
                frame.closed = true;
                frame.sealed = true;
                Ok(Append::Taken)
            }
            Err(fault) => {
                self.writer.frame.clear();
                Err(fault)
            }
        }
    }

    fn check_gathered(&self) -> Result<FrameHeader, FrameFault> {
        let writer = &self.writer;
        let header = FrameHeader::from_unit(&writer.frame.units[0])?;
        if header.bytes() != writer.frame.units.len() * UNIT_BYTES {
            return Err(FrameFault::Size);
        }
        let seed = writer.opening.identity.journal;
        frame::check(&header, &writer.frame.units, seed, &writer.position)?;
        Ok(header)
    }

    /// Writes the frame that was taken, as [`JournalWriter::write`].
    ///
    /// # Errors
    /// As [`JournalWriter::write`].
    pub fn write(&mut self, now: Timestamp) -> io::Result<Option<Seq>> {
        self.writer.write(now)
    }

    /// Makes all that is written last, as [`JournalWriter::sync`].
    ///
    /// # Errors
    /// As [`JournalWriter::sync`].
    pub fn sync(&mut self) -> io::Result<Seq> {
        self.writer.sync()
    }

    /// Whether a frame was taken and is not written.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.writer.frame.count > 0
    }

    /// The last record that is written.
    #[must_use]
    pub const fn written(&self) -> Seq {
        self.writer.written()
    }

    /// The last record that a sync covered.
    #[must_use]
    pub const fn synced(&self) -> Seq {
        self.writer.synced()
    }

    /// The standby takes over: frames are made from here on, in this term and in a segment of their own.
    ///
    /// # Panics
    /// If the term is older than one that stands in the journal, or a frame was taken and is not written.
    #[must_use]
    pub fn lead(self, term: Term) -> JournalWriter<S> {
        assert!(!self.waits(), "a frame that was taken is written");
        let mut writer = self.writer;
        assert!(
            term >= writer.opening.term && term >= writer.position.term,
            "terms only grow"
        );
        writer.opening.term = term;
        writer.copies = false;
        writer
    }
}
