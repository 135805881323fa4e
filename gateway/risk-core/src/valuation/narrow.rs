//! The value of an account in 64 bits, which nearly every account's fits, and whether it suffices for an order.
//!
//! Risk thread. The formulas are those of [`super`], each sum and product held against the ends of i64: where one leaves
//! it, or a reference is missing or stale, nothing is told, and the wide way begins anew. Margin alone stays wide: a
//! notional of i64 is below 2^63 quanta and a ratio below 2^20 millionths, so that a position has less than 2^83
//! (its tier's base with it less than 2^84), and fewer than 2^32 positions have less than 2^116. Invariants: what is told
//! here the wide way tells too, which builds with assertions compare; nothing is written but what that writes.

use super::{Valuation, ceil_millionths};
use crate::drift::group_bit;
use crate::instruments::Instrument;
use crate::ledger::Ledger;
use crate::limits::LimitTable;
use crate::limits::account::AccountLimits;
use crate::order::NONE;
use crate::positions::Position;
use core::hint::cold_path;
use portcullis_domain::{Ppm, Side};

/// Five numbers below this have a sum in i64.
const LOTS_MAX: u64 = 1 << 60;

/// Whose value is sought, and what for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sought<'a> {
    pub(crate) account: u32,
    pub(crate) limits: &'a AccountLimits,
    pub(crate) table: &'a LimitTable,
    pub(crate) now_ns: u64,
    /// What an order could add to the requirement: adverse money may be told as more than it is where even so
    /// that is covered.
    pub(crate) need: Option<i64>,
    /// The position that the order is in, whose margin is told by itself.
    pub(crate) position: u32,
}

/// An account's value. Each reference that it depends on is there and fresh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrow {
    pub(crate) equity: i64,
    pub(crate) admissible: i64,
    without_profit: i64,
    /// What admission has left to give.
    pub(crate) headroom: i64,
    /// What the day may still lose.
    pub(crate) loss_room: i64,
    /// ceil(sum of MM / 10^6).
    maintenance: i64,
    sums: Sums,
}

/// What is summed over an account's positions; margin in millionths of a quantum.
#[derive(Clone, Copy, Debug)]
struct Sums {
    result: i64,
    profits: i64,
    margin: i128,
    maintenance: i128,
    /// The margin of the order's own position.
    own_margin: i128,
    adverse: i64,
    loose: bool,
    sensitivity: i64,
    groups: u64,
}

impl Sums {
    const NOTHING: Self = Self {
        result: 0,
        profits: 0,
        margin: 0,
        maintenance: 0,
        own_margin: 0,
        adverse: 0,
        loose: false,
        sensitivity: 0,
        groups: 0,
    };

    /// Adds a position, but for its adverse money; the margin it needs.
    #[inline(always)]
    fn add(&mut self, position: &Position, instrument: &Instrument) -> Option<i128> {
        let lots = Lots::of(position.net, position.open_buy, position.open_sell)?;
        let swing = instrument.worth_narrowly(lots.all)?;
        // All lots fit: so do any of them.
        let value = position.net.wrapping_mul(instrument.lot_value);
        let worst = lots.worst.wrapping_mul(instrument.lot_value);
        let profit = value.checked_sub(position.cost)?;
        self.result = self.result.checked_add(profit)?;
        self.profits = self.profits.checked_add(profit.max(0))?;
        let margin = instrument.initial.margin_of(worst);
        let maintenance = instrument.maintenance.margin_of(value.wrapping_abs());
        self.margin = self.margin.wrapping_add(margin);
        self.maintenance = self.maintenance.wrapping_add(maintenance);
        self.sensitivity = self.sensitivity.checked_add(swing)?;
        self.groups |= group_bit(position.instrument);
        Some(margin)
    }
}

/// Lots of a position.
struct Lots {
    /// max(|n + B|, |n - S|).
    worst: i64,
    /// |n| + B + S and those: each use of them counted.
    all: i64,
}

