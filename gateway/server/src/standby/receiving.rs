//! Objects that come in blocks: into a file beside, then checked, then under their name.
//!
//! The standby's following thread. Invariants: what has an object's name is whole and is what it is named by; what was
//! received of one is gone on from after a broken connection, not after a restart.

use crate::gateway::check_names;
use crate::replication::{bytes_digest, names_file, object_file, read_whole};
use portcullis_control::config::Config;
use portcullis_journal::replication::{Block, Object, ObjectKind};
use portcullis_journal::{
    Disk, DiskFile, SnapshotHeader, SnapshotReader, Storage, StorageFile, WordFile, read_words,
};
use std::io;

/// Where a snapshot goes before it is one.
const SNAPSHOT_UNFINISHED: &str = "standby.snapshot.unfinished";
const SNAPSHOT_SLOT: &str = "snapshot.0";

/// One object.
struct Receiving {
    object: Object,
    file: DiskFile,
    have: u64,
}

/// All of them.
pub(super) struct Objects {
    disk: Disk,
    under_way: Vec<Receiving>,
}

/// What came of an object that is here whole.
pub(super) enum Received {
    /// It is what it is named by.
    Good,
    /// It is not: ask for it anew.
    Damaged,
}

impl Objects {
    pub(super) const fn new(disk: Disk) -> Self {
        Self {
            disk,
            under_way: Vec::new(),
        }
    }

    /// Whether the folder has it.
    pub(super) fn is_here(&self, object: Object) -> bool {
        let words = |kind| read_words(&self.disk, kind, object.id).is_ok();
        match object.kind {
            ObjectKind::Prelude => words(WordFile::Prelude),
            ObjectKind::LimitTable => words(WordFile::Limits),
            ObjectKind::Names => {
                matches!(names_file(&self.disk), Ok(Some((found, _))) if found == object)
            }
            ObjectKind::Snapshot => false,
        }
    }

    /// Where to go on; it is begun if nothing of it came.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn offset(&mut self, object: Object) -> io::Result<u64> {
        if let Some(it) = self.under_way.iter().find(|it| it.object == object) {
            return Ok(it.have);
        }
        // A snapshot that is no longer wanted gives way to the one that is.
        self.under_way
            .retain(|it| it.object.kind != object.kind || object.kind != ObjectKind::Snapshot);
        let file = self.disk.create(&unfinished(object))?;
        let have = 0;
        self.under_way.push(Receiving { object, file, have });
        Ok(0)
    }

    /// Keeps a block; true when the object is whole.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn keep(&mut self, block: &Block<'_>) -> io::Result<bool> {
        let found = self.under_way.iter_mut();
        let Some(it) = found.into_iter().find(|it| it.object == block.object) else {
            return Err(io::Error::other("a block of an object that was not begun"));
        };
        it.file.write_at(block.bytes, block.offset)?;
        it.have = block.offset + block.bytes.len() as u64;
        Ok(it.have == block.total)
    }

    /// Checks an object that is whole, and gives it its name.
    ///
    /// # Errors
    /// Those of the file system; in words, names that are not this config's.
    pub(super) fn finish(&mut self, object: Object, config: &Config) -> Result<Received, String> {
        let at = self.under_way.iter().position(|it| it.object == object);
        let Some(it) = at.map(|at| self.under_way.swap_remove(at)) else {
            return Ok(Received::Damaged);
        };
        let words = |error: io::Error| format!("{}: {error}", self.disk.place());
        it.file.sync().map_err(words)?;
        drop(it);
        let Some(name) = object_file(object) else {
            return Ok(Received::Good);
        };
        if object.kind == ObjectKind::Names && !self.names_are(object).map_err(words)? {
            return Ok(Received::Damaged);
        }
        self.disk
            .rename(&unfinished(object), &name)
            .and_then(|()| self.disk.sync_folder())
            .map_err(words)?;
        if object.kind == ObjectKind::Names {
            check_names(&self.disk, &config.names).map_err(|why| {
                format!("the config of this standby has other names than its leader's: {why}")
            })?;
        }
        if self.is_here(object) {
            return Ok(Received::Good);
        }
        self.disk.remove(&name).map_err(words)?;
        Ok(Received::Damaged)
    }

    fn names_are(&self, object: Object) -> io::Result<bool> {
        let file = self.disk.open(&unfinished(object))?;
        Ok(bytes_digest(&read_whole(&file)?) == object.id)
    }

    /// What the snapshot that came whole says of itself; `None` where it is damaged, or another.
    pub(super) fn check_snapshot(&mut self, object: Object) -> Option<SnapshotHeader> {
        self.under_way.retain(|it| it.object != object);
        let reader = SnapshotReader::open(&self.disk, SNAPSHOT_UNFINISHED).ok()?;
        let header = *reader.header();
        (header.seq == object.id).then_some(header)
    }

    /// Whether all that a snapshot is loaded with is here.
    pub(super) fn has_ground_of(&self, header: &SnapshotHeader) -> bool {
        let prelude = Object {
            kind: ObjectKind::Prelude,
            id: header.prelude,
        };
        let limits = Object {
            kind: ObjectKind::LimitTable,
            id: header.limits,
        };
        self.is_here(prelude) && self.is_here(limits)
    }

    /// Puts the snapshot that was checked into its slot.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn place_snapshot(&self) -> io::Result<()> {
        self.disk.open(SNAPSHOT_UNFINISHED)?.sync()?;
        self.disk.rename(SNAPSHOT_UNFINISHED, SNAPSHOT_SLOT)?;
        self.disk.sync_folder()
    }
}

/// Where an object is while it comes.
fn unfinished(object: Object) -> String {
    match object_file(object) {
        Some(name) => format!("{name}.unfinished"),
        None => SNAPSHOT_UNFINISHED.to_owned(),
    }
}
