//! The exact value of an account at this moment, and the bound that follows from it.
//!
//! Risk thread. Source of every formula: RULES (Equity, Admissible equity, Requirement). Invariant:
//! a valuation reads current state alone; what it leaves behind (settlements taken part in, adverse
//! sums, the bound) changes no later answer.

use crate::accounts::Bound;
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
        while slot != crate::orders::NONE {
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
        let worth = i128::from(held.net) * i128::from(price) * i128::from(limits.value.quanta());
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
        let value = i128::from(limits.value.quanta());
        let worst = Position::worst(held.net, held.buy, held.sell);
        let per_lot = i128::from(reference.price) * value;
        valuation.margin_millionths += instrument.initial.margin_millionths(worst * per_lot);
        let settled = i128::from(held.net).abs() * per_lot;
        valuation.maintenance_millionths += instrument.maintenance.margin_millionths(settled);
        valuation.adverse += adverse_lot_ticks * value;
        let fresh_until_ns = reference.at_ns.saturating_add(limits.ref_max_age_ns);
        valuation.stale |= walk.now_ns > fresh_until_ns;
        valuation.fresh_until_ns = valuation.fresh_until_ns.min(fresh_until_ns);
        let base = self
            .instruments
            .drift_base(held.instrument)
            .unwrap_or(reference.price);
        let lots = i128::from(held.net).abs() + i128::from(held.buy) + i128::from(held.sell);
        valuation.sensitivity += (lots + worst) * i128::from(base) * value;
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

    /// Whether LOSS_MAX and MARGIN pass, and each position's reference is fresh, without looking at
    /// any: `need` is the most the order could add to the requirement.
    #[inline]
    pub(crate) fn proves(&self, account: u32, need: i64, now_ns: u64) -> bool {
        let drift = self.instruments.drift;
        let bound = &self.accounts.get(account).bound;
        // Twice the largest distance from base, in billionths, and one quantum for each rounding.
        let eaten = i128::from(bound.sensitivity) * i128::from(2 * drift.moved_ppb);
        let billion = 1_000_000_000;
        let headroom = (i128::from(bound.headroom) - i128::from(need) - 2) * billion;
        let loss_room = (i128::from(bound.loss_room) - 2) * billion;
        bound.generation == drift.generation
            && now_ns <= bound.fresh_until_ns
            && eaten <= headroom
            && eaten <= loss_room
    }

    /// The most that an order of `qty` lots could add to the requirement: its whole notional at the
    /// steepest ratio, and its adverse money. `None` where that leaves i128: nothing is proved then.
    pub(crate) fn need(
        &self,
        instrument: u32,
        qty: i64,
        value: i64,
        adverse: i128,
    ) -> Option<i128> {
        let this = self.instruments.get(instrument);
        let lot_notional = i128::from(this.price().unwrap_or(0)) * i128::from(value);
        let notional = lot_notional.checked_mul(qty.into())?;
        let millionths = notional.checked_mul(this.initial.ratio_max().into())?;
        ceil_millionths(millionths)
            .checked_add(1)?
            .checked_add(adverse)
    }

    /// Takes what an accepted order could need out of the bound.
    pub(crate) fn spend_bound(&mut self, account: u32, spent: &Spent) {
        let base = self.instruments.drift_base(spent.instrument).unwrap_or(0);
        let swing = 2 * i128::from(spent.qty) * i128::from(base) * i128::from(spent.value);
        let bound = &mut self.accounts.get_mut(account).bound;
        let headroom = i64::try_from(i128::from(bound.headroom) - spent.need);
        let sensitivity = i64::try_from(i128::from(bound.sensitivity) + swing + swing / 32 + 1);
        let (Ok(headroom), Ok(sensitivity)) = (headroom, sensitivity) else {
            *bound = Bound::NONE;
            return;
        };
        bound.headroom = headroom;
        bound.sensitivity = sensitivity;
        bound.fresh_until_ns = bound.fresh_until_ns.min(spent.fresh_until_ns);
    }
}

/// What an accepted order takes out of its account's bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) instrument: u32,
    pub(crate) qty: i64,
    pub(crate) value: i64,
    pub(crate) need: i128,
    pub(crate) fresh_until_ns: u64,
}
