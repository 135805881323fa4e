//! Limit cells out of a section, by descriptor table.
//!
//! Control thread only. Invariant: nothing here knows a field by name; the tables of the risk core
//! say what there is, in what unit and range.

use super::mistake::{Mistakes, Place};
use super::section::{Item, Section};
use crate::field_value::{self, FieldScale};
use portcullis_risk_core::limits::{FieldDescriptor, Unit};

/// Suffixes that a duration may be given with, and how many ns one is. The first is canonical.
const DURATION_UNITS: [(&str, i64); 4] = [
    ("_ns", 1),
    ("_us", 1_000),
    ("_ms", 1_000_000),
    ("_s", 1_000_000_000),
];

/// Where the cells of one scope stand.
#[derive(Clone, Debug, Default)]
pub(super) struct CellPlaces {
    pub(super) whole: Place,
    fields: Vec<(&'static str, Place)>,
}

impl CellPlaces {
    /// Adds the place of a key that is no cell.
    pub(super) fn put(&mut self, key: &'static str, place: Place) {
        self.fields.push((key, place));
    }

    /// Where a field stands, or else its scope.
    pub(super) fn of(&self, field: &str) -> Place {
        let found = self.fields.iter().find(|(name, _)| *name == field);
        found.map_or(self.whole, |(_, place)| *place)
    }
}

/// How complete a section must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Every field that the descriptor requires.
    Required,
    /// Only what differs from a class.
    Exceptions,
}

/// Reads all fields of a table out of a section; `set` takes number and value of each.
pub(super) fn read(
    section: &mut Section<'_>,
    fields: &'static [FieldDescriptor],
    scale: FieldScale,
    wanted: Wanted,
    mistakes: &mut Mistakes<'_>,
    mut set: impl FnMut(usize, i64),
) -> CellPlaces {
    let mut places = CellPlaces {
        whole: section.place(),
        fields: Vec::new(),
    };
    for (number, field) in fields.iter().enumerate() {
        let Some((item, per_unit)) = take(section, field, mistakes) else {
            if field.required && wanted == Wanted::Required {
                let what = format!(
                    "{} lacks `{}`: {}",
                    section.what(),
                    field.name,
                    field.summary
                );
                let hint = format!(
                    "add `{}`, {}: even an order that reduces needs it",
                    field.name,
                    field_value::form(field, scale)
                );
                mistakes.add(section.place(), what, hint);
            }
            continue;
        };
        places.fields.push((field.name, item.place));
        if field.unit == Unit::Ticks && scale.tick.is_none() {
            // The tick itself is a mistake that stands listed; a price cannot be judged without it.
            continue;
        }
        if let Some(value) = value(&item, field, per_unit, scale, mistakes) {
            set(number, value);
        }
    }
    places
}

/// A field's item, and how much of the field's unit one of the item's is.
fn take<'t>(
    section: &mut Section<'t>,
    field: &FieldDescriptor,
    mistakes: &mut Mistakes<'_>,
) -> Option<(Item<'t>, i64)> {
    let Some(stem) = field.name.strip_suffix("_ns") else {
        return section.take(field.name).map(|item| (item, 1));
    };
    let mut found: Option<(Item<'t>, i64)> = None;
    for (suffix, per_unit) in DURATION_UNITS {
        let Some(item) = section.take(&format!("{stem}{suffix}")) else {
            continue;
        };
        match found {
            None => found = Some((item, per_unit)),
            Some((first, _)) => item.wrong(
                mistakes,
                format!("`{}` says again what `{}` has said", item.key, first.key),
                "keep one of the two",
            ),
        }
    }
    found
}

fn value(
    item: &Item<'_>,
    field: &FieldDescriptor,
    per_unit: i64,
    scale: FieldScale,
    mistakes: &mut Mistakes<'_>,
) -> Option<i64> {
    let read = if field_value::is_decimal(field) {
        let example = field_value::show(field, field.min.max(1), scale);
        field_value::from_decimal(field, item.decimal(&example, mistakes)?, scale)
    } else if let Some(switch) = item
        .as_boolean()
        .filter(|_| (field.min, field.max) == (0, 1))
    {
        Ok(switch.into())
    } else {
        let (min, max) = (
            field.min.div_euclid(per_unit),
            field.max.div_euclid(per_unit),
        );
        let whole = item.integer(min, max, mistakes)?;
        field_value::in_range(field, whole.saturating_mul(per_unit), scale)
    };
    match read {
        Ok(value) => Some(value),
        Err(error) => {
            item.wrong(mistakes, error.what, error.hint);
            None
        }
    }
}
