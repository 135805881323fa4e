//! Scalars of a binary message: width, admissible values, reading and writing at a constant offset.
//!
//! **Thread.** None; pure functions over borrowed bytes.
//! **Invariants.** Offsets are checked against the length of the fixed part when the code is
//! compiled, so reading a field cannot fail. A value is read only after its [`Rule`] was checked
//! over the same bytes.
//! **Never.** Accept a byte outside the rule of its field.

use crate::alpha::{Alpha, all_printable, is_printable};
use core::fmt;

/// Which values of a field are admissible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Every bit pattern.
    Any,
    /// Every byte is printable ASCII.
    Printable,
    /// Not all bytes are zero.
    NonZero,
    /// A single byte out of a closed set.
    OneOf(CodeSet),
    /// A big-endian number below the limit.
    Below(u64),
}

/// A field that breaks its [`Rule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleBreach {
    /// A byte of a text field is not printable ASCII.
    NotPrintable {
        /// Index of the byte inside the field.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// A number that starts at 1 is 0.
    Zero,
    /// A letter outside the closed set of its field.
    NotOneOf {
        /// The byte.
        found: u8,
        /// What the field may hold.
        allowed: CodeSet,
    },
    /// A number at or above its limit.
    NotBelow {
        /// The number.
        found: u64,
        /// The first number that is too large.
        limit: u64,
    },
}

impl Rule {
    /// Whether the bytes of one field are admissible.
    #[inline(always)]
    #[must_use]
    pub fn holds(self, field: &[u8]) -> bool {
        match self {
            Rule::Any => true,
            Rule::Printable => all_printable(field),
            Rule::NonZero => match field.as_array::<4>() {
                Some(word) => u32::from_ne_bytes(*word) != 0,
                None => number(field) != 0,
            },
            Rule::OneOf(allowed) => matches!(field, [found] if allowed.contains(*found)),
            Rule::Below(limit) => number(field) < limit,
        }
    }

    /// Checks the bytes of one field.
    ///
    /// # Errors
    /// What is wrong, with the offending value.
    #[inline(always)]
    pub fn check(self, field: &[u8]) -> Result<(), RuleBreach> {
        if self.holds(field) {
            return Ok(());
        }
        match self {
            // It holds of everything.
            Rule::Any => Ok(()),
            // Which byte it was is asked only when there is one.
            Rule::Printable => Err(first_unprintable(field)),
            Rule::NonZero => Err(RuleBreach::Zero),
            Rule::OneOf(allowed) => {
                let found = field.first().copied().unwrap_or(0);
                Err(RuleBreach::NotOneOf { found, allowed })
            }
            Rule::Below(limit) => {
                let found = number(field);
                Err(RuleBreach::NotBelow { found, limit })
            }
        }
    }
}

/// The big-endian number that these bytes are.
#[inline(always)]
fn number(field: &[u8]) -> u64 {
    let digits = field.iter().copied().map(u64::from);
    digits.fold(0, |sum, byte| sum << 8 | byte)
}

#[cold]
fn first_unprintable(field: &[u8]) -> RuleBreach {
    let mut bytes = field.iter().copied().enumerate();
    let (at, found) = bytes
        .find(|(_, byte)| !is_printable(*byte))
        .unwrap_or_default();
    RuleBreach::NotPrintable { at, found }
}

impl fmt::Display for RuleBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleBreach::NotPrintable { at, found } => {
                write!(
                    f,
                    "character {at} is 0x{found:02x}; send printable ASCII padded with spaces"
                )
            }
            RuleBreach::Zero => f.write_str("is 0; numbers start at 1"),
            RuleBreach::NotOneOf { found, allowed } => {
                write!(f, "is {}; send one of {allowed}", Shown(*found))
            }
            RuleBreach::NotBelow { found, limit } => {
                write!(f, "is {found}; send less than {limit}")
            }
        }
    }
}

/// A closed set of ASCII letters, one bit each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeSet(u128);

impl CodeSet {
    /// The set of these letters. Does not compile in a constant if one is not ASCII.
    #[must_use]
    pub const fn of(letters: &[u8]) -> Self {
        let mut bits = 0_u128;
        let mut at = 0;
        while at < letters.len() {
            assert!(letters[at] < 128, "a code is an ASCII letter");
            bits |= 1 << letters[at];
            at += 1;
        }
        Self(bits)
    }

    /// Whether `byte` is in the set.
    #[must_use]
    #[inline(always)]
    pub const fn contains(self, byte: u8) -> bool {
        // Known when this is compiled, where the set is a constant; mostly the letters lie in one word.
        let first = self.0.trailing_zeros();
        let letters = self.0.unbounded_shr(first);
        if letters > u64::MAX as u128 {
            return byte < 128 && self.0 >> byte & 1 == 1;
        }
        let at = byte.wrapping_sub(first as u8);
        at < 64 && letters as u64 >> at & 1 == 1
    }

    /// The letters in ascending order.
    pub fn letters(self) -> impl Iterator<Item = u8> {
        (0..128).filter(move |byte| self.contains(*byte))
    }
}

impl fmt::Display for CodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, letter) in self.letters().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { " " }, Shown(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for CodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeSet({self})")
    }
}

/// A byte as a person wants to see it: quoted if visible, else in hexadecimal.
pub(crate) struct Shown(pub(crate) u8);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_printable(self.0) {
            write!(f, "'{}'", char::from(self.0))
        } else {
            write!(f, "0x{:02x}", self.0)
        }
    }
}

/// A value that stands in a message at a constant offset, big-endian.
pub trait WireField: Copy {
    /// Bytes on the wire.
    const WIDTH: usize;
    /// Which bit patterns are admissible.
    const RULE: Rule;

