//! Orders, their versions and holds, positions, and open interest.
//!
//! Part of the naive model. Invariant: a hold is never stored; it is the largest over the versions
//! of an order, in lots, money and notional each for itself, at the reference price of this moment.

use super::{Naive, OpenInterestFigures, Side};
use std::collections::{BTreeMap, BTreeSet};

/// A position of one account in one instrument.
#[derive(Clone, Copy, Default)]
pub(super) struct Position {
    pub(super) net: i128,
    pub(super) cost: i128,
}

/// One version of an order.
#[derive(Clone, Copy)]
pub(super) struct Version {
    pub(super) id: u32,
    pub(super) leaves: i128,
    pub(super) limit: i128,
}

/// An order that was admitted.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) first_id: u32,
    pub(super) account: u32,
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) confirmed: Version,
    /// Asked for and unanswered, oldest first.
    pub(super) pending: Vec<Version>,
    /// The number of each version it ever had.
    pub(super) ever: BTreeSet<u32>,
}

impl Order {
    /// The version asked for last and not refused.
    pub(super) fn last(&self) -> Version {
        self.pending.last().copied().unwrap_or(self.confirmed)
    }

    /// The confirmed version and the unanswered ones.
    pub(super) fn versions(&self) -> impl Iterator<Item = Version> {
        core::iter::once(self.confirmed).chain(self.pending.iter().copied())
    }
}

/// What an order holds.
#[derive(Clone, Copy, Default)]
pub(super) struct Hold {
    pub(super) lots: i128,
    pub(super) adverse: i128,
    pub(super) notional: i128,
}

impl Hold {
    /// The larger of the two, each for itself.
    pub(super) fn larger(self, other: Self) -> Self {
        Self {
            lots: self.lots.max(other.lots),
            adverse: self.adverse.max(other.adverse),
            notional: self.notional.max(other.notional),
        }
    }
}

/// One instrument of an account: position and all holds.
#[derive(Clone, Copy, Default)]
pub(super) struct Line {
    pub(super) net: i128,
    pub(super) cost: i128,
    pub(super) buy: i128,
    pub(super) sell: i128,
    pub(super) adverse: i128,
}

impl Line {
    /// Adds a hold, or takes it out with `sign` -1.
    pub(super) fn add(&mut self, side: Side, hold: Hold, sign: i128) {
        match side {
            Side::Buy => self.buy += sign * hold.lots,
            Side::Sell => self.sell += sign * hold.lots,
        }
        self.adverse += sign * hold.adverse;
    }

    /// Long lots if all buys fill.
    pub(super) fn long(&self) -> i128 {
        (self.net + self.buy).max(0)
    }

    /// Short lots if all sells fill.
    pub(super) fn short(&self) -> i128 {
        (self.sell - self.net).max(0)
    }

    /// Whether the instrument counts among those the account is involved in.
    pub(super) fn is_involved(&self) -> bool {
        self.net != 0 || self.buy != 0 || self.sell != 0
    }
}

impl Naive {
    /// Open orders of an account.
    pub(super) fn orders_of(&self, account: u32) -> impl Iterator<Item = &Order> {
        self.open
            .values()
            .filter(move |order| order.account == account)
    }

    /// What one version would hold by itself; `None` if a product leaves the range.
    pub(super) fn version_hold(
        &self,
        instrument: u32,
        side: Side,
        lots: i128,
        limit: i128,
    ) -> Option<Hold> {
        let value = self.value(instrument);
        let through = match (self.price(instrument), side) {
            (None, _) => 0,
            (Some(price), Side::Buy) => (limit - price).max(0),
            (Some(price), Side::Sell) => (price - limit).max(0),
        };
        Some(Hold {
            lots,
            adverse: (through * value).checked_mul(lots)?,
            notional: (limit * value).checked_mul(lots)?,
        })
    }

    /// What an order holds.
    pub(super) fn hold(&self, order: &Order) -> Hold {
        let each = order.versions().map(|version| {
            self.version_hold(order.instrument, order.side, version.leaves, version.limit)
                .expect("an admitted version's products fit")
        });
        each.fold(Hold::default(), Hold::larger)
    }

    /// Each instrument of an account with a position or an open order.
    pub(super) fn lines(&self, account: u32) -> BTreeMap<u32, Line> {
        let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
        for (instrument, position) in &self.accounts[&account].positions {
            let line = lines.entry(*instrument).or_default();
            (line.net, line.cost) = (position.net, position.cost);
        }
        for order in self.orders_of(account) {
            let hold = self.hold(order);
            lines
                .entry(order.instrument)
                .or_default()
                .add(order.side, hold, 1);
        }
        lines
    }

    /// The instruments in which position or lots on hold are not zero.
    pub(super) fn involved(&self, account: u32) -> Vec<u32> {
        let lines = self.lines(account).into_iter();
        lines
            .filter(|(_, line)| line.is_involved())
            .map(|(id, _)| id)
            .collect()
    }

    /// Open interest of an instrument, summed over all accounts.
    pub(super) fn open_interest(&self, instrument: u32) -> OpenInterestFigures {
        let mut sums = OpenInterestFigures {
            open_interest: 0,
            long_would_be: 0,
            short_would_be: 0,
        };
        for account in self.accounts.keys() {
            let line = self
                .lines(*account)
                .get(&instrument)
                .copied()
                .unwrap_or_default();
            sums.open_interest += line.net.max(0);
            sums.long_would_be += line.long();
            sums.short_would_be += line.short();
        }
        sums
    }
}
