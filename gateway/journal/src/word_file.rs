//! Words kept in the folder under their digest: limit tables, and the prelude, which is what a core is made from and
//! what a restart must agree on.
//!
//! The thread that loads configs; recovery; replay. Invariant: a file is written whole and synced under another name
//! first, and its words have the digest it is named by, or it does not read.

use crate::error::{Fault, JournalError};
use crate::limit_file::limit_words;
use crate::storage::{Storage, StorageFile, read_full};
use portcullis_domain::Digest;
use std::io;

/// Words kept by digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordFile {
    /// A limit table.
    Limits,
    /// What the core was made from, the session's name, and whatever else a restart must agree on.
    Prelude,
}

/// The longest file that is read: a table of ten million accounts.
const FILE_BYTES_MAX: u64 = 1 << 31;
const CHUNK_BYTES: usize = 1 << 20;

impl WordFile {
    /// Its name.
    #[must_use]
    pub fn name(self, digest: u64) -> String {
        let suffix = match self {
            Self::Limits => "limits",
            Self::Prelude => "prelude",
        };
        format!("{digest:016x}.{suffix}")
    }
}

/// Writes words, unless they are there whole; their digest. They are on the disk when this returns.
///
/// # Errors
/// Those of the file system.
pub fn write_words<S: Storage>(storage: &S, kind: WordFile, words: &[u64]) -> io::Result<u64> {
    let mut digest = Digest::new();
    digest.push_all(words);
    let digest = digest.value();
    if read_words(storage, kind, digest).is_ok() {
        // Whoever gave it its name may not have got as far as this.
        storage.sync_folder()?;
        return Ok(digest);
    }
    let name = kind.name(digest);
    let unfinished = format!("{name}.unfinished");
    let file = storage.create(&unfinished)?;
    let mut bytes = Vec::with_capacity(CHUNK_BYTES.min(size_of_val(words)));
    let mut offset = 0;
    for chunk in words.chunks(CHUNK_BYTES / size_of::<u64>()) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|word| word.to_le_bytes()));
        file.write_at(&bytes, offset)?;
        offset += bytes.len() as u64;
    }
    file.sync()?;
    storage.rename(&unfinished, &name)?;
    storage.sync_folder()?;
    Ok(digest)
}

/// Reads the words with this digest.
///
/// # Errors
/// Those of the file system; words that have another digest.
pub fn read_words<S: Storage>(
    storage: &S,
    kind: WordFile,
    wanted: u64,
) -> Result<Vec<u64>, JournalError> {
    let name = kind.name(wanted);
    let fault = |fault| JournalError::of_file(storage.place(), &name, 0, fault);
    let read = || {
        let file = storage.open(&name)?;
        let length = file.bytes()?.min(FILE_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let filled = read_full(&file, &mut bytes, 0)?;
        bytes.truncate(filled);
        Ok(bytes)
    };
    let bytes = read().map_err(|error| fault(Fault::Io(error)))?;
    limit_words(&bytes, wanted).ok_or_else(|| fault(Fault::Contents))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryDisk, WriteFault};

    /// The call that gave the file its name did not reach the folder: the one that finds it does.
    #[test]
    fn words_that_are_there_are_on_the_disk_too() {
        let disk = MemoryDisk::new();
        disk.fail_at(4, WriteFault::Device, 0);
        write_words(&disk, WordFile::Limits, &[1]).expect_err("its name is not synced");
        let digest = write_words(&disk, WordFile::Limits, &[1]).expect("it is there");
        disk.crash(&mut || 0);
        let words = read_words(&disk, WordFile::Limits, digest);
        assert_eq!(words.expect("its name is kept"), [1]);
    }

    #[test]
    fn words_read_back_under_their_digest_and_kind_alone() {
        let disk = MemoryDisk::new();
        let words: Vec<u64> = (0..300_000).collect();
        let digest = write_words(&disk, WordFile::Prelude, &words).expect("writes");
        let operations = disk.operations();
        assert_eq!(
            write_words(&disk, WordFile::Prelude, &words).expect("there"),
            digest
        );
        assert_eq!(disk.operations(), operations + 1, "written once");
        disk.crash(&mut || 0);
        assert_eq!(
            read_words(&disk, WordFile::Prelude, digest).expect("reads"),
            words
        );
        assert!(read_words(&disk, WordFile::Limits, digest).is_err());
        let name = WordFile::Prelude.name(digest);
        let mut bytes = disk.contents(&name).expect("it is there");
        bytes[77] ^= 1;
        disk.put(&name, &bytes);
        let error = read_words(&disk, WordFile::Prelude, digest).expect_err("damaged");
        assert!(error.to_string().contains(&name), "{error}");
        write_words(&disk, WordFile::Prelude, &words).expect("written anew");
        assert_eq!(
            read_words(&disk, WordFile::Prelude, digest).expect("reads"),
            words
        );
    }
}
