//! The optional fields of OUCH 5.0: one row a tag, and the typed element that follows from it.
//!
//! **Thread.** Plain values.
//! **Invariants.** A tag has one width and one set of admissible values in every message.
//! **Never.** Say which message may carry which tag: that stands in the message's own table.

use super::codes::{
    BboWeight, CustomerType, DiscretionPriceType, HandleInst, OrderSide, PostOnly, PriceType,
    TradeNow, YesNo,
};
use crate::alpha::Alpha;
use crate::field::{Rule, RuleBreach, WireField};
use core::fmt;

/// Bytes of the longest element: length byte, tag byte and eight bytes of value.
pub const ELEMENT_BYTES_MAX: usize = 10;

macro_rules! tags {
    ($( $(#[$doc:meta])* $name:ident = $number:literal: $ty:ty [$width:literal]; )*) => {
        /// A tag of an appendage.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Tag { $( $(#[$doc])* $name = $number, )* }

        /// One element of an appendage: a tag with its value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Element { $( $(#[$doc])* $name($ty), )* }

        $( const _: () = assert!(<$ty as WireField>::WIDTH == $width && $width <= ELEMENT_BYTES_MAX - 2); )*

        impl Tag {
            /// Every tag, in ascending order.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// The tag of a number; `None` where the document has none.
            #[must_use]
            pub const fn from_byte(number: u8) -> Option<Self> {
                match number {
                    $( $number => Some(Self::$name), )*
                    _ => None,
                }
            }

            /// Bytes of the value.
            #[must_use]
            pub const fn width(self) -> usize {
                match self { $( Self::$name => $width, )* }
            }

            /// Which values are admissible.
            #[must_use]
            pub const fn rule(self) -> Rule {
                match self { $( Self::$name => <$ty as WireField>::RULE, )* }
            }

            /// Checks a value of this tag's width: each arm knows its width and rule when compiled, so
            /// that a value is checked in one piece.
            #[inline]
            pub(super) fn check(self, value: &[u8]) -> Result<(), RuleBreach> {
                match self {
                    $( Self::$name => match value.first_chunk::<$width>() {
                        Some(value) => <$ty as WireField>::RULE.check(value),
                        None => Err(RuleBreach::Zero),
                    }, )*
                }
            }

            /// The element at the front of these bytes, where it is one without fault: its tag and what
            /// stands behind it. Each arm knows its width and rule when compiled.
            #[inline(always)]
            pub(super) fn of_element(bytes: &[u8]) -> Option<(Self, &[u8])> {
                let [length, number, rest @ ..] = bytes else {
                    return None;
                };
                match number {
                    $( $number => {
                        let (value, after) = rest.split_first_chunk::<$width>()?;
                        let is_sound = *length == $width + 1 && <$ty as WireField>::RULE.holds(value);
                        is_sound.then_some((Self::$name, after))
                    } )*
                    _ => None,
                }
            }

            /// The document's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => stringify!($name), )* }
            }
        }

        impl Element {
            /// Its tag.
            #[must_use]
            pub const fn tag(&self) -> Tag {
                match self { $( Self::$name(_) => Tag::$name, )* }
            }

            /// The element of a value whose width and rule were checked; `None` for another width.
            pub(super) fn from_checked(tag: Tag, value: &[u8]) -> Option<Self> {
                Some(match tag {
                    $( Tag::$name => Self::$name(
                        <$ty as WireField>::read::<$width, 0>(value.first_chunk::<$width>()?),
                    ), )*
                })
            }

            /// Writes length, tag and value; returns how many bytes that is.
            pub(super) fn write(&self, out: &mut [u8; ELEMENT_BYTES_MAX]) -> usize {
                match self {
                    $( Self::$name(value) => value.write::<ELEMENT_BYTES_MAX, 2>(out), )*
                }
                let tag = self.tag();
                let [length, number, ..] = out;
                // Widths are at most 8, so this cannot lose bits.
                *length = (tag.width() + 1) as u8;
                *number = tag as u8;
                tag.width() + 2
            }
        }
    };
}

tags! {
    /// Venue id of the second part of a reserve order.
    SecondaryOrdRefNum = 1: u64 [8];
    /// Firm in whose name the order is entered; blank = the port's.
    Firm = 2: Alpha<4> [4];
    /// Least quantity of an execution, a whole number of lots; 0 = none.
    MinQty = 3: u32 [4];
    /// Customer type.
    CustomerType = 4: CustomerType [1];
    /// Displayed part; 0 = all.
    MaxFloor = 5: u32 [4];
    /// How the price is made.
    PriceType = 6: PriceType [1];
    /// Offset of a peg, signed, 1e-4.
    PegOffset = 7: i32 [4];
    /// Price to which discretion reaches, 1e-4.
    DiscretionPrice = 9: u64 [8];
    /// What the discretion is pegged to.
    DiscretionPriceType = 10: DiscretionPriceType [1];
    /// Offset of the discretion's peg, signed, 1e-4.
    DiscretionPegOffset = 11: i32 [4];
    /// Post only.
    PostOnly = 12: PostOnly [1];
    /// Range of the random refill of a reserve order.
    RandomReserves = 13: u32 [4];
    /// Route.
    Route = 14: Alpha<4> [4];
    /// Seconds to live, for `TimeInForce::Gtt`.
    ExpireTime = 15: ExpireSeconds [4];
    /// Trade now.
    TradeNow = 16: TradeNow [1];
    /// Handling instruction.
    HandleInst = 17: HandleInst [1];
    /// How the order compared with the best prices.
    BboWeightIndicator = 18: BboWeight [1];
    /// Displayed quantity after a refresh.
    DisplayQuantity = 22: u32 [4];
    /// Displayed price, 1e-4.
    DisplayPrice = 23: u64 [8];
    /// Group for mass cancels; 0 = none.
    GroupId = 24: u16 [2];
    /// Whether shares were located for a short sale.
    SharesLocated = 25: YesNo [1];
    /// Broker that located them.
    LocateBroker = 26: Alpha<4> [4];
    /// Side: on a replace it turns the order's side, on a mass cancel it narrows it.
    Side = 27: OrderSide [1];
    /// Order-flow channel inside a port; each has its own row of `UserRefNum`.
    UserRefIdx = 28: u8 [1];
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (tag {})", self.name(), *self as u8)
    }
}

