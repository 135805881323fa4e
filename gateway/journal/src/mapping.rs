//! Segments that are written by storing into their pages: what that takes of somebody who can map a file.
//!
//! Mapping takes `unsafe`, which is none of this crate's: whoever has a way gives it to [`crate::Disk::mapping_segments`].
//! Invariant of an implementation: what it took is in the system's page cache when it returns, as after a `write`; a page
//! that cannot be had is an answer, and ends nothing.

use std::fmt;
use std::fs::File;
use std::io;

/// A file's first bytes, mapped.
pub trait Mapping: fmt::Debug + Send + Sync {
    /// Bytes that are mapped.
    fn bytes(&self) -> u64;

    /// Stores `bytes` at `offset`, all of which is mapped; whether the file's pages could be had, in this call and all
    /// before it. If not, any part of the bytes may be there, and the file must be written by calls from now on.
    fn write(&self, bytes: &[u8], offset: u64) -> bool;
}

/// Maps the first bytes of a file that is open for reading and writing and has them.
pub type MapFile = fn(&File, u64) -> io::Result<Box<dyn Mapping>>;
