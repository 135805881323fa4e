//! What can be wrong with the bytes of an OUCH 5.0 message, and the checks all messages share.
//!
//! **Thread.** Pure functions over borrowed bytes.
//! **Invariants.** An error names message, field, byte offset and what was found there.
//! **Never.** Panic, allocate, or stop at a length that is only nearly right.

use super::appendage::Appendage;
use super::layout::{AppendageForm, MessageLayout};
use super::reasons::RejectReason;
use super::tag::Tag;
use crate::field::{RuleBreach, Shown};
use core::fmt;

/// A message that cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Name of the message in the layout; `inbound` or `outbound` where not even that is known.
    pub message: &'static str,
    /// Name of the field.
    pub field: &'static str,
    /// Byte of the message, counted from its type byte.
    pub offset: usize,
    /// What stands there.
    pub fault: Fault,
}

/// What is wrong at one place of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no byte at all.
    Empty,
    /// The type byte is none of this direction.
    UnknownType(u8),
    /// The message ends too early.
    TooShort {
        /// Least number of bytes.
        needed: usize,
        /// Bytes of the message.
        found: usize,
    },
    /// The appendage's length field does not say how many bytes follow it.
    LengthMismatch {
        /// What the field says.
        declared: usize,
        /// Bytes that follow.
        found: usize,
    },
    /// A fixed field holds what it may not.
    Field(RuleBreach),
    /// An element of the appendage ends beyond the appendage.
    ElementTruncated {
        /// Bytes its length byte announces.
        needed: usize,
        /// Bytes that are left.
        found: usize,
    },
    /// An element of length 0 has not even a tag.
    ElementEmpty,
    /// No such tag.
    UnknownTag(u8),
    /// The length byte does not fit the tag.
    ElementLength {
        /// The tag.
        tag: Tag,
        /// What the length byte must be.
        expected: usize,
        /// What it is.
        found: usize,
    },
    /// The tag stands twice.
    DuplicateTag(Tag),
    /// This message may not carry the tag.
    TagNotAllowed(Tag),
    /// The value of an element is not admissible.
    Element(Tag, RuleBreach),
    /// A field of this message asks for the tag, and it is not there.
    TagMissing(Tag),
}

impl DecodeError {
    /// Whether the type byte was not recognised: such a message cannot be answered in OUCH.
    #[must_use]
    pub const fn is_unknown_type(&self) -> bool {
        matches!(self.fault, Fault::UnknownType(_))
    }

    /// The documented code with which an order that has this fault is rejected.
    #[must_use]
    pub fn reject_reason(&self) -> RejectReason {
        let tag = match self.fault {
            Fault::ElementLength { tag, .. }
            | Fault::DuplicateTag(tag)
            | Fault::TagNotAllowed(tag)
            | Fault::Element(tag, _)
            | Fault::TagMissing(tag) => Some(tag),
            Fault::Field(_) => None,
            Fault::Empty
            | Fault::UnknownType(_)
            | Fault::TooShort { .. }
            | Fault::LengthMismatch { .. }
            | Fault::ElementTruncated { .. }
            | Fault::ElementEmpty
            | Fault::UnknownTag(_) => return RejectReason::Other,
        };
        match (tag, self.field) {
            (None, "side") | (Some(Tag::Side), _) => RejectReason::InvalidSide,
            (None, "display") => RejectReason::InvalidDisplay,
            (None, "symbol") => RejectReason::InvalidSymbol,
            (None, "cross_type") => RejectReason::InvalidCrossOrder,
            (Some(Tag::MinQty), _) => RejectReason::InvalidMinQuantity,
            (Some(Tag::MaxFloor), _) => RejectReason::InvalidMaxFloor,
            (Some(Tag::PriceType | Tag::PegOffset), _) => RejectReason::InvalidPegType,
            (Some(Tag::Route), _) => RejectReason::InvalidDestination,
            (Some(Tag::Firm), _) => RejectReason::FirmNotAuthorised,
            (None | Some(_), _) => RejectReason::Other,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{} at byte {}: {}",
            self.message, self.field, self.offset, self.fault
        )
    }
}

