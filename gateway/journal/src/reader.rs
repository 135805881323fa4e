//! Reading a journal: records and digest notes in order, or frames whole, to the end or as it is written.
//!
//! Whoever reads, on a thread of its own; a reader needs nothing from the writer but the folder. Invariants: what is
//! given was checked against the chain, the numbers and the terms from the segment on in which reading began; memory
//! is one buffer. A follower never calls what is not wholly written yet damage: at the live tail a bad frame is a frame
//! to come.

use crate::error::{Fault, FrameFault, JournalError};
use crate::frame::{Chain, Frame, FrameHeader, Position, Term};
use crate::scan::{Behind, Scan, Step, look_behind, read_header};
use crate::segment::{HEADER_BYTES, SegmentHeader, SegmentName};
use crate::storage::{Storage, StorageFile};
use bytemuck::cast_slice;
use portcullis_domain::{Head, Record, Seq, Unit};
use std::io;

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
        record.become_message(*self.head, self.raw);
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

/// Why a journal ends where it does, if not because nothing more was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment.
    pub segment: String,
    /// The byte behind the last good frame.
    pub offset: u64,
    /// What stands there instead of a frame.
    pub fault: FrameFault,
    /// Whole frames behind it that are given up, never synced as far as they say.
    pub frames_lost: u64,
    /// Segments behind it that are given up.
    pub segments_lost: Vec<String>,
}

/// Polls at the tail between two looks at the whole folder.
const POLLS_PER_LISTING: u32 = 256;

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

    /// Where no frame stands: whether there is more, in the next segment or here after all.
    fn pass(&mut self, stop: Step) -> Result<bool, JournalError> {
        match self.next_segment()? {
            Some((name, opened)) => self.enter(name, opened, stop),
            None if self.mode == Mode::Follow => self.wait(stop),
            None => self.end(stop),
        }
    }

    /// The segment that must come next, if it is there.
    #[expect(clippy::type_complexity, reason = "a file and its header, or why not")]
    fn next_segment(
        &self,
    ) -> Result<Option<(SegmentName, Result<(S::File, SegmentHeader), JournalError>)>, JournalError>
    {
        let name = SegmentName::new(self.position.next_seq);
        if name == self.name() {
            return Ok(None);
        }
        match open_segment(&self.storage, name) {
            Err(error) if is_not_found(&error) => Ok(None),
            opened => Ok(Some((name, opened))),
        }
    }

    /// Enters the next segment, unless a frame was written here in the meantime.
    fn enter(
        &mut self,
        name: SegmentName,
        opened: Result<(S::File, SegmentHeader), JournalError>,
        stop: Step,
    ) -> Result<bool, JournalError> {
        let (file, header) = match opened {
            Ok(opened) => opened,
            Err(error) => return self.end_before(name, error, stop),
        };
        if self.mode == Mode::Follow {
            if self.is_written_now()? {
                return Ok(true);
            }
        } else if let Some(stray) = self.later_segments()?.iter().find(|other| **other < name) {
            return Err(self.in_file(
                *stray,
                Fault::Stray {
                    within: self.name().seq_first(),
                },
            ));
        }
        let fault = if header.identity.journal != self.scan.header.identity.journal
            || header.identity.prelude != self.scan.header.identity.prelude
        {
            Some(Fault::Identity)
        } else if header.previous != self.position.chain {
            Some(Fault::ChainBreak)
        } else if header.term < self.position.term {
            Some(Fault::TermBack {
                before: self.position.term.raw(),
                found: header.term.raw(),
            })
        } else {
            None
        };
        if let Some(fault) = fault {
            let place = self.storage.place();
            return Err(JournalError::of_file(place, &name.to_string(), 0, fault));
        }
        self.position = header.position();
        self.scan.replace(file, header);
        Ok(true)
    }

    /// Whether the place that had no frame has one now.
    fn is_written_now(&mut self) -> Result<bool, JournalError> {
        self.scan.forget();
        let offset = self.scan.offset;
        let found = matches!(self.step()?, Step::Frame(_));
        self.scan.offset = offset;
        self.scan.forget();
        Ok(found)
    }

    /// A follower at the tail: no more for now, unless the folder says that there should be.
    fn wait(&mut self, stop: Step) -> Result<bool, JournalError> {
        self.polls += 1;
        if self.polls.is_multiple_of(POLLS_PER_LISTING) {
            let later = self.later_segments()?;
            // Looked for after the folder was: a frame that was written before a later segment is seen.
            let moved = self.next_segment()?.is_some();
            if let (Some(next), false, false) = (later.first(), moved, self.is_written_now()?) {
                return Err(self.missing(
                    stop,
                    *next,
                    Behind {
                        frames: 1,
                        synced: true,
                    },
                ));
            }
        }
        self.scan.forget();
        Ok(false)
    }

    fn later_segments(&self) -> Result<Vec<SegmentName>, JournalError> {
        let mut names = segments(&self.storage)?;
        names.retain(|name| *name > self.name());
        Ok(names)
    }

    fn name(&self) -> SegmentName {
        SegmentName::new(self.scan.header.seq_first)
    }

    /// Nobody writes, and the segment that should come next is not there.
    fn end(&mut self, stop: Step) -> Result<bool, JournalError> {
        let later = self.later_segments()?;
        let behind = self.behind_all(&later)?;
        if (behind.frames > 0 || !later.is_empty()) && !self.may_give_up(behind) {
            return Err(match later.first() {
                Some(next) => self.missing(stop, *next, behind),
                None => self.here(Fault::Frame {
                    fault: fault_of(stop),
                    synced: behind.synced,
                }),
            });
        }
        self.finish(stop, behind.frames, &later)
    }

    fn may_give_up(&self, behind: Behind) -> bool {
        self.mode == Mode::Accepting && !behind.synced
    }

    /// Whole frames behind the place reached, here and in later segments.
    fn behind_all(&self, later: &[SegmentName]) -> Result<Behind, JournalError> {
        let mut behind = self.behind_in(
            &self.scan.file,
            self.scan.header.is_copied,
            self.scan.offset,
        )?;
        for name in later {
            if behind.synced {
                break;
            }
            let file = self.storage.open(&name.to_string());
            let file = file.map_err(|error| self.in_file(*name, Fault::Io(error)))?;
            // One without a good header may be this writer's own: it is believed.
            let is_copied = read_header(&file).is_ok_and(|header| header.is_copied);
            let more = self.behind_in(&file, is_copied, HEADER_BYTES as u64)?;
            behind.frames += more.frames;
            behind.synced |= more.synced;
        }
        Ok(behind)
    }

    /// The segment that should come next has no good header.
    fn end_before(
        &mut self,
        name: SegmentName,
        error: JournalError,
        stop: Step,
    ) -> Result<bool, JournalError> {
        if !matches!(error.fault, Fault::NotASegment | Fault::HeaderDamaged) {
            return Err(error);
        }
        if self.mode == Mode::Follow {
            return self.wait(stop);
        }
        let later = self.later_segments()?;
        let behind = self.behind_all(&later)?;
        // Begun and not even its header kept: nothing is lost if nothing stands behind it.
        let begun = behind.frames == 0 && later == [name];
        if !begun && !self.may_give_up(behind) {
            return Err(error);
        }
        self.finish(Step::Bad(fault_of(stop)), behind.frames, &later)
    }

    fn finish(
        &mut self,
        stop: Step,
        frames_lost: u64,
        lost: &[SegmentName],
    ) -> Result<bool, JournalError> {
        self.ended = true;
        let length = self
            .scan
            .file
            .bytes()
            .map_err(|error| self.here(Fault::Io(error)))?;
        let fault = match stop {
            Step::Bad(fault) => Some(fault),
            Step::End | Step::Frame(_) if frames_lost > 0 || !lost.is_empty() => {
                Some(FrameFault::NoFrame)
            }
            // Somebody took the end of the file away, and frames with it or not.
            Step::End | Step::Frame(_) if length < self.scan.header.segment_bytes => {
                Some(FrameFault::Short)
            }
            Step::End | Step::Frame(_) => None,
        };
        self.cut = fault.map(|fault| Cut {
            segment: self.name().to_string(),
            offset: self.scan.offset,
            fault,
            frames_lost,
            segments_lost: lost.iter().map(SegmentName::to_string).collect(),
        });
        Ok(false)
    }

    fn behind_in(
        &self,
        file: &S::File,
        is_copied: bool,
        offset: u64,
    ) -> Result<Behind, JournalError> {
        let seed = self.scan.header.identity.journal;
        look_behind(file, is_copied, seed, offset, self.position.next_seq)
            .map_err(|error| self.here(Fault::Io(error)))
    }

    /// Records are missing before a segment that is there.
    fn missing(&self, stop: Step, next: SegmentName, behind: Behind) -> JournalError {
        match stop {
            Step::Bad(fault) => self.here(Fault::Frame {
                fault,
                synced: behind.synced,
            }),
            Step::End | Step::Frame(_) => self.here(Fault::Hole {
                expected: self.position.next_seq,
                found: next.seq_first(),
            }),
        }
    }

    fn here(&self, fault: Fault) -> JournalError {
        let place = self.storage.place();
        JournalError::of_file(place, &self.name().to_string(), self.scan.offset, fault)
    }

    fn in_file(&self, name: SegmentName, fault: Fault) -> JournalError {
        JournalError::of_file(self.storage.place(), &name.to_string(), 0, fault)
    }
}

