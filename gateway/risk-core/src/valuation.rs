//! The exact value of an account at this moment, and the bound that follows from it.
//!
//! Risk thread. Source of every formula: RULES (Equity, Admissible equity, Requirement). Invariant:
//! a valuation reads current state alone; what it leaves behind (settlements taken part in, adverse
//! sums, the bound) changes no later answer.

use crate::accounts::Bound;
use crate::instruments::{Drift, Instrument};
use crate::ledger::Ledger;
use crate::limits::LimitTable;
use crate::limits::account::AccountLimits;
use crate::positions::Position;
use portcullis_domain::{InstrumentId, Ppm};

/// An account's value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Valuation {
    pub(crate) equity: i128,
    pub(crate) admissible: i128,
    /// cash + sum of min(0, PnL).
    pub(crate) without_profit: i128,
    /// Sum of IM, in millionths of a quantum.
    pub(crate) margin_millionths: i128,
    /// The same of MM.
    pub(crate) maintenance_millionths: i128,
    pub(crate) adverse: i128,
    /// A position has no reference: the figures above leave it out.
    pub(crate) missing: bool,
    /// A position's reference is older than it may be.
    pub(crate) stale: bool,
    /// Until when none is.
    fresh_until_ns: u64,
    sensitivity: i128,
}

impl Valuation {
    const NOTHING: Self = Self {
        equity: 0,
        admissible: 0,
        without_profit: 0,
        margin_millionths: 0,
        maintenance_millionths: 0,
        adverse: 0,
        missing: false,
        stale: false,
        fresh_until_ns: u64::MAX,
        sensitivity: 0,
    };

    /// ceil(sum of IM / 10^6) + adverse.
    pub(crate) const fn requirement(&self) -> i128 {
        ceil_millionths(self.margin_millionths) + self.adverse
    }

    /// ceil(sum of MM / 10^6).
    pub(crate) const fn maintenance(&self) -> i128 {
        ceil_millionths(self.maintenance_millionths)
    }

    /// Free for withdrawal.
    pub(crate) const fn free(&self) -> i128 {
        self.without_profit - self.requirement()
    }
}

const fn ceil_millionths(amount: i128) -> i128 {
    -(-amount).div_euclid(1_000_000)
}

/// An exact product: one multiplication where the first factor is what positions have.
///
/// # Panics
/// If it leaves i128, which the load rules keep positions from.
#[inline(always)]
fn times(amount: i128, factor: i64) -> i128 {
    match i64::try_from(amount) {
        Ok(narrow) => i128::from(narrow) * i128::from(factor),
        Err(_) => amount * i128::from(factor),
    }
}

/// A walk over an account's positions.
struct Walk<'a> {
    table: &'a LimitTable,
    now_ns: u64,
    losses: i128,
    profits: i128,
    valuation: Valuation,
}

/// Lots in one instrument.
#[derive(Clone, Copy)]
struct Held {
    instrument: u32,
    net: i64,
    buy: i64,
    sell: i64,
}

impl Ledger {
    /// Values an account.
    pub(crate) fn value(
        &mut self,
        account: u32,
        limits: &AccountLimits,
        table: &LimitTable,
        now_ns: u64,
    ) -> Valuation {
        let valuation = Valuation::NOTHING;
        let mut walk = Walk {
            table,
            now_ns,
            losses: 0,
            profits: 0,
            valuation,
        };
        let mut slot = self.accounts.get(account).first_position;
        while slot != crate::order::NONE {
            self.settle(slot, table);
            let position = self.positions.get(slot);
            let next = position.next;
            let held = Held {
                instrument: position.instrument,
                net: position.net,
                buy: position.open_buy,
                sell: position.open_sell,
            };
            self.add_position(&mut walk, slot, held);
            slot = next;
        }
        let cash = i128::from(self.accounts.get(account).cash);
        let counted = Ppm::new(limits.pnl_weight_ppm).of_floor(walk.profits);
        let mut valuation = walk.valuation;
        valuation.without_profit = cash + walk.losses;
        valuation.admissible = valuation.without_profit + counted.min(limits.pnl_cap.into());
        valuation.equity = cash + walk.losses + walk.profits;
        valuation
    }

    fn add_position(&mut self, walk: &mut Walk<'_>, slot: u32, held: Held) {
        let instrument = self.instruments.get(held.instrument);
        let version = instrument.reference_version;
        let limits = walk.table.instrument(InstrumentId::new(held.instrument));
        let (Some(price), Some(limits)) = (instrument.price(), limits) else {
            walk.valuation.missing = true;
            return;
        };
        let position = self.positions.get_mut(slot);
        let worth = times(
            i128::from(held.net) * i128::from(price),
            limits.value.quanta(),
        );
        let profit = worth - i128::from(position.cost);
        walk.losses += profit.min(0);
        walk.profits += profit.max(0);
        let adverse = position.adverse(price, version, &self.orders);
        self.add_lots(walk, held, adverse);
    }

