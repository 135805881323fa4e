//! Phases after the drive: waiting for answers, cancelling what is open.
//!
//! **Thread.** The caller's.
//! **Invariants.** Each phase ends: with everything answered, or `answer_timeout` after the last
//! sign of life.
//! **Never.** Take an order for closed because it was cancelled: only the venue's word closes it.

use super::Driver;
use crate::error::FlowError;

/// How often cancelling is tried: the first round may meet orders that trade meanwhile.
const CANCEL_ROUNDS: u32 = 3;

impl Driver {
    /// Waits until every message is answered. Returns how many are not.
    ///
    /// # Errors
    /// The poll failed, or every session is lost.
    pub fn settle(&mut self) -> Result<u64, FlowError> {
        while self.awaited() > 0 {
            self.wait_for_answers()?;
        }
        Ok(self.total().unanswered)
    }

    /// Cancels every order that is not known to be closed and waits for the venue's word. Returns
    /// how many are left.
    ///
    /// # Errors
    /// The poll failed, or every session is lost.
    pub fn cancel_all(&mut self) -> Result<u64, FlowError> {
        self.phase = "cancel all";
        self.held = None;
        for _ in 0..CANCEL_ROUNDS {
            self.settle()?;
            let open: Vec<(usize, u32)> = self
                .checkers
                .iter()
                .enumerate()
                .flat_map(|(session, c)| c.open().map(move |(first, _)| (session, first)))
                .collect();
            if open.is_empty() {
                break;
            }
            for (session, first) in open {
                while !self.has_room(session) {
                    self.wait_for_answers()?;
                }
                self.cancel_chain(session, first, 0);
            }
            self.settle()?;
        }
        Ok(self.open_orders())
    }
}