const fn fault_of(stop: Step) -> FrameFault {
    match stop {
        Step::Bad(fault) => fault,
        Step::End | Step::Frame(_) => FrameFault::NoFrame,
    }
}

fn is_not_found(error: &JournalError) -> bool {
    matches!(&error.fault, Fault::Io(error) if error.kind() == io::ErrorKind::NotFound)
}

pub(crate) fn record_at(units: &[Unit], at: usize) -> RecordRef<'_> {
    let head: &Head = bytemuck::cast_ref(&units[at]);
    let raw: &[u8] = cast_slice(&units[at + 1..at + head.units()]);
    RecordRef {
        head,
        raw: &raw[..usize::from(head.raw_len)],
    }
}

/// The segments of a folder, first to last.
pub(crate) fn segments<S: Storage>(storage: &S) -> Result<Vec<SegmentName>, JournalError> {
    let listed = storage.list();
    let listed =
        listed.map_err(|error| JournalError::of_folder(storage.place(), Fault::Io(error)))?;
    let mut names: Vec<_> = listed
        .iter()
        .filter_map(|file| SegmentName::parse(&file.name))
        .collect();
    names.sort();
    Ok(names)
}

/// Opens a segment and reads its header.
pub(crate) fn open_segment<S: Storage>(
    storage: &S,
    name: SegmentName,
) -> Result<(S::File, SegmentHeader), JournalError> {
    let text = name.to_string();
    let fault = |fault| JournalError::of_file(storage.place(), &text, 0, fault);
    let file = storage
        .open(&text)
        .map_err(|error| fault(Fault::Io(error)))?;
    let header = read_header(&file).map_err(fault)?;
    if header.seq_first != name.seq_first() {
        return Err(fault(Fault::Name {
            says: header.seq_first,
        }));
    }
    Ok((file, header))
}
