//! The plain way of a client's replace: one more version of an order that has one, admitted at a glance.
//!
//! Risk thread. The glance is that of a new order, whose lots are those that the order's hold rises by; where a check of
//! a new order asks more than one of a replace (that there is room for one more open order, and for its whole notional
//! beside what the order holds already), the glance says no, and the whole view decides. Invariants: what is admitted
//! here the whole view admits too; up to the marked point nothing of the ledger changes.

use super::{Lots, Money, Parts};
use crate::admission::Terms;
use crate::checks;
use crate::engine::RiskCore;
use crate::glance::Glance;
use crate::order::{Order, Version};
use core::hint::cold_path;
use portcullis_domain::Side;

/// A version that passed, and what its order's hold rises by: in lots, and in quanta.
#[derive(Clone, Copy)]
pub(in crate::admission) struct Rise {
    /// The limit that goes to the engine.
    pub(in crate::admission) limit: i64,
    lots: i64,
    notional: i64,
    adverse: i64,
    /// What the position would be on the order's side without it.
    was: i64,
    reducing: bool,
    volume_tat_ns: u64,
}

impl RiskCore {
    /// Books a version of the order in `slot`, if a glance shows that it passes.
    #[inline(always)]
    pub(in crate::admission) fn book_version(&mut self, terms: &Terms, slot: u32) -> Option<Rise> {
        let orders = &self.ledger.orders;
        let order = orders.get(slot);
        let plain = !order.has_unanswered() && order.confirmed.leaves > 0;
        if !plain || !orders.has_room_for_version() {
            cold_path();
            return None;
        }
        // The order knows its position: found there, and not by the index.
        self.hints.set(self.seq.raw(), order.position);
        let mut parts = self.parts::<true>(terms)?;
        let rise = parts.look_at_version(terms, slot)?;
        if cfg!(debug_assertions) {
            let position = parts.slot;
            let failing = self.failing_if_worth_enough(terms, Some(position));
            assert!(failing.is_empty(), "a version refused by {failing:?}");
            parts = self.parts::<true>(terms).expect("nothing changed");
        }
        // Point of no return.
        parts.add_version(terms, slot, &rise);
        self.counters.proved_by_bound += u64::from(!rise.reducing);
        Some(rise)
    }
}

impl Parts<'_> {
    /// Whether a version passes, as far as a glance shows.
    #[inline(always)]
    fn look_at_version(&self, terms: &Terms, slot: u32) -> Option<Rise> {
        let order = self.orders.get(slot);
        let reference = self.books.instrument.reference.as_ref()?;
        let session_rate = self.session.rate.as_ref()?;
        let value = self.instrument_limits.value.quanta();
        let money = self.money;
        let held = Money::held(order, reference.price, value)?;
        let rise = (terms.qty - order.confirmed.leaves).max(0);
        let lots = self.lots_with(terms, rise, order, money.price);
        let adverse = (money.adverse - held.adverse).max(0);
        let margined = if lots.reducing { 0 } else { rise };
        if !lots.reducing && !self.proves(self.books.instrument.need(margined, adverse)) {
            cold_path();
            return None;
        }
        let glance = self.glance(terms, (reference, session_rate), &money, lots)?;
        let window_ns = self.instrument_limits.window_ns();
        let taken_ns = (rise as u64).checked_mul(self.limits.lot_cost_ns(window_ns))?;
        let ahead_ns = (self.books.position.volume_tat_ns).saturating_sub(self.now_ns);
        let glance = Glance {
            // A replace is none of the orders that look alike.
            repeated: 0,
            volume_taken_ns: taken_ns.checked_add(ahead_ns)?,
            ..glance
        };
        if !checks::all_clear(&glance, lots.reducing) {
            cold_path();
            return None;
        }
        if let Some(firm) = self.books.member.as_deref()
            && !checks::clear_of_member(&Glance { firm, ..glance }, lots.reducing)
        {
            return None;
        }
        Some(Rise {
            limit: money.price,
            lots: rise,
            notional: (money.notional - held.notional).max(0),
            adverse,
            was: lots.was,
            reducing: lots.reducing,
            volume_tat_ns: self.now_ns.saturating_add(glance.volume_taken_ns),
        })
    }

    /// Lots that the version meets, its order's hold among them.
    #[inline(always)]
    fn lots_with(&self, terms: &Terms, rise: i64, order: &Order, price: i64) -> Lots {
        let more = Terms {
            qty: rise,
            ..*terms
        };
        let lots = self.lots(&more);
        let price_calmer = match terms.side {
            Side::Buy => price <= order.confirmed.price,
            Side::Sell => price >= order.confirmed.price,
        };
        // Neither more lots nor a more aggressive price than the order has.
        let calmer = rise == 0 && price_calmer;
        Lots {
            reducing: lots.reducing | calmer,
            ..lots
        }
    }

    /// Books a version that passed, and keeps what RULES remembers of any.
    #[inline(always)]
    fn add_version(&mut self, terms: &Terms, slot: u32, rise: &Rise) {
        self.move_schedules();
        let version = Version {
            price: rise.limit,
            leaves: terms.qty,
            number: terms.user_ref.number,
            time_in_force: terms.time_in_force_sent(),
        };
        let confirmed = self.orders.get(slot).confirmed;
        self.orders.ask(slot, version);
        self.orders.get_mut(slot).set_canceling(false);
        self.books.rise(terms.side, &confirmed, &version, rise.was);
        let notional = i128::from(rise.notional);
        self.books.account.open_notional += notional;
        self.books.firm.open_notional += notional;
        if let Some(member) = &mut self.books.member {
            cold_path();
            member.open_notional += notional;
        }
        let instrument = &mut self.books.instrument;
        if !rise.reducing {
            self.books.position.volume_tat_ns = rise.volume_tat_ns;
            instrument.window.count(rise.lots);
        }
        let margined = if rise.reducing { 0 } else { rise.lots };
        let spent = super::Spent {
            instrument: terms.instrument.raw(),
            qty: confirmed.leaves + rise.lots,
            need: instrument.need(margined, rise.adverse),
        };
        self.books.account.bound.spend(&spent, instrument);
    }
}

impl Money {
    /// What an order of one version holds.
    #[inline(always)]
    fn held(order: &Order, reference: i64, value: i64) -> Option<Self> {
        let Version { price, leaves, .. } = order.confirmed;
        let through = match order.side {
            Side::Buy => price - reference,
            Side::Sell => reference - price,
        };
        let times_value = |lot_ticks: i64| lot_ticks.checked_mul(value);
        Some(Self {
            price,
            notional: times_value(leaves.checked_mul(price)?)?,
            adverse: times_value(leaves.checked_mul(through.max(0))?)?,
        })
    }
}
