//! Where the writer's next segment comes from: a file of zeros, made before it is needed.
//!
//! Invariant: a spare has all its bytes and they are on the disk before anybody gets it, so that writing into it takes
//! no space and changes no length. Must never be made by the thread that waits for it, where that may not wait:
//! [`InlineSource`] is for tests and simulation, [`crate::ThreadSource`] for the rest.

use crate::segment::SEGMENT_BYTES_MIN;
use crate::storage::{Storage, StorageFile, fill_with_zeros};
use std::io;

/// A file of zeros under a name that is no segment's.
#[derive(Debug)]
pub struct Spare<F> {
    /// The name it has until it becomes a segment.
    pub name: String,
    /// The file.
    pub file: F,
    /// Its length.
    pub bytes: u64,
}

/// End of a spare's name.
pub(crate) const SPARE_SUFFIX: &str = ".spare";

/// Makes spare segments ahead.
pub trait SegmentSource<S: Storage> {
    /// Length of the segments.
    fn segment_bytes(&self) -> u64;

    /// Sees to it that one is being made; whether one is ready.
    fn poll(&mut self) -> bool;

    /// Whether none is ready because the file system refused to have one made, when it was last tried.
    fn is_refused(&self) -> bool;

    /// The one that is ready.
    ///
    /// # Errors
    /// Why there is none: what the file system said when it was to be made, or `WouldBlock` where it is being made.
    fn take(&mut self) -> io::Result<Spare<S::File>>;

    /// Takes back a segment's file that is full, to be closed where that makes nobody wait.
    fn close(&mut self, file: S::File) {
        drop(file);
    }
}

/// Names that spares of a source go through: more than are there at a time (one with the writer, one ready, one being
/// made), so that what a crash left behind is written over.
const SPARE_NAMES: u64 = 4;

/// The name of a source's spare.
pub(crate) fn spare_name(number: u64) -> String {
    format!("{}{SPARE_SUFFIX}", number % SPARE_NAMES)
}

/// Removes the spares that an earlier life left behind. That of a writer that begins is not among them: it makes its
/// own, on another thread.
///
/// # Errors
/// Those of the file system.
pub(crate) fn remove_stale_spares<S: Storage>(storage: &S) -> io::Result<()> {
    for file in storage.list()? {
        let number = file.name.strip_suffix(SPARE_SUFFIX);
        if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
            storage.remove(&file.name)?;
        }
    }
    Ok(())
}

/// Makes one spare.
pub(crate) fn make_spare<S: Storage>(
    storage: &S,
    name: String,
    bytes: u64,
) -> io::Result<Spare<S::File>> {
    assert!(bytes >= SEGMENT_BYTES_MIN, "a segment has room for a frame");
    let made = storage.create(&name).and_then(|mut file| {
        fill_with_zeros(&file, bytes)?;
        file.sync()?;
        file.expect_appends(bytes);
        Ok(file)
    });
    match made {
        Ok(file) => Ok(Spare { name, file, bytes }),
        Err(error) => {
            // What there is of it takes space that a later attempt, or a snapshot, has use for.
            let _ = storage.remove(&name);
            Err(error)
        }
    }
}

/// Makes a spare on the thread that asks.
#[derive(Debug)]
pub struct InlineSource<S: Storage> {
    storage: S,
    segment_bytes: u64,
    made: u64,
    ready: Option<Spare<S::File>>,
    failed: Option<io::Error>,
}

impl<S: Storage> InlineSource<S> {
    /// A source of segments of so many bytes.
    ///
    /// # Panics
    /// If that is less than [`SEGMENT_BYTES_MIN`].
    #[must_use]
    pub fn new(storage: S, segment_bytes: u64) -> Self {
        assert!(
            segment_bytes >= SEGMENT_BYTES_MIN,
            "a segment has room for a frame"
        );
        Self {
            storage,
            segment_bytes,
            made: 0,
            ready: None,
            failed: None,
        }
    }
}

/// Why there is no spare: as the file system said, as often as it is asked.
pub(crate) fn refusal(failed: Option<&io::Error>) -> io::Error {
    match failed {
        Some(error) => io::Error::new(
            error.kind(),
            format!("no next segment can be made: {error}"),
        ),
        None => io::Error::new(
            io::ErrorKind::WouldBlock,
            "the next segment is not made yet",
        ),
    }
}

impl<S: Storage> SegmentSource<S> for InlineSource<S> {
    fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    fn poll(&mut self) -> bool {
        if self.ready.is_some() {
            return true;
        }
        match make_spare(&self.storage, spare_name(self.made), self.segment_bytes) {
            Ok(spare) => {
                self.made += 1;
                self.failed = None;
                self.ready = Some(spare);
                true
            }
            Err(error) => {
                self.failed = Some(error);
                false
            }
        }
    }

    fn is_refused(&self) -> bool {
        self.failed.is_some()
    }

    fn take(&mut self) -> io::Result<Spare<S::File>> {
        self.poll();
        let failed = self.failed.as_ref();
        self.ready.take().ok_or_else(|| refusal(failed))
    }
}
