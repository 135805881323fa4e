//! The two slots: which to write, which to read.

use super::header::SnapshotHeader;
use super::reader::SnapshotReader;
use crate::error::{Fault, JournalError};
use crate::storage::Storage;
use std::io;

/// Names of the slots.
pub(super) const SLOTS: [&str; 2] = ["snapshot.0", "snapshot.1"];

/// What the slots hold.
#[derive(Debug, Default)]
pub struct NewestSnapshot {
    /// Slots with a whole snapshot, by name, the newest first.
    pub whole: Vec<(&'static str, SnapshotHeader)>,
    /// What is wrong with the others that are there.
    pub faults: Vec<JournalError>,
}

impl NewestSnapshot {
    /// The newest whole one.
    #[must_use]
    pub fn newest(&self) -> Option<(&'static str, SnapshotHeader)> {
        self.whole.first().copied()
    }
}

/// Whether a file of a journal's folder has the name of a snapshot.
#[must_use]
pub fn is_snapshot(name: &str) -> bool {
    SLOTS.contains(&name)
}

/// Checks both slots, all of each.
///
/// # Errors
/// Those of the file system, other than for one slot.
pub fn newest_snapshot<S: Storage>(storage: &S) -> Result<NewestSnapshot, JournalError> {
    let listed = storage.list();
    let listed =
        listed.map_err(|error| JournalError::of_folder(storage.place(), Fault::Io(error)))?;
    let mut found = NewestSnapshot::default();
    for slot in SLOTS {
        if listed.iter().all(|file| file.name != slot) {
            continue;
        }
        match SnapshotReader::open(storage, slot) {
            Ok(reader) => found.whole.push((slot, *reader.header())),
            Err(error) => found.faults.push(error),
        }
    }
    found
        .whole
        .sort_by_key(|(_, header)| std::cmp::Reverse((header.seq, header.made_ns)));
    Ok(found)
}

/// The slot without the newest snapshot.
pub(super) fn slot_to_write<S: Storage>(storage: &S) -> io::Result<&'static str> {
    let mut age = [None; SLOTS.len()];
    for (slot, age) in SLOTS.iter().zip(&mut age) {
        match SnapshotReader::open_unchecked(storage, slot) {
            Ok(reader) => *age = Some((reader.header().seq, reader.header().made_ns)),
            Err(JournalError {
                fault: Fault::Io(error),
                ..
            }) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error);
            }
            // Not there, or bad: the first to be written over.
            Err(_) => {}
        }
    }
    Ok(if age[0] <= age[1] { SLOTS[0] } else { SLOTS[1] })
}
