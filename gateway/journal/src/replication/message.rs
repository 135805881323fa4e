//! The messages of the protocol, as values.
//!
//! **Thread.** Any: they are copied or borrowed.
//! **Invariants.** A value that exists can be encoded; what its numbers mean is judged by the machines.
//! **Never.** Hold more than the message it came in.

use super::BUILD_BYTES_MAX;
use super::process_number::ProcessNumber;
use super::refusal::Refusal;
use crate::segment::{FORMAT, SegmentHeader};
use portcullis_domain::Duration;

/// What a message is, as the byte that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MessageKind {
    /// A follower says what it has.
    Hello = 1,
    /// The leader says where it goes on.
    Welcome = 2,
    /// The leader says why it does not.
    Refused = 3,
    /// The frames behind it stand in another segment.
    Segment = 4,
    /// A frame of the log.
    Frame = 5,
    /// What the follower has written.
    Ack = 6,
    /// A sign of life.
    Heartbeat = 7,
    /// The leader has an object.
    Offer = 8,
    /// The follower asks for the rest of it, or has it.
    Want = 9,
    /// A piece of it.
    Block = 10,
    /// There is a higher term.
    Fence = 11,
    /// The follower's state is another than the leader's.
    DigestMismatch = 12,
}

impl MessageKind {
    /// Each of them.
    pub const ALL: [Self; 12] = [
        Self::Hello,
        Self::Welcome,
        Self::Refused,
        Self::Segment,
        Self::Frame,
        Self::Ack,
        Self::Heartbeat,
        Self::Offer,
        Self::Want,
        Self::Block,
        Self::Fence,
        Self::DigestMismatch,
    ];

    /// The kind that this byte names.
    #[must_use]
    pub fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A message of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Follower.
    Hello(Hello),
    /// Leader.
    Welcome(Welcome),
    /// Leader.
    Refused(Refusal),
    /// Leader.
    Segment(SegmentNotice<'a>),
    /// Leader: the frame's bytes as they stand on its disk.
    Frame(&'a [u8]),
    /// Follower.
    Ack(Ack),
    /// Both.
    Heartbeat(Heartbeat),
    /// Leader.
    Offer(Offer),
    /// Follower.
    Want(Want),
    /// Leader.
    Block(Block<'a>),
    /// Both.
    Fence(Fence),
    /// Follower.
    DigestMismatch(DigestMismatch),
}

impl Message<'_> {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Hello(_) => MessageKind::Hello,
            Self::Welcome(_) => MessageKind::Welcome,
            Self::Refused(_) => MessageKind::Refused,
            Self::Segment(_) => MessageKind::Segment,
            Self::Frame(_) => MessageKind::Frame,
            Self::Ack(_) => MessageKind::Ack,
            Self::Heartbeat(_) => MessageKind::Heartbeat,
            Self::Offer(_) => MessageKind::Offer,
            Self::Want(_) => MessageKind::Want,
            Self::Block(_) => MessageKind::Block,
            Self::Fence(_) => MessageKind::Fence,
            Self::DigestMismatch(_) => MessageKind::DigestMismatch,
        }
    }
}

/// What a follower has, and what it can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The protocol it speaks.
    pub version: u16,
    /// Its process.
    pub process: ProcessNumber,
    /// It was promoted: it leads, and only tells its term.
    pub promoted: bool,
    /// It may be given a snapshot in place of what it has.
    pub takes_snapshot: bool,
    /// Digest of the prelude of its log; 0 while it has none.
    pub journal: u64,
    /// The highest term that it knows of.
    pub term: u64,
    /// The last record that it has written; 0 for none.
    pub last_seq: u64,
    /// The chain there; 0 for none.
    pub chain: u64,
    /// The snapshot of which it has a part; 0 for none.
    pub staged_snapshot: u64,
    /// Bytes that may be on their way to it.
    pub window_bytes: u64,
    /// Silence after which it gives the leader up.
    pub silence_max: Duration,
}

