//! The command log on disk: records as they were sequenced, and the limit tables they name.
//!
//! The log thread writes, replay reads. A log is a header unit, a prelude of words (what the core
//! was made from), and the records, each in its 64-byte units:
//!
//! ```text
//! header: 0 magic "PCULLOG1" | 8 format u64 | 16 prelude words u64 | 24 prelude digest u64 | zero
//! prelude: words, little-endian, padded to a unit
//! records: head unit, then the units of the raw message
//! ```
//! Invariants: what reads back is what was written or an error that says where it is not; a log cut
//! at any byte reads up to the last whole record. It is a plain log: nothing is synced to disk.

mod limit_file;
mod log;

pub use limit_file::{limit_file_path, limit_words, read_limit_file, write_limit_file};
pub use log::{LogError, LogReader, LogWriter};
