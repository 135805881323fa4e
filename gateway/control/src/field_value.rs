//! Values of limit fields as people write them, by the field's descriptor alone.
//!
//! Owned by no thread. One rule for configs, account files and `ctl set`: money and prices are
//! decimals, exact; lots, counts, millionths and durations are whole numbers. Invariant: a field
//! added to a descriptor table needs nothing here.

use crate::decimal::{Decimal, MoneyScale};
use portcullis_domain::Money;
use portcullis_risk_core::limits::{FieldDescriptor, Tight, Unit};

/// What money and prices are measured in.
#[derive(Clone, Copy, Debug)]
pub struct FieldScale {
    /// Quanta of the settlement asset.
    pub money: MoneyScale,
    /// One tick; `None` outside instruments, where nothing is measured in ticks.
    pub tick: Option<Decimal>,
}

/// Why a value cannot stand in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// What is wrong with it.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

/// Whether the field is written as a decimal (money, prices) or as a whole number.
#[must_use]
pub const fn is_decimal(field: &FieldDescriptor) -> bool {
    match field.unit {
        Unit::Quanta | Unit::Ticks => true,
        Unit::Lots | Unit::Nanoseconds | Unit::Ppm | Unit::Count => false,
    }
}

/// The cell value of a decimal.
///
/// # Errors
/// It is no whole number of the field's unit, or out of its range.
pub fn from_decimal(
    field: &FieldDescriptor,
    amount: Decimal,
    scale: FieldScale,
) -> Result<i64, ValueError> {
    let unit = unit_of(field, scale);
    let Some(value) = amount.in_units_of(unit) else {
        return Err(ValueError {
            what: format!(
                "`{}` is {amount}, which is no whole number of {unit}",
                field.name
            ),
            hint: format!("write {}", form(field, scale)),
        });
    };
    in_range(field, value, scale)
}

/// The cell value of a whole number.
///
/// # Errors
/// It is out of the field's range.
pub fn in_range(field: &FieldDescriptor, value: i64, scale: FieldScale) -> Result<i64, ValueError> {
    if (field.min..=field.max).contains(&value) {
        return Ok(value);
    }
    Err(ValueError {
        what: format!(
            "`{}` is {}, out of range",
            field.name,
            show(field, value, scale)
        ),
        hint: format!("write {}", form(field, scale)),
    })
}

/// The cell value of a text, as account files and control lines have it: without quotes.
///
/// # Errors
/// It has not the field's form, or is out of range.
pub fn from_text(
    field: &FieldDescriptor,
    text: &str,
    scale: FieldScale,
) -> Result<i64, ValueError> {
    let wrong = |why: String| ValueError {
        what: format!("`{}` is `{}`: {why}", field.name, short(text)),
        hint: format!("write {}", form(field, scale)),
    };
    let amount = Decimal::parse(text).map_err(|error| wrong(error.to_string()))?;
    if is_decimal(field) {
        return from_decimal(field, amount, scale);
    }
    let whole = amount.in_units_of(Decimal::power(0));
    in_range(
        field,
        whole.ok_or_else(|| wrong("it is no whole number".to_owned()))?,
        scale,
    )
}

/// A cell value as people write it.
#[must_use]
pub fn show(field: &FieldDescriptor, value: i64, scale: FieldScale) -> String {
    match field.unit {
        Unit::Quanta => scale.money.show(Money::new(value)),
        Unit::Ticks | Unit::Lots | Unit::Nanoseconds | Unit::Ppm | Unit::Count => {
            let amount = unit_of(field, scale).times(value);
            amount.map_or_else(|| value.to_string(), |amount| amount.to_string())
        }
    }
}

/// What may be written in a field, in words.
#[must_use]
pub fn form(field: &FieldDescriptor, scale: FieldScale) -> String {
    let (min, max) = (show(field, field.min, scale), show(field, field.max, scale));
    let unit = unit_of(field, scale);
    match field.unit {
        Unit::Quanta => format!("money from {min} to {max}, a multiple of {unit}"),
        Unit::Ticks => format!("a price from {min} to {max}, a multiple of {unit}"),
        Unit::Lots => format!("a whole number of lots from {min} to {max}"),
        Unit::Nanoseconds => format!("a whole number of nanoseconds from {min} to {max}"),
        Unit::Ppm => format!("a whole number of millionths from {min} to {max}"),
        Unit::Count => format!("a whole number from {min} to {max}"),
    }
}

/// What a change of a cell does to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// No order passes that did not before.
    Tighter,
    /// No order is refused that was not before.
    Looser,
    /// Both may happen.
    Either,
}

/// What a change of a field from one value to another does; `None` is an unset cell, which is the
/// strictest of all, since its check then fails.
#[must_use]
pub fn effect(field: &FieldDescriptor, from: Option<i64>, to: Option<i64>) -> Effect {
    let (from, to) = match (from, to) {
        (Some(from), Some(to)) => (from, to),
        (None, _) => return Effect::Looser,
        (Some(_), None) => return Effect::Tighter,
    };
    match (field.tight, to < from) {
        (Tight::Lower, true) | (Tight::Higher, false) => Effect::Tighter,
        (Tight::Lower, false) | (Tight::Higher, true) => Effect::Looser,
        (Tight::Neither, _) => Effect::Either,
    }
}

fn unit_of(field: &FieldDescriptor, scale: FieldScale) -> Decimal {
    match field.unit {
        Unit::Quanta => scale.money.quantum(),
        Unit::Ticks => scale.tick.unwrap_or(Decimal::power(0)),
        Unit::Lots | Unit::Nanoseconds | Unit::Ppm | Unit::Count => Decimal::power(0),
    }
}

fn short(text: &str) -> String {
    text.chars()
        .take(40)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}
