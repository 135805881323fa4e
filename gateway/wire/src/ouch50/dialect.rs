//! What the widths of the dialect hold, and the exact conversion between wire units and ticks and
//! lots.
//!
//! **Thread.** Plain values, made at load, read by whoever decodes.
//! **Invariants.** A conversion is exact or an error, never rounded. An [`InstrumentScale`] exists
//! only for an instrument whose every price and quantity the dialect can say.
//! **Never.** Take a price that means "market" for a number.

use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};
use portcullis_domain::{Price, Qty};

/// The numbers of a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Decimals of a price on the wire.
    pub price_decimals: u32,
    /// The highest limit price, in wire units.
    pub price_max_wire: u64,
    /// Prices that mean "market", in wire units.
    pub price_market_wire: [u64; 2],
    /// Whether a price may be negative.
    pub price_signed: bool,
    /// The highest quantity of an order, in wire units.
    pub qty_max_wire: u32,
}

/// OUCH 5.0 with four decimals: limits up to 199,999.9900.
pub const OUCH50: Dialect = Dialect {
    price_decimals: 4,
    price_max_wire: 1_999_999_900,
    price_market_wire: [2_000_000_000, 0x7FFF_FFFF],
    price_signed: false,
    qty_max_wire: 999_999,
};

/// What the eight bytes of a price say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OuchPrice {
    /// A limit, in wire units.
    Limit(u64),
    /// No limit: 200,000.0000, or the highest positive i32 that crosses use.
    Market,
    /// Beyond the highest limit, and not one of the two that mean "market".
    AboveMax(u64),
}

impl Dialect {
    /// What a price field says.
    #[must_use]
    pub const fn price(&self, wire: u64) -> OuchPrice {
        let [market, cross] = self.price_market_wire;
        if wire == market || wire == cross {
            OuchPrice::Market
        } else if wire > self.price_max_wire {
            OuchPrice::AboveMax(wire)
        } else {
            OuchPrice::Limit(wire)
        }
    }

    /// The scale of an instrument, if the dialect can say all its prices and quantities.
    ///
    /// `tick_wire` is one tick in units of 10^-`price_decimals`, `lot_wire` one lot in wire units of
    /// quantity; prices run from `price_min` to `price_max`, orders up to `qty_max`.
    ///
    /// # Errors
    /// What does not fit, with both numbers.
    pub fn fits(
        &self,
        tick_wire: NonZeroU64,
        lot_wire: NonZeroU32,
        price_min: Price,
        price_max: Price,
        qty_max: Qty,
    ) -> Result<InstrumentScale, FitError> {
        if price_min.ticks() < 0 && !self.price_signed {
            return Err(FitError::NegativePrice {
                ticks: price_min.ticks(),
            });
        }
        let scale = InstrumentScale {
            dialect: *self,
            tick_wire,
            lot_wire,
        };
        let highest = i128::from(price_max.ticks()) * i128::from(tick_wire.get());
        if highest > i128::from(self.price_max_wire) {
            return Err(FitError::PriceMax {
                ticks: price_max.ticks(),
                wire: highest,
                most: self.price_max_wire,
            });
        }
        let largest = i128::from(qty_max.lots()) * i128::from(lot_wire.get());
        if largest > i128::from(self.qty_max_wire) {
            return Err(FitError::QtyMax {
                lots: qty_max.lots(),
                wire: largest,
                most: self.qty_max_wire,
            });
        }
        Ok(scale)
    }
}

/// Why an instrument cannot be traded in a dialect; it does not load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitError {
    /// The instrument may have negative prices, the dialect's are unsigned.
    NegativePrice {
        /// The instrument's lowest price in ticks.
        ticks: i64,
    },
    /// The highest price is beyond the field.
    PriceMax {
        /// The instrument's highest price in ticks.
        ticks: i64,
        /// The same in wire units.
        wire: i128,
        /// The highest the dialect can say.
        most: u64,
    },
    /// The largest order is beyond the field.
    QtyMax {
        /// The largest order in lots.
        lots: i64,
        /// The same in wire units.
        wire: i128,
        /// The most the dialect can say.
        most: u32,
    },
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FitError::NegativePrice { ticks } => write!(
                f,
                "prices go down to {ticks} ticks, the dialect has no negative price; raise price_min to 0"
            ),
            FitError::PriceMax { ticks, wire, most } => write!(
                f,
                "a price of {ticks} ticks is {wire} on the wire, the most is {most}; lower price_max or enlarge the tick"
            ),
            FitError::QtyMax { lots, wire, most } => write!(
                f,
                "an order of {lots} lots is {wire} on the wire, the most is {most}; lower qty_max"
            ),
        }
    }
}

