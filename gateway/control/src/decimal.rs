//! Decimals as people write them, and their exact conversion into ticks and quanta.
//!
//! Owned by no thread. Invariants: a conversion is exact or refused, never rounded; a decimal holds
//! at most 30 digits, so that no product of two fits less than i128 asks for. Must never see a
//! float.

use core::fmt;
use portcullis_domain::{Money, Price};

/// The most digits a decimal may have, before and after the point together.
const DIGITS_MAX: u32 = 30;

/// The most digits after the point.
const PLACES_MAX: u32 = 18;

/// A decimal number: `digits` x 10^-`places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: i128,
    places: u32,
}

/// Why a text is no decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// No digits at all.
    Empty,
    /// A character that has no business there.
    Character(char),
    /// More digits than are ever needed.
    TooLong,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there are no digits"),
            Self::Character(found) => write!(f, "{found:?} does not belong in a decimal number"),
            Self::TooLong => {
                write!(
                    f,
                    "more than {DIGITS_MAX} digits, or {PLACES_MAX} after the point"
                )
            }
        }
    }
}

impl core::error::Error for DecimalError {}

impl Decimal {
    /// Reads `12`, `-0.25`, `1_000_000.00`: digits, one point at the most with digits on both
    /// sides, underscores between digits, a leading minus. No exponent, no plus, no blanks.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut digits: i128 = 0;
        let mut count = 0;
        let mut places = None;
        let mut last_is_digit = false;
        for character in unsigned.chars() {
            match character {
                '0'..='9' => {
                    count += 1;
                    if count > DIGITS_MAX || places == Some(PLACES_MAX) {
                        return Err(DecimalError::TooLong);
                    }
                    digits = digits * 10 + i128::from(character as u32 - '0' as u32);
                    places = places.map(|so_far| so_far + 1);
                }
                '_' if last_is_digit => {}
                '.' if last_is_digit && places.is_none() => places = Some(0),
                other => return Err(DecimalError::Character(other)),
            }
            last_is_digit = character.is_ascii_digit();
        }
        if !last_is_digit {
            return Err(unsigned
                .chars()
                .last()
                .map_or(DecimalError::Empty, DecimalError::Character));
        }
        let digits = if negative { -digits } else { digits };
        Ok(Self {
            digits,
            places: places.unwrap_or(0),
        })
    }

    /// `10^-places`.
    ///
    /// # Panics
    /// If there are more than 18 places.
    #[must_use]
    pub const fn power(places: u32) -> Self {
        assert!(places <= PLACES_MAX, "more places than a decimal holds");
        Self { digits: 1, places }
    }

    /// `count` times this number, or `None` beyond i128.
    #[must_use]
    pub fn times(self, count: i64) -> Option<Self> {
        let digits = self.digits.checked_mul(count.into())?;
        Some(Self {
            digits,
            places: self.places,
        })
    }

    /// How many `unit` make this number, if it is a whole number that i64 holds.
    #[must_use]
    pub fn in_units_of(self, unit: Self) -> Option<i64> {
        let above = self.digits.checked_mul(10_i128.checked_pow(unit.places)?)?;
        let below = unit.digits.checked_mul(10_i128.checked_pow(self.places)?)?;
        if below == 0 || above % below != 0 {
            return None;
        }
        i64::try_from(above / below).ok()
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.digits < 0
    }

    /// Whether it is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.digits > 0
    }

    /// The places after the point if it is 1, 0.1, 0.01 and so on, otherwise `None`.
    #[must_use]
    pub fn as_power(self) -> Option<u32> {
        let reduced = self.reduced();
        (reduced.digits == 1).then_some(reduced.places)
    }

    /// The same number without trailing zeros after the point.
    #[must_use]
    pub fn reduced(mut self) -> Self {
        while self.places > 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.places -= 1;
        }
        self
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let unsigned = self.digits.unsigned_abs();
        let one = 10_u128.pow(self.places);
        let whole = unsigned / one;
        if self.places == 0 {
            return write!(f, "{sign}{whole}");
        }
        write!(
            f,
            "{sign}{whole}.{:0width$}",
            unsigned % one,
            width = self.places as usize
        )
    }
}

/// How many quanta make one of the settlement asset: 10^`places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoneyScale {
    places: u32,
}

impl MoneyScale {
    /// The most decimals a quantum may have.
    pub const PLACES_MAX: u32 = 9;

