//! Limits of a firm or clearing member, beside those of its accounts; the tighter wins.
//!
//! Owned by the limit table. Invariant: a firm's quantity and notional bounds already are the
//! smaller of its own and its clearing member's.

use super::Rate;
use super::account::LARGEST;
use super::field::limit_fields;

limit_fields!(
    /// The limits a firm has.
    FirmField, FIRM_FIELDS, FirmCells {
        RateIntervalNs = 0, "rate_interval_ns", Nanoseconds, Higher, 1, 1_000_000_000, true,
            "interval in which `rate_count` orders of all its accounts may come";
        RateCount = 1, "rate_count", Count, Lower, 1, 1_000_000_000, true,
            "orders per `rate_interval_ns`, sustained";
        RateBurst = 2, "rate_burst", Count, Lower, 1, 1_000_000, true,
            "orders that may come at once";
        QtyMax = 3, "qty_max", Lots, Lower, 1, LARGEST, true,
            "lots of one order";
        NotionalMax = 4, "notional_max", Quanta, Lower, 0, LARGEST, false,
            "price x quantity of one order";
        OpenOrdersMax = 5, "open_orders_max", Count, Lower, 0, 1_000_000_000, false,
            "open orders of all its accounts";
        OpenNotionalMax = 6, "open_notional_max", Quanta, Lower, 0, LARGEST, false,
            "price x quantity of all open orders of all its accounts";
    }
);

/// What the order path reads of a firm's limits.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct FirmLimits {
    pub(crate) rate: Rate,
    pub(crate) qty_max: i64,
    pub(crate) notional_max: i64,
    pub(crate) open_orders_max: i64,
    pub(crate) open_notional_max: i64,
    /// Index of the clearing member, or of the firm itself where it has none.
    pub(crate) clearing_member: u32,
    pub(crate) restricted_set: u32,
    /// Whether the set holds any instrument.
    pub(crate) restricts: bool,
}

impl FirmLimits {
    /// Of a firm that no table has named yet: nothing keeps them.
    pub(crate) const NONE: Self = Self {
        rate: Rate::NONE,
        qty_max: i64::MIN,
        notional_max: i64::MIN,
        open_orders_max: i64::MIN,
        open_notional_max: i64::MIN,
        clearing_member: 0,
        restricted_set: 0,
        restricts: true,
    };

    pub(super) fn new(
        cells: &FirmCells,
        clearing_member: u32,
        restricted_set: u32,
        restricts: bool,
    ) -> Self {
        let bound = |field| cells.cell(field).or_failing();
        Self {
            rate: Rate::of(
                cells.cell(FirmField::RateIntervalNs),
                cells.cell(FirmField::RateCount),
                cells.cell(FirmField::RateBurst),
            ),
            qty_max: bound(FirmField::QtyMax),
            notional_max: bound(FirmField::NotionalMax),
            open_orders_max: bound(FirmField::OpenOrdersMax),
            open_notional_max: bound(FirmField::OpenNotionalMax),
            clearing_member,
            restricted_set,
            restricts,
        }
    }

    /// Takes the smaller of this firm's and its clearing member's bounds on a single order.
    pub(super) fn tighten_by(&mut self, member: &FirmLimits) {
        self.qty_max = self.qty_max.min(member.qty_max);
        self.notional_max = self.notional_max.min(member.notional_max);
    }
}
