//! Reading a snapshot: first all of it is checked, then its sections are streamed, checked again block by block.

use super::block::{BLOCK_BYTES, CHECKSUM_BYTES, checksum};
use super::header::{HEADER_BYTES, Section, SnapshotHeader, decode};
use crate::error::{Fault, JournalError};
use crate::frame::word;
use crate::storage::{Storage, StorageFile, read_full};
use std::io::{self, Read};

/// An open snapshot that was whole when it was opened.
#[derive(Debug)]
pub struct SnapshotReader<S: Storage> {
    file: S::File,
    header: SnapshotHeader,
    sections: Vec<Section>,
}

impl<S: Storage> SnapshotReader<S> {
    /// Opens a snapshot and checks all of it.
    ///
    /// # Errors
    /// What of it is damaged, and where.
    pub fn open(storage: &S, name: &str) -> Result<Self, JournalError> {
        let reader = Self::open_unchecked(storage, name)?;
        reader.verify().map_err(|(offset, fault)| {
            JournalError::of_file(storage.place(), name, offset, fault)
        })?;
        Ok(reader)
    }

    /// Opens a snapshot whose header is whole.
    pub(super) fn open_unchecked(storage: &S, name: &str) -> Result<Self, JournalError> {
        let fault = |fault| JournalError::of_file(storage.place(), name, 0, fault);
        let io = |error| fault(Fault::Io(error));
        let file = storage.open(name).map_err(io)?;
        let length = file.bytes().map_err(io)?;
        let mut bytes = vec![0; HEADER_BYTES];
        let filled = read_full(&file, &mut bytes, 0).map_err(io)?;
        let (header, sections) = decode(&bytes[..filled], length).map_err(fault)?;
        Ok(Self {
            file,
            header,
            sections,
        })
    }

    /// What it was made from.
    #[must_use]
    pub const fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// The sections it has.
    pub fn sections(&self) -> impl Iterator<Item = u32> {
        self.sections.iter().map(|section| section.id)
    }

    /// A section from its beginning; `None` if there is none.
    #[must_use]
    pub fn section(&self, id: u32) -> Option<SectionReader<'_, S::File>> {
        let section = *self.sections.iter().find(|section| section.id == id)?;
        Some(SectionReader {
            file: &self.file,
            seq: self.header.seq,
            section,
            blocks: 0,
            block: Vec::new(),
            read: 0,
        })
    }

    fn verify(&self) -> Result<(), (u64, Fault)> {
        for section in &self.sections {
            let mut reader = self.section(section.id).expect("it is one of them");
            loop {
                let at = reader.block_offset();
                match reader.next_block() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(fault) => return Err((at, fault)),
                }
            }
        }
        Ok(())
    }
}

/// A section as a stream.
#[derive(Debug)]
pub struct SectionReader<'a, F> {
    file: &'a F,
    seq: u64,
    section: Section,
    /// Blocks read.
    blocks: u64,
    block: Vec<u8>,
    /// Bytes given of the block in hand.
    read: usize,
}

impl<F: StorageFile> SectionReader<'_, F> {
    /// Bytes of the whole section.
    #[must_use]
    pub const fn bytes_total(&self) -> u64 {
        self.section.bytes
    }

    const fn block_offset(&self) -> u64 {
        self.section.offset + self.blocks * (BLOCK_BYTES + CHECKSUM_BYTES) as u64
    }

    /// Reads and checks the next block.
    fn next_block(&mut self) -> Result<bool, Fault> {
        let rest = self
            .section
            .bytes
            .saturating_sub(self.blocks * BLOCK_BYTES as u64);
        let length = rest.min(BLOCK_BYTES as u64) as usize;
        self.block.clear();
        self.read = 0;
        if length == 0 {
            return Ok(false);
        }
        self.block.resize(length + CHECKSUM_BYTES, 0);
        let offset = self.block_offset();
        let filled = read_full(self.file, &mut self.block, offset).map_err(Fault::Io)?;
        let sum = word(&self.block, length);
        let whole = filled == self.block.len();
        self.block.truncate(length);
        if !whole || checksum(self.seq, self.section.id, self.blocks, &self.block) != sum {
            self.block.clear();
            return Err(Fault::Snapshot(
                "the checksum of this block is not that of its bytes",
            ));
        }
        self.blocks += 1;
        Ok(true)
    }
}

impl<F: StorageFile> Read for SectionReader<'_, F> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.read == self.block.len() {
            let read = self.next_block();
            read.map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault.to_string()))?;
        }
        let count = room.len().min(self.block.len() - self.read);
        room[..count].copy_from_slice(&self.block[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}