/// Seconds an order lives, below one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpireSeconds(u32);

impl ExpireSeconds {
    /// The first number of seconds that is too many.
    pub const LIMIT: u32 = 86_400;

    /// `None` for a day or more.
    #[must_use]
    pub const fn new(seconds: u32) -> Option<Self> {
        if seconds < Self::LIMIT {
            Some(Self(seconds))
        } else {
            None
        }
    }

    /// Seconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl WireField for ExpireSeconds {
    const WIDTH: usize = 4;
    const RULE: Rule = Rule::Below(Self::LIMIT as u64);
    #[inline(always)]
    fn read<const LEN: usize, const AT: usize>(head: &[u8; LEN]) -> Self {
        Self(u32::read::<LEN, AT>(head))
    }
    #[inline(always)]
    fn write<const LEN: usize, const AT: usize>(self, head: &mut [u8; LEN]) {
        self.0.write::<LEN, AT>(head);
    }
}

/// A set of tags.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct TagSet(u32);

impl TagSet {
    /// No tag.
    pub const EMPTY: Self = Self(0);

    /// A bit for each tag, by its number.
    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    /// The set with these bits.
    pub(super) const fn of_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The set of these tags.
    #[must_use]
    pub const fn of(tags: &[Tag]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < tags.len() {
            bits |= 1 << tags[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// Whether `tag` is in the set.
    #[must_use]
    pub const fn contains(self, tag: Tag) -> bool {
        self.0 >> tag as u8 & 1 == 1
    }

    /// The set with `tag` in it.
    #[must_use]
    pub const fn with(self, tag: Tag) -> Self {
        Self(self.0 | 1 << tag as u8)
    }

    /// The tags that are in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The tags of this set that are not in `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The tag with the lowest number.
    #[must_use]
    pub fn first(self) -> Option<Tag> {
        // Without any it is the number 32, which no tag has.
        Tag::from_byte(self.0.trailing_zeros() as u8)
    }
}

impl fmt::Debug for TagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(Tag::ALL.iter().filter(|tag| self.contains(**tag)))
            .finish()
    }
}
