//! Going round many things, each of which wants a look now and then.
//!
//! Owned by the agent that looks. A look is a line of memory in every order's way, for deadlines and heartbeats
//! that are seconds apart where cycles are microseconds. A cycle without work is in nobody's way, but the next
//! order may come during it: more than one is looked at only where that is overdue. Invariants: everything has its
//! turn; what could not be looked at in time is looked at in the next cycles, and is never more than one round.

use portcullis_domain::Timestamp;

/// One look in so many nanoseconds: 65,536 things are gone through in a quarter of a second.
const LOOK_EVERY_NS: u64 = 4_000;

/// Looks in a cycle without work, at the most.
const IDLE_LOOKS_MAX: u64 = 16;

/// Where the round is.
#[derive(Debug)]
pub(crate) struct Rounds {
    len: usize,
    next: usize,
    /// Up to when all looks were had.
    looked: Timestamp,
}

impl Rounds {
    /// Through so many things.
    pub(crate) const fn through(len: usize) -> Self {
        Self {
            len,
            next: 0,
            looked: Timestamp::ZERO,
        }
    }

    /// How many to look at in a cycle at `now`, which had no work if it is `idle`.
    #[inline]
    pub(crate) fn due(&mut self, now: Timestamp, idle: bool) -> usize {
        let since_ns = now.since(self.looked).ns();
        // A clock that was set back begins anew.
        if since_ns < LOOK_EVERY_NS && now >= self.looked {
            return 0;
        }
        let most = if idle { IDLE_LOOKS_MAX } else { 1 };
        let due = (since_ns / LOOK_EVERY_NS).min(self.len as u64);
        let looks = due.min(most);
        let left_ns = (due - looks) * LOOK_EVERY_NS;
        self.looked = Timestamp::from_ns(now.ns().saturating_sub(left_ns));
        looks as usize
    }

    /// The next thing in turn. There is one.
    #[inline]
    pub(crate) const fn next(&mut self) -> usize {
        let next = self.next;
        self.next += 1;
        if self.next == self.len {
            self.next = 0;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> Timestamp {
        Timestamp::from_ns(1_000_000_000 + ns)
    }

    /// Rounds that have looked at everything.
    fn rounds(len: usize) -> Rounds {
        let mut rounds = Rounds::through(len);
        while rounds.due(at(0), true) > 0 {}
        rounds
    }

    #[test]
    fn looks_keep_their_pace_and_go_round() {
        let mut rounds = rounds(3);
        let mut seen = Vec::new();
        for ns in (0..40_000).step_by(1_000) {
            for _ in 0..rounds.due(at(ns), true) {
                seen.push(rounds.next());
            }
        }
        assert_eq!(seen, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn what_is_overdue_is_had_in_the_next_cycles_and_once_round() {
        let mut rounds = rounds(40);
        let looks: Vec<_> = [false, false, true, true, true, true]
            .map(|idle| rounds.due(at(5_000_000_000), idle))
            .into();
        assert_eq!(looks, [1, 1, 16, 16, 6, 0]);
        assert_eq!(rounds.due(at(0), true), 0, "set back");
        assert_eq!(rounds.due(at(4_000), true), 1);
    }
}
