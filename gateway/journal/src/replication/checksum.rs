//! The checksum of a message: XXH3 over its payload, seeded by the length and the kind in front of it.
//!
//! **Invariants.** It covers every byte of the message but itself, so that damage on the way is told from a log that
//! went another way.
//! **Never.** Stand in for the chain of the frames: that one is verified as well.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The checksum of a payload behind a header that begins with these eight bytes.
pub(super) fn checksum(lead: [u8; 8], payload: &[u8]) -> u64 {
    xxh3_64_with_seed(payload, u64::from_le_bytes(lead))
}
