//! A folder of the machine's file system.
//!
//! Any thread. Invariant: with a quota, the files of the folder together never become longer than it says; a write
//! that would make them so fails as one on a full disk does. Files that others put there count from when the folder
//! was opened.

use crate::mapping::{MapFile, Mapping};
use crate::storage::{Listed, Storage, StorageFile};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

/// The file whose lock says that a writer is there.
const LOCK_NAME: &str = "lock";

#[derive(Debug)]
struct Usage {
    quota_bytes: u64,
    used_bytes: AtomicU64,
}

impl Usage {
    fn grow(&self, bytes: u64) -> io::Result<()> {
        let take = |used: u64| {
            used.checked_add(bytes)
                .filter(|sum| *sum <= self.quota_bytes)
        };
        self.used_bytes
            .try_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .map(|_| ())
            .map_err(|used| {
                let what = format!(
                    "the folder's quota of {} bytes is taken: {used} bytes stand there, {bytes} more were wanted",
                    self.quota_bytes
                );
                io::Error::new(io::ErrorKind::StorageFull, what)
            })
    }

    fn shrink(&self, bytes: u64) {
        let give = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self
            .used_bytes
            .try_update(Ordering::Relaxed, Ordering::Relaxed, give);
    }
}

/// A folder.
#[derive(Clone, Debug)]
pub struct Disk {
    folder: PathBuf,
    usage: Arc<Usage>,
    map: Option<MapFile>,
}

impl Disk {
    /// The folder, made if it is not there.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Self::with_quota(folder, u64::MAX)
    }

    /// The folder, whose files together are to have `quota_bytes` at the most.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn with_quota(folder: &Path, quota_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let disk = Self {
            folder: folder.to_owned(),
            usage: Arc::new(Usage {
                quota_bytes,
                used_bytes: AtomicU64::new(0),
            }),
            map: None,
        };
        let used = disk.list()?.iter().map(|file| file.bytes).sum();
        disk.usage.used_bytes.store(used, Ordering::Relaxed);
        Ok(disk)
    }

    /// A folder to be read, which must be there.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn existing(folder: &Path) -> io::Result<Self> {
        if !fs::metadata(folder)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Self::open(folder)
    }

    /// The same folder; segments made through this value are written by way of such a mapping, where they can be mapped.
    /// Not for a journal that is synced frame by frame: a sync of mapped pages costs several times as much (docs/adr/0018).
    #[must_use]
    pub fn mapping_segments(self, map: MapFile) -> Self {
        Self {
            map: Some(map),
            ..self
        }
    }

    /// Bytes that its quota leaves; `None` without one.
    #[must_use]
    pub fn quota_left_bytes(&self) -> Option<u64> {
        let Usage {
            quota_bytes,
            used_bytes,
        } = &*self.usage;
        let used = used_bytes.load(Ordering::Relaxed);
        (*quota_bytes < u64::MAX).then(|| quota_bytes.saturating_sub(used))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
        if plain {
            return Ok(self.folder.join(name));
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{name}` is no file's name"),
        ))
    }

    fn length_of(path: &Path) -> u64 {
        fs::metadata(path).map_or(0, |file| file.len())
    }
}

/// Holds a folder until dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl Storage for Disk {
    type File = DiskFile;
    type Lock = FolderLock;

    fn place(&self) -> String {
        self.folder.display().to_string()
    }

    fn create(&self, name: &str) -> io::Result<DiskFile> {
        let path = self.path(name)?;
        let gone = Self::length_of(&path);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        self.usage.shrink(gone);
        Ok(DiskFile {
            file,
            length: AtomicU64::new(0),
            usage: Arc::clone(&self.usage),
            map: self.map,
            mapping: None,
        })
    }

    fn open(&self, name: &str) -> io::Result<DiskFile> {
        let path = self.path(name)?;
        // A folder that can only be read can still be looked at.
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                File::open(&path)?
            }
            other => other?,
        };
        let length = AtomicU64::new(file.metadata()?.len());
        Ok(DiskFile {
            file,
            length,
            usage: Arc::clone(&self.usage),
            map: self.map,
            mapping: None,
        })
    }

    fn list(&self) -> io::Result<Vec<Listed>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let facts = match entry.metadata() {
                Ok(facts) => facts,
                // Removed while we looked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if let (true, Ok(name)) = (facts.is_file(), entry.file_name().into_string()) {
                let since = facts
                    .modified()
                    .ok()
                    .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
                found.push(Listed {
                    name,
                    bytes: facts.len(),
                    modified_ns: since.and_then(|span| u64::try_from(span.as_nanos()).ok()),
                });
            }
        }
        found.sort();
        Ok(found)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path(name)?;
        let bytes = Self::length_of(&path);
        fs::remove_file(path)?;
        self.usage.shrink(bytes);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        let gone = Self::length_of(&to);
        fs::rename(from, to)?;
        self.usage.shrink(gone);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn lock(&self) -> io::Result<FolderLock> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path(LOCK_NAME)?)?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                format!(
                    "{}: another gateway writes this journal; stop it first, or name another folder",
                    self.folder.display()
                ),
            )),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// An open file of a folder.
#[derive(Debug)]
pub struct DiskFile {
    file: File,
    length: AtomicU64,
    usage: Arc<Usage>,
    map: Option<MapFile>,
    mapping: Option<Box<dyn Mapping>>,
}

impl DiskFile {
    /// A write that should have made the file longer failed: what it did not grow by is not taken.
    fn give_back(&self, before: u64, wanted: u64) {
        // Where the system does not say how long it is, the quota holds it for as long as it may be.
        let Ok(facts) = self.file.metadata() else {
            return;
        };
        let stands = facts.len().clamp(before, wanted);
        self.length.store(stands, Ordering::Relaxed);
        self.usage.shrink(wanted - stands);
    }
}

impl StorageFile for DiskFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let end = offset + bytes.len() as u64;
        if let Some(mapping) = &self.mapping
            && end <= mapping.bytes()
            && mapping.write(bytes, offset)
        {
            return Ok(());
        }
        let length = self.length.load(Ordering::Relaxed);
        if end > length {
            self.usage.grow(end - length)?;
            self.length.store(end, Ordering::Relaxed);
        }
        let written = self.file.write_all_at(bytes, offset);
        if written.is_err() && end > length {
            self.give_back(length, end);
        }
        written
    }

    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(&self.file, room, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn expect_appends(&mut self, bytes: u64) {
        // Where it cannot be mapped it is written by calls, which say what is wrong if anything is.
        self.mapping = self.map.and_then(|map| map(&self.file, bytes).ok());
    }
}
