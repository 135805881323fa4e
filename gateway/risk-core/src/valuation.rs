//! The exact value of an account at this moment, and the bound that follows from it.
//!
//! Risk thread. Source of every formula: RULES (Equity, Admissible equity, Requirement). Invariant:
//! a valuation reads current state alone; what it leaves behind (settlements taken part in, adverse
//! sums, the bound) changes no later answer.

mod narrow;

pub(crate) use narrow::{Narrow, Sought};

use crate::drift::group_bit;
use crate::ledger::Ledger;
use crate::limits::LimitTable;
use crate::limits::account::AccountLimits;
use crate::order::NONE;
use crate::positions::Position;
use portcullis_domain::Ppm;

/// An account's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Adverse money is more than it truly is, by what was not worth adding up.
    loose: bool,
    /// A position has no reference: the figures above leave it out.
    pub(crate) missing: bool,
    /// A position's reference is older than it may be.
    pub(crate) stale: bool,
    /// Quanta of all lots, each use of them counted: see [`crate::bound`].
    pub(crate) sensitivity: i128,
    /// Groups of the instruments involved.
    pub(crate) groups: u64,
}

impl Valuation {
    const NOTHING: Self = Self {
        equity: 0,
        admissible: 0,
        without_profit: 0,
        margin_millionths: 0,
        maintenance_millionths: 0,
        adverse: 0,
        loose: false,
        missing: false,
        stale: false,
        sensitivity: 0,
        groups: 0,
    };

    /// ceil(sum of IM / 10^6) + adverse.
    pub(crate) const fn requirement(&self) -> i128 {
        ceil_millionths(self.margin_millionths) + self.adverse
    }

    /// ceil(sum of MM / 10^6).
    pub(crate) const fn maintenance(&self) -> i128 {
        ceil_millionths(self.maintenance_millionths)
    }

    /// What admission has left to give.
    pub(crate) const fn headroom(&self) -> i128 {
        self.admissible - self.requirement()
    }

    /// What the day may still lose: equity less day base plus loss_max.
    pub(crate) fn loss_room(&self, day_base: i64, limits: &AccountLimits) -> i128 {
        self.equity - i128::from(day_base) + i128::from(limits.loss_max)
    }

    /// Free for withdrawal.
    pub(crate) const fn free(&self) -> i128 {
        self.without_profit - self.requirement()
    }
}

/// Whole quanta, rounded up: by a division of 64 bits where that is enough.
pub(crate) const fn ceil_millionths(amount: i128) -> i128 {
    if amount as i64 as i128 == amount && amount > i64::MIN as i128 {
        return -((-(amount as i64)).div_euclid(1_000_000) as i128);
    }
    -(-amount).div_euclid(1_000_000)
}

/// A walk over an account's positions.
struct Walk {
    now_ns: u64,
    /// Whether adverse money must be exact.
    exact: bool,
    losses: i128,
    profits: i128,
    valuation: Valuation,
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
        self.value_by(account, limits, table, now_ns, true)
    }

    /// Values an account for an order that could add `need` to the requirement: exactly, but that
    /// adverse money may be told as more than it is where even so the order is covered.
    pub(crate) fn value_for(
        &mut self,
        account: u32,
        limits: &AccountLimits,
        table: &LimitTable,
        now_ns: u64,
        need: Option<i64>,
    ) -> Valuation {
        let valuation = self.value_by(account, limits, table, now_ns, false);
        let covered = need.is_some_and(|need| valuation.headroom() >= i128::from(need));
        if valuation.loose && !covered {
            return self.value(account, limits, table, now_ns);
        }
        valuation
    }

    fn value_by(
        &mut self,
        account: u32,
        limits: &AccountLimits,
        table: &LimitTable,
        now_ns: u64,
        exact: bool,
    ) -> Valuation {
        let valuation = Valuation::NOTHING;
        let mut walk = Walk {
            now_ns,
            exact,
            losses: 0,
            profits: 0,
            valuation,
        };
        let mut slot = self.accounts.get(account).first_position;
        while slot != NONE {
            let position = self.positions.get(slot);
            let instrument = self.instruments.get(position.instrument);
            let next = position.next;
            if position.settlements != instrument.settlements {
                self.settle(slot, table);
            }
            self.add_position(&mut walk, slot);
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

    /// Profit, margin, freshness and sensitivity of one position.
    #[inline(always)]
    fn add_position(&mut self, walk: &mut Walk, slot: u32) {
        let position = self.positions.get(slot);
        let instrument = self.instruments.get(position.instrument);
        let valuation = &mut walk.valuation;
        if instrument.reference.is_none() || instrument.value == 0 {
            valuation.missing = true;
            return;
        }
        let (net, buy, sell) = (position.net, position.open_buy, position.open_sell);
        let profit = instrument.worth(net.into()) - i128::from(position.cost);
        walk.losses += profit.min(0);
        walk.profits += profit.max(0);
        let (held, worst) = (i128::from(net).abs(), Position::worst(net, buy, sell));
        let worst_worth = instrument.worth(worst);
        let held_worth = if worst == held {
            worst_worth
        } else {
            instrument.worth(held)
        };
        valuation.margin_millionths += instrument.initial.margin_millionths(worst_worth);
        valuation.maintenance_millionths += instrument.maintenance.margin_millionths(held_worth);
        let lots = held + i128::from(buy) + i128::from(sell);
        valuation.sensitivity += worst_worth + instrument.worth(lots);
        valuation.groups |= group_bit(position.instrument);
        valuation.stale |= walk.now_ns > instrument.fresh_until_ns;
        if buy | sell != 0 {
            self.add_adverse(walk, slot);
        }
    }

    /// Adverse money of a position's open orders.
    fn add_adverse(&mut self, walk: &mut Walk, slot: u32) {
        let position = self.positions.get_mut(slot);
        let instrument = self.instruments.get(position.instrument);
        let Some(price) = instrument.price() else {
            return;
        };
        let mut adverse = position.adverse_at_most(price);
        if walk.exact && !adverse.exact {
            adverse.lot_ticks = position.adverse(price, &self.orders);
        } else {
            walk.valuation.loose |= !adverse.exact;
        }
        walk.valuation.adverse += adverse.lot_ticks * i128::from(instrument.value);
    }
}
