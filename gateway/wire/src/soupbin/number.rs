//! ASCII numbers and names in fixed fields.
//!
//! **Thread.** Pure functions.
//! **Invariants.** A field may be padded on either side or both; a number is digits and nothing
//! else, and what does not fit 64 bits is an error.
//! **Never.** Take a blank for 0.

use crate::alpha::Alpha;

/// Why a field is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotANumber {
    /// Nothing but spaces.
    Blank,
    /// A character that is no digit, and its index in the field.
    Character {
        /// Index in the field.
        at: usize,
        /// The character.
        found: u8,
    },
    /// More than 64 bits hold.
    TooLarge,
}

/// Reads a number padded with spaces on either side.
pub(super) fn read(field: &[u8]) -> Result<u64, NotANumber> {
    let leading = field.len() - field.trim_ascii_start().len();
    let digits = field.trim_ascii();
    if digits.is_empty() {
        return Err(NotANumber::Blank);
    }
    let mut value = 0_u64;
    for (at, byte) in digits.iter().enumerate() {
        if !byte.is_ascii_digit() {
            return Err(NotANumber::Character {
                at: leading + at,
                found: *byte,
            });
        }
        value = value
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
            .ok_or(NotANumber::TooLarge)?;
    }
    Ok(value)
}

/// Writes a number right-justified, padded left with spaces; `None` if it has too many digits.
pub(super) fn write<const N: usize>(mut value: u64) -> Option<[u8; N]> {
    let mut field = [b' '; N];
    for (at, slot) in field.iter_mut().rev().enumerate() {
        if value == 0 && at > 0 {
            break;
        }
        // A remainder by ten is one digit.
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
    (value == 0).then_some(field)
}

/// Reads a name padded on either side: what is between the padding, put to the left.
///
/// # Errors
/// Index and value of a byte that is not printable.
pub(super) fn read_name<const N: usize>(field: &[u8; N]) -> Result<Alpha<N>, (usize, u8)> {
    let name = Alpha::from_wire(*field)?;
    Ok(Alpha::new(name.trimmed()).unwrap_or(name))
}

/// A name padded left, as the protocol wants a session's.
pub(super) fn right_justified<const N: usize>(name: &Alpha<N>) -> [u8; N] {
    let mut field = [b' '; N];
    for (slot, byte) in field.iter_mut().rev().zip(name.trimmed().iter().rev()) {
        *slot = *byte;
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_either_side() {
        let cases: [(&[u8], Result<u64, NotANumber>); 10] = [
            (b"                   1", Ok(1)),
            (b"1                   ", Ok(1)),
            (b"  42  ", Ok(42)),
            (b"00000000000000000007", Ok(7)),
            (b"18446744073709551615", Ok(u64::MAX)),
            (b"18446744073709551616", Err(NotANumber::TooLarge)),
            (b"     ", Err(NotANumber::Blank)),
            (b" 1 2 ", Err(NotANumber::Character { at: 2, found: b' ' })),
            (b"  -1 ", Err(NotANumber::Character { at: 2, found: b'-' })),
            (b"1\0\0\0", Err(NotANumber::Character { at: 1, found: 0 })),
        ];
        for (field, expected) in cases {
            assert_eq!(read(field), expected, "{field:?}");
        }
    }

    #[test]
    fn numbers_are_written_to_the_right() {
        assert_eq!(write::<5>(0), Some(*b"    0"));
        assert_eq!(write::<5>(15_000), Some(*b"15000"));
        assert_eq!(write::<5>(100_000), None);
        assert_eq!(write::<20>(u64::MAX), Some(*b"18446744073709551615"));
    }

    #[test]
    fn names_are_the_same_wherever_the_padding_is() {
        assert_eq!(read_name(b"  AB  "), Ok(Alpha::new(b"AB").expect("fits")));
        assert_eq!(read_name(b"A\n    "), Err((1, b'\n')));
        assert_eq!(
            right_justified(&Alpha::<6>::new(b"AB").expect("fits")),
            *b"    AB"
        );
    }
}
