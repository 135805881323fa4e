//! Quantities with units: ticks, lots, quanta, millionths.
//!
//! Owned by no thread. Invariants: units do not mix, since there is no arithmetic between unlike
//! types but the named products below; products run in i128 and are exact. Rounding, where it
//! happens at all, is against the account and named in the method.

/// Limit or trade price in ticks of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Price(i64);

impl Price {
    /// The price of this many ticks.
    #[must_use]
    pub const fn new(ticks: i64) -> Self {
        Self(ticks)
    }

    /// Ticks.
    #[must_use]
    pub const fn ticks(self) -> i64 {
        self.0
    }
}

/// Quantity in lots of one instrument; signed where it is a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Qty(i64);

impl Qty {
    /// No lots.
    pub const ZERO: Self = Self(0);

    /// The quantity of this many lots.
    #[must_use]
    pub const fn new(lots: i64) -> Self {
        Self(lots)
    }

    /// Lots.
    #[must_use]
    pub const fn lots(self) -> i64 {
        self.0
    }
}

/// Money in quanta of the settlement asset (10^-6 unless the config says otherwise).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// This many quanta.
    #[must_use]
    pub const fn new(quanta: i64) -> Self {
        Self(quanta)
    }

    /// Quanta.
    #[must_use]
    pub const fn quanta(self) -> i64 {
        self.0
    }

    /// The sum, or `None` where it leaves the range.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// From a wide amount, or `None` where it leaves the range.
    #[must_use]
    pub fn from_wide(quanta: i128) -> Option<Self> {
        i64::try_from(quanta).ok().map(Self)
    }
}

/// Quanta for one tick of one lot: the exact integer that turns ticks and lots into money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct TickLotValue(core::num::NonZeroU32);

impl TickLotValue {
    /// The value, or `None` for zero.
    #[must_use]
    pub const fn new(quanta: u32) -> Option<Self> {
        match core::num::NonZeroU32::new(quanta) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// Quanta for one tick of one lot.
    #[must_use]
    pub const fn quanta(self) -> i64 {
        self.0.get() as i64
    }
}

/// Price x quantity x tick-lot value in quanta, kept wide: an exact product of outside numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Notional(i128);

impl Notional {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The exact product, or `None` where it leaves i128 (only for quantities no limit allows).
    #[must_use]
    pub fn of(price: Price, qty: Qty, value: TickLotValue) -> Option<Self> {
        let per_lot = i128::from(price.ticks()) * i128::from(value.quanta());
        per_lot.checked_mul(i128::from(qty.lots())).map(Self)
    }

    /// From a wide amount.
    #[must_use]
    pub const fn new(quanta: i128) -> Self {
        Self(quanta)
    }

    /// Quanta.
    #[must_use]
    pub const fn quanta(self) -> i128 {
        self.0
    }
}

/// Lots x ticks times quanta per tick and lot; what leaves i128 stands at its end, above any limit.
#[inline(always)]
#[must_use]
pub fn quanta(lot_ticks: i128, value: i64) -> i128 {
    // One multiplication where the first factor is what orders have.
    match i64::try_from(lot_ticks) {
        Ok(narrow) => i128::from(narrow) * i128::from(value),
        Err(_) => lot_ticks.saturating_mul(value.into()),
    }
}

/// A ratio in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Ppm(u32);

impl Ppm {
    /// One whole, as parts per million.
    pub const ONE: Self = Self(1_000_000);
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// This many parts per million.
    #[must_use]
    pub const fn new(ppm: u32) -> Self {
        Self(ppm)
    }

    /// Parts per million.
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// `amount` x ratio, rounded towards minus infinity (a credit rounds down).
    ///
    /// # Panics
    /// If the product leaves i128, which no amount of at most 2^90 quanta can make it do.
    #[must_use]
    pub const fn of_floor(self, amount: i128) -> i128 {
        // A division of 64 bits where that is enough.
        if amount as i64 as i128 == amount
            && let Some(product) = (amount as i64).checked_mul(self.0 as i64)
        {
            return product.div_euclid(1_000_000) as i128;
        }
        (amount * self.0 as i128).div_euclid(1_000_000)
    }

    /// `amount` x ratio, rounded towards plus infinity (a requirement rounds up).
    ///
    /// # Panics
    /// As [`Ppm::of_floor`].
    #[must_use]
    pub const fn of_ceil(self, amount: i128) -> i128 {
        -self.of_floor(-amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_round_against_the_account_on_both_sides_of_zero() {
        let third = Ppm::new(333_333);
        let cases = [
            (3, 0, 1),
            (0, 0, 0),
            (-3, -1, 0),
            (3_000_000, 999_999, 999_999),
        ];
        for (amount, floor, ceil) in cases {
            assert_eq!(
                (third.of_floor(amount), third.of_ceil(amount)),
                (floor, ceil)
            );
        }
    }

    #[test]
    fn a_notional_is_exact_or_absent() {
        let value = TickLotValue::new(125).expect("not zero");
        let notional = Notional::of(Price::new(4_000), Qty::new(-3), value).expect("small");
        assert_eq!(notional.quanta(), -1_500_000);
        let largest = TickLotValue::new(u32::MAX).expect("not zero");
        assert_eq!(
            Notional::of(Price::new(i64::MAX), Qty::new(i64::MAX), largest),
            None
        );
    }
}
