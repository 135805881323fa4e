//! Identifiers: dense indices given at load, and the gateway's own numbers.
//!
//! Owned by no thread. Invariant: an index type never converts silently into another one, so an
//! account cannot be used where an instrument is meant.

macro_rules! dense_index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The value that names nothing; it is never a valid index.
            pub const NONE: Self = Self(u32::MAX);

            /// The identifier with this dense index.
            #[must_use]
            pub const fn new(index: u32) -> Self {
                Self(index)
            }

            /// The dense index, for tables.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The raw number, for records.
            #[must_use]
            pub const fn raw(self) -> u32 {
                self.0
            }
        }
    };
}

dense_index!(
    /// A trading account, dense from 0.
    AccountId
);
dense_index!(
    /// An instrument, dense from 0.
    InstrumentId
);
dense_index!(
    /// A client session (one OUCH port), dense from 0.
    SessionId
);
dense_index!(
    /// A firm or clearing member, dense from 0.
    FirmId
);

/// The gateway's own number of an order: slab slot in the low half, generation in the high half.
///
/// A slot that is used again gets the next generation, so an old number never names a new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct OrderId(u64);

impl OrderId {
    /// The value that names no order.
    pub const NONE: Self = Self(u64::MAX);

    /// Joins slot and generation.
    #[must_use]
    pub const fn new(slot: u32, generation: u32) -> Self {
        Self((generation as u64) << 32 | slot as u64)
    }

    /// The slab slot.
    #[must_use]
    pub const fn slot(self) -> usize {
        (self.0 & 0xFFFF_FFFF) as usize
    }

    /// How often the slot had been used before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The raw number, for records.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The identifier with this raw number.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
}

/// A client's number for an order within its session: UserRefIdx (the row) and UserRefNum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserRef {
    /// The row of numbers inside the session (OUCH UserRefIdx; 0 without that option).
    pub row: u8,
    /// The number (OUCH UserRefNum), strictly increasing within its row.
    pub number: u32,
}

impl UserRef {
    /// A reference in row 0.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self { row: 0, number }
    }
}

/// What names an order version across the venue: session and client's number, in one word.
///
/// Session in the top 24 bits, row in the next 8, number in the low 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct OrderKey(u64);

impl OrderKey {
    /// The greatest session index a key can hold, plus one.
    pub const SESSIONS_MAX: u32 = (1 << 24) - 1;

    /// The key of no number of any session.
    pub const NONE: Self = Self(u64::MAX);

    /// The key of a session's number.
    ///
    /// # Panics
    /// If the session index does not fit 24 bits; capacities are refused at load beyond that.
    #[must_use]
    #[inline]
    pub fn new(session: SessionId, user_ref: UserRef) -> Self {
        assert!(
            session.raw() < Self::SESSIONS_MAX,
            "session index beyond 24 bits"
        );
        let row = u64::from(user_ref.row) << 32;
        Self(u64::from(session.raw()) << 40 | row | u64::from(user_ref.number))
    }

    /// The key of this word, if it is one of a session's number.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Option<Self> {
        if raw >> 40 < Self::SESSIONS_MAX as u64 {
            Some(Self(raw))
        } else {
            None
        }
    }

    /// The word itself, for hashing.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }
}

/// Position of a command in the log; 1 is the first, without gaps. Made by the sequencer alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Seq(u64);

impl Seq {
    /// Before the first command.
    pub const ZERO: Self = Self(0);

    /// The sequence number with this value.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The one after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