    /// Margin, adverse money, freshness and sensitivity of the lots in one instrument.
    fn add_lots(&self, walk: &mut Walk<'_>, held: Held, adverse_lot_ticks: i128) {
        let instrument = self.instruments.get(held.instrument);
        let limits = walk.table.instrument(InstrumentId::new(held.instrument));
        let valuation = &mut walk.valuation;
        let (Some(reference), Some(limits)) = (instrument.reference, limits) else {
            valuation.missing = true;
            return;
        };
        let value = limits.value.quanta();
        let worst = Position::worst(held.net, held.buy, held.sell);
        let notional = |lots: i128| times(times(lots, reference.price), value);
        let net = i128::from(held.net).abs();
        valuation.margin_millionths += instrument.initial.margin_millionths(notional(worst));
        valuation.maintenance_millionths += instrument.maintenance.margin_millionths(notional(net));
        valuation.adverse += times(adverse_lot_ticks, value);
        let fresh_until_ns = reference.at_ns.saturating_add(limits.ref_max_age_ns);
        valuation.stale |= walk.now_ns > fresh_until_ns;
        valuation.fresh_until_ns = valuation.fresh_until_ns.min(fresh_until_ns);
        let lots = i128::from(held.net).abs() + i128::from(held.buy) + i128::from(held.sell);
        valuation.sensitivity += times(lots + worst, instrument.lot_base);
    }

    /// Leaves behind what the next accept may be proved from.
    pub(crate) fn keep_bound(
        &mut self,
        account: u32,
        limits: &AccountLimits,
        valuation: &Valuation,
    ) {
        let generation = self.instruments.drift.generation;
        let this = self.accounts.get_mut(account);
        if valuation.missing {
            this.bound = Bound::NONE;
            return;
        }
        let room = valuation.equity - i128::from(this.day_base) + i128::from(limits.loss_max);
        let clamp = |amount: i128| amount.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        this.bound = Bound {
            generation,
            headroom: clamp(valuation.admissible - valuation.requirement()),
            loss_room: clamp(room),
            // A thirty-second more for the second-order part: drift within a generation is at most
            // one percent.
            sensitivity: clamp(valuation.sensitivity + valuation.sensitivity / 32 + 1),
            fresh_until_ns: valuation.fresh_until_ns,
        };
    }
}

impl Instrument {
    /// The most that an order of `qty` lots could add to the requirement: its whole notional at the
    /// steepest ratio, and its adverse money. `None` where that leaves i64: nothing is proved then.
    #[inline(always)]
    pub(crate) fn need(&self, qty: i64, adverse: i64) -> Option<i64> {
        let lots = self.lot_need.checked_mul(qty)?;
        lots.checked_add(1)?.checked_add(adverse)
    }
}

impl Bound {
    /// Whether LOSS_MAX and MARGIN pass, and each position's reference is fresh, without looking at
    /// any: `need` is the most the order could add to the requirement.
    #[inline(always)]
    pub(crate) fn proves(&self, drift: Drift, need: i64, now_ns: u64) -> bool {
        let wide = |factor: i64, other: i64| i128::from(factor) * i128::from(other);
        // Twice the largest distance from base, in billionths, and one quantum for each rounding.
        let eaten = wide(self.sensitivity, 2 * drift.moved_ppb);
        let billion = 1_000_000_000;
        let headroom = self.headroom.saturating_sub(need).saturating_sub(2);
        let loss_room = self.loss_room.saturating_sub(2);
        self.generation == drift.generation
            && now_ns <= self.fresh_until_ns
            && eaten <= wide(headroom.min(loss_room), billion)
    }

    /// Takes what an accepted order could need out of it.
    #[inline(always)]
    pub(crate) fn spend(&mut self, spent: &Spent, instrument: &Instrument) {
        let Some((headroom, sensitivity)) = self.after(spent, instrument.lot_base) else {
            *self = Self::NONE;
            return;
        };
        self.headroom = headroom;
        self.sensitivity = sensitivity;
        self.fresh_until_ns = self.fresh_until_ns.min(spent.fresh_until_ns);
    }

    /// Headroom and sensitivity after an accepted order; `None` where one leaves i64.
    #[inline(always)]
    fn after(&self, spent: &Spent, lot_base: i64) -> Option<(i64, i64)> {
        let headroom = self.headroom.checked_sub(spent.need?)?;
        // The lots count once as held and once in the worst case, as in a valuation.
        let swing = lot_base.checked_mul(spent.qty)?.checked_mul(2)?;
        let swing = swing.checked_add(swing / 32)?.checked_add(1)?;
        Some((headroom, self.sensitivity.checked_add(swing)?))
    }
}

/// What an accepted order takes out of its account's bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) qty: i64,
    /// `None` where it leaves i64.
    pub(crate) need: Option<i64>,
    pub(crate) fresh_until_ns: u64,
}
