//! Whether what is to be sent to a client waits for what comes next.
//!
//! Owned by egress, one a session. A refusal is known at once, the answers to the orders before it when the engine has
//! given them. While a client's orders go on by the dozen, each refusal sent by itself costs a call of the system here
//! and a read there, and breaks what the client sends next in two. So refusals said in a turn in which many orders of
//! their session went on wait for its next answer, and no longer than [`HOLD_NS`].
//! Invariants: where few orders of a session go on nothing of it waits; nothing but refusals waits, and nothing
//! overtakes anything; a clock that is set back makes nothing wait longer. How many wait, and since when, is known
//! until they go, so that the histogram of sends has their wait in it.

use portcullis_domain::Timestamp;

/// Orders of a session that go on in a turn one behind the other, from which on its answers come in pieces.
const ORDERS_BUSY: usize = 8;

/// Longer than an engine near by takes for a piece's first answer.
const HOLD_NS: u64 = 20_000;

/// Messages that wait at the most: far fewer than the smallest store holds, or a client that reads would lag.
const HELD_MAX: u64 = 8;

/// What is to be sent of a session, as far as it bears on whether that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Nothing, or what does not wait.
    Nothing,
    /// Refusals alone, so many, said in this turn.
    Refusals(u64),
    /// Refusals alone, the first of them since then.
    Since(Held),
}

/// Refusals that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// The beginning of the turn that took the first.
    pub(super) since: Timestamp,
    /// How many there are.
    pub(super) refusals: u64,
}

impl Hold {
    /// A refusal is to be sent; `alone` if nothing was before.
    pub(super) fn refused(&mut self, alone: bool) {
        match self {
            _ if alone => *self = Self::Refusals(1),
            Self::Nothing => {}
            Self::Refusals(refusals) => *refusals += 1,
            Self::Since(held) => held.refusals += 1,
        }
    }

    /// What waits from a turn before this one on.
    #[inline]
    pub(super) const fn held(&self) -> Option<Held> {
        match self {
            Self::Since(held) => Some(*held),
            Self::Nothing | Self::Refusals(_) => None,
        }
    }

    /// Whether it waits, asked once a turn, in which so many orders of the session went on; so many messages
    /// are unsent.
    #[inline]
    pub(super) fn waits(&mut self, now: Timestamp, orders: usize, unsent: u64) -> bool {
        if *self == Self::Nothing {
            return false;
        }
        if unsent > HELD_MAX {
            *self = Self::Nothing;
            return false;
        }
        if let Self::Refusals(refusals) = *self
            && orders >= ORDERS_BUSY
        {
            let since = now;
            *self = Self::Since(Held { since, refusals });
        }
        // A clock that was set back ends it: nobody knows for how long it would wait then.
        if let Self::Since(Held { since, .. }) = *self
            && since <= now
            && now.since(since).ns() < HOLD_NS
        {
            return true;
        }
        *self = Self::Nothing;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::Duration;

    const NOW: Timestamp = Timestamp::from_ns(1_000_000);

    fn after_ns(ns: u64) -> Timestamp {
        NOW.saturating_add(Duration::from_ns(ns))
    }

    #[test]
    fn a_refusal_waits_behind_many_orders_and_not_for_ever() {
        let mut hold = Hold::Nothing;
        hold.refused(true);
        assert!(hold.waits(NOW, ORDERS_BUSY, 1));
        assert!(hold.waits(after_ns(HOLD_NS - 1), 0, 1));
        assert!(!hold.waits(after_ns(HOLD_NS), ORDERS_BUSY, 1));
        assert_eq!(hold, Hold::Nothing);
    }

    #[test]
    fn many_refusals_do_not_wait() {
        let mut hold = Hold::Nothing;
        hold.refused(true);
        assert!(hold.waits(NOW, ORDERS_BUSY, HELD_MAX));
        assert!(!hold.waits(NOW, ORDERS_BUSY, HELD_MAX + 1));
        assert!(!hold.waits(NOW, ORDERS_BUSY, HELD_MAX));
    }

    #[test]
    fn a_clock_that_was_set_back_lets_it_go() {
        let mut hold = Hold::Nothing;
        hold.refused(true);
        assert!(hold.waits(NOW, ORDERS_BUSY, 1));
        assert!(!hold.waits(Timestamp::from_ns(NOW.ns() - 1), 0, 1));
    }

    #[test]
    fn another_refusal_does_not_make_the_first_wait_longer() {
        let mut hold = Hold::Nothing;
        hold.refused(true);
        assert!(hold.waits(NOW, ORDERS_BUSY, 1));
        hold.refused(false);
        let both = Held {
            since: NOW,
            refusals: 2,
        };
        assert_eq!(hold.held(), Some(both));
        assert!(!hold.waits(after_ns(HOLD_NS), ORDERS_BUSY, 1));
        assert_eq!(hold.held(), None);
    }

    #[test]
    fn a_refusal_among_few_orders_goes_at_once() {
        let mut hold = Hold::Nothing;
        hold.refused(true);
        assert!(!hold.waits(NOW, ORDERS_BUSY - 1, 1));
        assert!(!hold.waits(NOW, ORDERS_BUSY, 1));
    }

    #[test]
    fn a_refusal_beside_what_does_not_wait_goes_with_it() {
        let mut hold = Hold::Nothing;
        hold.refused(false);
        assert!(!hold.waits(NOW, ORDERS_BUSY, 1));
    }
}
