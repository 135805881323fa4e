//! Limits of an account, shared through a class or its own.
//!
//! Owned by the limit table. Invariant: [`AccountLimits`] holds what the order path reads, with all
//! divisions already made; an unset cell stands in it as a bound that nothing keeps.

use super::Cell;
use super::field::limit_fields;

/// No quantity, price or money of a limit may exceed this, so that sums of a few stay in range.
pub(super) const LARGEST: i64 = 1 << 60;
const DAY_NS: i64 = 86_400_000_000_000;

limit_fields!(
    /// The limits an account has.
    AccountField, ACCOUNT_FIELDS, AccountCells {
        RateIntervalNs = 0, "rate_interval_ns", Nanoseconds, Higher, 1, 1_000_000_000, true,
            "interval in which `rate_count` orders may come";
        RateCount = 1, "rate_count", Count, Lower, 1, 1_000_000_000, true,
            "orders per `rate_interval_ns`, sustained";
        RateBurst = 2, "rate_burst", Count, Lower, 1, 1_000_000, true,
            "orders that may come at once";
        RepeatWindowNs = 3, "repeat_window_ns", Nanoseconds, Higher, 0, DAY_NS, false,
            "identical orders no further apart than this count as a row";
        RepeatMax = 4, "repeat_max", Count, Lower, 0, 1_000_000_000, false,
            "identical orders in a row";
        QtyMax = 5, "qty_max", Lots, Lower, 1, LARGEST, true,
            "lots of one order";
        NotionalMax = 6, "notional_max", Quanta, Lower, 0, LARGEST, false,
            "price x quantity of one order";
        OpenOrdersMax = 7, "open_orders_max", Count, Lower, 0, 1_000_000_000, false,
            "open orders";
        PositionMax = 8, "position_max", Lots, Lower, 0, LARGEST, false,
            "worst-case position in one instrument, either way";
        OpenNotionalMax = 9, "open_notional_max", Quanta, Lower, 0, LARGEST, false,
            "price x quantity of all open orders";
        LossMax = 10, "loss_max", Quanta, Lower, 0, LARGEST, false,
            "loss since the start of the day";
        PnlWeightPpm = 11, "pnl_weight_ppm", Ppm, Lower, 0, 1_000_000, false,
            "share of unrealised profit that counts for admission";
        PnlCap = 12, "pnl_cap", Quanta, Lower, 0, LARGEST, false,
            "unrealised profit that counts for admission at the most";
        AccountVolumeMax = 13, "account_volume_max", Lots, Lower, 1, LARGEST, false,
            "lots ordered in one instrument within its volume window";
    }
);

/// What the order path reads of an account's limits.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct AccountLimits {
    pub(crate) qty_max: i64,
    pub(crate) notional_max: i64,
    pub(crate) open_notional_max: i64,
    pub(crate) position_max: i64,
    pub(crate) open_orders_max: i64,
    pub(crate) loss_max: i64,
    pub(crate) rate: super::Rate,
    pub(crate) repeat_window_ns: u64,
    pub(crate) repeat_max: i64,
    pub(crate) pnl_cap: i64,
    pub(crate) pnl_weight_ppm: u32,
    pub(crate) permission_set: u32,
    /// 0 where unset.
    pub(crate) volume_max: i64,
    /// floor((2^64 - 1) / volume_max), by which a window is divided without a division.
    volume_reciprocal: u64,
}

impl AccountLimits {
    /// Its lines.
    #[inline(always)]
    pub(crate) fn visit_lines(&self, lines: &mut impl crate::approach::LineSink) {
        lines.line(&self.qty_max);
        lines.line(&self.repeat_window_ns);
    }

    pub(super) fn new(cells: &AccountCells, permission_set: u32) -> Self {
        let bound = |field| cells.cell(field).or_failing();
        let volume_max = cells.cell(AccountField::AccountVolumeMax).value();
        let volume_max = volume_max.unwrap_or(0);
        Self {
            qty_max: bound(AccountField::QtyMax),
            notional_max: bound(AccountField::NotionalMax),
            open_notional_max: bound(AccountField::OpenNotionalMax),
            position_max: bound(AccountField::PositionMax),
            open_orders_max: bound(AccountField::OpenOrdersMax),
            loss_max: bound(AccountField::LossMax),
            rate: super::Rate::of(
                cells.cell(AccountField::RateIntervalNs),
                cells.cell(AccountField::RateCount),
                cells.cell(AccountField::RateBurst),
            ),
            repeat_window_ns: cells
                .cell(AccountField::RepeatWindowNs)
                .value()
                .unwrap_or(0) as u64,
            // Without a window there is no telling what repeats: unset, as the other.
            repeat_max: match cells.cell(AccountField::RepeatWindowNs).value() {
                Some(_) => bound(AccountField::RepeatMax),
                None => Cell::UNSET.or_failing(),
            },
            // Unset profit terms count nothing: the strict end of both fields.
            pnl_cap: cells.cell(AccountField::PnlCap).value().unwrap_or(0),
            pnl_weight_ppm: cells.cell(AccountField::PnlWeightPpm).value().unwrap_or(0) as u32,
            permission_set,
            volume_max,
            volume_reciprocal: u64::MAX / volume_max.max(1) as u64,
        }
    }

    /// Nanoseconds of a volume window that one lot takes: ceil(window / volume_max).
    #[inline(always)]
    pub(crate) const fn lot_cost_ns(&self, window_ns: u64) -> u64 {
        let divisor = if self.volume_max < 1 {
            1
        } else {
            self.volume_max as u64
        };
        // The reciprocal is less than one too small, and so is the quotient from it: one too low at the
        // most, which the rest shows.
        let low = ((self.volume_reciprocal as u128 * window_ns as u128) >> 64) as u64;
        let rest = window_ns - low * divisor;
        if rest == 0 {
            low
        } else if rest <= divisor {
            low + 1
        } else {
            low + 2
        }
    }
}
