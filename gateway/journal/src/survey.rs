//! What stands in one segment, whatever it is: frames, zeros and damage, piece by piece.
//!
//! The tools that look at a journal. Unlike a reader, which ends at the first fault, a survey goes on behind it.
//! Invariants: the pieces follow each other without a gap from the header to the end of the file; memory is one buffer;
//! the checksums tried are bounded by the file's length. Must never be what a gateway goes on from.

use crate::error::{Fault, FrameFault, JournalError};
use crate::frame::{self, FRAME_BYTES_MAX, FrameHeader, MAGIC, Position};
use crate::reader::{RecordRef, open_segment, record_at, segments};
use crate::segment::{HEADER_BYTES, SegmentHeader, SegmentName};
use crate::storage::{Storage, StorageFile, read_full};
use bytemuck::{cast_slice, cast_slice_mut};
use portcullis_domain::{Head, UNIT_BYTES, Unit};
use std::io;

/// Room for a whole frame behind part of another.
const BUFFER_UNITS: usize = 2 * FRAME_BYTES_MAX / UNIT_BYTES;

/// Bytes whose checksum is tried for each byte of the file: as where damage is looked behind.
const TRIES_PER_BYTE: u64 = 8;

/// One piece of a segment.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// A frame that is whole in itself.
    Frame(SurveyedFrame<'a>),
    /// Nothing was written here.
    Zeros {
        /// Where it begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
    },
    /// No frame, and not nothing.
    Damage {
        /// Where it begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
        /// What is wrong with the frame that should begin here.
        fault: FrameFault,
    },
}

/// A frame that is whole in itself.
#[derive(Clone, Copy, Debug)]
pub struct SurveyedFrame<'a> {
    /// Where it begins.
    pub offset: u64,
    /// What its header says.
    pub header: FrameHeader,
    /// Why it does not go on from the frame before it, if it does not.
    pub breaks: Option<FrameFault>,
    units: &'a [Unit],
}

impl<'a> SurveyedFrame<'a> {
    /// Its records, each with the byte of the file where it begins.
    pub fn records(&self) -> impl Iterator<Item = (u64, RecordRef<'a>)> + use<'a> {
        let (units, offset) = (self.units, self.offset);
        let mut at = 1;
        std::iter::from_fn(move || {
            let head: &Head = bytemuck::cast_ref(units.get(at)?);
            let record = record_at(units, at);
            let place = offset + (at * UNIT_BYTES) as u64;
            at += head.units();
            Some((place, record))
        })
    }
}

/// A look at one segment.
#[derive(Debug)]
pub struct Survey<F> {
    file: F,
    header: SegmentHeader,
    length: u64,
    offset: u64,
    position: Position,
    budget: u64,
    buffer: Box<[Unit]>,
    buffer_offset: u64,
    filled: usize,
}

/// What stands at a place.
enum At {
    Frame(FrameHeader),
    Zero,
    Fault(FrameFault),
}

impl<F: StorageFile> Survey<F> {
    /// A survey of a segment whose header is whole.
    ///
    /// # Errors
    /// Those of the file system; a header that is none.
    pub fn open<S: Storage<File = F>>(
        storage: &S,
        name: SegmentName,
    ) -> Result<Self, JournalError> {
        let (file, header) = open_segment(storage, name)?;
        let length = file.bytes().map_err(|error| {
            JournalError::of_file(storage.place(), &name.to_string(), 0, Fault::Io(error))
        })?;
        Ok(Self {
            file,
            position: header.position(),
            header,
            length,
            offset: HEADER_BYTES as u64,
            budget: length.saturating_mul(TRIES_PER_BYTE),
            buffer: vec![Unit::ZERO; BUFFER_UNITS].into_boxed_slice(),
            buffer_offset: HEADER_BYTES as u64,
            filled: 0,
        })
    }

    /// What the header says.
    #[must_use]
    pub const fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// How long the file is.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The chain and the number behind the last frame that was seen.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.position.next_seq
    }

