//! Which segments may go.
//!
//! A thread that may wait for the disk. Invariant: nothing goes unless both slots hold a whole snapshot; all behind
//! the older one stays, and so does the segment that is written: what recovery may need is there.

use crate::error::{Fault, JournalError};
use crate::segment::SegmentName;
use crate::snapshot::newest_snapshot;
use crate::storage::{Listed, Storage};
use portcullis_domain::Timestamp;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Segments go until the folder has no more bytes than this.
    pub bytes_max: u64,
    /// Segments last written longer ago than this go.
    pub age_max_ns: u64,
}

/// The segments that may go, oldest first.
fn disposable<S: Storage>(
    storage: &S,
    retention: &Retention,
    now: Timestamp,
) -> Result<Vec<SegmentName>, JournalError> {
    let listed = storage.list();
    let listed =
        listed.map_err(|error| JournalError::of_folder(storage.place(), Fault::Io(error)))?;
    // With one alone, damage to it would leave a journal that nothing reaches back to.
    let [_, (_, older)] = newest_snapshot(storage)?.whole[..] else {
        return Ok(Vec::new());
    };
    let mut segments: Vec<(SegmentName, &Listed)> = listed
        .iter()
        .filter_map(|file| Some((SegmentName::parse(&file.name)?, file)))
        .collect();
    segments.sort();
    let mut bytes: u64 = listed.iter().map(|file| file.bytes).sum();
    let mut gone = Vec::new();
    for pair in segments.windows(2) {
        let [(name, file), (next, _)] = pair else {
            break;
        };
        // It ends before the next one begins; the record behind the snapshot is needed.
        let covered = next.seq_first() <= older.seq + 1;
        let age = file
            .modified_ns
            .map(|at| now.since(Timestamp::from_ns(at)).ns());
        let old = age.is_some_and(|age| age > retention.age_max_ns);
        if !covered || !(old || bytes > retention.bytes_max) {
            break;
        }
        bytes -= file.bytes;
        gone.push(*name);
    }
    Ok(gone)
}

/// Removes the segments that may go; which they were.
///
/// # Errors
/// Those of the file system.
pub fn dispose<S: Storage>(
    storage: &S,
    retention: &Retention,
    now: Timestamp,
) -> Result<Vec<SegmentName>, JournalError> {
    let gone = disposable(storage, retention, now)?;
    let io = |error| JournalError::of_folder(storage.place(), Fault::Io(error));
    for name in &gone {
        storage.remove(&name.to_string()).map_err(io)?;
        // One by one, so that a crash never leaves an older one without a younger one.
        storage.sync_folder().map_err(io)?;
    }
    Ok(gone)
}