/// Where the leader goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The protocol that is spoken.
    pub version: u16,
    /// Digest of the prelude of its log.
    pub journal: u64,
    /// Its term.
    pub term: u64,
    /// The first frame comes behind this record.
    pub start_seq: u64,
    /// The chain there.
    pub start_chain: u64,
    /// Bytes of the snapshot of `start_seq`, which the follower takes first; 0 where it needs none.
    pub snapshot_bytes: u64,
    /// The last record of its log.
    pub last_seq: u64,
    /// Bytes that will be on their way at the most.
    pub window_bytes: u64,
    /// Silence after which it gives the follower up.
    pub silence_max: Duration,
}

/// What the header of a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentNotice<'a> {
    /// Number of its first record.
    pub first_seq: u64,
    /// The chain before it.
    pub previous: u64,
    /// The term in which it was begun.
    pub term: u64,
    /// Digest of the prelude.
    pub prelude: u64,
    /// Digest of the limits in force.
    pub limits: u64,
    /// Version of the rules that its records are judged by.
    pub rules_version: u32,
    /// Format of the journal.
    pub format: u16,
    /// The program that wrote it: printable ASCII.
    pub build: &'a str,
}

impl<'a> SegmentNotice<'a> {
    /// What the header of a segment on disk says.
    #[must_use]
    pub fn of(header: &'a SegmentHeader) -> Self {
        let identity = &header.identity;
        let plain = identity
            .build
            .bytes()
            .take_while(|byte| (b' '..=b'~').contains(byte));
        let kept = plain.count().min(BUILD_BYTES_MAX);
        Self {
            first_seq: header.seq_first,
            previous: header.previous.raw(),
            term: header.term.raw(),
            prelude: identity.prelude,
            limits: header.limits,
            rules_version: identity.rules,
            format: FORMAT as u16,
            build: &identity.build[..kept],
        }
    }
}

/// How far the follower is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Ack {
    /// The last record that it has written.
    pub written: u64,
    /// The chain there.
    pub chain: u64,
    /// The last record that is on its disk.
    pub synced: u64,
    /// The last record that it has applied.
    pub applied: u64,
    /// Payload bytes of frames and blocks that it has taken since the welcome.
    pub taken_bytes: u64,
}

/// A sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The sender's term.
    pub term: u64,
    /// The last record of its log.
    pub last_seq: u64,
    /// Its clock, for people.
    pub sent_ns: u64,
}

/// What kind of object travels beside the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ObjectKind {
    /// What the core was made from; named by its digest.
    Prelude = 1,
    /// A limit table; named by its digest.
    LimitTable = 2,
    /// A snapshot; named by the number of its last record.
    Snapshot = 3,
    /// The names behind the numbers in the records; named by the digest of their bytes.
    Names = 4,
}

impl ObjectKind {
    /// The kind that this word names.
    #[must_use]
    pub const fn of(word: u32) -> Option<Self> {
        match word {
            1 => Some(Self::Prelude),
            2 => Some(Self::LimitTable),
            3 => Some(Self::Snapshot),
            4 => Some(Self::Names),
            _ => None,
        }
    }
}

/// An object by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its digest or number.
    pub id: u64,
}

impl Object {
    /// The snapshot that ends with this record.
    #[must_use]
    pub const fn snapshot(seq: u64) -> Self {
        Self {
            kind: ObjectKind::Snapshot,
            id: seq,
        }
    }
}

/// The leader has an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub object: Object,
    /// Its length.
    pub bytes: u64,
}

/// The follower asks for an object from an offset on; from its end, it says that it has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Which.
    pub object: Object,
    /// Bytes that it has.
    pub offset: u64,
}

/// A piece of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Of which.
    pub object: Object,
    /// Length of the object.
    pub total: u64,
    /// Where the piece begins.
    pub offset: u64,
    /// The piece: 1 to [`super::BLOCK_BYTES_MAX`] bytes.
    pub bytes: &'a [u8],
}

/// There is a higher term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The term.
    pub term: u64,
    /// Where the sender's log ended when it heard or made it.
    pub last_seq: u64,
}

/// The follower's state is another than the leader's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestMismatch {
    /// The record behind which they were compared.
    pub seq: u64,
    /// What the log says.
    pub leader: u64,
    /// What the follower found.
    pub follower: u64,
}
