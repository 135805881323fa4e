//! What the wire protocol can say, as plain numbers, and whether an instrument fits it.
//!
//! Owned by no thread. Invariant: the check is exact; nothing here knows a protocol by name beyond
//! the words its caller gives.

use crate::decimal::Decimal;

/// The bounds of a wire dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialectBounds {
    /// Its name, for messages.
    pub name: &'static str,
    /// Decimals of a price on the wire.
    pub price_decimals: u32,
    /// The highest limit price, in 10^-`price_decimals`.
    pub price_max_wire: u64,
    /// Decimals of a quantity on the wire.
    pub qty_decimals: u32,
    /// The largest quantity of an order, in 10^-`qty_decimals`.
    pub qty_max_wire: u64,
    /// The longest symbol, in characters.
    pub symbol_len_max: usize,
}

/// One instrument in wire units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireUnits {
    /// One tick in 10^-`price_decimals`.
    pub tick: i64,
    /// One lot in 10^-`qty_decimals`.
    pub lot: i64,
}

/// How an instrument does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// One tick is no whole number of the wire's price unit.
    Tick,
    /// One lot is no whole number of the wire's quantity unit.
    Lot,
    /// The highest price is beyond the wire's; the most ticks that fit.
    PriceMax(i64),
    /// The largest order is beyond the wire's; the most lots that fit.
    QtyMax(i64),
}

impl DialectBounds {
    /// The wire units of a tick and a lot.
    ///
    /// # Errors
    /// Which of them is no whole, positive number of its unit.
    pub fn units(&self, tick: Decimal, lot: Decimal) -> Result<WireUnits, Misfit> {
        let positive = |value: Decimal, places| {
            value
                .in_units_of(Decimal::power(places))
                .filter(|units| *units >= 1)
        };
        Ok(WireUnits {
            tick: positive(tick, self.price_decimals).ok_or(Misfit::Tick)?,
            lot: positive(lot, self.qty_decimals).ok_or(Misfit::Lot)?,
        })
    }

    /// Whether the highest price of an instrument can be said.
    ///
    /// # Errors
    /// The most ticks that can.
    pub fn price_fits(&self, units: WireUnits, price_max: i64) -> Result<(), Misfit> {
        let most = i128::from(self.price_max_wire) / i128::from(units.tick);
        if i128::from(price_max) <= most {
            Ok(())
        } else {
            Err(Misfit::PriceMax(most as i64))
        }
    }

    /// Whether the largest order in an instrument can be said.
    ///
    /// # Errors
    /// The most lots that can.
    pub fn qty_fits(&self, units: WireUnits, qty_max: i64) -> Result<(), Misfit> {
        let most = i128::from(self.qty_max_wire) / i128::from(units.lot);
        if i128::from(qty_max) <= most {
            Ok(())
        } else {
            Err(Misfit::QtyMax(most as i64))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUCH: DialectBounds = DialectBounds {
        name: "OUCH 5.0",
        price_decimals: 4,
        price_max_wire: 1_999_999_900,
        qty_decimals: 0,
        qty_max_wire: 999_999,
        symbol_len_max: 8,
    };

    #[test]
    fn the_edge_fits_and_one_more_does_not() {
        let decimal = |text| Decimal::parse(text).expect("a decimal");
        let units = OUCH
            .units(decimal("0.25"), decimal("100"))
            .expect("both fit");
        assert_eq!(
            units,
            WireUnits {
                tick: 2_500,
                lot: 100
            }
        );
        assert_eq!(OUCH.price_fits(units, 799_999), Ok(()));
        assert_eq!(
            OUCH.price_fits(units, 800_000),
            Err(Misfit::PriceMax(799_999))
        );
        assert_eq!(OUCH.qty_fits(units, 9_999), Ok(()));
        assert_eq!(OUCH.qty_fits(units, 10_000), Err(Misfit::QtyMax(9_999)));
        assert_eq!(
            OUCH.units(decimal("0.00005"), decimal("1")),
            Err(Misfit::Tick)
        );
        assert_eq!(OUCH.units(decimal("1"), decimal("0.5")), Err(Misfit::Lot));
        assert_eq!(OUCH.units(decimal("0"), decimal("1")), Err(Misfit::Tick));
    }
}