impl Lots {
    /// `None` where some are so many that sums of them might not fit.
    #[inline(always)]
    fn of(net: i64, buy: i64, sell: i64) -> Option<Self> {
        // Without a branch for the side of a position: they come by turns.
        let sign = net >> 63;
        let folded = net ^ sign;
        let most = folded as u64 | buy as u64 | sell as u64;
        if most >= LOTS_MAX {
            return None;
        }
        // Neither B nor S is below 0, so that -(n + B) is at most S - n, and n - S at most n + B.
        let worst = (net.wrapping_add(buy)).max(sell.wrapping_sub(net));
        let held = folded.wrapping_sub(sign);
        let open = held.wrapping_add(buy).wrapping_add(sell);
        Some(Self {
            worst,
            all: open.wrapping_add(worst),
        })
    }
}

impl Narrow {
    /// Whether equity is below maintenance margin.
    #[inline(always)]
    pub(crate) const fn is_below_maintenance(&self) -> bool {
        self.equity < self.maintenance
    }

    /// Quanta that a relative move of one whole could cost at the most.
    #[inline(always)]
    pub(crate) const fn sensitivity(&self) -> i64 {
        self.sums.sensitivity
    }

    /// Groups of the instruments involved.
    #[inline(always)]
    pub(crate) const fn groups(&self) -> u64 {
        self.sums.groups
    }

    /// Whether admissible equity covers the requirement with an order in it, of so many lots and so much adverse money,
    /// in the position that was sought.
    #[inline(always)]
    pub(crate) fn covers(
        &self,
        position: &Position,
        instrument: &Instrument,
        (side, qty): (Side, i64),
        adverse: i64,
    ) -> Option<bool> {
        let (net, mut buy, mut sell) = (position.net, position.open_buy, position.open_sell);
        match side {
            Side::Buy => buy = buy.checked_add(qty)?,
            Side::Sell => sell = sell.checked_add(qty)?,
        }
        let lots = Lots::of(net, buy, sell)?;
        let worst = instrument.worth_narrowly(lots.worst)?;
        let rise = instrument.initial.margin_of(worst) - self.sums.own_margin;
        let margin = whole(self.sums.margin + rise)?;
        let requirement = margin
            .checked_add(self.sums.adverse)?
            .checked_add(adverse)?;
        Some(requirement <= self.admissible)
    }

    /// The same in wide numbers.
    pub(crate) fn widened(&self) -> Valuation {
        let sums = &self.sums;
        Valuation {
            equity: self.equity.into(),
            admissible: self.admissible.into(),
            without_profit: self.without_profit.into(),
            margin_millionths: sums.margin,
            maintenance_millionths: sums.maintenance,
            adverse: sums.adverse.into(),
            loose: sums.loose,
            missing: false,
            stale: false,
            sensitivity: sums.sensitivity.into(),
            groups: sums.groups,
        }
    }
}

impl Ledger {
    /// Values an account for an order.
    #[inline(always)]
    pub(crate) fn value_narrowly(&mut self, sought: &Sought<'_>) -> Option<Narrow> {
        let mut exact = false;
        loop {
            let narrow = self.narrow_by(sought, exact)?;
            let covered = || sought.need.is_some_and(|need| narrow.headroom >= need);
            if !narrow.sums.loose || covered() {
                return Some(narrow);
            }
            cold_path();
            exact = true;
        }
    }

    #[inline(never)]
    fn narrow_by(&mut self, sought: &Sought<'_>, exact: bool) -> Option<Narrow> {
        let mut sums = Sums::NOTHING;
        let mut slot = self.accounts.get(sought.account).first_position;
        while slot != NONE {
            let position = self.positions.get(slot);
            let instrument = self.instruments.get(position.instrument);
            if position.settlements != instrument.settlements {
                cold_path();
                if !self.settles(slot, sought.table) {
                    return None;
                }
                continue;
            }
            let (next, has_orders) = (position.next, position.has_orders());
            let known = instrument.value != 0 && sought.now_ns <= instrument.fresh_until_ns;
            let price = instrument.price().filter(|_| known)?;
            let margin = sums.add(position, instrument)?;
            if slot == sought.position {
                sums.own_margin = margin;
            }
            if has_orders {
                self.add_adverse_narrowly(&mut sums, slot, price, exact)?;
            }
            slot = next;
        }
        let narrow = self.narrow_of(sums, sought)?;
        if cfg!(debug_assertions) {
            let Sought {
                account,
                limits,
                table,
                now_ns,
                ..
            } = *sought;
            let wide = self.value_by(account, limits, table, now_ns, exact);
            assert_eq!(narrow.widened(), wide, "64 bits tell otherwise");
        }
        Some(narrow)
    }

