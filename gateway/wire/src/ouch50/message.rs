//! From a table to code: for each row of a message table a value, a checked view and an encoder.
//!
//! **Thread.** Views borrow the receive buffer of whoever parses; encoders write into a buffer of
//! the caller.
//! **Invariants.** A view exists only over bytes that were checked whole. What an encoder wrote
//! parses, and parses to the value it was given; it writes nothing when it fails.
//! **Never.** Allocate, or write beyond the slice it was given.

use super::appendage::Appendage;
use super::decode::{DecodeError, Fault};
use super::layout::{AppendageForm, MessageLayout};
use super::tag::Tag;
use crate::field::RuleBreach;
use core::fmt;

/// A message that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// The buffer is too small.
    NoRoom {
        /// Bytes the message takes.
        needed: usize,
        /// Bytes of the buffer.
        room: usize,
    },
    /// The message has no appendage at all.
    NoAppendage {
        /// Name of the message.
        message: &'static str,
    },
    /// The message may not carry the tag.
    TagNotAllowed {
        /// Name of the message.
        message: &'static str,
        /// The tag.
        tag: Tag,
    },
    /// A field asks for a tag that is not there.
    TagMissing {
        /// Name of the message.
        message: &'static str,
        /// The tag.
        tag: Tag,
    },
    /// A field holds what this message may not say, for example a buy in a modify.
    Field {
        /// Name of the message.
        message: &'static str,
        /// Name of the field.
        field: &'static str,
        /// What is wrong.
        breach: RuleBreach,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::NoRoom { needed, room } => {
                write!(f, "the message takes {needed} bytes, the buffer has {room}")
            }
            EncodeError::NoAppendage { message } => write!(f, "{message} has no appendage"),
            EncodeError::TagNotAllowed { message, tag } => {
                write!(f, "{message} does not carry {tag}")
            }
            EncodeError::TagMissing { message, tag } => write!(f, "{message} needs {tag}"),
            EncodeError::Field {
                message,
                field,
                breach,
            } => {
                write!(f, "{message}.{field} {breach}")
            }
        }
    }
}

impl core::error::Error for EncodeError {}

/// Puts a checked fixed part and its appendage into `out`; returns the length.
pub(super) fn assemble<const HEAD: usize>(
    layout: &'static MessageLayout,
    head: &[u8; HEAD],
    appendage: Option<Appendage<'_>>,
    out: &mut [u8],
) -> Result<usize, EncodeError> {
    let message = layout.name;
    let elements = match (layout.appendage, appendage) {
        (AppendageForm::Never, Some(_)) => return Err(EncodeError::NoAppendage { message }),
        (AppendageForm::Never | AppendageForm::Optional, None) => None,
        (AppendageForm::Required, None) => Some(Appendage::EMPTY),
        (AppendageForm::Optional | AppendageForm::Required, Some(elements)) => Some(elements),
    };
    let tags = elements.map(|elements| elements.tags()).unwrap_or_default();
    if let Some(tag) = tags.difference(layout.tags).first() {
        return Err(EncodeError::TagNotAllowed { message, tag });
    }
    if let Err(DecodeError {
        fault: Fault::TagMissing(tag),
        ..
    }) = super::decode::check_companion(layout, head, elements)
    {
        return Err(EncodeError::TagMissing { message, tag });
    }
    let tail = elements.map(|elements| elements.bytes());
    let needed = HEAD + tail.map_or(0, |bytes| bytes.len() + 2);
    let room = out.len();
    let Some(target) = out.get_mut(..needed) else {
        return Err(EncodeError::NoRoom { needed, room });
    };
    let Some((fixed, after)) = target.split_first_chunk_mut::<HEAD>() else {
        return Err(EncodeError::NoRoom { needed, room });
    };
    *fixed = *head;
    if let (Some(bytes), Some((length, elements))) = (tail, after.split_first_chunk_mut::<2>()) {
        // An appendage holds each tag once at most, so its length fits 16 bits by far.
        *length = (bytes.len() as u16).to_be_bytes();
        // `target` was cut to the sum of the three parts, so what is left is as long as `bytes`.
        elements.copy_from_slice(bytes);
    }
    Ok(needed)
}

