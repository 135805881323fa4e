//! Where no frame stands: whether the journal goes on in the next segment, ends, or is damaged.
//!
//! The reader's thread. Invariants: of a journal that somebody writes nothing is called damage that may still be
//! written; of one that nobody writes, whole frames behind the place make it damage, but where they may be given up.

use super::files::{is_not_found, open_segment, segments};
use super::{JournalReader, Mode};
use crate::error::{Fault, FrameFault, JournalError};
use crate::scan::{Behind, Step, look_behind, read_header};
use crate::segment::{HEADER_BYTES, SegmentHeader, SegmentName};
use crate::storage::{Storage, StorageFile};

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

impl<S: Storage> JournalReader<S> {
    /// Where no frame stands: whether there is more, in the next segment or here after all.
    pub(super) fn pass(&mut self, stop: Step) -> Result<bool, JournalError> {
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
