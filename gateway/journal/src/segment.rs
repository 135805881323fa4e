//! A segment: a file of frames, written from its header on, zeros behind them to its end.
//!
//! ```text
//!  0 magic "PCULSEG1" | 8 format u32 | 12 rules u32 | 16 seq_first u64 | 24 previous u64 | 32 term u64
//! 40 prelude u64 | 48 limits u64 | 56 created_ns u64 | 64 journal u64 | 72 segment_bytes u64
//! 80 build, 39 bytes UTF-8, zeros behind | 119 u8: 255 where the frames are copied from a leader
//! 120 checksum u64: XXH3 over the 120 bytes before
//! ```
//! Plain values and functions. Invariant: a segment is named by its first record, `seq_first` in 20 digits and
//! `.segment`; its header says the same.

use crate::error::Fault;
use crate::frame::{Chain, FRAME_BYTES_MAX, Position, Term, word};
use portcullis_domain::UNIT_BYTES;
use std::fmt;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 8] = *b"PCULSEG1";
pub(crate) const FORMAT: u32 = 1;
/// Bytes of a header.
pub(crate) const HEADER_BYTES: usize = 2 * UNIT_BYTES;
const BUILD_BYTES: usize = 39;
const COPIED_AT: usize = 119;
/// No byte of UTF-8, so that no build's name of 40 bytes, as was written before, is taken for it.
const COPIED: u8 = u8::MAX;
const CHECKSUM_AT: usize = 120;

/// The shortest segment: a header and two of the shortest frames.
pub const SEGMENT_BYTES_MIN: u64 = (HEADER_BYTES + 4 * UNIT_BYTES) as u64;

const SUFFIX: &str = ".segment";
const DIGITS: usize = 20;

/// A segment's file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName(u64);

impl SegmentName {
    /// The name of the segment that begins with this record.
    #[must_use]
    pub const fn new(seq_first: u64) -> Self {
        Self(seq_first)
    }

    /// Its first record.
    #[must_use]
    pub const fn seq_first(self) -> u64 {
        self.0
    }

    /// The name that a file has; `None` if it is no segment's.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let digits = name.strip_suffix(SUFFIX)?;
        let plain = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .parse()
            .ok()
            .filter(|seq| plain && *seq > 0)
            .map(Self)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}{SUFFIX}", self.0)
    }
}

/// Which journal a segment belongs to, and what wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The journal's own number, drawn when it was begun and the same for all its copies. Checksums are seeded with
    /// it, so that no client's bytes look like a frame.
    pub journal: u64,
    /// Digest of the prelude.
    pub prelude: u64,
    /// Version of the rules that decided.
    pub rules: u32,
    /// The program that wrote it, for people; 39 bytes are kept.
    pub build: String,
}

/// What a segment's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Number of the first record.
    pub seq_first: u64,
    /// The chain before it.
    pub previous: Chain,
    /// The writer's term.
    pub term: Term,
    /// Digest of the limits in force.
    pub limits: u64,
    /// When it was begun, for people.
    pub created_ns: u64,
    /// Bytes it was made with.
    pub segment_bytes: u64,
    /// Its frames are copied from a leader: what they say was synced, was so on the leader's disk, not on this one.
    pub is_copied: bool,
    /// Which journal it is of.
    pub identity: Identity,
}