    /// Reads the field at `AT` of a fixed part of `LEN` bytes. The bytes have passed
    /// [`Self::RULE`].
    fn read<const LEN: usize, const AT: usize>(head: &[u8; LEN]) -> Self;

    /// Writes the field at `AT` of a fixed part of `LEN` bytes.
    fn write<const LEN: usize, const AT: usize>(self, head: &mut [u8; LEN]);
}

/// The `W` bytes at `AT`. That they lie inside is checked when this is compiled.
#[inline(always)]
pub(crate) fn slot<const LEN: usize, const AT: usize, const W: usize>(head: &[u8; LEN]) -> [u8; W] {
    const { assert!(AT + W <= LEN, "the field ends beyond the fixed part") };
    core::array::from_fn(|at| head[AT + at])
}

/// Puts `W` bytes at `AT`. That they lie inside is checked when this is compiled.
#[inline(always)]
pub(crate) fn put<const LEN: usize, const AT: usize, const W: usize>(
    head: &mut [u8; LEN],
    value: [u8; W],
) {
    const { assert!(AT + W <= LEN, "the field ends beyond the fixed part") };
    head[AT..AT + W].copy_from_slice(&value);
}

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl WireField for $number {
            const WIDTH: usize = size_of::<$number>();
            const RULE: Rule = Rule::Any;
            #[inline(always)]
            fn read<const LEN: usize, const AT: usize>(head: &[u8; LEN]) -> Self {
                <$number>::from_be_bytes(slot::<LEN, AT, { size_of::<$number>() }>(head))
            }
            #[inline(always)]
            fn write<const LEN: usize, const AT: usize>(self, head: &mut [u8; LEN]) {
                put::<LEN, AT, { size_of::<$number>() }>(head, self.to_be_bytes());
            }
        }
    )* };
}
numbers! { u8 u16 u32 u64 i32 }

impl<const N: usize> WireField for Alpha<N> {
    const WIDTH: usize = N;
    const RULE: Rule = Rule::Printable;
    #[inline(always)]
    fn read<const LEN: usize, const AT: usize>(head: &[u8; LEN]) -> Self {
        Alpha::from_checked(slot::<LEN, AT, N>(head))
    }
    #[inline(always)]
    fn write<const LEN: usize, const AT: usize>(self, head: &mut [u8; LEN]) {
        put::<LEN, AT, N>(head, *self.bytes());
    }
}

/// An open one-letter code that the gateway passes on without reading, such as a liquidity flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Letter(u8);

impl Letter {
    /// `None` if `byte` is not printable ASCII.
    #[must_use]
    pub const fn new(byte: u8) -> Option<Self> {
        if is_printable(byte) {
            Some(Self(byte))
        } else {
            None
        }
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }
}

impl WireField for Letter {
    const WIDTH: usize = 1;
    const RULE: Rule = Rule::Printable;
    #[inline(always)]
    fn read<const LEN: usize, const AT: usize>(head: &[u8; LEN]) -> Self {
        Self(u8::read::<LEN, AT>(head))
    }
    #[inline(always)]
    fn write<const LEN: usize, const AT: usize>(self, head: &mut [u8; LEN]) {
        self.0.write::<LEN, AT>(head);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn rules_accept_the_edge_and_refuse_one_beyond() {
        assert_eq!(Rule::Below(86_400).check(&86_399_u32.to_be_bytes()), Ok(()));
        assert_eq!(
            Rule::Below(86_400).check(&86_400_u32.to_be_bytes()),
            Err(RuleBreach::NotBelow {
                found: 86_400,
                limit: 86_400
            })
        );
        assert_eq!(Rule::NonZero.check(&[0, 0, 0, 1]), Ok(()));
        assert_eq!(Rule::NonZero.check(&[0; 4]), Err(RuleBreach::Zero));
        assert_eq!(Rule::Printable.check(b" ~"), Ok(()));
        assert_eq!(
            Rule::Printable.check(b"a\x1f"),
            Err(RuleBreach::NotPrintable { at: 1, found: 0x1f })
        );
    }

    #[test]
    fn a_code_set_holds_its_letters_and_no_other() {
        let sets: [&[u8]; 8] = [
            b"BSTE",
            b"",
            b"\0",
            b"\x7F",
            b"@",
            b" _",
            b" `",
            b"\0 @\x7F",
        ];
        for letters in sets {
            let set = CodeSet::of(letters);
            for byte in 0..=255_u8 {
                assert_eq!(set.contains(byte), letters.contains(&byte), "{byte}");
            }
        }
        assert_eq!(CodeSet::of(b"BSTE").to_string(), "'B' 'E' 'S' 'T'");
    }

    #[test]
    fn a_rule_holds_exactly_where_its_check_finds_nothing() {
        let rules = [
            Rule::Any,
            Rule::Printable,
            Rule::NonZero,
            Rule::OneOf(CodeSet::of(b"BSTE")),
            Rule::Below(86_400),
        ];
        for rule in rules {
            for word in [0_u32, 1, 86_399, 86_400, 0x4242_4242, 0x4242_7F42, u32::MAX] {
                let bytes = word.to_be_bytes();
                for width in 0..=4 {
                    let field = &bytes[4 - width..];
                    let holds = rule.check(field).is_ok();
                    assert_eq!(rule.holds(field), holds, "{rule:?} of {field:?}");
                }
            }
        }
    }

    #[test]
    fn scalars_stand_where_they_are_put() {
        let mut head = [0_u8; 12];
        0x0102_0304_u32.write::<12, 1>(&mut head);
        (-2_i32).write::<12, 5>(&mut head);
        assert_eq!(head, [0, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0]);
        assert_eq!(u32::read::<12, 1>(&head), 0x0102_0304);
        assert_eq!(i32::read::<12, 5>(&head), -2);
    }
}
