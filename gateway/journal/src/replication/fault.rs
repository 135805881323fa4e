//! What a peer can do wrong.
//!
//! **Invariants.** A fault ends a connection, nothing else; a new one begins with a hello.
//! **Never.** Be raised by how a stream was cut into reads.

use super::message::MessageKind;
use super::{MESSAGE_BYTES_MAX, VERSION};
use crate::error::FrameFault;
use std::fmt;

/// Bytes that are no message, however many follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFault {
    /// No message has this kind.
    UnknownKind(u8),
    /// A byte that must be zero is not.
    NotZero {
        /// Where, from the message's first byte.
        offset: usize,
    },
    /// The length is not one that the kind can have.
    Length {
        /// The kind.
        kind: MessageKind,
        /// Bytes of the payload.
        bytes: u32,
    },
    /// The checksum is not that of the bytes.
    Checksum {
        /// The kind that it claims.
        kind: MessageKind,
    },
    /// A field cannot have this value.
    Value {
        /// The kind.
        kind: MessageKind,
        /// The field.
        field: &'static str,
    },
}

impl fmt::Display for MessageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind(byte) => write!(f, "no message has kind {byte}"),
            Self::NotZero { offset } => write!(f, "byte {offset} must be zero"),
            Self::Length { kind, bytes } => write!(
                f,
                "a {kind:?} has no payload of {bytes} bytes; a message has {MESSAGE_BYTES_MAX} at the most"
            ),
            Self::Checksum { kind } => {
                write!(
                    f,
                    "the checksum of a {kind:?} is wrong: it was damaged on its way"
                )
            }
            Self::Value { kind, field } => write!(f, "`{field}` of a {kind:?} cannot be that"),
        }
    }
}

impl std::error::Error for MessageFault {}

/// Why a connection is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFault {
    /// What came is no message.
    Message(MessageFault),
    /// This message has no place here.
    Unexpected(MessageKind),
    /// The other side speaks another protocol.
    Version {
        /// Its protocol.
        theirs: u16,
    },
    /// An acknowledgement names what was never sent, or goes back.
    Ack {
        /// The record that it names.
        written: u64,
    },
    /// A welcome does not fit what the follower has.
    Welcome {
        /// Where it would go on.
        start_seq: u64,
    },
    /// A frame or segment does not follow from what is there.
    OutOfChain {
        /// Number of the record that should come next.
        expected: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// A frame came whole, and is not the next one of the chain here: the leader's log went another way, or is damaged.
    Frame {
        /// Number of the record that should come next.
        expected: u64,
        /// What is wrong.
        fault: FrameFault,
    },
    /// A block or a wish does not fit the object that is under way.
    Transfer {
        /// Name of the object.
        id: u64,
    },
    /// An object is longer than is taken here, or too many are under way.
    TooMuch {
        /// Name of the object.
        id: u64,
    },
}

impl fmt::Display for LinkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(fault) => fault.fmt(f),
            Self::Unexpected(kind) => write!(f, "a {kind:?} has no place here"),
            Self::Version { theirs } => write!(
                f,
                "the other side speaks protocol {theirs}, this one {VERSION}; run the same version on both"
            ),
            Self::Ack { written } => {
                write!(
                    f,
                    "the acknowledgement of record {written} names what was not sent"
                )
            }
            Self::Welcome { start_seq } => write!(
                f,
                "the leader would go on behind record {start_seq}, which does not follow from what is here"
            ),
            Self::OutOfChain { expected, what } => {
                write!(f, "what should hold record {expected} does not: {what}")
            }
            Self::Frame { expected, fault } => {
                write!(f, "what should hold record {expected} does not: {fault}")
            }
            Self::Transfer { id } => write!(f, "a piece of object {id:016x} was not asked for"),
            Self::TooMuch { id } => {
                write!(
                    f,
                    "object {id:016x} is longer than is taken here, or one too many"
                )
            }
        }
    }
}

impl std::error::Error for LinkFault {}

impl From<MessageFault> for LinkFault {
    fn from(fault: MessageFault) -> Self {
        Self::Message(fault)
    }
}
