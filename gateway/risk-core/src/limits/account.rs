//! Limits of an account, shared through a class or its own.
//!
//! Owned by the limit table. Invariant: [`AccountLimits`] holds what the order path reads, with all
//! divisions already made; an unset cell stands in it as a bound that nothing keeps.

use super::Cell;
use super::field::limit_fields;
use super::instrument::{BUCKET_NS_MAX, VOLUME_BUCKETS};

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
    /// [`reciprocal`] of it, by which a window is divided without a division.
    volume_reciprocal: u64,
    volume_shift: u32,
}

const _: () = assert!(size_of::<AccountLimits>() == 128, "a row is two lines");

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
        let (volume_reciprocal, volume_shift) = reciprocal(volume_max.max(1) as u64);
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
            volume_reciprocal,
            volume_shift,
        }
    }

    /// Nanoseconds of a volume window that one lot takes: ceil(window / volume_max), which is one more than
    /// floor((window - 1) / volume_max).
    #[inline(always)]
    pub(crate) const fn lot_cost_ns(&self, window_ns: u64) -> u64 {
        let doubled = window_ns.wrapping_sub(1) << 1;
        let product = self.volume_reciprocal as u128 * doubled as u128;
        ((product >> 64) as u64 >> (self.volume_shift & 63)).wrapping_add(1)
    }
}

/// What a window less one nanosecond is divided by lots with: doubled, times the first, less 64 and the
/// second's bits.
///
/// With p = 63 + shift, the first is (2^p + e) / lots, e from 1 to lots, so the quotient is too large by less
/// than window x e / 2^p of 1 / lots. A window is below 2^48, and e below 2^(shift + 1): too little to reach
/// the next whole number.
const fn reciprocal(lots: u64) -> (u64, u32) {
    let shift = lots.ilog2();
    let product = (1_u128 << (63 + shift)) / lots as u128 + 1;
    (product as u64, shift)
}

const _: () = assert!(BUCKET_NS_MAX as u64 * (VOLUME_BUCKETS as u64) < 1 << 48);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_costs_its_share_of_the_window_rounded_up() {
        let windows = [1, 2, 63, 64, 65, 1_000_000_007, 64_000_000_000];
        let window_max = BUCKET_NS_MAX as u64 * VOLUME_BUCKETS as u64;
        let bits = (0..=60).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for lots in bits.filter(|lots| (1..=LARGEST as u64).contains(lots)) {
            let mut cells = AccountCells::UNSET;
            cells.set(AccountField::AccountVolumeMax, lots as i64);
            let limits = AccountLimits::new(&cells, 0);
            let near = [
                window_max - 1,
                window_max,
                lots - 1,
                lots,
                lots + 1,
                3 * lots,
            ];
            for window in windows.into_iter().chain(near) {
                if (1..=window_max).contains(&window) {
                    let cost = limits.lot_cost_ns(window);
                    assert_eq!(cost, window.div_ceil(lots), "{window} / {lots}");
                }
            }
        }
    }
}