    /// The next piece; `None` behind the last one.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn next_piece(&mut self) -> io::Result<Option<Piece<'_>>> {
        if self.offset + UNIT_BYTES as u64 > self.length {
            return Ok(None);
        }
        let begin = self.offset;
        let fault = match self.at(begin)? {
            At::Frame(header) => return Ok(Some(self.frame(header))),
            At::Zero => None,
            At::Fault(fault) => Some(fault),
        };
        // Behind damage zeros may be part of it, up to the next frame; those at the end are not.
        let mut last_used = begin;
        while self.offset + UNIT_BYTES as u64 <= self.length {
            match self.at(self.offset)? {
                At::Frame(_) => break,
                At::Zero => {}
                At::Fault(_) if fault.is_none() => break,
                At::Fault(_) => last_used = self.offset,
            }
            self.offset += UNIT_BYTES as u64;
        }
        let Some(fault) = fault else {
            let bytes = self.offset - begin;
            return Ok(Some(Piece::Zeros {
                offset: begin,
                bytes,
            }));
        };
        let ended = self.offset + UNIT_BYTES as u64 > self.length;
        if ended {
            self.offset = last_used + UNIT_BYTES as u64;
        }
        Ok(Some(Piece::Damage {
            offset: begin,
            bytes: self.offset - begin,
            fault,
        }))
    }

    fn frame(&mut self, header: FrameHeader) -> Piece<'_> {
        let at = self.index(self.offset);
        let units = &self.buffer[at..at + header.bytes() / UNIT_BYTES];
        let offset = self.offset;
        self.offset += header.bytes() as u64;
        let seed = self.header.identity.journal;
        let breaks = frame::check(&header, units, seed, &self.position).err();
        self.position = Position::after(&header);
        Piece::Frame(SurveyedFrame {
            offset,
            header,
            breaks,
            units,
        })
    }

    /// Looks at a unit, which is whole in the file.
    fn at(&mut self, offset: u64) -> io::Result<At> {
        self.fill(offset, 1)?;
        let unit = self.buffer[self.index(offset)];
        if unit == Unit::ZERO {
            return Ok(At::Zero);
        }
        if unit.0[..MAGIC.len()] != MAGIC {
            return Ok(At::Fault(FrameFault::NoFrame));
        }
        let header = match FrameHeader::from_unit(&unit) {
            Ok(header) => header,
            Err(fault) => return Ok(At::Fault(fault)),
        };
        let units = header.bytes() / UNIT_BYTES;
        if self.fill(offset, units)? < units {
            return Ok(At::Fault(FrameFault::Short));
        }
        if self.budget == 0 {
            return Ok(At::Fault(FrameFault::Checksum));
        }
        self.budget = self.budget.saturating_sub(header.bytes() as u64);
        let at = self.index(offset);
        let seed = self.header.identity.journal;
        let whole = frame::check_alone(&header, &self.buffer[at..at + units], seed);
        Ok(whole.map_or_else(At::Fault, |()| At::Frame(header)))
    }

    const fn index(&self, offset: u64) -> usize {
        (offset - self.buffer_offset) as usize / UNIT_BYTES
    }

    /// Sees to it that so many units from a place on are in the buffer; how many are.
    fn fill(&mut self, offset: u64, units: usize) -> io::Result<usize> {
        assert!(units * 2 <= BUFFER_UNITS, "a frame has a bound");
        let available = self.filled - self.index(offset);
        if available >= units {
            return Ok(available);
        }
        let at = self.index(offset);
        self.buffer.copy_within(at..self.filled, 0);
        self.buffer_offset = offset;
        let from = offset + (available * UNIT_BYTES) as u64;
        let room: &mut [u8] = cast_slice_mut(&mut self.buffer[available..]);
        let filled = read_full(&self.file, room, from)?;
        self.filled = available + filled / UNIT_BYTES;
        Ok(self.filled)
    }

    /// The bytes of a place, as many as there are, for whoever looks at damage.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn bytes_at(&self, offset: u64, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count.min(FRAME_BYTES_MAX)];
        let filled = read_full(&self.file, &mut bytes, offset)?;
        bytes.truncate(filled);
        Ok(bytes)
    }
}

/// The segments of a folder, first to last, whatever is in them.
///
/// # Errors
/// Those of the file system.
pub fn list_segments<S: Storage>(storage: &S) -> Result<Vec<SegmentName>, JournalError> {
    segments(storage)
}

