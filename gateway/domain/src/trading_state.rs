//! Trading states and the scopes that carry one.
//!
//! Owned by no thread. Invariant: states are ordered by strictness, so the strictest of several is
//! their maximum.

use crate::{AccountId, FirmId, InstrumentId, SessionId};

/// What may still be done in a scope; a later variant is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum TradingState {
    /// Everything.
    #[default]
    Active = 0,
    /// Orders that provably reduce, and cancels.
    ReduceOnly = 1,
    /// Cancels.
    CancelOnly = 2,
    /// Cancels; set by the gateway itself when it distrusts what it sees.
    Halted = 3,
}

impl TradingState {
    /// All states, least strict first.
    pub const ALL: [Self; 4] = [
        Self::Active,
        Self::ReduceOnly,
        Self::CancelOnly,
        Self::Halted,
    ];

    /// The state with this raw value.
    #[must_use]
    pub const fn from_raw(raw: u8) -> Option<Self> {
        match raw {
            0 => Some(Self::Active),
            1 => Some(Self::ReduceOnly),
            2 => Some(Self::CancelOnly),
            3 => Some(Self::Halted),
            _ => None,
        }
    }

    /// The name, as configs and vectors write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::ReduceOnly => "ReduceOnly",
            Self::CancelOnly => "CancelOnly",
            Self::Halted => "Halted",
        }
    }

    /// The stricter of the two.
    #[inline(always)]
    #[must_use]
    pub const fn stricter(self, other: Self) -> Self {
        if self as u8 >= other as u8 {
            self
        } else {
            other
        }
    }
}

/// What a trading state or a mass cancel applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The whole venue.
    Venue,
    /// One firm or clearing member and all below it.
    Firm(FirmId),
    /// One account.
    Account(AccountId),
    /// One instrument.
    Instrument(InstrumentId),
    /// One client session.
    Session(SessionId),
}

impl Scope {
    /// Kind and index, for records.
    #[must_use]
    pub const fn to_raw(self) -> (u8, u32) {
        match self {
            Self::Venue => (0, 0),
            Self::Firm(firm) => (1, firm.raw()),
            Self::Account(account) => (2, account.raw()),
            Self::Instrument(instrument) => (3, instrument.raw()),
            Self::Session(session) => (4, session.raw()),
        }
    }

    /// The scope of this kind and index.
    #[must_use]
    pub const fn from_raw(kind: u8, index: u32) -> Option<Self> {
        match kind {
            0 => Some(Self::Venue),
            1 => Some(Self::Firm(FirmId::new(index))),
            2 => Some(Self::Account(AccountId::new(index))),
            3 => Some(Self::Instrument(InstrumentId::new(index))),
            4 => Some(Self::Session(SessionId::new(index))),
            _ => None,
        }
    }
}
