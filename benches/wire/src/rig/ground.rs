//! What has to have happened before the first order of a case, and what of it has to end.
//!
//! On the measuring thread, where somebody decides. Invariant: what is said here is done before the next is said.

use super::{Rig, until};
use crate::case::Before;
use crate::plan::{Due, Fate};

impl Rig {
    /// Has done what has to have happened.
    pub(super) fn prepare(&mut self) -> Result<(), String> {
        for which in 0..self.plan.cases().len() {
            let case = *self.plan.case(which);
            let session = case.own_session().map_or(0, |own| self.speaking + own);
            match case.before() {
                Before::Nothing => {}
                Before::Accepted => self.before(session, which, 0)?,
                Before::Spent => {
                    self.before(session, which, 0)?;
                    let due = Due {
                        case: Some(which),
                        fate: Fate::Passes,
                    };
                    let number = self.clients[session].sent();
                    self.plan.sent(due, session, number);
                }
                Before::Traded => {
                    for other in 1..case.accounts().len() {
                        self.before(session, which, other)?;
                    }
                }
                Before::Rests => {
                    for session in 0..self.speaking {
                        self.before(session, which, 0)?;
                        self.clients[session].leave_resting();
                    }
                }
                Before::Replaced => {
                    self.before(session, which, 0)?;
                    self.clients[session].leave_resting();
                    self.clients[session].leave_unanswered();
                    self.flush(session)?;
                }
            }
        }
        Ok(())
    }

    /// An order that passes before those of a case, of one of its accounts.
    fn before(&mut self, session: usize, which: usize, account: usize) -> Result<(), String> {
        let case = *self.plan.case(which);
        self.clients[session].enter_before(&case, account);
        self.wait_for(session, false).map(drop)
    }

    /// What rests is cancelled, as if the engine's day were over.
    pub(super) fn end_resting(&mut self) -> Result<(), String> {
        for session in 0..self.talking() {
            let (Some(number), Some(line)) = (self.clients[session].resting(), self.lines[session])
            else {
                continue;
            };
            self.engine.cancel(line, number)?;
            let client = &mut self.clients[session];
            until("the word of a cancelled order", || {
                client.poll()?;
                Ok(client.resting().is_none())
            })?;
        }
        Ok(())
    }
}