impl SegmentHeader {
    pub(crate) fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.identity.rules.to_le_bytes());
        let words = [
            self.seq_first,
            self.previous.raw(),
            self.term.raw(),
            self.identity.prelude,
            self.limits,
            self.created_ns,
            self.identity.journal,
            self.segment_bytes,
        ];
        for (slot, word) in bytes[16..80].chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        let build = self.identity.build.as_bytes();
        let kept = self.identity.build.floor_char_boundary(BUILD_BYTES);
        bytes[80..80 + kept].copy_from_slice(&build[..kept]);
        if self.is_copied {
            bytes[COPIED_AT] = COPIED;
        }
        let checksum = xxh3_64(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let bytes = bytes.get(..HEADER_BYTES).ok_or(Fault::NotASegment)?;
        if bytes[..8] != MAGIC {
            return Err(Fault::NotASegment);
        }
        let format = word(bytes, 8) as u32;
        if xxh3_64(&bytes[..CHECKSUM_AT]) != word(bytes, CHECKSUM_AT) {
            // Another format may have its checksum elsewhere.
            let other = format != FORMAT;
            return Err(if other {
                Fault::Format { found: format }
            } else {
                Fault::HeaderDamaged
            });
        }
        if format != FORMAT {
            return Err(Fault::Format { found: format });
        }
        let is_copied = bytes[COPIED_AT] == COPIED;
        let build = &bytes[80..if is_copied { COPIED_AT } else { CHECKSUM_AT }];
        let length = build
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(build.len());
        Ok(Self {
            seq_first: word(bytes, 16),
            previous: Chain::new(word(bytes, 24)),
            term: Term::new(word(bytes, 32)),
            limits: word(bytes, 48),
            created_ns: word(bytes, 56),
            segment_bytes: word(bytes, 72),
            is_copied,
            identity: Identity {
                journal: word(bytes, 64),
                prelude: word(bytes, 40),
                rules: (word(bytes, 8) >> 32) as u32,
                build: String::from_utf8_lossy(&build[..length]).into_owned(),
            },
        })
    }

    /// Where its first frame must go on from.
    pub(crate) const fn position(&self) -> Position {
        Position {
            next_seq: self.seq_first,
            chain: self.previous,
            term: self.term,
        }
    }
}

const _: () = assert!(FRAME_BYTES_MAX.is_multiple_of(UNIT_BYTES));

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            seq_first: 7,
            previous: Chain::new(1 << 63),
            term: Term::new(3),
            limits: 4,
            created_ns: 5,
            segment_bytes: 1 << 26,
            is_copied: false,
            identity: Identity {
                journal: 9,
                prelude: 10,
                rules: 11,
                build: "portcullis 0.1.0".to_owned(),
            },
        }
    }

    #[test]
    fn a_header_reads_back_and_no_bit_of_it_may_change() {
        let mut header = header();
        let bytes = header.to_bytes();
        assert_eq!(SegmentHeader::from_bytes(&bytes).expect("whole"), header);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::from_bytes(&damaged).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(SegmentHeader::from_bytes(&bytes[..length]).is_err());
        }
        header.identity.build = "é".repeat(30);
        let kept = SegmentHeader::from_bytes(&header.to_bytes()).expect("whole");
        assert_eq!(kept.identity.build, "é".repeat(19));
    }

    #[test]
    fn what_is_copied_says_so_and_an_old_build_of_forty_bytes_does_not() {
        let copied = SegmentHeader {
            is_copied: true,
            ..header()
        };
        let read = SegmentHeader::from_bytes(&copied.to_bytes()).expect("whole");
        assert_eq!(read, copied);
        let mut old = header().to_bytes();
        let build = "ÿ".repeat(20);
        old[80..CHECKSUM_AT].copy_from_slice(build.as_bytes());
        let checksum = xxh3_64(&old[..CHECKSUM_AT]);
        old[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        let read = SegmentHeader::from_bytes(&old).expect("whole");
        assert!(!read.is_copied);
        assert_eq!(read.identity.build, build);
    }

    #[test]
    fn a_name_is_its_first_record_and_nothing_else_is_a_name() {
        let name = SegmentName::new(42).to_string();
        assert_eq!(name, "00000000000000000042.segment");
        assert_eq!(SegmentName::parse(&name), Some(SegmentName::new(42)));
        for other in [
            "42.segment",
            "0000000000000000004a.segment",
            "+0000000000000000042.segment",
            "00000000000000000000.segment",
            "99999999999999999999.segment",
            "00000000000000000042",
            ".segment",
        ] {
            assert_eq!(SegmentName::parse(other), None, "{other}");
        }
    }
}
