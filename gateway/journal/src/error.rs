//! Why a journal does not read, in words for whoever has to put it right.
//!
//! Plain values. Invariant: each names the folder, the file and the byte, and what to do next.

use std::fmt;
use std::io;

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameFault {
    /// No frame begins here.
    NoFrame,
    /// A frame of a version this program does not read.
    Version(u16),
    /// It says a size that no frame has.
    Size,
    /// The file ends within it.
    Short,
    /// Its checksum is not that of its bytes.
    Checksum,
    /// It goes on from another chain than the one before it.
    Chain,
    /// Its first record is not the next one.
    Seq {
        /// The number that should stand there.
        expected: u64,
        /// The number that does.
        found: u64,
    },
    /// Its term is older than the one before.
    Term,
    /// Its records are not those it says it has.
    Records,
}

impl fmt::Display for FrameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFrame => f.write_str("no frame begins here"),
            Self::Version(version) => write!(
                f,
                "this frame has version {version}, which this program does not read"
            ),
            Self::Size => f.write_str("this frame says a size that no frame has"),
            Self::Short => f.write_str("the file ends within this frame"),
            Self::Checksum => f.write_str("this frame's checksum is not that of its bytes"),
            Self::Chain => f.write_str(
                "this frame does not follow the one before it: its chain goes on from another",
            ),
            Self::Seq { expected, found } => {
                write!(
                    f,
                    "this frame begins with record {found} where {expected} should be"
                )
            }
            Self::Term => f.write_str("this frame's term is older than that of the one before it"),
            Self::Records => {
                f.write_str("the records in this frame are not those that its header counts")
            }
        }
    }
}

/// What is wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The system says so.
    Io(io::Error),
    /// A file that should be a segment does not begin like one.
    NotASegment,
    /// Another format.
    Format {
        /// The format it has.
        found: u32,
    },
    /// The header's checksum is not that of its bytes.
    HeaderDamaged,
    /// The name and the header say different first records.
    Name {
        /// What the header says.
        says: u64,
    },
    /// A frame that was whole once is not so now.
    Frame {
        /// What is wrong with it.
        fault: FrameFault,
        /// A frame behind it is whole and was written after all before it had been synced: this is damage. Otherwise
        /// a power failure may have done it, to what was never synced.
        synced: bool,
    },
    /// Records are missing between two segments.
    Hole {
        /// The record that should come.
        expected: u64,
        /// The first one of the next segment.
        found: u64,
    },
    /// The journal does not reach back to where it must begin.
    Begins {
        /// The first record there is.
        first: u64,
        /// Up to where a good snapshot reaches.
        snapshot: Option<u64>,
    },
    /// There is no segment, but there is a snapshot.
    NoSegments {
        /// Up to where the snapshot reaches.
        snapshot: u64,
    },
    /// A segment begins with a record that stands in another one.
    Stray {
        /// The first record of the other one.
        within: u64,
    },
    /// A segment goes on from another chain than the one that the segment before it ends with.
    ChainBreak,
    /// A segment's term is older than that of the one before it.
    TermBack {
        /// That of the one before it.
        before: u64,
        /// Its own.
        found: u64,
    },
    /// It was written from other capacities, sessions or names than those of now.
    Prelude {
        /// The digest of now.
        expected: u64,
        /// The digest in the journal.
        found: u64,
    },
    /// One segment was written for another journal, or from another prelude, than the one before it.
    Identity,
    /// A snapshot and the journal do not agree where both stand.
    SnapshotChain {
        /// Up to where the snapshot reaches.
        snapshot: u64,
    },
    /// The record asked for is not there any more, or not yet.
    NotThere {
        /// The record.
        wanted: u64,
    },
    /// A file's contents are not what it is named by.
    Contents,
    /// A snapshot is damaged.
    Snapshot(&'static str),
}

/// Why a journal does not read.
#[derive(Debug)]
pub struct JournalError {
    /// The folder.
    pub folder: String,
    /// The file, and the byte in it.
    pub at: Option<(String, u64)>,
    /// What is wrong.
    pub fault: Fault,
}

impl JournalError {
    /// A fault of a whole folder.
    #[must_use]
    pub(crate) const fn of_folder(folder: String, fault: Fault) -> Self {
        Self {
            folder,
            at: None,
            fault,
        }
    }

