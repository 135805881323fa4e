//! What a config sets that a bench's limits lack.
//!
//! Owned by nobody. Used by tests, which load the shipped configs. Invariant: what is compared is whether a limit is
//! set, never how wide it is.

use portcullis_risk_core::limits::account::ACCOUNT_FIELDS;
use portcullis_risk_core::limits::firm::FIRM_FIELDS;
use portcullis_risk_core::limits::instrument::INSTRUMENT_FIELDS;
use portcullis_risk_core::limits::session::SESSION_FIELDS;
use portcullis_risk_core::limits::{Cell, FieldDescriptor, InstrumentSpec, LimitSpec};

/// What any instrument, class, firm or session of a config has set and some of a bench has not, and where a bench
/// has fewer tiers of margin: by name, none if the bench covers the config.
#[must_use]
pub fn lacking(config: &LimitSpec, bench: &LimitSpec) -> Vec<String> {
    let mut lacking = Vec::new();
    let mut hold = |scope: &str, fields, config: Vec<&[Cell]>, bench: Vec<&[Cell]>| {
        let unset = unset(fields, &config, &bench);
        lacking.extend(unset.map(|field| format!("{scope}: {}", field.name)));
    };
    hold(
        "instrument",
        INSTRUMENT_FIELDS,
        cells(&config.instruments, |one| one.cells.cells()),
        cells(&bench.instruments, |one| one.cells.cells()),
    );
    hold(
        "account",
        ACCOUNT_FIELDS,
        cells(&config.rows, |one| one.cells.cells()),
        cells(&bench.rows, |one| one.cells.cells()),
    );
    hold(
        "firm",
        FIRM_FIELDS,
        cells(&config.firms, |one| one.cells.cells()),
        cells(&bench.firms, |one| one.cells.cells()),
    );
    hold(
        "session",
        SESSION_FIELDS,
        cells(&config.sessions, |one| one.cells.cells()),
        cells(&bench.sessions, |one| one.cells.cells()),
    );
    for name in ["initial", "maintenance"] {
        let tiers = |one: &InstrumentSpec| match name {
            "initial" => one.initial.as_slice().len(),
            _ => one.maintenance.as_slice().len(),
        };
        let most = config.instruments.iter().map(tiers).max().unwrap_or(0);
        let least = bench.instruments.iter().map(tiers).min().unwrap_or(0);
        if least < most {
            lacking.push(format!("{name} margin: {least} tiers of {most}"));
        }
    }
    lacking
}

/// The cells of each, by number.
fn cells<'a, T>(all: &'a [T], of: impl Fn(&'a T) -> &'a [Cell]) -> Vec<&'a [Cell]> {
    all.iter().map(of).collect()
}

/// Fields that one of a config's has set, and one of a bench's has not.
fn unset<'a>(
    fields: &'static [FieldDescriptor],
    config: &'a [&'a [Cell]],
    bench: &'a [&'a [Cell]],
) -> impl Iterator<Item = &'static FieldDescriptor> + use<'a> {
    let is_set = |cells: &&[Cell], number: usize| cells[number].value().is_some();
    let lacks = move |number: usize| {
        config.iter().any(|cells| is_set(cells, number))
            && !bench.iter().all(|cells| is_set(cells, number))
    };
    fields
        .iter()
        .enumerate()
        .filter(move |(number, _)| lacks(*number))
        .map(|(_, field)| field)
}
