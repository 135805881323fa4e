//! Limits that orders come within a tenth of, and accounts that have one of them near.
//!
//! Owned by nobody. What an order may have is worked out from RULES and the state that was sent, not asked of
//! a core. Invariant: an account near one limit is far from all others.

mod worth;

use crate::limits::MarginTier;
use portcullis_risk_core::limits::account::{AccountCells, AccountField};

pub use worth::{Quotes, Worth};

/// Which limit is near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near {
    /// Notional of an order.
    Notional,
    /// Notional of all open orders.
    OpenNotional,
    /// A position with its orders.
    Position,
    /// Margin against equity.
    Margin,
    /// Orders in time.
    Rate,
    /// Lots of an order: every account of the load may come near it.
    Quantity,
    /// The collar: every account of the load may come near it.
    Collar,
}

/// Pairs of accounts among which each kind that has accounts of its own has one.
pub const PAIRS: u32 = 60;
/// Quanta of an order, or of all open ones.
pub const NOTIONAL_MAX: i64 = 120_000;
/// Lots of a position with its orders.
pub const POSITION_MAX: i64 = 32;
/// Lots of an order where another limit is the one that is near.
pub const QTY_WIDE: i64 = 40;
/// What an account near its margin pays in: a lot of each position held, and about a dozen more.
pub const MARGIN_DEPOSIT: i64 = 28_000;
/// Lots of each position of an account near its margin.
pub const MARGIN_LOTS: i64 = 1;
/// Lots of the largest order of the load, and of the largest that passes.
pub const QTY_LARGEST: i64 = 10;
/// One more than the load's largest: 10 of 11 is within a tenth.
pub const QTY_MAX: i64 = 11;
/// Lots of a position of any other account.
pub const POSITION_LOTS: i64 = 20;

impl Near {
    /// Those that have accounts of their own.
    pub const OF_ACCOUNTS: [Self; 5] = [
        Self::Notional,
        Self::OpenNotional,
        Self::Position,
        Self::Margin,
        Self::Rate,
    ];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notional => "notional",
            Self::OpenNotional => "open notional",
            Self::Position => "position",
            Self::Margin => "margin",
            Self::Rate => "rate",
            Self::Quantity => "quantity",
            Self::Collar => "collar",
        }
    }

    /// Whether accounts of its own come near it.
    #[must_use]
    pub fn has_accounts(self) -> bool {
        Self::OF_ACCOUNTS.contains(&self)
    }

    /// Which of these an account has near, by its place among those that trade; `None` of those of the load.
    #[must_use]
    pub fn of(kinds: &[Self], account: u32) -> Option<Self> {
        kinds.get((account / 2 % PAIRS) as usize).copied()
    }

    /// The account of a kind, of those that [`Near::of`] tells apart.
    #[must_use]
    pub const fn account(self, which: u32) -> u32 {
        2 * (self as u32 + PAIRS * (which / 2)) + which % 2
    }

    /// Accounts of a kind among so many pairs.
    #[must_use]
    pub const fn count(self, pairs: u32) -> u32 {
        2 * pairs.saturating_sub(self as u32).div_ceil(PAIRS)
    }

    /// Sets the limit that is near, but for that of a rate, which depends on how often its accounts order.
    pub fn tighten(self, cells: &mut AccountCells) {
        cells.set(AccountField::QtyMax, QTY_WIDE);
        match self {
            Self::Notional => cells.set(AccountField::NotionalMax, NOTIONAL_MAX),
            Self::OpenNotional => cells.set(AccountField::OpenNotionalMax, NOTIONAL_MAX),
            Self::Position => cells.set(AccountField::PositionMax, POSITION_MAX),
            Self::Margin | Self::Rate | Self::Quantity | Self::Collar => {}
        }
    }
}

/// IM of RULES, in millionths of a quantum.
#[must_use]
pub fn initial_margin(tiers: &[MarginTier], scale_ppm: u32, notional: i128) -> i128 {
    const PPM: i128 = 1_000_000;
    let scale = i128::from(scale_ppm);
    let ends = tiers[1..].iter().map(|tier| i128::from(tier.from_notional));
    let parts = tiers.iter().zip(ends.chain([i128::MAX]));
    parts
        .map(|(tier, end)| {
            let part = (notional.min(end) - i128::from(tier.from_notional)).max(0);
            let ratio = i128::from(tier.initial_ppm);
            part * (ratio + ((PPM - ratio) * scale + PPM - 1) / PPM)
        })
        .sum()
}
