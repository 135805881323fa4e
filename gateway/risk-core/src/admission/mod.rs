//! Admission: the decision on a new order or a replace.
//!
//! Risk thread. First the form, answered alone; then every check into a mask; then what the rules
//! remember whatever the answer (schedules, the last order, a breaker's trip); then, past a marked
//! point of no return, hold and effect. Invariant: up to that point nothing of the ledger changes.

mod facts;
mod judge;
mod new_order;
mod plain;
mod replace;

pub use judge::{CheckOutcome, CheckWord};

use crate::effect::{AlarmKind, Effect, EffectSink, Explanation, Refusal};
use crate::engine::{About, RiskCore};
use crate::order::Hold;
use crate::valuation::Valuation;
use portcullis_domain::{
    AccountId, CheckMask, InstrumentId, Price, Qty, SessionId, Side, TimeInForce, UserRef,
};

/// What is asked, for a new order and a replace alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) session: SessionId,
    pub(crate) user_ref: UserRef,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    /// Lots; of a replace those open if it succeeds now.
    pub(crate) qty: i64,
    /// Limit as asked, `None` for market.
    pub(crate) price: Option<i64>,
    pub(crate) time_in_force: TimeInForce,
    /// Of a replace: the slot of its order.
    pub(crate) replaces: Option<u32>,
}

/// What was decided, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judgement {
    pub(crate) failing: CheckMask,
    pub(crate) explanation: Explanation,
    /// Slot of the position; there is one unless POSITIONS_FULL failed.
    pub(crate) position: Option<u32>,
    /// The limit that goes to the engine.
    pub(crate) price: Option<i64>,
    pub(crate) reducing: bool,
    /// Whether it stands on a slot kept for reducing orders.
    pub(crate) reserved: bool,
    /// Lots that count into volumes, and the schedule they move.
    pub(crate) rise: i64,
    pub(crate) volume_tat_ns: u64,
    /// What it adds to adverse money, in quanta.
    pub(crate) adverse: i128,
    /// Whether equity is below maintenance margin, where the account was valued.
    pub(crate) below_maintenance: Option<bool>,
}

/// The hold of a replace's order as it is and as it would be; a new order's begins at nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holds {
    pub(crate) own: Hold,
    pub(crate) planned: Hold,
}

impl Judgement {
    /// Whether equity is below maintenance margin; `None` where a reference is missing.
    fn below_maintenance(valuation: &Valuation) -> Option<bool> {
        (!valuation.missing).then(|| valuation.equity < valuation.maintenance())
    }
}

impl RiskCore {
    /// Raises the alarm when an account is first found below its maintenance margin, and again only
    /// after it was above. `below` is `None` where that is not known.
    fn note_maintenance(&mut self, terms: &Terms, below: Option<bool>, sink: &mut impl EffectSink) {
        let Some(below) = below else {
            return;
        };
        let account = self.ledger.accounts.get_mut(terms.account.raw());
        let was_below = core::mem::replace(&mut account.below_maintenance, below);
        if below && !was_below {
            let about = About {
                session: terms.session,
                user_ref: terms.user_ref,
                account: terms.account,
                ..About::NOTHING
            };
            self.alarm(AlarmKind::MaintenanceBreached, Some(about), sink);
        }
    }

    /// Refuses an order, saying why.
    #[inline(never)]
    fn refuse(
        &mut self,
        terms: &Terms,
        failing: CheckMask,
        explanation: Explanation,
        sink: &mut impl EffectSink,
    ) {
        let primary = failing.primary().expect("a refusal has a reason");
        self.counters.count_refusal(failing, primary);
        let refusal = Refusal {
            session: terms.session,
            user_ref: terms.user_ref,
            account: terms.account,
            instrument: terms.instrument,
            side: terms.side,
            qty: Qty::new(terms.qty),
            price: terms.price.map(Price::new),
            replace: terms.replaces.is_some(),
            failing,
            primary,
            explanation,
            epoch: self.epoch,
        };
        self.emit(sink, Effect::Refused(refusal));
    }
}
