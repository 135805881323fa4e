//! Fixed-width text fields: printable ASCII, left-justified, padded with spaces.
//!
//! **Thread.** Plain values, owned by whoever holds them.
//! **Invariants.** An [`Alpha`] holds printable ASCII (0x20 to 0x7E) only, so two of them are the
//! same text exactly if their bytes are equal, and either may be written to a wire or a log as it
//! is.
//! **Never.** Guess an encoding, or cut text that is too long.

use core::fmt;

/// Text of at most `N` printable ASCII characters, padded right with spaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alpha<const N: usize>([u8; N]);

impl<const N: usize> Alpha<N> {
    /// Nothing but spaces.
    pub const BLANK: Self = Self([b' '; N]);

    /// Pads `text` to `N` characters. `None` if it is longer than `N` or holds a character that is
    /// not printable ASCII.
    #[must_use]
    pub const fn new(text: &[u8]) -> Option<Self> {
        if text.len() > N {
            return None;
        }
        let mut bytes = [b' '; N];
        let mut at = 0;
        while at < text.len() {
            if !is_printable(text[at]) {
                return None;
            }
            bytes[at] = text[at];
            at += 1;
        }
        Some(Self(bytes))
    }

    /// Takes a field as it stood on the wire, spaces where they were.
    ///
    /// # Errors
    /// The index and value of the first byte that is not printable ASCII.
    pub fn from_wire(bytes: [u8; N]) -> Result<Self, (usize, u8)> {
        match bytes.iter().position(|byte| !is_printable(*byte)) {
            Some(at) => Err((at, bytes.get(at).copied().unwrap_or(0))),
            None => Ok(Self(bytes)),
        }
    }

    /// For bytes whose printability was checked when the view over them was made.
    pub(crate) const fn from_checked(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// All `N` bytes, padding included.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// The text without spaces at either end.
    #[must_use]
    pub const fn trimmed(&self) -> &[u8] {
        self.0.trim_ascii()
    }

    /// Whether there is nothing but spaces.
    #[must_use]
    pub const fn is_blank(&self) -> bool {
        self.trimmed().is_empty()
    }

    /// The same text in capitals: SoupBinTCP names do not distinguish case.
    #[must_use]
    pub fn to_ascii_uppercase(mut self) -> Self {
        self.0.make_ascii_uppercase();
        self
    }

    /// The text as a `str`, without spaces at either end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Printable ASCII is UTF-8, so the fallback is unreachable; it is there because this function may not panic.
        core::str::from_utf8(self.trimmed()).unwrap_or("")
    }
}

impl<const N: usize> fmt::Debug for Alpha<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const N: usize> fmt::Display for Alpha<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether `byte` is a space or a visible ASCII character.
#[must_use]
#[inline]
pub const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Whether each byte is, eight at a time.
#[inline(always)]
pub(crate) fn all_printable(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else {
        let mut padded = [b' '; 8];
        for (slot, byte) in padded.iter_mut().zip(text) {
            *slot = *byte;
        }
        return unprintable_bits(padded) == 0;
    };
    let (whole, _) = text.as_chunks::<8>();
    // The last eight may overlap those before them.
    let bits = unprintable_bits(*last);
    whole
        .iter()
        .fold(bits, |bits, chunk| bits | unprintable_bits(*chunk))
        == 0
}

/// Has a bit for each byte that is not printable, and none if all are.
#[inline(always)]
const fn unprintable_bits(bytes: [u8; 8]) -> u64 {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(bytes);
    // Of bytes below 0x80, which no sum carries out of: 0x7F alone reaches 0x80 by one more, those
    // below 0x20 alone stay below it by 0x60 more. The others have their high bit as it is.
    let low = word & !HIGH;
    let above = low + 0x0101_0101_0101_0101;
    let below = !(low + 0x6060_6060_6060_6060);
    (word | above | below) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_at_a_time_are_as_printable_as_each() {
        for len in 0..=20 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    for beside in [b' ', b'~', 0x7F, 0xFF, 0] {
                        let mut text = std::vec![b'A'; len];
                        text[(at + 1) % len] = beside;
                        text[at] = byte;
                        let each = text.iter().all(|byte| is_printable(*byte));
                        assert_eq!(all_printable(&text), each, "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn pads_and_trims() {
        let symbol = Alpha::<8>::new(b"ESH4").expect("fits");
        assert_eq!(symbol.bytes(), b"ESH4    ");
        assert_eq!(symbol.trimmed(), b"ESH4");
        assert_eq!(Alpha::<8>::new(b"ESH4    "), Some(symbol));
        assert!(Alpha::<8>::BLANK.is_blank());
        assert!(!symbol.is_blank());
    }

    #[test]
    fn refuses_long_and_unprintable_text() {
        assert_eq!(Alpha::<4>::new(b"ABCDE"), None);
        assert_eq!(Alpha::<4>::new(b"A\0"), None);
        assert_eq!(Alpha::from_wire(*b"AB\x7f "), Err((2, 0x7f)));
        assert_eq!(Alpha::from_wire(*b" B  ").map(|a| *a.bytes()), Ok(*b" B  "));
    }
}
