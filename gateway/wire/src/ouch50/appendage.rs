//! The appendage of an OUCH 5.0 message: reading its elements and building one, without allocation.
//!
//! **Thread.** Borrowed views and plain values.
//! **Invariants.** An [`Appendage`] was checked whole: each element has a known tag, the width of
//! its tag and an admissible value, no tag stands twice. Which message may carry which tag is
//! checked where the message is known.
//! **Never.** Skip an element that is not understood.

use super::decode::Fault;
use super::tag::{ELEMENT_BYTES_MAX, Element, Tag, TagSet};
use crate::alpha::Alpha;
use core::fmt;
use core::num::NonZeroU64;

/// Bytes of an appendage that holds every tag once: the most there can be.
pub const APPENDAGE_BYTES_MAX: usize = {
    let mut sum = 0;
    let mut at = 0;
    while at < Tag::ALL.len() {
        sum += 2 + Tag::ALL[at].width();
        at += 1;
    }
    sum
};

/// The elements of a checked appendage, borrowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Appendage<'a> {
    bytes: &'a [u8],
    found: Found,
}

/// What the elements say that is asked for again. Two whole words, of which the first is never 0, so that they come back
/// in registers where there is no fault: narrower fields are stored one by one and taken up in one piece, which waits
/// until each of the stores is done.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Found {
    /// Which tags there are, behind that the value of the tag `UserRefIdx`, 0 where it is absent.
    tags_and_row: NonZeroU64,
    /// The letters of the tag `Firm`, blank where it is absent.
    firm: u64,
}

impl Found {
    const NOTHING: Self = Self::new(TagSet::EMPTY, 0, Alpha::BLANK);
    /// Set in the first word whatever it says.
    const SOUND: u64 = 1 << 63;

    const fn new(tags: TagSet, row: u8, firm: Alpha<4>) -> Self {
        let word = Self::SOUND | (row as u64) << u32::BITS | tags.bits() as u64;
        Self {
            tags_and_row: NonZeroU64::new(word).expect("a bit is set"),
            firm: u32::from_le_bytes(*firm.bytes()) as u64,
        }
    }

    const fn tags(self) -> TagSet {
        TagSet::of_bits(self.tags_and_row.get() as u32)
    }

    const fn row(self) -> u8 {
        (self.tags_and_row.get() >> u32::BITS) as u8
    }

    const fn firm(self) -> Alpha<4> {
        Alpha::from_checked((self.firm as u32).to_le_bytes())
    }
}

/// What is wrong with an appendage, and at which of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendageFault {
    /// Byte inside the appendage.
    pub offset: usize,
    /// What stands there.
    pub fault: Fault,
}

impl<'a> Appendage<'a> {
    /// No element.
    pub const EMPTY: Appendage<'static> = Appendage {
        bytes: &[],
        found: Found::NOTHING,
    };

    /// Checks the bytes after the length field; `allowed` are the tags of the message they stand
    /// in.
    ///
    /// # Errors
    /// The first fault, from left to right.
    #[inline]
    pub fn parse(bytes: &'a [u8], allowed: TagSet) -> Result<Self, AppendageFault> {
        Self::without_fault(bytes, allowed).map_or_else(|| Self::parse_each(bytes, allowed), Ok)
    }

    /// What [`Self::parse_each`] accepts; `None`, without a word about the fault, where there is one.
    #[inline(always)]
    pub(super) fn without_fault(bytes: &'a [u8], allowed: TagSet) -> Option<Self> {
        let found = Self::found_in(bytes, allowed)?;
        Some(Self { bytes, found })
    }

    #[inline(never)]
    fn found_in(bytes: &[u8], allowed: TagSet) -> Option<Found> {
        let (mut left, mut rest) = (allowed, bytes);
        let (mut row, mut firm) = (0, Alpha::BLANK);
        while !rest.is_empty() {
            let (tag, after) = Tag::of_element(rest)?;
            if !left.contains(tag) {
                return None;
            }
            match rest {
                [_, FIRM, a, b, c, d, ..] => firm = Alpha::from_checked([*a, *b, *c, *d]),
                [_, USER_REF_IDX, index, ..] => row = *index,
                _ => {}
            }
            left = left.difference(TagSet::EMPTY.with(tag));
            rest = after;
        }
        Some(Found::new(allowed.difference(left), row, firm))
    }

    /// Element by element, with the first fault.
    #[cold]
    #[inline(never)]
    pub(super) fn parse_each(bytes: &'a [u8], allowed: TagSet) -> Result<Self, AppendageFault> {
        let mut tags = TagSet::EMPTY;
        let mut rest = bytes;
        while !rest.is_empty() {
            let offset = bytes.len() - rest.len();
            let at = |offset: usize, fault: Fault| AppendageFault { offset, fault };
            let (tag, value, after) = split_element(rest).map_err(|fault| {
                let behind_length = usize::from(matches!(fault, Fault::UnknownTag(_)));
                at(offset + behind_length, fault)
            })?;
            if tags.contains(tag) {
                return Err(at(offset + 1, Fault::DuplicateTag(tag)));
            }
            if !allowed.contains(tag) {
                return Err(at(offset + 1, Fault::TagNotAllowed(tag)));
            }
            if let Err(breach) = tag.check(value) {
                return Err(at(offset + 2, Fault::Element(tag, breach)));
            }
            tags = tags.with(tag);
            rest = after;
        }
        let found = Found::new(tags, user_ref_idx_of(bytes), firm_of(bytes));
        Ok(Self { bytes, found })
    }

    /// The bytes after the length field.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Which tags it holds.
    #[must_use]
    pub const fn tags(&self) -> TagSet {
        self.found.tags()
    }

    /// The elements in the order of the wire.
    #[must_use]
    pub const fn iter(&self) -> Elements<'a> {
        Elements { rest: self.bytes }
    }

    /// The element with this tag.
    #[must_use]
    pub fn find(&self, tag: Tag) -> Option<Element> {
        if !self.tags().contains(tag) {
            return None;
        }
        self.iter().find(|element| element.tag() == tag)
    }

    /// The number row of the message: `UserRefIdx`, or 0 where it is absent.
    #[must_use]
    #[inline]
    pub const fn user_ref_idx(&self) -> u8 {
        self.found.row()
    }

    /// The firm that the message names, if it names one.
    #[must_use]
    #[inline]
    pub fn firm(&self) -> Option<Alpha<4>> {
        self.found
            .tags()
            .contains(Tag::Firm)
            .then_some(self.found.firm())
    }

    /// The bytes of the value with this tag.
    #[must_use]
    pub fn raw(&self, tag: Tag) -> Option<&'a [u8]> {
        if !self.tags().contains(tag) {
            return None;
        }
        let mut rest = self.bytes;
        while let Ok((found, value, after)) = split_element(rest) {
            if found == tag {
                return Some(value);
            }
            rest = after;
        }
        None
    }
}

