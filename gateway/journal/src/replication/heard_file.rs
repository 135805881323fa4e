//! The highest term that a node has heard of, in its journal's folder.
//!
//! ```text
//! 0 magic "PCULTERM" | 8 format u64 | 16 journal u64 | 24 term u64 | 32 checksum u64: XXH3 over the 32 bytes before
//! ```
//! **Thread.** The one that owns the node's connections, and the one that starts it.
//! **Invariants.** It is written under another name, synced and renamed; it is on the disk when [`write_heard`]
//! returns, so that what was heard holds after a loss of power. A file that is damaged is an error, never no file.
//! **Never.** Go back: [`write_heard`] leaves a higher term as it is.

use crate::error::{Fault, JournalError};
use crate::frame::{Term, word};
use crate::storage::{Storage, StorageFile, read_full};
use std::io;
use xxhash_rust::xxh3::xxh3_64;

const NAME: &str = "heard.term";
const UNFINISHED: &str = "heard.term.unfinished";
const MAGIC: [u8; 8] = *b"PCULTERM";
const FORMAT: u64 = 1;
const CHECKSUM_AT: usize = 32;
const BYTES: usize = CHECKSUM_AT + 8;

/// The highest term that this folder's node has heard of, and the journal it is a term of; `None` if it never heard of
/// one but those in its log.
///
/// # Errors
/// Those of the file system; a file that is damaged.
pub fn read_heard<S: Storage>(storage: &S) -> Result<Option<(u64, Term)>, JournalError> {
    let fault = |fault| JournalError::of_file(storage.place(), NAME, 0, fault);
    let mut bytes = [0; BYTES];
    let read = storage
        .open(NAME)
        .and_then(|file| read_full(&file, &mut bytes, 0));
    match read {
        Ok(BYTES) => {}
        Ok(_) => return Err(fault(Fault::Contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(Fault::Io(error))),
    }
    let whole = bytes[..8] == MAGIC
        && word(&bytes, 8) == FORMAT
        && xxh3_64(&bytes[..CHECKSUM_AT]) == word(&bytes, CHECKSUM_AT);
    if !whole {
        return Err(fault(Fault::Contents));
    }
    Ok(Some((word(&bytes, 16), Term::new(word(&bytes, 24)))))
}

/// Keeps a term that was heard of. A term of another journal is replaced; a higher one of the same stays.
///
/// # Errors
/// Those of the file system; a file that is damaged.
pub fn write_heard<S: Storage>(storage: &S, journal: u64, term: Term) -> Result<(), JournalError> {
    let before = read_heard(storage)?;
    let fault = |error| JournalError::of_file(storage.place(), NAME, 0, Fault::Io(error));
    if before.is_some_and(|(of, heard)| of == journal && heard >= term) {
        // Whoever gave it its name may not have got as far as this.
        return storage.sync_folder().map_err(fault);
    }
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    for (slot, value) in
        bytes[8..CHECKSUM_AT]
            .chunks_exact_mut(8)
            .zip([FORMAT, journal, term.raw()])
    {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    let checksum = xxh3_64(&bytes[..CHECKSUM_AT]);
    bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
    let write = || {
        let file = storage.create(UNFINISHED)?;
        file.write_at(&bytes, 0)?;
        file.sync()?;
        storage.rename(UNFINISHED, NAME)?;
        storage.sync_folder()
    };
    write().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryDisk, WriteFault};

    #[test]
    fn a_term_survives_a_loss_of_power_and_never_goes_back() {
        let disk = MemoryDisk::new();
        assert_eq!(read_heard(&disk).expect("no file"), None);
        for (term, kept) in [(3, 3), (2, 3), (7, 7), (7, 7)] {
            write_heard(&disk, 5, Term::new(term)).expect("writes");
            disk.crash(&mut || 0);
            assert_eq!(
                read_heard(&disk).expect("reads"),
                Some((5, Term::new(kept)))
            );
        }
        write_heard(&disk, 6, Term::new(1)).expect("another journal");
        assert_eq!(read_heard(&disk).expect("reads"), Some((6, Term::new(1))));
    }

    /// The call that gave the file its name did not reach the folder: the one that finds it does.
    #[test]
    fn a_term_that_is_there_is_on_the_disk_too() {
        let disk = MemoryDisk::new();
        disk.fail_at(4, WriteFault::Device, 0);
        write_heard(&disk, 5, Term::new(3)).expect_err("its name is not synced");
        write_heard(&disk, 5, Term::new(3)).expect("it is there");
        disk.crash(&mut || 0);
        let heard = read_heard(&disk).expect("reads");
        assert_eq!(heard, Some((5, Term::new(3))));
    }

    #[test]
    fn a_damaged_file_is_not_no_file() {
        let disk = MemoryDisk::new();
        write_heard(&disk, 5, Term::new(3)).expect("writes");
        let whole = disk.contents(NAME).expect("it is there");
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            disk.put(NAME, &damaged);
            let error = read_heard(&disk).expect_err("damaged");
            assert!(error.to_string().contains(NAME), "{error}");
            assert!(write_heard(&disk, 5, Term::new(9)).is_err());
        }
        disk.put(NAME, &whole[..39]);
        assert!(read_heard(&disk).is_err());
    }
}
