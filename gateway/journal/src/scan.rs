//! Walking through one segment, frame by frame, in large reads.
//!
//! Whoever reads. Invariants: what [`Scan::step`] gives is whole and stands where it must; memory is one buffer of a
//! fixed size. Must never take a length from the file before it is held against its bound.

use crate::error::{Fault, FrameFault};
use crate::frame::{self, FRAME_BYTES_MAX, FrameHeader, MAGIC, Position};
use crate::segment::{HEADER_BYTES, SegmentHeader};
use crate::storage::{StorageFile, read_full};
use bytemuck::{allocation::zeroed_slice_box, cast_slice, cast_slice_mut};
use portcullis_domain::{UNIT_BYTES, Unit};
use std::io;

/// Room for a whole frame behind part of another.
const BUFFER_UNITS: usize = 2 * FRAME_BYTES_MAX / UNIT_BYTES;
/// Units that the first read behind a pause asks for: a follower at the tail reads little again and again.
const FIRST_READ_UNITS: usize = 64;

/// What stands at the place that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A frame, which [`Scan::frame`] gives.
    Frame(FrameHeader),
    /// Nothing: zeros, or no room for a frame.
    End,
    /// No good frame.
    Bad(FrameFault),
}

/// Reads a segment's header.
pub(crate) fn read_header(file: &impl StorageFile) -> Result<SegmentHeader, Fault> {
    let mut bytes = [0; HEADER_BYTES];
    let filled = read_full(file, &mut bytes, 0).map_err(Fault::Io)?;
    SegmentHeader::from_bytes(&bytes[..filled])
}

/// A place in a segment.
#[derive(Debug)]
pub(crate) struct Scan<F> {
    pub(crate) file: F,
    pub(crate) header: SegmentHeader,
    /// Of the next frame.
    pub(crate) offset: u64,
    buffer: Box<[Unit]>,
    /// Offset of the buffer's first unit.
    buffer_offset: u64,
    filled_units: usize,
    read_units: usize,
    /// Bytes behind the last whole unit that are not zero: the file was cut within a unit.
    ragged: bool,
    frame_at: usize,
    frame_units: usize,
}

impl<F: StorageFile> Scan<F> {
    /// Begins behind the header.
    pub(crate) fn new(file: F, header: SegmentHeader) -> Self {
        Self::with_buffer(file, header, zeroed_slice_box(BUFFER_UNITS))
    }

    fn with_buffer(file: F, header: SegmentHeader, buffer: Box<[Unit]>) -> Self {
        Self {
            file,
            header,
            offset: HEADER_BYTES as u64,
            buffer,
            buffer_offset: HEADER_BYTES as u64,
            filled_units: 0,
            read_units: FIRST_READ_UNITS,
            ragged: false,
            frame_at: 0,
            frame_units: 0,
        }
    }

    /// Goes on in another segment, with the same memory.
    pub(crate) fn replace(&mut self, file: F, header: SegmentHeader) {
        let buffer = std::mem::take(&mut self.buffer);
        *self = Self::with_buffer(file, header, buffer);
    }

    /// The frame that the last step found.
    pub(crate) fn frame(&self) -> &[Unit] {
        &self.buffer[self.frame_at..self.frame_at + self.frame_units]
    }

    /// What was read of the place ahead is read again: somebody may have written there.
    pub(crate) fn forget(&mut self) {
        self.filled_units = 0;
        self.buffer_offset = self.offset;
        self.read_units = FIRST_READ_UNITS;
    }

    /// Looks at the place reached, and passes it if a frame stands there.
    pub(crate) fn step(&mut self, position: &Position) -> io::Result<Step> {
        let available = self.fill(1)?;
        if available == 0 {
            return Ok(if self.ragged {
                Step::Bad(FrameFault::Short)
            } else {
                Step::End
            });
        }
        let at = self.index();
        if self.buffer[at] == Unit::ZERO {
            return Ok(Step::End);
        }
        let header = match FrameHeader::from_unit(&self.buffer[at]) {
            Ok(header) => header,
            Err(fault) => return Ok(Step::Bad(fault)),
        };
        let units = header.bytes() / UNIT_BYTES;
        if self.fill(units)? < units {
            return Ok(Step::Bad(FrameFault::Short));
        }
        let at = self.index();
        let seed = self.header.identity.journal;
        if let Err(fault) = frame::check(&header, &self.buffer[at..at + units], seed, position) {
            return Ok(Step::Bad(fault));
        }
        self.frame_at = at;
        self.frame_units = units;
        self.offset += header.bytes() as u64;
        Ok(Step::Frame(header))
    }