impl core::error::Error for DecodeError {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Empty => f.write_str("the message is empty; send at least a type byte"),
            Fault::UnknownType(byte) => {
                write!(f, "no message of this direction has type {}", Shown(*byte))
            }
            Fault::TooShort { needed, found } => {
                write!(f, "the message has {found} bytes; send at least {needed}")
            }
            Fault::LengthMismatch { declared, found } => write!(
                f,
                "announces {declared} bytes, {found} follow; the length must be exact"
            ),
            Fault::Field(breach) => breach.fmt(f),
            Fault::ElementTruncated { needed, found } => write!(
                f,
                "the element announces {needed} bytes, {found} are left in the appendage"
            ),
            Fault::ElementEmpty => f.write_str("the element has length 0; it needs a tag"),
            Fault::UnknownTag(number) => write!(f, "there is no tag {number}"),
            Fault::ElementLength {
                tag,
                expected,
                found,
            } => {
                write!(f, "{tag} has length {found}; send {expected}")
            }
            Fault::DuplicateTag(tag) => write!(f, "{tag} stands twice; send it once"),
            Fault::TagNotAllowed(tag) => write!(f, "this message does not carry {tag}"),
            Fault::Element(tag, breach) => write!(f, "{tag} {breach}"),
            Fault::TagMissing(tag) => write!(f, "asks for {tag}, which is not there"),
        }
    }
}

/// Splits a message into its fixed part and its checked appendage.
///
/// The lengths must fit exactly; what stands in the fixed part is the caller's to check.
#[inline(always)]
pub(super) fn split<'a, const HEAD: usize>(
    layout: &'static MessageLayout,
    bytes: &'a [u8],
) -> Result<(&'a [u8; HEAD], Option<Appendage<'a>>), DecodeError> {
    let fail = |field: &'static str, offset: usize, fault: Fault| DecodeError {
        message: layout.name,
        field,
        offset,
        fault,
    };
    let too_short = |needed| Fault::TooShort {
        needed,
        found: bytes.len(),
    };
    let Some((head, tail)) = bytes.split_first_chunk::<HEAD>() else {
        let needed = match layout.appendage {
            AppendageForm::Required => HEAD + 2,
            AppendageForm::Optional | AppendageForm::Never => HEAD,
        };
        return Err(fail("length", bytes.len(), too_short(needed)));
    };
    match layout.appendage {
        AppendageForm::Never if tail.is_empty() => return Ok((head, None)),
        AppendageForm::Never => {
            let fault = Fault::LengthMismatch {
                declared: 0,
                found: tail.len(),
            };
            return Err(fail("length", HEAD, fault));
        }
        AppendageForm::Optional if tail.is_empty() => return Ok((head, None)),
        AppendageForm::Optional | AppendageForm::Required => {}
    }
    let Some((length, elements)) = tail.split_first_chunk::<2>() else {
        return Err(fail("appendage_length", HEAD, too_short(HEAD + 2)));
    };
    let declared = usize::from(u16::from_be_bytes(*length));
    if declared != elements.len() {
        let fault = Fault::LengthMismatch {
            declared,
            found: elements.len(),
        };
        return Err(fail("appendage_length", HEAD, fault));
    }
    match Appendage::parse(elements, layout.tags) {
        Ok(appendage) => Ok((head, Some(appendage))),
        Err(at) => Err(fail("appendage", HEAD + 2 + at.offset, at.fault)),
    }
}

/// A required companion: the field holds `letter`, so the appendage must hold `tag`.
#[inline]
pub(super) fn check_companion(
    layout: &'static MessageLayout,
    head: &[u8],
    appendage: Option<Appendage<'_>>,
) -> Result<(), DecodeError> {
    let Some(companion) = layout.companion else {
        return Ok(());
    };
    let present = appendage.is_some_and(|elements| elements.tags().contains(companion.tag));
    if head.get(companion.offset) != Some(&companion.letter) || present {
        return Ok(());
    }
    Err(DecodeError {
        message: layout.name,
        field: companion.field,
        offset: companion.offset,
        fault: Fault::TagMissing(companion.tag),
    })
}
