//! A verdict on an order or replace, as a replay prints it.
//!
//! One line: epoch, session, UserRefIdx and UserRefNum, `accepted` or `refused` with every failing
//! check. Format, after the record's number: `EPOCH SESSION:ROW:NUMBER accepted`, or
//! `EPOCH SESSION:ROW:NUMBER refused CHECK,CHECK`. Invariant: cancels are none; no limit judges them.

use portcullis_domain::{AccountId, CheckMask, InstrumentId, SessionId, UserRef};
use portcullis_risk_core::{Effect, OutboundAction, checks};
use std::fmt;

/// One verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) epoch: u32,
    pub(crate) session: SessionId,
    pub(crate) user_ref: UserRef,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    /// Empty where it was accepted.
    pub(crate) failing: CheckMask,
}

/// Whether an effect is one.
pub(super) const fn is_verdict(effect: &Effect) -> bool {
    match effect {
        Effect::Approved(approved) => {
            !matches!(approved.get().action, OutboundAction::Cancel { .. })
        }
        Effect::Refused(_) => true,
        Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::Controlled(_)
        | Effect::StateChanged { .. }
        | Effect::Alarmed(_) => false,
    }
}

/// The verdict that an effect is, if it is one.
pub(crate) fn of(effect: &Effect) -> Option<Verdict> {
    match effect {
        Effect::Approved(approved) => {
            let order = approved.get();
            match order.action {
                OutboundAction::Enter { .. } | OutboundAction::Replace { .. } => Some(Verdict {
                    epoch: approved.epoch(),
                    session: order.session,
                    user_ref: order.user_ref,
                    account: order.account,
                    instrument: order.instrument,
                    failing: CheckMask::EMPTY,
                }),
                OutboundAction::Cancel { .. } => None,
            }
        }
        Effect::Refused(refusal) => Some(Verdict {
            epoch: refusal.epoch,
            session: refusal.session,
            user_ref: refusal.user_ref,
            account: refusal.account,
            instrument: refusal.instrument,
            failing: refusal.failing,
        }),
        Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::Controlled(_)
        | Effect::StateChanged { .. }
        | Effect::Alarmed(_) => None,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (epoch, session) = (self.epoch, self.session.raw());
        let UserRef { row, number } = self.user_ref;
        write!(f, "{epoch} {session}:{row}:{number} ")?;
        if self.failing.is_empty() {
            return f.write_str("accepted");
        }
        let failing: Vec<_> = self.failing.codes().map(checks::name).collect();
        write!(f, "refused {}", failing.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::RejectCode;

    #[test]
    fn a_verdict_is_one_line_with_all_its_checks() {
        let mut verdict = Verdict {
            epoch: 3,
            session: SessionId::new(7),
            user_ref: UserRef::new(42),
            account: AccountId::new(0),
            instrument: InstrumentId::new(0),
            failing: CheckMask::EMPTY,
        };
        assert_eq!(verdict.to_string(), "3 7:0:42 accepted");
        for check in ["QTY_MAX", "NOTIONAL_MAX"] {
            let found = checks::REGISTRY.iter().find(|known| known.name == check);
            let code: RejectCode = found.expect("a check").code();
            verdict.failing = verdict.failing.with(code, true);
        }
        let refused = "3 7:0:42 refused QTY_MAX,NOTIONAL_MAX";
        assert_eq!(verdict.to_string(), refused);
    }
}
