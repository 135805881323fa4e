//! Reject codes and the mask of failing checks.
//!
//! Owned by no thread. Invariants: a code is a number from 0 to 63 that is given once and never
//! used again; a lower number has precedence, so the primary reason of a mask is its lowest bit.
//! Which numbers exist, their names and their words stand in the risk core's registry alone.

/// The number of a check; also its bit in a [`CheckMask`] and its rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct RejectCode(u8);

impl RejectCode {
    /// The code with this number.
    ///
    /// # Panics
    /// If the number is over 63 (at compile time, for constants).
    #[must_use]
    pub const fn new(number: u8) -> Self {
        assert!(number < 64, "a reject code is a bit of a 64-bit mask");
        Self(number)
    }

    /// The code with this number, if there can be one.
    #[must_use]
    pub const fn from_raw(number: u8) -> Option<Self> {
        if number < 64 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn raw(self) -> u8 {
        self.0
    }

    /// The mask with this code alone.
    #[must_use]
    pub const fn mask(self) -> CheckMask {
        CheckMask(1 << self.0)
    }
}

/// A set of checks, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(transparent)]
pub struct CheckMask(u64);

impl CheckMask {
    /// No check.
    pub const EMPTY: Self = Self(0);

    /// From raw bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The raw bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether no check is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the code is in it.
    #[must_use]
    pub const fn contains(self, code: RejectCode) -> bool {
        self.0 & (1 << code.0) != 0
    }

    /// Puts the code into the set where `fails` holds, without a branch.
    #[must_use]
    pub const fn with(self, code: RejectCode, fails: bool) -> Self {
        Self(self.0 | (fails as u64) << code.0)
    }

    /// The code of highest precedence.
    #[must_use]
    pub const fn primary(self) -> Option<RejectCode> {
        if self.0 == 0 {
            None
        } else {
            Some(RejectCode(self.0.trailing_zeros() as u8))
        }
    }

    /// All codes, in order of precedence.
    pub fn codes(self) -> impl Iterator<Item = RejectCode> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let code = RejectCode(rest.trailing_zeros() as u8);
            rest &= rest - 1;
            Some(code)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_number_is_the_primary_reason() {
        let mask = CheckMask::EMPTY
            .with(RejectCode::new(40), true)
            .with(RejectCode::new(3), true)
            .with(RejectCode::new(1), false);
        assert_eq!(mask.primary(), Some(RejectCode::new(3)));
        assert!(mask.codes().map(RejectCode::raw).eq([3, 40]));
        assert_eq!(CheckMask::EMPTY.primary(), None);
    }
}
