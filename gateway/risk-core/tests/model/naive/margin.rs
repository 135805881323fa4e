//! Equity, admissible equity, requirement, and what is free.
//!
//! Part of the naive model. Invariant: `None` means that an instrument with a position or hold has
//! no reference price, or that a product left the range.

use super::book::Line;
use super::{Naive, ValuedFigures, ceil_div};
use std::collections::BTreeMap;

impl Naive {
    /// Unrealised profit or loss of each position.
    fn profits(&self, account: u32) -> Option<Vec<i128>> {
        let positions = self.accounts[&account].positions.iter();
        positions
            .filter(|(_, position)| position.net != 0)
            .map(|(instrument, position)| {
                let price = self.price(*instrument)?;
                Some(position.net * price * self.value(*instrument) - position.cost)
            })
            .collect()
    }

    /// Cash and all unrealised profit and loss.
    pub(super) fn equity(&self, account: u32) -> Option<i128> {
        Some(self.accounts[&account].cash + self.profits(account)?.iter().sum::<i128>())
    }

    /// Equity in which profit counts by weight and up to a cap.
    pub(super) fn admissible(&self, account: u32) -> Option<i128> {
        let limits = &self.config.accounts[account as usize];
        let weight = i128::from(limits.pnl_weight_ppm.unwrap_or(0));
        let cap = i128::from(limits.pnl_cap.unwrap_or(0));
        let profits = self.profits(account)?;
        let gains: i128 = profits.iter().map(|profit| (*profit).max(0)).sum();
        let counted = (gains * weight).div_euclid(1_000_000).min(cap);
        Some(self.cash_and_losses(account)? + counted)
    }

    /// Cash and unrealised losses: profit counts nothing.
    fn cash_and_losses(&self, account: u32) -> Option<i128> {
        let losses: i128 = self
            .profits(account)?
            .iter()
            .map(|profit| (*profit).min(0))
            .sum();
        Some(self.accounts[&account].cash + losses)
    }

    /// The requirement of these lines.
    pub(super) fn requirement(&self, lines: &BTreeMap<u32, Line>) -> Option<i128> {
        let (mut millionths, mut adverse) = (0_i128, 0_i128);
        for (instrument, line) in lines {
            if !line.is_involved() {
                continue;
            }
            let price = self.price(*instrument)?;
            let worst = (line.net + line.buy)
                .abs()
                .max((line.net - line.sell).abs());
            let notional = (price * self.value(*instrument)).checked_mul(worst)?;
            millionths = millionths.checked_add(self.initial_margin(*instrument, notional)?)?;
            adverse = adverse.checked_add(line.adverse)?;
        }
        ceil_div(millionths, 1_000_000).checked_add(adverse)
    }

    /// Initial margin of a notional, in millionths of a quantum.
    fn initial_margin(&self, instrument: u32, notional: i128) -> Option<i128> {
        let tiers = &self.config.instruments[instrument as usize].tiers;
        let scale = self.instruments[&instrument].scale_ppm;
        let mut sum = 0_i128;
        for (index, (from, ratio)) in tiers.iter().enumerate() {
            let end = tiers
                .get(index + 1)
                .map_or(notional, |(next, _)| notional.min((*next).into()));
            let inside = (end - i128::from(*from)).max(0);
            let ratio = i128::from(*ratio);
            let effective = ratio + ceil_div((1_000_000 - ratio) * scale, 1_000_000);
            sum = sum.checked_add(inside.checked_mul(effective)?)?;
        }
        Some(sum)
    }

    /// All valued figures of an account.
    pub(super) fn valued(&self, account: u32) -> Option<ValuedFigures> {
        let requirement = self.requirement(&self.lines(account))?;
        Some(ValuedFigures {
            equity: self.equity(account)?,
            admissible: self.admissible(account)?,
            requirement,
            free: self.cash_and_losses(account)? - requirement,
        })
    }
}
