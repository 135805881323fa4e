//! A frame: a header unit and the units of its records, under one checksum that chains to the frame before.
//!
//! ```text
//!  0 magic "PCFR" | 4 version u16 | 6 flags u16 (1: digest is valid, 2: all before it was synced)
//!  8 seq_first u64 | 16 count u32 | 20 units u32 | 24 digest u64 | 32 term u64
//! 40 written_ns u64 | 48 previous u64 | 56 chain u64
//! ```
//! `chain` is XXH3 (64 bits) over the records, seeded by that over the header's first 56 bytes, seeded by the journal's
//! number.
//! Plain values and functions. Invariant: what [`check`] passes holds `count` whole records with consecutive numbers
//! in `units` units. Must never trust a length before it is held against its bound.

use crate::error::FrameFault;
use bytemuck::cast_slice;
use portcullis_domain::{Head, RAW_BYTES_MAX, UNIT_BYTES, Unit};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// First bytes of each frame.
pub(crate) const MAGIC: [u8; 4] = *b"PCFR";
const VERSION: u16 = 1;

/// The header's `digest` is the core's after the last record.
const DIGEST_VALID: u16 = 1;
/// All that stands before this frame had been synced when it was closed.
pub(crate) const SYNCED_BEFORE: u16 = 2;

/// The longest frame, its header counted.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Where the checksum begins to be.
const CHAIN_AT: usize = 56;

/// The value of the chain of checksums after a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Chain(u64);

impl Chain {
    /// The chain with this value.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The value.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }
}

/// Which reign of a primary wrote: each takeover has a larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Term(u64);

impl Term {
    /// The term with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }
}

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// See [`FrameHeader::is_synced_before`] and [`FrameHeader::digest`].
    pub(crate) flags: u16,
    /// Number of the first record.
    pub seq_first: u64,
    /// Records.
    pub count: u32,
    /// Units of the records.
    pub units: u32,
    pub(crate) digest: u64,
    /// The writer's term.
    pub term: Term,
    /// When it was closed, for people.
    pub written_ns: u64,
    /// The chain before it.
    pub previous: Chain,
    /// The chain after it.
    pub chain: Chain,
}

impl FrameHeader {
    /// Number of the last record.
    #[must_use]
    pub const fn seq_last(&self) -> u64 {
        self.seq_first + self.count as u64 - 1
    }

    /// The core's digest of effects after the last record, where it was noted.
    #[must_use]
    pub const fn digest(&self) -> Option<u64> {
        if self.flags & DIGEST_VALID == 0 {
            return None;
        }
        Some(self.digest)
    }

    /// Whether all that stands before it had been synced on the disk of whoever made it, which is another one where
    /// the segment says that it is copied.
    #[must_use]
    pub const fn is_synced_before(&self) -> bool {
        self.flags & SYNCED_BEFORE != 0
    }

    /// Bytes of the whole frame.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        (1 + self.units as usize) * UNIT_BYTES
    }

    pub(crate) const fn note_digest(&mut self, digest: u64) {
        self.flags |= DIGEST_VALID;
        self.digest = digest;
    }

    fn to_unit(self) -> Unit {
        let mut unit = Unit::ZERO;
        let bytes = &mut unit.0;
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.flags.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.seq_first.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.count.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.units.to_le_bytes());
        let words = [
            self.digest,
            self.term.0,
            self.written_ns,
            self.previous.0,
            self.chain.0,
        ];
        for (slot, word) in bytes[24..].chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        unit
    }

    /// The header that a unit holds.
    ///
    /// # Errors
    /// What no frame's header says.
    pub fn from_unit(unit: &Unit) -> Result<Self, FrameFault> {
        let bytes = &unit.0;
        if bytes[..4] != MAGIC {
            return Err(FrameFault::NoFrame);
        }
        let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let version = short(4);
        if version != VERSION {
            return Err(FrameFault::Version(version));
        }
        let header = Self {
            flags: short(6),
            seq_first: word(bytes, 8),
            count: word(bytes, 16) as u32,
            units: (word(bytes, 16) >> 32) as u32,
            digest: word(bytes, 24),
            term: Term(word(bytes, 32)),
            written_ns: word(bytes, 40),
            previous: Chain(word(bytes, 48)),
            chain: Chain(word(bytes, CHAIN_AT)),
        };
        let fits = header.count >= 1
            && header.units >= header.count
            && header.bytes() <= FRAME_BYTES_MAX
            && header.seq_first >= 1
            && header
                .seq_first
                .checked_add(u64::from(header.count))
                .is_some();
        if fits {
            Ok(header)
        } else {
            Err(FrameFault::Size)
        }
    }
}

/// A whole frame, as it stands on disk.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What its header says.
    pub header: FrameHeader,
    /// All of it, the header first.
    pub units: &'a [Unit],
}

impl<'a> Frame<'a> {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        cast_slice(self.units)
    }
}

/// The checksum of a frame: its header unit without the chain, and its records.
pub(crate) fn checksum(units: &[Unit], seed: u64) -> Chain {
    let bytes: &[u8] = cast_slice(units);
    let header = xxh3_64_with_seed(&bytes[..CHAIN_AT], seed);
    let records = &bytes[UNIT_BYTES..];
    let covered = if cfg!(feature = "planted-bug") {
        records.len() - 1
    } else {
        records.len()
    };
    Chain(xxh3_64_with_seed(&records[..covered], header))
}

/// Puts a header before records.
pub(crate) fn seal(units: &mut [Unit], header: &mut FrameHeader, seed: u64) {
    assert!(
        units.len() == 1 + header.units as usize,
        "a header counts its units"
    );
    units[0] = header.to_unit();
    header.chain = checksum(units, seed);
    units[0] = header.to_unit();
}

/// Where a frame must go on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) next_seq: u64,
    pub(crate) chain: Chain,
    pub(crate) term: Term,
}

impl Position {
    /// The place behind a frame that has been checked.
    pub(crate) const fn after(header: &FrameHeader) -> Self {
        Self {
            next_seq: header.seq_first + header.count as u64,
            chain: header.chain,
            term: header.term,
        }
    }
}

/// Whether a frame is whole in itself.
pub(crate) fn check_alone(
    header: &FrameHeader,
    units: &[Unit],
    seed: u64,
) -> Result<(), FrameFault> {
    assert!(
        units.len() == 1 + header.units as usize,
        "all of it and no more"
    );
    if checksum(units, seed) != header.chain {
        return Err(FrameFault::Checksum);
    }
    let mut rest = &units[1..];
    let mut seq = header.seq_first;
    while let Some(unit) = rest.first() {
        let head: &Head = bytemuck::cast_ref(unit);
        if usize::from(head.raw_len) > RAW_BYTES_MAX || head.seq != seq {
            return Err(FrameFault::Records);
        }
        rest = rest.get(head.units()..).ok_or(FrameFault::Records)?;
        seq += 1;
    }
    if seq - header.seq_first != u64::from(header.count) {
        return Err(FrameFault::Records);
    }
    Ok(())
}

/// Whether a frame is whole and stands where it must.
pub(crate) fn check(
    header: &FrameHeader,
    units: &[Unit],
    seed: u64,
    position: &Position,
) -> Result<(), FrameFault> {
    check_alone(header, units, seed)?;
    if header.previous != position.chain {
        return Err(FrameFault::Chain);
    }
    if header.seq_first != position.next_seq {
        return Err(FrameFault::Seq {
            expected: position.next_seq,
            found: header.seq_first,
        });
    }
    if header.term < position.term {
        return Err(FrameFault::Term);
    }
    Ok(())
}

/// A little-endian word of some bytes.
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}
