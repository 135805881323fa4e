//! Writing a journal: records gather in a frame, a frame goes to the disk in one write.
//!
//! The log thread. Invariants: a frame that was offered to the disk once keeps its bytes until the disk has taken
//! them, at the same place; frames follow each other without a gap across segments; [`JournalWriter::synced`] never
//! passes what a successful sync covered. Must never reach for a clock, wait for space, or write over a frame that is
//! written.

mod copy;

pub use copy::JournalCopy;

use crate::error::{Fault, JournalError};
use crate::frame::{self, Chain, FRAME_BYTES_MAX, FrameHeader, Position, SYNCED_BEFORE, Term};
use crate::recover::{Recovered, set_aside};
use crate::segment::{HEADER_BYTES, Identity, SegmentHeader, SegmentName};
use crate::source::{SegmentSource, Spare, make_spare};
use crate::storage::{Storage, StorageFile};
use bytemuck::{cast_slice, cast_slice_mut};
use portcullis_domain::{Head, RAW_BYTES_MAX, RECORD_BYTES_MAX, Seq, Timestamp, UNIT_BYTES, Unit};
use std::io;

/// Bounds of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterOptions {
    /// Bytes of a frame, its header counted: what is gathered before it must be written.
    pub frame_bytes_max: usize,
    /// The writer calls itself short when less than this is left in the last segment it has.
    pub reserve_bytes: u64,
}

impl WriterOptions {
    /// An eighth of a segment in reserve, and frames of up to 256 KiB, or what a segment holds.
    #[must_use]
    pub const fn for_segments_of(segment_bytes: u64) -> Self {
        Self {
            frame_bytes_max: 1 << 18,
            reserve_bytes: segment_bytes / 8,
        }
    }
}

/// Who begins to write, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Which journal, and what writes it.
    pub identity: Identity,
    /// The writer's term.
    pub term: Term,
    /// Digest of the limits in force.
    pub limits: u64,
    /// The time, for people.
    pub now: Timestamp,
}

/// Where a new journal begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalStart {
    /// Number of the first record.
    pub next_seq: u64,
    /// The chain before it.
    pub chain: Chain,
}

impl JournalStart {
    /// The beginning of the journal with this number: record 1.
    #[must_use]
    pub const fn first(journal: u64) -> Self {
        Self {
            next_seq: 1,
            chain: Chain::new(journal),
        }
    }
}

/// What came of a record or frame that was to be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Append {
    /// It stands in the frame that is gathered.
    Taken,
    /// There is no room for it until the frame is written.
    Full,
}

/// The segment that is written to.
#[derive(Debug)]
struct Open<F> {
    file: F,
    name: SegmentName,
    offset: u64,
    bytes: u64,
    is_copied: bool,
}

/// The frame that is gathered. Its first unit is the header's.
#[derive(Debug)]
struct Gathered {
    units: Vec<Unit>,
    units_max: usize,
    count: u32,
    /// Nothing more goes in.
    closed: bool,
    /// Header and checksum are made: its bytes stay as they are.
    sealed: bool,
    digest: Option<u64>,
}

impl Gathered {
    fn clear(&mut self) {
        self.units.truncate(1);
        self.count = 0;
        self.closed = false;
        self.sealed = false;
        self.digest = None;
    }
}

/// Makes all segments of a folder last, and their names.
fn sync_segments<S: Storage>(storage: &S) -> io::Result<()> {
    for file in storage.list()? {
        if SegmentName::parse(&file.name).is_some() {
            storage.open(&file.name)?.sync()?;
        }
    }
    storage.sync_folder()
}

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

    fn seal(&mut self, now: Timestamp) {
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

    /// The segment was begun for a leader's frames and has none: it is this writer's from here on, under its name, since
    /// whoever follows has it open. Its header lies within a block of the disk, which keeps the old one or the new one.
    fn claim_segment(&mut self, now: Timestamp) -> io::Result<()> {
        self.opening.now = now;
        let bytes = self.open.bytes;
        let header = segment_header(&self.opening, &self.position, bytes, self.copies);
        self.open.file.write_at(&header.to_bytes(), 0)?;
        self.open.is_copied = self.copies;
        Ok(())
    }

    /// Goes on in the next segment.
    fn roll(&mut self, now: Timestamp) -> io::Result<()> {
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

fn segment_header(
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
type Refused<F> = (Spare<F>, io::Error);

/// Gives a spare its header and its name.
fn become_segment<S: Storage>(
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