/// Which admissible values a row has: those of its type, or the narrower set beside it.
macro_rules! row_rule {
    ($ty:ty) => {
        <$ty as $crate::field::WireField>::RULE
    };
    ($ty:ty, $among:literal) => {
        // In a constant of its own, or the set is made anew for each message.
        const { $crate::field::Rule::OneOf($crate::field::CodeSet::of($among)) }
    };
}
pub(super) use row_rule;

macro_rules! companion {
    () => {
        None
    };
    ($field:ident $offset:literal $letter:literal $tag:ident) => {
        Some($crate::ouch50::layout::Companion {
            field: stringify!($field),
            offset: $offset,
            letter: $letter,
            tag: $crate::ouch50::tag::Tag::$tag,
        })
    };
}
pub(super) use companion;

/// Turns a table of messages of one direction into values, views, encoders and the enum of views.
macro_rules! messages {
    (
        $(#[$all_doc:meta])*
        $all:ident;
        $(
            $(#[$doc:meta])*
            $name:ident / $view:ident = $type_byte:literal, head $head:literal, $form:ident,
            tags [ $($tag:ident)* ]
            $(, when $c_field:ident [$c_offset:literal] = $c_letter:literal needs $c_tag:ident)?
            {
                $( $(#[$field_doc:meta])* $field:ident: $ty:ty [$at:literal, $width:literal]
                    $(among $among:literal)?; )*
            }
        )*
    ) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name { $( $(#[$field_doc])* pub $field: $ty, )* }

            impl $name {
                /// The table of this message.
                pub const LAYOUT: &'static MessageLayout = &MessageLayout {
                    name: stringify!($name),
                    direction: Direction::$all,
                    type_byte: $type_byte,
                    fields: &[ $( FieldLayout {
                        name: stringify!($field),
                        offset: $at,
                        width: $width,
                        rule: row_rule!($ty $(, $among)?),
                    }, )* ],
                    head_len: $head,
                    appendage: AppendageForm::$form,
                    tags: TagSet::of(&[ $( Tag::$tag, )* ]),
                    companion: companion!($($c_field $c_offset $c_letter $c_tag)?),
                };

                /// Writes the message into `out` and returns its length. `None` for the appendage
                /// leaves out its length field too where the message allows that.
                ///
                /// # Errors
                /// The buffer is too small, or the message may not say this; nothing is written.
                pub fn encode(
                    &self,
                    appendage: Option<Appendage<'_>>,
                    out: &mut [u8],
                ) -> Result<usize, EncodeError> {
                    let mut head = [0_u8; $head];
                    head[0] = $type_byte;
                    $( self.$field.write::<$head, $at>(&mut head); )*
                    if let Err(DecodeError { message, field, fault: Fault::Field(breach), .. }) =
                        Self::check(&head)
                    {
                        return Err(EncodeError::Field { message, field, breach });
                    }
                    assemble(Self::LAYOUT, &head, appendage, out)
                }

                /// Every field of a fixed part against the rule of its row: all in one piece, and one by
                /// one where one is wrong.
                #[inline(always)]
                fn check(head: &[u8; $head]) -> Result<(), DecodeError> {
                    // A message without a field of its own has only its type byte, already matched.
                    let [_type_byte, ..] = head;
                    let all_hold = true
                        $( && row_rule!($ty $(, $among)?).holds(&head[$at..$at + $width]) )*;
                    if all_hold { Ok(()) } else { Self::check_each(head) }
                }

                /// The first field that breaks its rule.
                #[cold]
                #[inline(never)]
                fn check_each(head: &[u8; $head]) -> Result<(), DecodeError> {
                    let [_type_byte, ..] = head;
                    $( {
                        const RULE: Rule = row_rule!($ty $(, $among)?);
                        if let Err(breach) = RULE.check(&slot::<$head, $at, $width>(head)) {
                            return Err(DecodeError {
                                message: stringify!($name),
                                field: stringify!($field),
                                offset: $at,
                                fault: Fault::Field(breach),
                            });
                        }
                    } )*
                    Ok(())
                }
            }

            const _: () = $name::LAYOUT.assert_contiguous();
            $( const _: () = assert!(<$ty as WireField>::WIDTH == $width); )*

            $(#[$doc])*
            ///
            /// A checked view over its bytes.
            #[derive(Clone, Copy, PartialEq, Eq)]
            pub struct $view<'a> {
                bytes: &'a [u8],
                head: &'a [u8; $head],
                appendage: Option<Appendage<'a>>,
            }

            impl<'a> $view<'a> {
                /// The table of this message.
                pub const LAYOUT: &'static MessageLayout = $name::LAYOUT;

                /// The view over a message of this type that is whole and right; `None` over other bytes:
                /// what is wrong with them, the parse of all messages says.
                #[must_use]
                #[inline]
                pub fn of(bytes: &'a [u8]) -> Option<Self> {
                    if bytes.first() != Some(&$type_byte) {
                        return None;
                    }
                    Self::parse(bytes).ok()
                }

                #[inline(always)]
                fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
                    let (head, appendage) = split::<$head>(Self::LAYOUT, bytes)?;
                    $name::check(head)?;
                    check_companion(Self::LAYOUT, head, appendage)?;
                    Ok(Self { bytes, head, appendage })
                }

                $(
                    $(#[$field_doc])*
                    #[must_use]
                    #[inline]
                    pub fn $field(&self) -> $ty {
                        <$ty as WireField>::read::<$head, $at>(self.head)
                    }
                )*

                /// All fixed fields by value.
                #[must_use]
                pub fn value(&self) -> $name {
                    $name { $( $field: self.$field(), )* }
                }

                /// The optional fields; `None` if not even their length was sent.
                #[must_use]
                pub const fn appendage(&self) -> Option<Appendage<'a>> {
                    self.appendage
                }

                /// The optional field with this tag.
                #[must_use]
                pub fn find(&self, tag: Tag) -> Option<Element> {
                    self.appendage?.find(tag)
                }

                /// The number row, 0 where it is not stated.
                #[must_use]
                #[inline]
                pub fn user_ref_idx(&self) -> u8 {
                    self.appendage.map_or(0, |elements| elements.user_ref_idx())
                }

                /// The bytes of the message as they came.
                #[must_use]
                pub const fn bytes(&self) -> &'a [u8] {
                    self.bytes
                }
            }

            impl fmt::Debug for $view<'_> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.value().fmt(f)?;
                    if let Some(appendage) = self.appendage {
                        write!(f, " {appendage:?}")?;
                    }
                    Ok(())
                }
            }
        )*

        $(#[$all_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $all<'a> { $( $(#[$doc])* $name($view<'a>), )* }

        impl<'a> $all<'a> {
            /// The tables of this direction.
            pub const LAYOUTS: &'static [&'static MessageLayout] = &[ $( $name::LAYOUT, )* ];

            /// Checks a whole message: type, lengths, every field, every element.
            ///
            /// # Errors
            /// The first fault, with message, field, byte offset and what was found.
            pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
                Self::parse_in_place(bytes)
            }

            /// [`Self::parse`], as a part of whoever calls it: for the one place of a path that takes each
            /// message apart, which then reads its fields without a view in between.
            ///
            /// # Errors
            /// As [`Self::parse`].
            #[inline(always)]
            pub fn parse_in_place(bytes: &'a [u8]) -> Result<Self, DecodeError> {
                let unknown = |fault| DecodeError {
                    message: Direction::$all.name(),
                    field: "type",
                    offset: 0,
                    fault,
                };
                match bytes.first() {
                    $( Some($type_byte) => $view::parse(bytes).map(Self::$name), )*
                    Some(byte) => Err(unknown(Fault::UnknownType(*byte))),
                    None => Err(unknown(Fault::Empty)),
                }
            }

            /// The bytes of the message as they came.
            #[must_use]
            pub const fn bytes(&self) -> &'a [u8] {
                match self { $( Self::$name(view) => view.bytes(), )* }
            }

            /// The optional fields; `None` if not even their length was sent.
            #[must_use]
            pub const fn appendage(&self) -> Option<Appendage<'a>> {
                match self { $( Self::$name(view) => view.appendage(), )* }
            }

            /// The table of the message.
            #[must_use]
            pub const fn layout(&self) -> &'static MessageLayout {
                match self { $( Self::$name(_) => $name::LAYOUT, )* }
            }

            /// Writes all fields anew, from the values that were read.
            ///
            /// # Errors
            /// The buffer is too small.
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
                match self { $( Self::$name(view) => view.value().encode(view.appendage(), out), )* }
            }
        }
    };
}
pub(super) use messages;