    fn index(&self) -> usize {
        (self.offset - self.buffer_offset) as usize / UNIT_BYTES
    }

    /// Sees to it that so many units from the place reached are in the buffer; how many are.
    fn fill(&mut self, units: usize) -> io::Result<usize> {
        assert!(units <= BUFFER_UNITS, "a frame has a bound");
        let at = self.index();
        let available = self.filled_units - at;
        if available >= units {
            return Ok(available);
        }
        self.buffer.copy_within(at..self.filled_units, 0);
        self.buffer_offset = self.offset;
        self.filled_units = available;
        let wanted = self
            .read_units
            .max(units - available)
            .min(BUFFER_UNITS - available);
        self.read_units = (self.read_units * 4).min(BUFFER_UNITS / 2);
        let from = self.offset + (available * UNIT_BYTES) as u64;
        let room: &mut [u8] = cast_slice_mut(&mut self.buffer[available..available + wanted]);
        let filled = read_full(&self.file, room, from)?;
        let whole = filled / UNIT_BYTES;
        self.ragged = room[whole * UNIT_BYTES..filled]
            .iter()
            .any(|byte| *byte != 0);
        self.filled_units += whole;
        Ok(self.filled_units)
    }
}

/// Frames that are whole in themselves, behind a place where none is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    /// How many.
    pub(crate) frames: u64,
    /// Whether one was written after all before it had been synced here.
    pub(crate) synced: bool,
}

/// Bytes whose checksum is tried for each byte of the file: a file made to look like frames everywhere must not take
/// for ever.
const TRIES_PER_BYTE: u64 = 8;

/// Looks for whole frames of records from `seq_min` on, at each unit from `offset`. What copied ones say was synced,
/// was so elsewhere.
pub(crate) fn look_behind(
    file: &impl StorageFile,
    is_copied: bool,
    seed: u64,
    offset: u64,
    seq_min: u64,
) -> io::Result<Behind> {
    let length = file.bytes()?;
    let mut budget = length.saturating_mul(TRIES_PER_BYTE);
    let mut behind = Behind::default();
    let mut window: Box<[Unit]> = zeroed_slice_box(BUFFER_UNITS);
    let mut at = offset;
    while at < length {
        let filled = read_full(file, cast_slice_mut(&mut window), at)?;
        let units = &window[..filled / UNIT_BYTES];
        // The last half may hold the beginning of a frame that goes on behind the window.
        let last = at + filled as u64 >= length;
        let end = if last { units.len() } else { units.len() / 2 };
        let mut index = 0;
        while index < end {
            match frame_at(&units[index..], seed, seq_min, &mut budget) {
                Some(header) => {
                    behind.frames += 1;
                    behind.synced |= !is_copied && header.is_synced_before();
                    index += header.bytes() / UNIT_BYTES;
                }
                None => index += 1,
            }
        }
        if budget == 0 {
            // It cannot be told: what is refused loses nothing.
            return Ok(Behind {
                frames: behind.frames.max(1),
                synced: true,
            });
        }
        if last {
            break;
        }
        at += (index * UNIT_BYTES) as u64;
    }
    Ok(behind)
}

fn frame_at(units: &[Unit], seed: u64, seq_min: u64, budget: &mut u64) -> Option<FrameHeader> {
    let bytes: &[u8] = cast_slice(&units[..1]);
    if bytes[..MAGIC.len()] != MAGIC {
        return None;
    }
    let header = FrameHeader::from_unit(&units[0]).ok()?;
    let whole = units.get(..header.bytes() / UNIT_BYTES)?;
    if header.seq_first < seq_min || *budget == 0 {
        return None;
    }
    *budget = budget.saturating_sub(header.bytes() as u64);
    frame::check_alone(&header, whole, seed).ok()?;
    Some(header)
}