    /// What the sums make of an account.
    #[inline(always)]
    fn narrow_of(&self, sums: Sums, sought: &Sought<'_>) -> Option<Narrow> {
        let account = self.accounts.get(sought.account);
        let limits = sought.limits;
        let counted = Ppm::new(limits.pnl_weight_ppm).of_floor(sums.profits.into());
        // A part of what is in i64.
        let counted = (counted as i64).min(limits.pnl_cap);
        let equity = account.cash.checked_add(sums.result)?;
        let without_profit = equity.checked_sub(sums.profits)?;
        let admissible = without_profit.checked_add(counted)?;
        let requirement = whole(sums.margin)?.checked_add(sums.adverse)?;
        let day_result = equity.checked_sub(account.day_base)?;
        Some(Narrow {
            equity,
            admissible,
            without_profit,
            headroom: admissible.checked_sub(requirement)?,
            loss_room: day_result.checked_add(limits.loss_max)?,
            maintenance: whole(sums.maintenance)?,
            sums,
        })
    }

    /// Whether a position has taken part in the settlements that it had not taken part in yet.
    fn settles(&mut self, slot: u32, table: &LimitTable) -> bool {
        self.settle(slot, table);
        let position = self.positions.get(slot);
        let instrument = self.instruments.get(position.instrument);
        position.settlements == instrument.settlements
    }

    /// Adverse money of a position's open orders.
    #[inline(always)]
    fn add_adverse_narrowly(
        &mut self,
        sums: &mut Sums,
        slot: u32,
        price: i64,
        exact: bool,
    ) -> Option<()> {
        let position = self.positions.get_mut(slot);
        let mut adverse = position.adverse_at_most(price);
        if !adverse.exact {
            cold_path();
            if exact {
                adverse.lot_ticks = position.adverse(price, &self.orders);
            } else {
                sums.loose = true;
            }
        }
        let lot_ticks = i64::try_from(adverse.lot_ticks).ok()?;
        let value = self.instruments.get(position.instrument).value;
        sums.adverse = sums.adverse.checked_add(lot_ticks.checked_mul(value)?)?;
        Some(())
    }
}

/// Whole quanta of millionths that are not below 0, rounded up.
#[inline(always)]
fn whole(millionths: i128) -> Option<i64> {
    match u64::try_from(millionths) {
        // Below 2^64 / 10^6.
        Ok(millionths) => Some(millionths.div_ceil(1_000_000) as i64),
        Err(_) => i64::try_from(ceil_millionths(millionths)).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_are_those_of_the_wide_way_or_are_not_told() {
        let most = LOTS_MAX as i64 - 1;
        let lots = [0, 1, 2, 7, most];
        for net in lots.into_iter().flat_map(|net| [net, -net]) {
            for (buy, sell) in lots
                .into_iter()
                .flat_map(|buy| lots.map(|sell| (buy, sell)))
            {
                let told = Lots::of(net, buy, sell).expect("none is far");
                let worst = Position::worst(net, buy, sell);
                assert_eq!(i128::from(told.worst), worst);
                let held = i128::from(net).abs() + i128::from(buy) + i128::from(sell);
                assert_eq!(i128::from(told.all), held + worst);
            }
        }
        for far in [most + 1, i64::MAX] {
            assert!(Lots::of(far, 0, 0).is_none() && Lots::of(-far - 1, 0, 0).is_none());
            assert!(Lots::of(0, far, 0).is_none() && Lots::of(0, 0, far).is_none());
        }
    }

    #[test]
    fn millionths_are_rounded_up_or_are_not_told() {
        let cases = [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)];
        for (millionths, quanta) in cases {
            assert_eq!(whole(millionths), Some(quanta));
        }
        let beyond = i128::from(i64::MAX) * 1_000_000;
        assert_eq!(whole(beyond), Some(i64::MAX));
        assert_eq!(whole(beyond + 1), None);
    }
}
