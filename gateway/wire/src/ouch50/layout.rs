//! The shape of a message table: fields with offset and width, form and tags of the appendage.
//!
//! **Thread.** Constants.
//! **Invariants.** The rows of a table are contiguous from the type byte to the end of the fixed
//! part and each is as wide as its type; a table that is not does not compile.
//! **Never.** Hold an offset that is not in a table: the decoder, the builders and the patches all
//! take theirs from the rows, so that another dialect is another table.

use super::tag::{Tag, TagSet};
use crate::field::Rule;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the venue.
    Inbound,
    /// From the venue to the client.
    Outbound,
}

impl Direction {
    /// `inbound` or `outbound`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        }
    }
}

/// One row: where a field stands and what it may hold.
#[derive(Clone, Copy, Debug)]
pub struct FieldLayout {
    /// Name in the document's manner.
    pub name: &'static str,
    /// Bytes from the type byte.
    pub offset: usize,
    /// Bytes.
    pub width: usize,
    /// Admissible values.
    pub rule: Rule,
}

/// Whether the fixed part is followed by an appendage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendageForm {
    /// Length field and elements always follow; the length may be 0.
    Required,
    /// Length field and elements may both be absent.
    Optional,
    /// Nothing follows.
    Never,
}

/// A letter in a fixed field that makes a tag compulsory.
#[derive(Clone, Copy, Debug)]
pub struct Companion {
    /// Name of the field.
    pub field: &'static str,
    /// Its offset.
    pub offset: usize,
    /// The letter.
    pub letter: u8,
    /// The tag that must then be there.
    pub tag: Tag,
}

/// A message: its rows and what follows them.
#[derive(Clone, Copy, Debug)]
pub struct MessageLayout {
    /// Name of the message.
    pub name: &'static str,
    /// Which way it goes.
    pub direction: Direction,
    /// Its type byte.
    pub type_byte: u8,
    /// Rows after the type byte, in order.
    pub fields: &'static [FieldLayout],
    /// Bytes of the fixed part, without the length field of the appendage.
    pub head_len: usize,
    /// What follows the fixed part.
    pub appendage: AppendageForm,
    /// The tags that may stand in the appendage.
    pub tags: TagSet,
    /// A letter that makes a tag compulsory.
    pub companion: Option<Companion>,
}

impl MessageLayout {
    /// Bytes of the message without any element, in its longer form where there are two.
    #[must_use]
    pub const fn fixed_len(&self) -> usize {
        match self.appendage {
            AppendageForm::Required | AppendageForm::Optional => self.head_len + 2,
            AppendageForm::Never => self.head_len,
        }
    }

    /// Stops the compilation of a table whose rows leave a gap or overlap.
    pub(super) const fn assert_contiguous(&self) {
        let mut next = 1;
        let mut at = 0;
        while at < self.fields.len() {
            assert!(
                self.fields[at].offset == next,
                "a gap or an overlap before a row"
            );
            next += self.fields[at].width;
            at += 1;
        }
        assert!(
            next == self.head_len,
            "the rows do not end where the fixed part does"
        );
    }
}
