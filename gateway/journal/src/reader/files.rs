//! The segments of a folder: which there are, and a segment's file with its header.
//!
//! Invariant: a file that is opened begins like the segment that its name says.

use crate::error::{Fault, JournalError};
use crate::scan::read_header;
use crate::segment::{SegmentHeader, SegmentName};
use crate::storage::Storage;
use std::io;

/// The segments of a folder, first to last.
pub(crate) fn segments<S: Storage>(storage: &S) -> Result<Vec<SegmentName>, JournalError> {
    let listed = storage.list();
    let listed =
        listed.map_err(|error| JournalError::of_folder(storage.place(), Fault::Io(error)))?;
    let mut names: Vec<_> = listed
        .iter()
        .filter_map(|file| SegmentName::parse(&file.name))
        .collect();
    names.sort();
    Ok(names)
}

/// Opens a segment and reads its header.
pub(crate) fn open_segment<S: Storage>(
    storage: &S,
    name: SegmentName,
) -> Result<(S::File, SegmentHeader), JournalError> {
    let text = name.to_string();
    let fault = |fault| JournalError::of_file(storage.place(), &text, 0, fault);
    let file = storage
        .open(&text)
        .map_err(|error| fault(Fault::Io(error)))?;
    let header = read_header(&file).map_err(fault)?;
    if header.seq_first != name.seq_first() {
        return Err(fault(Fault::Name {
            says: header.seq_first,
        }));
    }
    Ok((file, header))
}

pub(super) fn is_not_found(error: &JournalError) -> bool {
    matches!(&error.fault, Fault::Io(error) if error.kind() == io::ErrorKind::NotFound)
}
