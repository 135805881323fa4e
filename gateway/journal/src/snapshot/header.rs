//! What a snapshot says of itself, and where its sections stand.

use super::block::stored_bytes;
use crate::error::Fault;
use crate::frame::{Chain, Term, word};
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 8] = *b"PCULSNP1";
const FORMAT: u32 = 1;
/// Bytes before the first section.
pub(super) const HEADER_BYTES: usize = 4_096;
const TABLE_AT: usize = 96;
const ROW_BYTES: usize = 24;
const CHECKSUM_AT: usize = HEADER_BYTES - 8;
/// Sections that a snapshot may have.
pub(super) const SECTIONS_MAX: usize = (CHECKSUM_AT - TABLE_AT) / ROW_BYTES;

/// What a snapshot was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// The last record that is in it.
    pub seq: u64,
    /// The journal's chain behind that record, which is the last of its frame.
    pub chain: Chain,
    /// The term of that frame.
    pub term: Term,
    /// The core's digest of effects after it.
    pub core_digest: u64,
    /// Digest of the limits in force.
    pub limits: u64,
    /// Digest of the prelude.
    pub prelude: u64,
    /// When it was made, for people.
    pub made_ns: u64,
    /// The journal's number.
    pub journal: u64,
    /// Version of the rules that decided.
    pub rules: u32,
}

/// Where a section stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) id: u32,
    pub(super) offset: u64,
    /// Of its contents, checksums not counted.
    pub(super) bytes: u64,
}

pub(super) fn encode(header: &SnapshotHeader, sections: &[Section], file_bytes: u64) -> Vec<u8> {
    assert!(sections.len() <= SECTIONS_MAX, "the table has room");
    let mut bytes = vec![0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    let words = [
        u64::from(FORMAT) | u64::from(header.rules) << 32,
        header.seq,
        header.chain.raw(),
        header.term.raw(),
        header.core_digest,
        header.limits,
        header.prelude,
        header.made_ns,
        header.journal,
        sections.len() as u64,
        file_bytes,
    ];
    let rows = sections
        .iter()
        .flat_map(|section| [u64::from(section.id), section.offset, section.bytes]);
    for (slot, word) in bytes[8..CHECKSUM_AT]
        .chunks_exact_mut(8)
        .zip(words.into_iter().chain(rows))
    {
        slot.copy_from_slice(&word.to_le_bytes());
    }
    let checksum = xxh3_64(&bytes[..CHECKSUM_AT]);
    bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

pub(super) fn decode(
    bytes: &[u8],
    file_bytes: u64,
) -> Result<(SnapshotHeader, Vec<Section>), Fault> {
    let bytes = bytes
        .get(..HEADER_BYTES)
        .ok_or(Fault::Snapshot("the file ends within its header"))?;
    if bytes[..8] != MAGIC {
        return Err(Fault::Snapshot("it does not begin like a snapshot"));
    }
    if xxh3_64(&bytes[..CHECKSUM_AT]) != word(bytes, CHECKSUM_AT) {
        return Err(Fault::Snapshot(
            "the checksum of its header is not that of its bytes",
        ));
    }
    let format = word(bytes, 8) as u32;
    if format != FORMAT {
        return Err(Fault::Format { found: format });
    }
    let header = SnapshotHeader {
        seq: word(bytes, 16),
        chain: Chain::new(word(bytes, 24)),
        term: Term::new(word(bytes, 32)),
        core_digest: word(bytes, 40),
        limits: word(bytes, 48),
        prelude: word(bytes, 56),
        made_ns: word(bytes, 64),
        journal: word(bytes, 72),
        rules: (word(bytes, 8) >> 32) as u32,
    };
    if header.seq == u64::MAX {
        return Err(Fault::Snapshot(
            "its record is the end of the numbers, behind which no journal goes on",
        ));
    }
    if word(bytes, 88) != file_bytes {
        return Err(Fault::Snapshot(
            "the file has another length than its header says",
        ));
    }
    Ok((header, decode_table(bytes, file_bytes)?))
}

/// The sections, each behind the one before it and all within the file.
fn decode_table(bytes: &[u8], file_bytes: u64) -> Result<Vec<Section>, Fault> {
    const WRONG: Fault = Fault::Snapshot("its section table does not fit the file");
    let count = usize::try_from(word(bytes, 80)).map_err(|_| WRONG)?;
    if count > SECTIONS_MAX {
        return Err(WRONG);
    }
    let mut at = HEADER_BYTES as u64;
    let mut sections: Vec<Section> = Vec::with_capacity(count);
    for row in 0..count {
        let from = TABLE_AT + row * ROW_BYTES;
        let section = Section {
            id: u32::try_from(word(bytes, from)).map_err(|_| WRONG)?,
            offset: word(bytes, from + 8),
            bytes: word(bytes, from + 16),
        };
        if section.offset != at || sections.iter().any(|other| other.id == section.id) {
            return Err(WRONG);
        }
        let end = stored_bytes(section.bytes).and_then(|stored| at.checked_add(stored));
        at = end.filter(|end| *end <= file_bytes).ok_or(WRONG)?;
        sections.push(section);
    }
    if at == file_bytes {
        Ok(sections)
    } else {
        Err(WRONG)
    }
}
