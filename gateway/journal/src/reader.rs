//! Reading a journal: records and digest notes in order, or frames whole, to the end or as it is written.
//!
//! Whoever reads, on a thread of its own; a reader needs nothing from the writer but the folder. Invariants: what is
//! given was checked against the chain, the numbers and the terms from the segment on in which reading began; memory
//! is one buffer. A follower never calls what is not wholly written yet damage: at the live tail a bad frame is a frame
//! to come.

mod entry;
mod files;
mod tail;

pub(crate) use entry::record_at;
pub use entry::{Entry, RecordRef};
pub(crate) use files::{open_segment, segments};
pub use tail::Cut;

use crate::error::{Fault, JournalError};
use crate::frame::{Chain, Frame, FrameHeader, Position, Term};
use crate::scan::{Scan, Step};
use crate::segment::{SegmentHeader, SegmentName};
use crate::storage::Storage;
use portcullis_domain::{Head, Seq};

/// What a reader does at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nobody writes: the end is the end, and what stands there is judged.
    Whole,
    /// As [`Mode::Whole`]; but frames that stand behind a bad one are given up where nothing says that any of them was
    /// synced, as after a power failure.
    Accepting,
    /// Somebody may write: the end is the end for now.
    Follow,
}

/// Reads a journal.
#[derive(Debug)]
pub struct JournalReader<S: Storage> {
    storage: S,
    mode: Mode,
    from: u64,
    scan: Scan<S::File>,
    position: Position,
    frame: Option<FrameHeader>,
    /// Unit, in the frame, of the next record; behind the last one, the digest is due.
    unit: usize,
    digest_due: bool,
    polls: u32,
    cut: Option<Cut>,
    ended: bool,
}

impl<S: Storage> JournalReader<S> {
    /// Begins with a record, which need not be written yet, in the segment that holds it or is to hold it.
    ///
    /// # Errors
    /// If the journal does not reach back to it, or that segment is none.
    pub fn open(storage: S, from: Seq, mode: Mode) -> Result<Self, JournalError> {
        let names = segments(&storage)?;
        let from = from.raw().max(1);
        let wanted = names.iter().rev().filter(|name| name.seq_first() <= from);
        let mut bad = None;
        for name in wanted {
            match open_segment(&storage, *name) {
                Ok((file, header)) => {
                    return Ok(Self::at(storage, from, mode, file, header));
                }
                // The last one may have been cut in its header. Then the one before it is the last.
                Err(error) => {
                    let is_last = Some(name) == names.last();
                    let can_be_cut =
                        matches!(error.fault, Fault::NotASegment | Fault::HeaderDamaged);
                    if !is_last || !can_be_cut {
                        return Err(error);
                    }
                    bad = Some(error);
                }
            }
        }
        Err(bad.unwrap_or_else(|| {
            JournalError::of_folder(storage.place(), Fault::NotThere { wanted: from })
        }))
    }

    fn at(storage: S, from: u64, mode: Mode, file: S::File, header: SegmentHeader) -> Self {
        let position = header.position();
        Self {
            storage,
            mode,
            from,
            scan: Scan::new(file, header),
            position,
            frame: None,
            unit: 0,
            digest_due: false,
            polls: 0,
            cut: None,
            ended: false,
        }
    }

    /// The next entry; `None` at the end, where a follower may ask again.
    ///
    /// # Errors
    /// Damage, and where it is; those of the file system. Asked again, it says the same or goes on.
    #[expect(clippy::should_implement_trait, reason = "an entry borrows the reader")]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>, JournalError> {
        loop {
            let Some(header) = self.frame else {
                if !self.advance()? {
                    return Ok(None);
                }
                continue;
            };
            let units = self.scan.frame().len();
            if self.unit == units {
                self.frame = None;
                let due = header.seq_last() >= self.from && std::mem::take(&mut self.digest_due);
                if let (true, Some(digest)) = (due, header.digest()) {
                    let seq = Seq::new(header.seq_last());
                    return Ok(Some(Entry::Digest { seq, digest }));
                }
                continue;
            }
            let at = self.unit;
            let head: &Head = bytemuck::cast_ref(&self.scan.frame()[at]);
            self.unit += head.units();
            if head.seq >= self.from {
                return Ok(Some(Entry::Record(record_at(self.scan.frame(), at))));
            }
        }
    }

    /// The next whole frame, which is the one that holds the record asked for at first; `None` as in
    /// [`JournalReader::next`]. What was left of a frame that was read by entries is passed over.
    ///
    /// # Errors
    /// As [`JournalReader::next`].
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, JournalError> {
        loop {
            if !self.advance()? {
                return Ok(None);
            }
            let header = self.frame.take().expect("it has advanced to one");
            if header.seq_last() >= self.from {
                return Ok(Some(Frame {
                    header,
                    units: self.scan.frame(),
                }));
            }
        }
    }

    /// The number of the record behind the last frame that was reached.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.position.next_seq
    }

    /// The chain behind the last frame that was reached.
    #[must_use]
    pub const fn chain(&self) -> Chain {
        self.position.chain
    }

    /// The term of that frame.
    #[must_use]
    pub const fn term(&self) -> Term {
        self.position.term
    }

    pub(crate) const fn position(&self) -> &Position {
        &self.position
    }

    /// What the header says of the segment that is read.
    #[must_use]
    pub const fn segment(&self) -> &SegmentHeader {
        &self.scan.header
    }

    /// Where the last frame ends, in the segment that is read.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.scan.offset
    }

    /// Why the end was one, if not because nothing more was written.
    #[must_use]
    pub const fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// Reaches the next frame.
    fn advance(&mut self) -> Result<bool, JournalError> {
        if self.ended {
            return Ok(false);
        }
        loop {
            match self.step()? {
                Step::Frame(header) => {
                    self.position = Position::after(&header);
                    self.frame = Some(header);
                    self.unit = 1;
                    self.digest_due = true;
                    self.polls = 0;
                    return Ok(true);
                }
                stop @ (Step::End | Step::Bad(_)) => {
                    if !self.pass(stop)? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    fn step(&mut self) -> Result<Step, JournalError> {
        let step = self.scan.step(&self.position);
        step.map_err(|error| self.here(Fault::Io(error)))
    }

    fn name(&self) -> SegmentName {
        SegmentName::new(self.scan.header.seq_first)
    }

    fn here(&self, fault: Fault) -> JournalError {
        let place = self.storage.place();
        JournalError::of_file(place, &self.name().to_string(), self.scan.offset, fault)
    }
}
