//! The file system as the journal needs it.
//!
//! Whoever holds one. Invariants of an implementation: a rename replaces what has the new name, at once for whoever
//! opens it; after [`StorageFile::sync`] the bytes and length of a file survive a power failure, after
//! [`Storage::sync_folder`] its name does. Nothing else does. Must never follow a name out of its folder.

use std::io;

/// A file and how long it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name, without a folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// When it was last written, ns since the epoch, where that is known.
    pub modified_ns: Option<u64>,
}

/// A folder of files.
pub trait Storage: Clone + Send + Sync + 'static {
    /// One of its files, open for reading and writing.
    type File: StorageFile;
    /// Holds the folder for one writer until dropped.
    type Lock: Send + 'static;

    /// The folder as people call it.
    fn place(&self) -> String;

    /// A new, empty file; what has that name is gone.
    ///
    /// # Errors
    /// Those of the file system.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// A file that is there.
    ///
    /// # Errors
    /// Those of the file system; `NotFound` if there is none.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// All files, by name.
    ///
    /// # Errors
    /// Those of the file system.
    fn list(&self) -> io::Result<Vec<Listed>>;

    /// Removes a file.
    ///
    /// # Errors
    /// Those of the file system.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name; what has that one is replaced.
    ///
    /// # Errors
    /// Those of the file system.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes names last.
    ///
    /// # Errors
    /// Those of the file system.
    fn sync_folder(&self) -> io::Result<()>;

    /// Holds the folder for one writer.
    ///
    /// # Errors
    /// `WouldBlock` if somebody holds it; those of the file system.
    fn lock(&self) -> io::Result<Self::Lock>;
}

/// An open file.
pub trait StorageFile: Send + Sync + 'static {
    /// Writes all of `bytes` at `offset`, the file growing where it must. After an error any part may be there; the
    /// same call may be made again. `WouldBlock` says that the disk takes nothing now.
    ///
    /// # Errors
    /// Those of the file system.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Reads what there is from `offset`, up to the room; 0 at the end.
    ///
    /// # Errors
    /// Those of the file system.
    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Makes what was written last.
    ///
    /// # Errors
    /// Those of the file system. After one, what was written since the last sync may be lost whatever later calls say.
    fn sync(&self) -> io::Result<()>;

    /// Its length.
    ///
    /// # Errors
    /// Those of the file system.
    fn bytes(&self) -> io::Result<u64>;

    /// Its first `bytes`, which are all there, will be written over in small pieces: what can be made ready for that is.
    fn expect_appends(&mut self, _bytes: u64) {}
}

/// Fills `room` from `offset`; less only at the end of the file.
pub(crate) fn read_full(
    file: &impl StorageFile,
    room: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match file.read_at(&mut room[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Bytes of zeros written at a time. The page cache keeps a file in pieces as large as the writes that made it, and a
/// small write walks all blocks of its piece: after writes of 1 MiB it costs three times as much (docs/adr/0018).
const ZERO_BYTES: usize = 1 << 16;

/// Writes zeros up to `bytes`.
pub(crate) fn fill_with_zeros(file: &impl StorageFile, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; ZERO_BYTES.min(usize::try_from(bytes).unwrap_or(ZERO_BYTES))];
    let mut offset = 0;
    while offset < bytes {
        let count = (bytes - offset).min(zeros.len() as u64);
        file.write_at(&zeros[..count as usize], offset)?;
        offset += count;
    }
    Ok(())
}
