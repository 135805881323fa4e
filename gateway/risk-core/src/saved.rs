//! What all parts of a saved core share: words that are read back one by one, and why they are none.
//!
//! Owned by no thread: read while a core is made. Invariants: whatever the words, reading them neither
//! panics nor allocates; what is wrong is said with the part it is in.

use crate::capacities::CapacityError;

/// Why words are not those of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavedError {
    /// They are of another format.
    Format(u64),
    /// They end inside this part, or go on behind the last.
    Length(&'static str),
    /// Something in a part that no core has.
    Wrong {
        /// Which part.
        part: &'static str,
        /// What of it.
        what: &'static str,
    },
    /// No core can be made with these capacities.
    Capacities(CapacityError),
    /// The core that was saved had another number here.
    CapacityDiffers(&'static str),
    /// The core that was saved has its limits from another table.
    TableDiffers {
        /// Digest of the table that its limits were built as.
        saved: u64,
        /// That of the table given.
        given: u64,
    },
}

impl core::fmt::Display for SavedError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Format(format) => write!(
                f,
                "saved state of format {format}, which this build does not read: use the build that \
                 wrote it, or an older snapshot"
            ),
            Self::Length(part) => {
                write!(f, "saved state: `{part}` is cut short or followed by more")
            }
            Self::Wrong { part, what } => write!(f, "saved state: `{part}` has {what}"),
            Self::Capacities(why) => write!(f, "saved state: {why}"),
            Self::CapacityDiffers(name) => write!(
                f,
                "saved state is of a core with another `{name}`: start with the capacities it was \
                 written under"
            ),
            Self::TableDiffers { saved, given } => write!(
                f,
                "saved state has its limits from table {saved:016x}, not from {given:016x}"
            ),
        }
    }
}

impl core::error::Error for SavedError {}

/// Words being read, and the part they are of.
pub(crate) struct Words<'a> {
    words: &'a mut dyn Iterator<Item = u64>,
    part: &'static str,
}

pub(crate) type Read<T> = Result<T, SavedError>;

impl<'a> Words<'a> {
    pub(crate) fn new(words: &'a mut dyn Iterator<Item = u64>) -> Self {
        Self {
            words,
            part: "head",
        }
    }

    /// The words that follow are of this part.
    pub(crate) fn begin(&mut self, part: &'static str) {
        self.part = part;
    }

    pub(crate) fn word(&mut self) -> Read<u64> {
        self.words.next().ok_or(SavedError::Length(self.part))
    }

    /// There are no more.
    pub(crate) fn end(&mut self) -> Read<()> {
        match self.words.next() {
            None => Ok(()),
            Some(_) => Err(SavedError::Length(self.part)),
        }
    }

    pub(crate) fn signed(&mut self) -> Read<i64> {
        Ok(self.word()? as i64)
    }

    /// The halves of a word, the high one first.
    pub(crate) fn halves(&mut self) -> Read<(u32, u32)> {
        let word = self.word()?;
        Ok(((word >> 32) as u32, word as u32))
    }

    pub(crate) fn wide(&mut self) -> Read<i128> {
        let low = self.word()?;
        let high = self.signed()?;
        Ok(i128::from(high) << 64 | i128::from(low))
    }

    /// A signed number no further from 0 than `most`.
    pub(crate) fn signed_within(&mut self, most: i64, what: &'static str) -> Read<i64> {
        let number = self.signed()?;
        self.must(number.unsigned_abs() <= most.unsigned_abs(), what)?;
        Ok(number)
    }

    /// A signed number from 0 to `most`.
    pub(crate) fn amount(&mut self, most: i64, what: &'static str) -> Read<i64> {
        let number = self.signed()?;
        self.must((0..=most).contains(&number), what)?;
        Ok(number)
    }

    /// A number up to `most`: a count of what there is room for, or an index.
    pub(crate) fn at_most(&mut self, most: usize, what: &'static str) -> Read<usize> {
        let number = self.word()?;
        self.must(number <= most as u64, what)?;
        Ok(number as usize)
    }

    /// That something holds; otherwise what the part has instead.
    pub(crate) fn must(&self, holds: bool, what: &'static str) -> Read<()> {
        if holds { Ok(()) } else { Err(self.wrong(what)) }
    }

    pub(crate) const fn wrong(&self, what: &'static str) -> SavedError {
        SavedError::Wrong {
            part: self.part,
            what,
        }
    }
}

/// Gives a wide number to `push`, the low word first.
pub(crate) fn push_wide(number: i128, push: &mut impl FnMut(u64)) {
    push(number as u64);
    push((number >> 64) as u64);
}
