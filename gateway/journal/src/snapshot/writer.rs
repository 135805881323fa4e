//! Writing a snapshot, section by section, in a memory of one block.

use super::block::{BLOCK_BYTES, CHECKSUM_BYTES, checksum};
use super::header::{HEADER_BYTES, SECTIONS_MAX, Section, SnapshotHeader, encode};
use super::slots::slot_to_write;
use crate::storage::{Storage, StorageFile};
use std::io::{self, Write};

/// Writes a snapshot; what it is given goes to the section begun last.
#[derive(Debug)]
pub struct SnapshotWriter<S: Storage> {
    storage: S,
    file: S::File,
    slot: &'static str,
    header: SnapshotHeader,
    sections: Vec<Section>,
    /// The part of a block that is gathered, with room for its checksum.
    block: Vec<u8>,
    blocks: u64,
    offset: u64,
}

impl<S: Storage> SnapshotWriter<S> {
    /// Begins a snapshot in the slot that does not hold the newest one. What stands there stays until
    /// [`SnapshotWriter::finish`]. The journal must be synced up to the snapshot's record before that.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn begin(storage: S, header: SnapshotHeader) -> io::Result<Self> {
        let slot = slot_to_write(&storage)?;
        let file = storage.create(&unfinished(slot))?;
        Ok(Self {
            storage,
            file,
            slot,
            header,
            sections: Vec::new(),
            block: Vec::with_capacity(BLOCK_BYTES + CHECKSUM_BYTES),
            blocks: 0,
            offset: HEADER_BYTES as u64,
        })
    }

    /// Begins the section with this number.
    ///
    /// # Errors
    /// Those of the file system.
    ///
    /// # Panics
    /// If there is a section of this number, or there are as many as a snapshot has.
    pub fn begin_section(&mut self, id: u32) -> io::Result<()> {
        assert!(
            self.sections.iter().all(|section| section.id != id),
            "a section is begun once"
        );
        assert!(self.sections.len() < SECTIONS_MAX, "the table has room");
        self.write_block()?;
        self.blocks = 0;
        self.sections.push(Section {
            id,
            offset: self.offset,
            bytes: 0,
        });
        Ok(())
    }

    /// Ends it: from now on it is the newest.
    ///
    /// # Errors
    /// Those of the file system. The snapshots of before are as they were.
    pub fn finish(mut self) -> io::Result<()> {
        self.write_block()?;
        let header = encode(&self.header, &self.sections, self.offset);
        self.file.write_at(&header, 0)?;
        self.file.sync()?;
        self.storage.rename(&unfinished(self.slot), self.slot)?;
        self.storage.sync_folder()
    }

    fn write_block(&mut self) -> io::Result<()> {
        let (Some(section), false) = (self.sections.last_mut(), self.block.is_empty()) else {
            return Ok(());
        };
        let length = self.block.len();
        let sum = checksum(self.header.seq, section.id, self.blocks, &self.block);
        self.block.extend_from_slice(&sum.to_le_bytes());
        if let Err(error) = self.file.write_at(&self.block, self.offset) {
            self.block.truncate(length);
            return Err(error);
        }
        section.bytes += length as u64;
        self.offset += self.block.len() as u64;
        self.blocks += 1;
        self.block.clear();
        Ok(())
    }
}

impl<S: Storage> Write for SnapshotWriter<S> {
    /// # Panics
    /// If no section is begun.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(!self.sections.is_empty(), "bytes belong to a section");
        if self.block.len() == BLOCK_BYTES {
            self.write_block()?;
        }
        let count = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    /// Does nothing: a block is written when it is full or its section ends.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unfinished(slot: &str) -> String {
    format!("{slot}.unfinished")
}
