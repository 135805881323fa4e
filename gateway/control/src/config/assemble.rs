//! The draft into a config: indices filled, load rules applied, faults given their lines.
//!
//! Control thread only. Invariants: a fault that the risk core finds is shown at the line that
//! caused it; a config comes out only if there was no mistake at all.

use super::cells::CellPlaces;
use super::dialect::Misfit;
use super::draft::Draft;
use super::faults::{Explainer, FaultyRow};
use super::mistake::Mistakes;
use super::model::{ClassDefinition, Config};
use super::participants::NO_ACCOUNT;
use crate::field_value::FieldScale;
use portcullis_domain::InstrumentId;
use portcullis_risk_core::limits::account::{ACCOUNT_FIELDS, AccountField};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};

/// The config, if there was no mistake.
pub(super) fn assemble(
    mut draft: Draft<'_>,
    csv_name: Option<&str>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Config> {
    capacities(&draft, mistakes);
    keep_accounts(&mut draft);
    quantities_fit(&draft, csv_name, mistakes);
    let limits = spec(&mut draft);
    if let Err(error) = LimitTable::build(&limits) {
        let explainer = Explainer {
            draft: &draft,
            limits: &limits,
            csv_name,
        };
        for fault in &error.faults {
            explainer.explain(fault, mistakes);
        }
        if mistakes.is_empty() {
            let what = format!("the limits do not load: {:?}", error.faults);
            mistakes.add_unplaced(
                what,
                "this should have been found at its line; please report it",
            );
        }
    }
    if !mistakes.is_empty() {
        return None;
    }
    let warnings = warnings(&draft, &limits);
    let classes = draft.classes.iter().map(|name| ClassDefinition {
        name: name.to_owned(),
    });
    Some(Config {
        classes: classes.collect(),
        profile: draft.profile,
        limits,
        names: draft.names,
        sessions: draft
            .sessions
            .into_iter()
            .flatten()
            .map(|(config, _)| config)
            .collect(),
        instruments: draft
            .instruments
            .into_iter()
            .flatten()
            .filter_map(|i| i.definition)
            .collect(),
        account_classes: draft.account_classes,
        warnings,
    })
}

fn capacities(draft: &Draft<'_>, mistakes: &mut Mistakes<'_>) {
    let room = &draft.profile.capacities;
    let counts = [
        ("accounts", draft.names.accounts.len(), room.accounts_max),
        (
            "instruments",
            draft.names.instruments.len(),
            room.instruments_max,
        ),
        ("firms", draft.names.firms.len(), room.firms_max),
        ("sessions", draft.names.sessions.len(), room.sessions_max),
    ];
    for (name, count, max) in counts {
        if count > max as usize {
            let what =
                format!("{count} {name}, removed ones included, where there is room for {max}");
            mistakes.add_unplaced(
                what,
                format!("write {name}_max = {count} or more in [capacities]"),
            );
        }
    }
    let reserved = u64::from(room.accounts_max) * u64::from(room.orders_reserved_per_account);
    if reserved >= room.orders_max.into() {
        let what = format!(
            "orders_max is {}, and accounts_max x orders_reserved_per_account = {reserved} takes all of it",
            room.orders_max
        );
        let hint = "raise orders_max in [capacities], or lower one of the other two";
        mistakes.add_unplaced(what, hint);
    }
}

/// Fills what a reload does not name any more: removed accounts are unknown, removed firms stay as
/// they were, since accounts that were removed still name them.
fn keep_accounts(draft: &mut Draft<'_>) {
    draft
        .accounts
        .resize(draft.names.accounts.len(), NO_ACCOUNT);
    draft
        .account_classes
        .resize(draft.names.accounts.len(), None);
    let Some(previous) = draft.previous else {
        return;
    };
    for (account, before) in draft.accounts.iter_mut().zip(&previous.limits.accounts) {
        if account.row.is_none() {
            account.firm = before.firm;
        }
    }
    for (index, before) in previous.limits.firms.iter().enumerate() {
        if draft.firms.get(index).is_none_or(Option::is_some) {
            continue;
        }
        let set = previous
            .limits
            .instrument_sets
            .get(before.restricted_set as usize);
        let mut spec = before.clone();
        spec.restricted_set = draft.sets.intern(set.cloned().unwrap_or_default());
        draft.firms[index] = Some(super::draft::DraftFirm {
            spec,
            places: CellPlaces::default(),
        });
    }
}

/// The largest order of each row must fit the wire in every instrument it may trade.
fn quantities_fit(draft: &Draft<'_>, csv_name: Option<&str>, mistakes: &mut Mistakes<'_>) {
    let Some(dialect) = draft.dialect else { return };
    let units: Vec<_> = draft
        .instruments
        .iter()
        .map(|instrument| {
            let definition = instrument.as_ref()?.definition?;
            dialect.units(definition.tick, definition.lot).ok()
        })
        .collect();
    // The dearest lot of each set decides: what fits there fits everywhere in the set.
    let largest: Vec<_> = (draft.sets.as_slice().iter())
        .map(|set| {
            let of = |id: &&InstrumentId| units.get(id.index()).copied().flatten();
            set.iter()
                .max_by_key(|id| of(id).map_or(0, |units| units.lot))
                .and_then(|id| of(&id))
        })
        .collect();
    for (index, row) in draft.rows.iter().enumerate() {
        let qty_max = row.cells.cell(AccountField::QtyMax).value();
        let units = largest.get(row.permission_set as usize).copied().flatten();
        let (Some(qty_max), Some(units)) = (qty_max, units) else {
            continue;
        };
        if let Err(Misfit::QtyMax(most)) = dialect.qty_fits(units, qty_max) {
            let what = format!(
                "`qty_max` is {qty_max} lots, beyond the largest order of {}",
                dialect.name
            );
            let hint = format!("write {most} at the most");
            let row = FaultyRow {
                index,
                rows: &draft.rows,
                draft,
                csv_name,
            };
            row.wrong(AccountField::QtyMax, what, hint, mistakes);
        }
    }
}

fn spec(draft: &mut Draft<'_>) -> LimitSpec {
    let instruments = draft
        .instruments
        .iter()
        .flatten()
        .map(|i| i.spec.clone())
        .collect();
    LimitSpec {
        instruments,
        instrument_sets: draft.sets.as_slice().to_vec(),
        rows: std::mem::take(&mut draft.rows),
        rows_spare: draft.profile.capacities.account_rows_spare,
        accounts: std::mem::take(&mut draft.accounts),
        firms: draft
            .firms
            .iter()
            .flatten()
            .map(|firm| firm.spec.clone())
            .collect(),
        sessions: draft
            .sessions
            .iter()
            .flatten()
            .map(|(_, spec)| spec.clone())
            .collect(),
    }
}

/// Cells that are unset without being required: their checks refuse every order.
fn warnings(draft: &Draft<'_>, limits: &LimitSpec) -> Vec<String> {
    let scale = FieldScale {
        money: draft.money(),
        tick: None,
    };
    let mut warnings = Vec::new();
    for (name, row) in draft.classes.iter().zip(&limits.rows) {
        for (field, cell) in ACCOUNT_FIELDS.iter().zip(row.cells.cells()) {
            if cell.value().is_none() {
                let form = crate::field_value::form(field, scale);
                warnings.push(format!(
                    "class `{name}` does not set `{}`: unset is not unlimited, so what needs it is \
                     refused; set it to {form}",
                    field.name
                ));
            }
        }
    }
    warnings
}
