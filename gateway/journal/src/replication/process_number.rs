//! Which process speaks.
//!
//! **Invariants.** A process keeps its number from start to end, and goes by no other.
//! **Never.** Stand for a machine or a folder: another start has another number.

/// A process that speaks this protocol, by a number it chose at its start: an address that leads back to where the
/// connection came from is told by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessNumber(u32);

impl ProcessNumber {
    /// The process of this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }
}
