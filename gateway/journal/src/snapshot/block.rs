//! Blocks of a section, each under a checksum of its own place.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Bytes under one checksum.
pub(super) const BLOCK_BYTES: usize = 1 << 16;
/// Bytes of a checksum.
pub(super) const CHECKSUM_BYTES: usize = 8;

/// The checksum of a block.
pub(super) fn checksum(seq: u64, section: u32, block: u64, bytes: &[u8]) -> u64 {
    let mut place = [0; 24];
    place[..8].copy_from_slice(&seq.to_le_bytes());
    place[8..12].copy_from_slice(&section.to_le_bytes());
    place[16..].copy_from_slice(&block.to_le_bytes());
    xxh3_64_with_seed(bytes, xxh3_64(&place))
}

/// Bytes that a section takes in the file; `None` beyond what a file has.
pub(super) fn stored_bytes(bytes: u64) -> Option<u64> {
    let blocks = bytes.div_ceil(BLOCK_BYTES as u64);
    bytes.checked_add(blocks.checked_mul(CHECKSUM_BYTES as u64)?)
}
