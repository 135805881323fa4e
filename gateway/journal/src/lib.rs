//! The journal on disk: records as they were sequenced, in checksummed frames and segments; snapshots; what a
//! restart must agree on; recovery.
//!
//! A journal is a folder. The log thread writes it ([`JournalWriter`]), followers read it while it is written
//! ([`JournalReader`]: snapshots, a standby, replay), [`recover`] says what stands there after a stop. The bytes are
//! drawn in `docs/reference/journal.md`.
//!
//! Invariants: what reads back is what was written, or an error that names file and byte; the end of what was
//! written is told from damage; no byte of a folder, whatever it is, panics or asks for memory without bound. Must
//! never read a clock, and never guess.
//!
//! The plain log of before (`PCULLOG1`, [`LogReader`]) still reads.

mod disk;
mod error;
mod frame;
mod limit_file;
mod log;
mod mapping;
mod memory_disk;
mod reader;
mod recover;
pub mod replication;
mod retention;
mod scan;
mod segment;
mod snapshot;
mod source;
mod storage;
mod survey;
mod thread_source;
mod word_file;
mod writer;

pub use disk::{Disk, DiskFile, FolderLock};
pub use error::{Fault, FrameFault, JournalError};
pub use frame::{Chain, FRAME_BYTES_MAX, Frame, FrameHeader, Term};
pub use limit_file::{limit_words, read_limit_file};
pub use log::{LogError, LogReader, LogWriter};
pub use mapping::{MapFile, Mapping};
pub use memory_disk::{MemoryDisk, MemoryFile, MemoryLock, WriteFault};
pub use reader::{Cut, Entry, JournalReader, Mode, RecordRef};
pub use recover::{RecoverOptions, Recovered, recover};
pub use retention::{Retention, dispose};
pub use segment::{Identity, SEGMENT_BYTES_MIN, SegmentHeader, SegmentName};
pub use snapshot::{
    NewestSnapshot, SectionReader, SnapshotHeader, SnapshotReader, SnapshotWriter, is_snapshot,
    newest_snapshot,
};
pub use source::{InlineSource, SegmentSource, Spare};
pub use storage::{Listed, Storage, StorageFile};
pub use survey::{Piece, Survey, SurveyedFrame, list_segments};
pub use thread_source::ThreadSource;
pub use word_file::{WordFile, read_words, write_words};
pub use writer::{Append, JournalCopy, JournalStart, JournalWriter, Opening, WriterOptions};
