//! The venue as a whole: its trading state, the restart ladder's, and whether the journal takes records.
//!
//! Risk thread. Invariant: what an order reads at a glance is one byte, made when one of the three
//! changes. The journal's link is no trading state: it binds orders and replaces alone, and lifting one
//! never lifts the other.

use crate::saved::{Read, Words};
use portcullis_domain::TradingState;

/// What holds for every scope of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Venue {
    own: TradingState,
    restart: TradingState,
    pub(crate) journal_up: bool,
    at_a_glance: TradingState,
}

impl Venue {
    /// Active, without a restart under way, its journal up.
    pub(crate) const fn new() -> Self {
        Self::of(TradingState::Active, TradingState::Active, true)
    }

    pub(crate) const fn of(own: TradingState, restart: TradingState, journal_up: bool) -> Self {
        let at_a_glance = if journal_up {
            own.stricter(restart)
        } else {
            TradingState::Halted
        };
        Self {
            own,
            restart,
            journal_up,
            at_a_glance,
        }
    }

    /// The venue's own state.
    pub(crate) const fn own(&self) -> TradingState {
        self.own
    }

    /// The restart ladder's state.
    pub(crate) const fn restart(&self) -> TradingState {
        self.restart
    }

    /// The stricter of the two: the one that counts.
    pub(crate) const fn strictest(&self) -> TradingState {
        self.own.stricter(self.restart)
    }

    /// Active where the venue keeps nothing out, for whatever reason; why it does, the whole view says.
    #[inline(always)]
    pub(crate) const fn at_a_glance(&self) -> TradingState {
        self.at_a_glance
    }

    pub(crate) const fn set_own(&mut self, state: TradingState) {
        *self = Self::of(state, self.restart, self.journal_up);
    }

    pub(crate) const fn set_restart(&mut self, state: TradingState) {
        *self = Self::of(self.own, state, self.journal_up);
    }

    pub(crate) const fn set_journal(&mut self, up: bool) {
        *self = Self::of(self.own, self.restart, up);
    }

    /// What [`Venue::word`] gave.
    pub(crate) fn load(words: &mut Words<'_>) -> Read<Self> {
        let word = words.at_most(31, "marks that no venue has")?;
        let state = |raw: usize| TradingState::from_raw(raw as u8 & 3);
        let states = state(word).zip(state(word >> 2));
        let (own, restart) = states.ok_or(words.wrong("a trading state that there is not"))?;
        Ok(Self::of(own, restart, word >> 4 == 0))
    }

    /// All of it in one word.
    pub(crate) const fn word(&self) -> u64 {
        self.own as u64 | (self.restart as u64) << 2 | (!self.journal_up as u64) << 4
    }
}