impl RecordRef<'_> {
    /// Head and raw message as one comparable whole.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = cast_slice(std::slice::from_ref(self.head)).to_vec();
        bytes.extend_from_slice(self.raw);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chain, Identity, MemoryDisk, Term};
    use portcullis_domain::Record;

    const JOURNAL: u64 = 9;

    fn header() -> SegmentHeader {
        SegmentHeader {
            seq_first: 1,
            previous: Chain::new(5),
            term: Term::new(1),
            limits: 0,
            created_ns: 0,
            segment_bytes: 4_096,
            is_copied: false,
            identity: Identity {
                journal: JOURNAL,
                prelude: 0,
                rules: 1,
                build: String::new(),
            },
        }
    }

    /// A segment of three frames of two records each, and zeros; where each frame begins.
    fn segment() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = header().to_bytes().to_vec();
        let (mut chain, mut seq, mut offsets) = (Chain::new(5), 1, Vec::new());
        for _ in 0..3 {
            let mut units = vec![Unit::ZERO];
            for seq in seq..seq + 2 {
                let mut head = Head::blank(63);
                head.seq = seq;
                let record = Record::new(head, b"raw").expect("short");
                units.extend((0..record.head.units()).map(|index| record.unit(index)));
            }
            let mut header = FrameHeader {
                flags: 0,
                seq_first: seq,
                count: 2,
                units: units.len() as u32 - 1,
                digest: 0,
                term: Term::new(1),
                written_ns: 0,
                previous: chain,
                chain,
            };
            frame::seal(&mut units, &mut header, JOURNAL);
            chain = header.chain;
            seq += 2;
            offsets.push(bytes.len());
            bytes.extend_from_slice(cast_slice(&units));
        }
        bytes.resize(4_096, 0);
        (bytes, offsets)
    }

    /// The pieces in short: F with its numbers, Z, D.
    fn pieces(bytes: &[u8]) -> Vec<String> {
        let disk = MemoryDisk::new();
        let name = SegmentName::new(1);
        let file = disk.create(&name.to_string()).expect("room");
        file.write_at(bytes, 0).expect("room");
        let mut survey = Survey::open(&disk, name).expect("its header is whole");
        let (mut said, mut at) = (Vec::new(), HEADER_BYTES as u64);
        while let Some(piece) = survey.next_piece().expect("memory reads") {
            let (offset, length, text) = match piece {
                Piece::Frame(frame) => {
                    let seqs: Vec<_> = frame.records().map(|(_, r)| r.head.seq).collect();
                    let breaks = if frame.breaks.is_some() { "!" } else { "" };
                    (
                        frame.offset,
                        frame.header.bytes() as u64,
                        format!("F{seqs:?}{breaks}"),
                    )
                }
                Piece::Zeros { offset, bytes } => (offset, bytes, "Z".to_owned()),
                Piece::Damage { offset, bytes, .. } => (offset, bytes, "D".to_owned()),
            };
            assert_eq!(offset, at, "no gap");
            assert!(length > 0);
            at += length;
            said.push(text);
        }
        assert!(bytes.len() as u64 - at < UNIT_BYTES as u64, "all of it");
        said
    }

    #[test]
    fn a_whole_segment_is_frames_and_then_nothing() {
        let (bytes, _) = segment();
        assert_eq!(pieces(&bytes), ["F[1, 2]", "F[3, 4]", "F[5, 6]", "Z"]);
    }

    #[test]
    fn each_flipped_byte_is_damage_or_a_break_and_what_stands_behind_is_still_seen() {
        let (whole, offsets) = segment();
        let end = offsets[2] + (offsets[2] - offsets[1]);
        for at in offsets[0]..end {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            let said = pieces(&bytes);
            let hit = offsets.iter().filter(|offset| **offset <= at).count() - 1;
            let mut expected = vec!["F[1, 2]", "F[3, 4]", "F[5, 6]", "Z"];
            expected[hit] = "D";
            let behind = ["", "F[3, 4]!", "F[5, 6]!", ""];
            if hit < 2 {
                expected[hit + 1] = behind[hit + 1];
            }
            assert_eq!(said, expected, "byte {at}");
        }
    }

    #[test]
    fn each_length_is_surveyed_to_its_end() {
        let (whole, offsets) = segment();
        for length in HEADER_BYTES..whole.len() {
            let said = pieces(&whole[..length]);
            let frames = said.iter().filter(|text| text.starts_with('F')).count();
            let frame_bytes = offsets[1] - offsets[0];
            assert_eq!(
                frames,
                ((length - HEADER_BYTES) / frame_bytes).min(3),
                "{length}"
            );
        }
    }
}
