//! The objects that travel beside frames, as the files that they are.
//!
//! Either side's replication thread. Invariant: an object's name says its contents; what has other contents is none.

use crate::gateway::NAMES_FILE;
use portcullis_domain::Digest;
use portcullis_journal::replication::{Object, ObjectKind};
use portcullis_journal::{Disk, DiskFile, Storage, StorageFile, WordFile};
use std::io;

/// The longest file of names that is read: ten million of them.
const NAMES_BYTES_MAX: u64 = 512 << 20;

/// The file that an object is in the folder; `None` for a snapshot, which is whichever slot has it.
pub(crate) fn object_file(object: Object) -> Option<String> {
    match object.kind {
        ObjectKind::Prelude => Some(WordFile::Prelude.name(object.id)),
        ObjectKind::LimitTable => Some(WordFile::Limits.name(object.id)),
        ObjectKind::Names => Some(NAMES_FILE.to_owned()),
        ObjectKind::Snapshot => None,
    }
}

/// A digest of bytes: their length, and they as words.
pub(crate) fn bytes_digest(bytes: &[u8]) -> u64 {
    let mut digest = Digest::new();
    digest.push(bytes.len() as u64);
    for chunk in bytes.chunks(size_of::<u64>()) {
        let mut word = [0; size_of::<u64>()];
        word[..chunk.len()].copy_from_slice(chunk);
        digest.push(u64::from_le_bytes(word));
    }
    digest.value()
}

/// The folder's names, as the object they are; `None` where it has none.
///
/// # Errors
/// Those of the file system.
pub(crate) fn names_file(disk: &Disk) -> io::Result<Option<(Object, Vec<u8>)>> {
    let Some(file) = open_if_there(disk, NAMES_FILE)? else {
        return Ok(None);
    };
    let bytes = read_whole(&file)?;
    let object = Object {
        kind: ObjectKind::Names,
        id: bytes_digest(&bytes),
    };
    Ok(Some((object, bytes)))
}

/// A file of the folder; `None` only where there is none of that name.
///
/// # Errors
/// Those of the file system.
pub(super) fn open_if_there(disk: &Disk, name: &str) -> io::Result<Option<DiskFile>> {
    match disk.open(name) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file's bytes, up to the longest file of names.
///
/// # Errors
/// Those of the file system.
pub(crate) fn read_whole(file: &impl StorageFile) -> io::Result<Vec<u8>> {
    let length = file.bytes()?.min(NAMES_BYTES_MAX);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], filled as u64)? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A table that is there and cannot be read must not be passed over: its flip would be refused by the standby alone.
    #[test]
    fn what_cannot_be_opened_is_not_what_is_not_there() {
        let folder =
            std::env::temp_dir().join(format!("portcullis-objects-{}", std::process::id()));
        let disk = Disk::open(&folder).expect("a folder");
        assert!(open_if_there(&disk, "table").expect("none").is_none());
        symlink("table", folder.join("table")).expect("a link to itself");
        assert!(open_if_there(&disk, "table").is_err());
        std::fs::remove_dir_all(folder).expect("removes");
    }

    #[test]
    fn length_and_each_byte_count() {
        let digests = [&b""[..], b"\0", b"\0\0", b"12345678", b"123456789"].map(bytes_digest);
        for (at, digest) in digests.iter().enumerate() {
            assert!(!digests[..at].contains(digest));
        }
    }
}
