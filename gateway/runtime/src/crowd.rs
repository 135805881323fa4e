//! Whether few sockets speak, or a crowd.
//!
//! Owned by whoever polls the sockets. A few that speak are read again and again, which finds bytes
//! soonest; of a crowd each such read stands in the way of the others, and the system's poller names
//! those that have something by one call. Invariant: while more than [`FEW`] speak within
//! [`LATELY_POLLS`] of one another it is a crowd.

/// Sockets that are read again and again: asking the system costs about two fruitless reads.
pub const FEW: usize = 2;

/// For how many polls a socket that speaks beside the few makes a crowd of them.
const LATELY_POLLS: u32 = 1_024;

/// Who spoke lately.
#[derive(Debug)]
pub struct Crowd {
    /// The last that spoke, each once, the latest first.
    lately: [usize; FEW],
    /// Polls for which it is a crowd still.
    polls: u32,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            lately: [usize::MAX; FEW],
            polls: 0,
        }
    }
}

impl Crowd {
    /// One poll begins; whether it is a crowd in it.
    #[inline]
    pub const fn is_crowd(&mut self) -> bool {
        let crowd = self.polls > 0;
        self.polls = self.polls.saturating_sub(1);
        crowd
    }

    /// This socket had something to read.
    pub fn spoke(&mut self, socket: usize) {
        if self.lately.contains(&socket) {
            return;
        }
        let known = !self.lately.contains(&usize::MAX);
        self.lately.rotate_right(1);
        self.lately[0] = socket;
        if known {
            self.polls = LATELY_POLLS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_that_speak_in_turn_are_no_crowd() {
        let mut crowd = Crowd::default();
        for turn in 0..10_000 {
            crowd.spoke(turn % FEW);
            assert!(!crowd.is_crowd(), "{turn}");
        }
    }

    #[test]
    fn one_more_makes_a_crowd_until_it_has_been_silent_for_long() {
        let mut crowd = Crowd::default();
        for turn in 0..10_000 {
            crowd.spoke(turn % (FEW + 1));
            assert_eq!(crowd.is_crowd(), turn >= FEW, "{turn}");
        }
        for _ in 1..LATELY_POLLS {
            crowd.spoke(9_999 % (FEW + 1));
            assert!(crowd.is_crowd());
        }
        assert!(!crowd.is_crowd());
    }
}
