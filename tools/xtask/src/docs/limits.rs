//! The limits of each scope, from the descriptors that config and commands read.

use portcullis_risk_core::limits::{
    FieldDescriptor, Tight, Unit, account::ACCOUNT_FIELDS, firm::FIRM_FIELDS,
    instrument::INSTRUMENT_FIELDS, session::SESSION_FIELDS,
};

use super::table::table;

/// Each scope and its fields, in the order of the page.
const SCOPES: &[(&str, &[FieldDescriptor])] = &[
    ("Account", ACCOUNT_FIELDS),
    ("Instrument", INSTRUMENT_FIELDS),
    ("Firm", FIRM_FIELDS),
    ("Session", SESSION_FIELDS),
];

/// What checks read that is not one number: scope, name, meaning.
const NOT_A_NUMBER: &[(&str, &str, &str)] = &[
    (
        "account",
        "instruments",
        "the instruments that the account may trade",
    ),
    (
        "firm",
        "restricted",
        "the instruments in which the firm may only reduce",
    ),
    (
        "instrument",
        "initial_margin",
        "the share of notional to hold, by tier of notional",
    ),
];

pub(super) fn page() -> String {
    let mut text = String::from(
        "# Limits\n\nEvery limit, by the scope that has it. Unset is never unlimited: a check whose \
         limit is not set fails, and a table that lacks a required limit does not load. At the \
         limit passes; one more fails.\n",
    );
    for (scope, fields) in SCOPES {
        let rows: Vec<[String; 6]> = fields.iter().map(row).collect();
        let headings = ["name", "unit", "from", "to", "stricter", "meaning"];
        text.push_str(&format!("\n## {scope}\n\n{}", table(headings, &rows)));
    }
    let rows: Vec<[String; 3]> = NOT_A_NUMBER
        .iter()
        .map(|(scope, name, meaning)| [(*scope).into(), format!("`{name}`"), (*meaning).into()])
        .collect();
    let lists = table(["scope", "name", "meaning"], &rows);
    text.push_str(&format!("\n## Lists and schedules\n\n{lists}"));
    text
}

fn row(field: &FieldDescriptor) -> [String; 6] {
    let required = if field.required { " (required)" } else { "" };
    [
        format!("`{}`{required}", field.name),
        unit(field.unit).into(),
        field.min.to_string(),
        field.max.to_string(),
        stricter(field.tight).into(),
        field.summary.into(),
    ]
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Lots => "lots",
        Unit::Ticks => "ticks",
        Unit::Quanta => "quanta",
        Unit::Nanoseconds => "ns",
        Unit::Ppm => "ppm",
        Unit::Count => "number",
    }
}

fn stricter(tight: Tight) -> &'static str {
    match tight {
        Tight::Lower => "lower",
        Tight::Higher => "higher",
        Tight::Neither => "neither way",
    }
}

/// Whether a scope, as the registry of checks writes it, has a limit of this name.
#[cfg(test)]
pub(super) fn has(scope: &str, name: &str) -> bool {
    let of_scope = |(heading, _): &&(&str, &[FieldDescriptor])| heading.eq_ignore_ascii_case(scope);
    let mut fields = SCOPES
        .iter()
        .filter(of_scope)
        .flat_map(|(_, fields)| fields.iter());
    let listed = NOT_A_NUMBER
        .iter()
        .any(|(s, n, _)| (*s, *n) == (scope, name));
    listed || fields.any(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_every_scope_has_a_row() {
        let text = page();
        let fields = SCOPES.iter().flat_map(|(_, fields)| fields.iter());
        assert!(fields.clone().count() > 20);
        for field in fields {
            assert!(
                text.contains(&format!("| `{}`", field.name)),
                "{}",
                field.name
            );
        }
    }
}
