//! A fault planted between a socket and the checkers.
//!
//! **Thread.** The driver's.
//! **Invariants.** It strikes once, at the same answer of a given flow; without a plant it changes
//! nothing.
//! **Never.** Touch what is sent.

use crate::config::Plant;

/// The answer at which a plant strikes: late enough that everything is under way.
const STRIKES_AT: u64 = 20;

#[derive(Debug)]
pub(crate) struct Tamper {
    plant: Option<Plant>,
    answers: u64,
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// To the session it came for.
    Own,
    /// To the checker of another session.
    Other(usize),
    /// Nowhere.
    Dropped,
}

impl Tamper {
    pub(crate) const fn new(plant: Option<Plant>) -> Self {
        Self { plant, answers: 0 }
    }

    /// Where this message, which came for `session` of `sessions`, goes.
    pub(crate) fn route(&mut self, session: usize, sessions: usize, message: &[u8]) -> Delivery {
        let Some(plant) = self.plant else {
            return Delivery::Own;
        };
        // Accepted, replaced and rejected: what answers an order.
        if !matches!(message.first(), Some(b'A' | b'U' | b'J')) {
            return Delivery::Own;
        }
        self.answers += 1;
        if self.answers < STRIKES_AT {
            return Delivery::Own;
        }
        self.plant = None;
        match plant {
            Plant::LostAnswer => Delivery::Dropped,
            Plant::WrongSession => Delivery::Other((session + 1) % sessions.max(1)),
        }
    }
}