impl core::error::Error for FitError {}

/// A number that does not convert exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleError {
    /// The price is between two ticks.
    NotOnTick {
        /// The price on the wire.
        wire: u64,
        /// One tick in the same unit.
        tick_wire: u64,
    },
    /// The quantity is no whole number of lots.
    NotOnLot {
        /// The quantity on the wire.
        wire: u32,
        /// One lot in the same unit.
        lot_wire: u32,
    },
    /// The price is beyond what the dialect's field may say.
    PriceRange {
        /// The price in ticks.
        ticks: i64,
    },
    /// The quantity is beyond what the dialect's field may say.
    QtyRange {
        /// The quantity in lots.
        lots: i64,
    },
}

impl fmt::Display for ScaleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScaleError::NotOnTick { wire, tick_wire } => {
                write!(f, "price {wire} is no multiple of the tick {tick_wire}")
            }
            ScaleError::NotOnLot { wire, lot_wire } => {
                write!(f, "quantity {wire} is no multiple of the lot {lot_wire}")
            }
            ScaleError::PriceRange { ticks } => {
                write!(f, "a price of {ticks} ticks cannot be said in this dialect")
            }
            ScaleError::QtyRange { lots } => {
                write!(
                    f,
                    "a quantity of {lots} lots cannot be said in this dialect"
                )
            }
        }
    }
}

impl core::error::Error for ScaleError {}

/// One instrument's units against the wire's. Made by [`Dialect::fits`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentScale {
    dialect: Dialect,
    tick_wire: NonZeroU64,
    lot_wire: NonZeroU32,
}

impl InstrumentScale {
    /// Ticks of a limit price.
    ///
    /// # Errors
    /// The price is between two ticks, or beyond i64.
    #[inline]
    pub fn price_from_wire(&self, wire: u64) -> Result<Price, ScaleError> {
        let tick_wire = self.tick_wire.get();
        let not_on_tick = ScaleError::NotOnTick { wire, tick_wire };
        if !wire.is_multiple_of(tick_wire) {
            return Err(not_on_tick);
        }
        i64::try_from(wire / tick_wire)
            .map(Price::new)
            .map_err(|_| not_on_tick)
    }

    /// Wire units of a limit price.
    ///
    /// # Errors
    /// The price is negative or above the dialect's highest.
    #[inline]
    pub fn price_to_wire(&self, price: Price) -> Result<u64, ScaleError> {
        let out_of_range = ScaleError::PriceRange {
            ticks: price.ticks(),
        };
        let ticks = u64::try_from(price.ticks()).map_err(|_| out_of_range)?;
        match ticks.checked_mul(self.tick_wire.get()) {
            Some(wire) if wire <= self.dialect.price_max_wire => Ok(wire),
            Some(_) | None => Err(out_of_range),
        }
    }

    /// Lots of a quantity.
    ///
    /// # Errors
    /// The quantity is no whole number of lots.
    #[inline]
    pub fn qty_from_wire(&self, wire: u32) -> Result<Qty, ScaleError> {
        let lot_wire = self.lot_wire.get();
        if !wire.is_multiple_of(lot_wire) {
            return Err(ScaleError::NotOnLot { wire, lot_wire });
        }
        Ok(Qty::new(i64::from(wire / lot_wire)))
    }

    /// Wire units of a quantity.
    ///
    /// # Errors
    /// The quantity is negative or above the dialect's highest.
    #[inline]
    pub fn qty_to_wire(&self, qty: Qty) -> Result<u32, ScaleError> {
        let out_of_range = ScaleError::QtyRange { lots: qty.lots() };
        let lots = u32::try_from(qty.lots()).map_err(|_| out_of_range)?;
        match lots.checked_mul(self.lot_wire.get()) {
            Some(wire) if wire <= self.dialect.qty_max_wire => Ok(wire),
            Some(_) | None => Err(out_of_range),
        }
    }