    /// A fault in a file.
    #[must_use]
    pub(crate) fn of_file(folder: String, name: &str, offset: u64, fault: Fault) -> Self {
        Self {
            folder,
            at: Some((name.to_owned(), offset)),
            fault,
        }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some((name, offset)) => write!(f, "{}/{name}, byte {offset}: ", self.folder)?,
            None => write!(f, "{}: ", self.folder)?,
        }
        write!(f, "{}", self.fault)?;
        match self.fault {
            Fault::Io(_) => Ok(()),
            Fault::NotASegment
            | Fault::Format { .. }
            | Fault::HeaderDamaged
            | Fault::Name { .. }
            | Fault::Frame { .. }
            | Fault::Hole { .. }
            | Fault::Begins { .. }
            | Fault::NoSegments { .. }
            | Fault::Stray { .. }
            | Fault::ChainBreak
            | Fault::TermBack { .. }
            | Fault::Prelude { .. }
            | Fault::Identity
            | Fault::SnapshotChain { .. }
            | Fault::NotThere { .. }
            | Fault::Contents
            | Fault::Snapshot(_) => write!(
                f,
                "; look closer with `portcullis journal inspect {}`",
                self.folder
            ),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::NotASegment => f.write_str("this does not begin like a segment of a journal"),
            Self::Format { found } => write!(
                f,
                "this has format {found}; this program reads format {}: use the program that wrote it",
                crate::segment::FORMAT
            ),
            Self::HeaderDamaged => {
                f.write_str("the header is damaged: its checksum is not that of its bytes")
            }
            Self::Name { says } => write!(
                f,
                "the file is named by another record than the first one it holds, {says}"
            ),
            Self::Frame { fault, synced } => write_frame_fault(f, *fault, *synced),
            Self::Hole { expected, found } => write!(
                f,
                "record {expected} should come next, but the next segment begins with {found}: a segment is missing"
            ),
            Self::Begins { first, snapshot } => write_beginning(f, *first, *snapshot),
            Self::NoSegments { snapshot } => write!(
                f,
                "there is a snapshot at record {snapshot} but no segment: restore the segments, or empty the folder"
            ),
            Self::Stray { within } => write!(
                f,
                "the records that this segment begins with stand in the one that begins with {within}: it does not \
                 belong here"
            ),
            Self::ChainBreak => f.write_str(
                "this segment does not follow the one before it: it goes on from another chain",
            ),
            Self::TermBack { before, found } => write!(
                f,
                "this segment has term {found}, that before it {before}: it was written by a gateway that had been replaced"
            ),
            Self::Prelude { expected, found } => write!(
                f,
                "the journal was written from prelude {found:016x}, this gateway's is {expected:016x}: its capacities, \
                 sessions or names differ. Start with the config it was written with, or with an empty folder"
            ),
            Self::Identity => {
                f.write_str("this segment belongs to another journal than the one before it")
            }
            Self::SnapshotChain { snapshot } => write!(
                f,
                "the snapshot at record {snapshot} was not made from this journal"
            ),
            Self::NotThere { wanted } => write!(f, "record {wanted} is not in this journal"),
            Self::Contents => f.write_str("the contents are not what this file is named by"),
            Self::Snapshot(what) => write!(f, "the snapshot is damaged: {what}"),
        }
    }
}

/// A bad frame with whole ones behind it.
fn write_frame_fault(f: &mut fmt::Formatter<'_>, fault: FrameFault, synced: bool) -> fmt::Result {
    let what = if synced {
        "records that were safe are damaged. Restore this file from a copy, or from the standby"
    } else {
        "they were written when nothing here had been synced: a power failure does this, and so does damage. Restore \
         this file from a copy or from the standby, or accept the loss of what stands behind by starting `portcullis run` \
         or `portcullis standby` with --accept-unsynced-loss"
    };
    write!(f, "{fault}, and whole frames stand behind it: {what}")
}

/// A journal that does not reach back far enough.
fn write_beginning(f: &mut fmt::Formatter<'_>, first: u64, snapshot: Option<u64>) -> fmt::Result {
    write!(f, "the journal begins with record {first}, and ")?;
    match snapshot {
        None => f.write_str("no good snapshot reaches up to it: older segments are missing"),
        Some(snapshot) => write!(
            f,
            "the best snapshot reaches up to {snapshot} only: segments between them are missing"
        ),
    }
}

impl std::error::Error for JournalError {}