impl<'a> IntoIterator for Appendage<'a> {
    type Item = Element;
    type IntoIter = Elements<'a>;
    fn into_iter(self) -> Elements<'a> {
        self.iter()
    }
}

impl fmt::Debug for Appendage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The elements of an [`Appendage`], first to last.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl Iterator for Elements<'_> {
    type Item = Element;
    fn next(&mut self) -> Option<Element> {
        let (tag, value, after) = split_element(self.rest).ok()?;
        self.rest = after;
        Element::from_checked(tag, value)
    }
}

const USER_REF_IDX: u8 = Tag::UserRefIdx as u8;
const FIRM: u8 = Tag::Firm as u8;

/// The number row that these elements, checked before, name; 0 where they name none.
#[inline]
pub(super) fn user_ref_idx_of(elements: &[u8]) -> u8 {
    let mut rest = elements;
    while let [length, after @ ..] = rest {
        let Some((element, behind)) = after.split_at_checked(usize::from(*length)) else {
            return 0;
        };
        if let [USER_REF_IDX, index] = element {
            return *index;
        }
        rest = behind;
    }
    0
}

/// The firm that they name; blank where they name none.
fn firm_of(elements: &[u8]) -> Alpha<4> {
    let mut rest = elements;
    while let Ok((tag, value, after)) = split_element(rest) {
        if let (Tag::Firm, Some(code)) = (tag, value.first_chunk::<4>()) {
            return Alpha::from_checked(*code);
        }
        rest = after;
    }
    Alpha::BLANK
}

/// Takes the first element apart: its tag, the bytes of its value, what follows.
fn split_element(bytes: &[u8]) -> Result<(Tag, &[u8], &[u8]), Fault> {
    let [length, rest @ ..] = bytes else {
        return Err(Fault::ElementTruncated {
            needed: 1,
            found: 0,
        });
    };
    let needed = usize::from(*length);
    let Some((element, after)) = rest.split_at_checked(needed) else {
        return Err(Fault::ElementTruncated {
            needed,
            found: rest.len(),
        });
    };
    let [number, value @ ..] = element else {
        return Err(Fault::ElementEmpty);
    };
    let Some(tag) = Tag::from_byte(*number) else {
        return Err(Fault::UnknownTag(*number));
    };
    let value = if cfg!(feature = "planted-bug") {
        value.get(..tag.width()).unwrap_or(value)
    } else {
        value
    };
    if value.len() != tag.width() {
        return Err(Fault::ElementLength {
            tag,
            expected: tag.width() + 1,
            found: needed,
        });
    }
    Ok((tag, value, after))
}

/// Builds an appendage in place. Elements stand in the order in which they were pushed.
#[derive(Clone, Debug)]
pub struct AppendageBuilder {
    bytes: [u8; APPENDAGE_BYTES_MAX],
    len: usize,
    tags: TagSet,
}

/// The tag stands in the appendage already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuplicateTag(pub Tag);

impl fmt::Display for DuplicateTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} stands in the appendage already; a tag may stand once",
            self.0
        )
    }
}

impl core::error::Error for DuplicateTag {}

impl AppendageBuilder {
    /// An empty appendage.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [0; APPENDAGE_BYTES_MAX],
            len: 0,
            tags: TagSet::EMPTY,
        }
    }

    /// Adds an element at the end.
    ///
    /// # Errors
    /// Its tag is there already. Nothing else can go wrong: the buffer holds every tag once.
    pub fn push(&mut self, element: Element) -> Result<&mut Self, DuplicateTag> {
        let tag = element.tag();
        if self.tags.contains(tag) {
            return Err(DuplicateTag(tag));
        }
        let mut scratch = [0; ELEMENT_BYTES_MAX];
        let len = element.write(&mut scratch);
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        for (slot, byte) in room.iter_mut().zip(scratch.into_iter().take(len)) {
            *slot = byte;
        }
        self.len += len;
        self.tags = self.tags.with(tag);
        Ok(self)
    }

    /// What was built so far.
    #[must_use]
    pub fn finish(&self) -> Appendage<'_> {
        let bytes = self.bytes.get(..self.len).unwrap_or(&[]);
        Appendage {
            bytes,
            found: Found::new(self.tags, user_ref_idx_of(bytes), firm_of(bytes)),
        }
    }
}

impl Default for AppendageBuilder {
    fn default() -> Self {
        Self::new()
    }
}