    /// One tick in wire units.
    #[must_use]
    pub const fn tick_wire(&self) -> NonZeroU64 {
        self.tick_wire
    }

    /// One lot in wire units.
    #[must_use]
    pub const fn lot_wire(&self) -> NonZeroU32 {
        self.lot_wire
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(tick: u64, lot: u32) -> InstrumentScale {
        let tick = NonZeroU64::new(tick).expect("not 0");
        let lot = NonZeroU32::new(lot).expect("not 0");
        OUCH50
            .fits(tick, lot, Price::new(1), Price::new(1), Qty::new(1))
            .expect("small")
    }

    #[test]
    fn two_encodings_mean_market_and_the_rest_is_a_number() {
        let cases = [
            (0, OuchPrice::Limit(0)),
            (1_999_999_900, OuchPrice::Limit(1_999_999_900)),
            (1_999_999_901, OuchPrice::AboveMax(1_999_999_901)),
            (1_999_999_999, OuchPrice::AboveMax(1_999_999_999)),
            (2_000_000_000, OuchPrice::Market),
            (2_000_000_001, OuchPrice::AboveMax(2_000_000_001)),
            (0x7FFF_FFFF, OuchPrice::Market),
            (u64::MAX, OuchPrice::AboveMax(u64::MAX)),
        ];
        for (wire, expected) in cases {
            assert_eq!(OUCH50.price(wire), expected, "{wire}");
        }
    }

    #[test]
    fn prices_convert_exactly_or_not_at_all() {
        let quarter = scale(2_500, 1);
        assert_eq!(quarter.price_from_wire(47_500_000), Ok(Price::new(19_000)));
        assert_eq!(
            quarter.price_from_wire(47_500_001),
            Err(ScaleError::NotOnTick {
                wire: 47_500_001,
                tick_wire: 2_500
            })
        );
        assert_eq!(quarter.price_to_wire(Price::new(19_000)), Ok(47_500_000));
        assert_eq!(
            quarter.price_to_wire(Price::new(799_999)),
            Ok(1_999_997_500)
        );
        for ticks in [-1, 800_000, i64::MAX, i64::MIN] {
            assert_eq!(
                quarter.price_to_wire(Price::new(ticks)),
                Err(ScaleError::PriceRange { ticks })
            );
        }
        assert!(scale(1, 1).price_from_wire(u64::MAX).is_err());
    }

    #[test]
    fn quantities_convert_exactly_or_not_at_all() {
        let hundreds = scale(1, 100);
        assert_eq!(hundreds.qty_from_wire(300), Ok(Qty::new(3)));
        assert_eq!(
            hundreds.qty_from_wire(301),
            Err(ScaleError::NotOnLot {
                wire: 301,
                lot_wire: 100
            })
        );
        assert_eq!(hundreds.qty_to_wire(Qty::new(9_999)), Ok(999_900));
        for lots in [-1, 10_000, i64::MAX] {
            assert_eq!(
                hundreds.qty_to_wire(Qty::new(lots)),
                Err(ScaleError::QtyRange { lots })
            );
        }
    }

    #[test]
    fn an_instrument_loads_at_the_edge_and_not_one_beyond() {
        let tick = NonZeroU64::new(100).expect("not 0");
        let lot = NonZeroU32::new(1).expect("not 0");
        let fits = |low: i64, high: i64, most: i64| {
            OUCH50
                .fits(tick, lot, Price::new(low), Price::new(high), Qty::new(most))
                .map(|_| ())
        };
        assert_eq!(fits(0, 19_999_999, 999_999), Ok(()));
        assert!(matches!(
            fits(0, 20_000_000, 1),
            Err(FitError::PriceMax {
                wire: 2_000_000_000,
                ..
            })
        ));
        assert!(matches!(
            fits(0, 1, 1_000_000),
            Err(FitError::QtyMax { .. })
        ));
        assert_eq!(fits(-1, 1, 1), Err(FitError::NegativePrice { ticks: -1 }));
        assert!(matches!(
            fits(0, i64::MAX, 1),
            Err(FitError::PriceMax { .. })
        ));
    }
}