    /// The scale whose quantum is 10^-`places`; `None` beyond [`Self::PLACES_MAX`].
    #[must_use]
    pub const fn new(places: u32) -> Option<Self> {
        if places <= Self::PLACES_MAX {
            Some(Self { places })
        } else {
            None
        }
    }

    /// One quantum.
    #[must_use]
    pub const fn quantum(self) -> Decimal {
        Decimal::power(self.places)
    }

    /// The amount, if it is a whole number of quanta in range.
    #[must_use]
    pub fn money(self, amount: Decimal) -> Option<Money> {
        amount.in_units_of(self.quantum()).map(Money::new)
    }

    /// The amount as people write it.
    #[must_use]
    pub fn show(self, money: Money) -> String {
        let amount = Decimal {
            digits: money.quanta().into(),
            places: self.places,
        };
        amount.reduced().to_string()
    }
}

impl Default for MoneyScale {
    /// Millionths.
    fn default() -> Self {
        Self { places: 6 }
    }
}

/// The price of `ticks` ticks as people write it.
#[must_use]
pub fn show_price(price: Price, tick: Decimal) -> String {
    match tick.times(price.ticks()) {
        Some(amount) => amount.to_string(),
        None => format!("{} ticks", price.ticks()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect("a decimal")
    }

    #[test]
    fn a_decimal_is_read_whole_or_refused_by_what_is_wrong() {
        let good = [
            ("0", "0"),
            ("-0.25", "-0.25"),
            ("1_000_000.00", "1000000.00"),
            ("199999.99", "199999.99"),
            ("0.000000000000000001", "0.000000000000000001"),
        ];
        for (text, shown) in good {
            assert_eq!(decimal(text).to_string(), shown);
        }
        let bad = [
            ("", DecimalError::Empty),
            ("-", DecimalError::Empty),
            (".5", DecimalError::Character('.')),
            ("5.", DecimalError::Character('.')),
            ("1.2.3", DecimalError::Character('.')),
            ("1e3", DecimalError::Character('e')),
            ("+1", DecimalError::Character('+')),
            ("1__0", DecimalError::Character('_')),
            ("1_", DecimalError::Character('_')),
            (" 1", DecimalError::Character(' ')),
            ("0.0000000000000000001", DecimalError::TooLong),
            ("1234567890123456789012345678901", DecimalError::TooLong),
        ];
        for (text, error) in bad {
            assert_eq!(Decimal::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn units_are_exact_or_absent() {
        let quarter = decimal("0.25");
        assert_eq!(decimal("4750.75").in_units_of(quarter), Some(19_003));
        assert_eq!(decimal("-0.50").in_units_of(quarter), Some(-2));
        assert_eq!(decimal("4750.80").in_units_of(quarter), None);
        assert_eq!(decimal("1").in_units_of(decimal("0")), None);
        let scale = MoneyScale::default();
        assert_eq!(scale.money(decimal("12.50")), Some(Money::new(12_500_000)));
        assert_eq!(scale.money(decimal("0.0000001")), None);
        assert_eq!(
            scale.money(decimal("9223372036854.775807")),
            Some(Money::new(i64::MAX))
        );
        assert_eq!(scale.money(decimal("9223372036854.775808")), None);
        assert_eq!(scale.show(Money::new(-12_500_000)), "-12.5");
        assert_eq!(show_price(Price::new(19_003), quarter), "4750.75");
        assert_eq!(
            show_price(Price::new(i64::MAX), quarter),
            "2305843009213693951.75"
        );
    }

    #[test]
    fn only_powers_of_ten_are_powers() {
        let cases = [
            ("1", Some(0)),
            ("0.0100", Some(2)),
            ("10", None),
            ("0.02", None),
            ("0", None),
        ];
        for (text, places) in cases {
            assert_eq!(decimal(text).as_power(), places, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(quanta in any::<i64>(), places in 0_u32..=9) {
            let scale = MoneyScale::new(places).expect("in range");
            let shown = scale.show(Money::new(quanta));
            prop_assert_eq!(scale.money(decimal(&shown)), Some(Money::new(quanta)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}", unit in "[0-9.]{0,20}") {
            let (text, unit) = (Decimal::parse(&text), Decimal::parse(&unit));
            if let (Ok(text), Ok(unit)) = (text, unit) {
                let _ = text.in_units_of(unit);
            }
        }
    }
}
