//! What a reload would change, for people.
//!
//! Control thread only. Invariants: each change says whose cell, from what, to what, and whether
//! the rules become tighter or looser by the descriptor's direction; at most [`LISTED_MAX`] changes
//! are listed, all are counted.

use super::model::Config;
use crate::field_value::{self, Effect, FieldScale};
use core::fmt;
use portcullis_domain::AccountId;
use portcullis_risk_core::limits::account::{ACCOUNT_FIELDS, AccountCells};
use portcullis_risk_core::limits::firm::FIRM_FIELDS;
use portcullis_risk_core::limits::instrument::{INSTRUMENT_FIELDS, Tiers};
use portcullis_risk_core::limits::session::SESSION_FIELDS;
use portcullis_risk_core::limits::{Cell, FieldDescriptor};

/// The most changes that are listed.
const LISTED_MAX: usize = 10_000;

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeEffect {
    /// Stricter.
    Tighter,
    /// Less strict.
    Looser,
    /// Stricter for some orders, less for others.
    Either,
    /// Something that was not there.
    Added,
    /// Something that is there no longer.
    Removed,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose: scope and name.
    pub of: String,
    /// Which field.
    pub field: String,
    /// What it was.
    pub from: String,
    /// What it would be.
    pub to: String,
    /// What that does.
    pub effect: ChangeEffect,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            of,
            field,
            from,
            to,
            effect,
        } = self;
        match effect {
            ChangeEffect::Tighter => write!(f, "tighter  {of}: {field} {from} -> {to}"),
            ChangeEffect::Looser => write!(f, "LOOSER   {of}: {field} {from} -> {to}"),
            ChangeEffect::Either => write!(f, "changed  {of}: {field} {from} -> {to}"),
            ChangeEffect::Added => write!(f, "added    {of}: {field} {to}"),
            ChangeEffect::Removed => write!(f, "removed  {of}: {field} {from}"),
        }
    }
}

/// All changes from one config to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The first [`LISTED_MAX`] of them.
    pub changes: Vec<Change>,
    /// How many there are in all.
    pub total: usize,
    /// How many of them make something looser.
    pub looser: usize,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{change}")?;
        }
        let Self { total, looser, .. } = self;
        let listed = self.changes.len();
        match total {
            0 => f.write_str("nothing changes"),
            total if *total > listed => {
                write!(
                    f,
                    "{total} changes, {looser} looser; the first {listed} are listed"
                )
            }
            total => write!(f, "{total} changes, {looser} looser"),
        }
    }
}

impl Difference {
    fn add(&mut self, change: impl FnOnce() -> Change, effect: ChangeEffect) {
        self.total += 1;
        self.looser += usize::from(effect == ChangeEffect::Looser);
        if self.changes.len() < LISTED_MAX {
            self.changes.push(change());
        }
    }

    fn whole(&mut self, of: String, field: &str, from: &str, to: &str, effect: ChangeEffect) {
        let (field, from, to) = (field.to_owned(), from.to_owned(), to.to_owned());
        self.add(
            || Change {
                of,
                field,
                from,
                to,
                effect,
            },
            effect,
        );
    }

    fn cells(
        &mut self,
        of: &dyn Fn() -> String,
        fields: &[FieldDescriptor],
        scale: FieldScale,
        (old, new): (&[Cell], &[Cell]),
    ) {
        for (field, (old, new)) in fields.iter().zip(old.iter().zip(new)) {
            self.cell(of, field, scale, (*old, *new));
        }
    }

    fn cell(
        &mut self,
        of: &dyn Fn() -> String,
        field: &FieldDescriptor,
        scale: FieldScale,
        (old, new): (Cell, Cell),
    ) {
        if old == new {
            return;
        }
        let effect = match field_value::effect(field, old.value(), new.value()) {
            Effect::Tighter => ChangeEffect::Tighter,
            Effect::Looser => ChangeEffect::Looser,
            Effect::Either => ChangeEffect::Either,
        };
        let show = |cell: Cell| {
            let value = cell
                .value()
                .map(|value| field_value::show(field, value, scale));
            value.unwrap_or_else(|| "unset".to_owned())
        };
        let change = || Change {
            of: of(),
            field: field.name.to_owned(),
            from: show(old),
            to: show(new),
            effect,
        };
        self.add(change, effect);
    }
}

/// What changes from `old` to `new`, which was loaded as a reload of it.
#[must_use]
pub fn diff(old: &Config, new: &Config) -> Difference {
    let mut difference = Difference::default();
    instruments(old, new, &mut difference);
    classes(old, new, &mut difference);
    firms(old, new, &mut difference);
    accounts(old, new, &mut difference);
    sessions(old, new, &mut difference);
    difference
}

fn scale(config: &Config) -> FieldScale {
    FieldScale {
        money: config.profile.money,
        tick: None,
    }
}

fn instruments(old: &Config, new: &Config, difference: &mut Difference) {
    let pairs = old.limits.instruments.iter().zip(&new.limits.instruments);
    for (index, (before, now)) in pairs.enumerate() {
        let name = new.names.instruments.name(index).unwrap_or_default();
        let of = || format!("instrument {name}");
        let tick = new.instruments.get(index).map(|definition| definition.tick);
        let scale = FieldScale { tick, ..scale(new) };
        difference.cells(
            &of,
            INSTRUMENT_FIELDS,
            scale,
            (before.cells.cells(), now.cells.cells()),
        );
        for (field, before, now) in [
            ("initial_margin", &before.initial, &now.initial),
            ("maintenance_margin", &before.maintenance, &now.maintenance),
        ] {
            tiers(&of, field, (before, now), scale, difference);
        }
    }
}

fn tiers(
    of: &dyn Fn() -> String,
    field: &str,
    (old, new): (&Tiers, &Tiers),
    scale: FieldScale,
    difference: &mut Difference,
) {
    if old == new {
        return;
    }
    let ratio_at = |tiers: &Tiers, notional: i64| {
        let reached = tiers
            .as_slice()
            .iter()
            .rev()
            .find(|tier| tier.from_notional <= notional);
        reached.map_or(0, |tier| tier.ratio_ppm)
    };
    let starts = || {
        old.as_slice()
            .iter()
            .chain(new.as_slice())
            .map(|tier| tier.from_notional)
    };
    let up = starts().any(|from| ratio_at(new, from) > ratio_at(old, from));
    let down = starts().any(|from| ratio_at(new, from) < ratio_at(old, from));
    let effect = match (up, down) {
        (true, false) => ChangeEffect::Tighter,
        (false, true) => ChangeEffect::Looser,
        (true, true) | (false, false) => ChangeEffect::Either,
    };
    let show = |tiers: &Tiers| {
        let tiers = tiers.as_slice().iter().map(|tier| {
            let from = scale
                .money
                .show(portcullis_domain::Money::new(tier.from_notional));
            format!("from {from}: {} ppm", tier.ratio_ppm)
        });
        format!("[{}]", tiers.collect::<Vec<_>>().join(", "))
    };
    difference.whole(of(), field, &show(old), &show(new), effect);
}

fn classes(old: &Config, new: &Config, difference: &mut Difference) {
    let position = |config: &Config, name: &str| config.classes.iter().position(|c| c.name == name);
    for (index, class) in new.classes.iter().enumerate() {
        let of = || format!("class {}", class.name);
        match position(old, &class.name) {
            None => difference.whole(of(), "class", "", "", ChangeEffect::Added),
            Some(before) => {
                let rows = (&old.limits.rows[before], &new.limits.rows[index]);
                let cells = (rows.0.cells.cells(), rows.1.cells.cells());
                difference.cells(&of, ACCOUNT_FIELDS, scale(new), cells);
                let sets = (
                    (old, rows.0.permission_set as usize),
                    (new, rows.1.permission_set as usize),
                );
                symbols(&of, "instruments", sets, ChangeEffect::Looser, difference);
            }
        }
    }
    for class in old
        .classes
        .iter()
        .filter(|class| position(new, &class.name).is_none())
    {
        let of = format!("class {}", class.name);
        difference.whole(of, "class", "", "", ChangeEffect::Removed);
    }
}

/// A change of a list of symbols; `more` says what a longer list does.
fn symbols(
    of: &dyn Fn() -> String,
    field: &str,
    ((old, old_set), (new, new_set)): ((&Config, usize), (&Config, usize)),
    more: ChangeEffect,
    difference: &mut Difference,
) {
    let (before, now) = (
        &old.limits.instrument_sets[old_set],
        &new.limits.instrument_sets[new_set],
    );
    if before == now {
        return;
    }
    let fewer = if more == ChangeEffect::Looser {
        ChangeEffect::Tighter
    } else {
        ChangeEffect::Looser
    };
    let added = now.iter().any(|id| !before.contains(id));
    let removed = before.iter().any(|id| !now.contains(id));
    let effect = match (added, removed) {
        (true, false) => more,
        (false, true) => fewer,
        (true, true) | (false, false) => ChangeEffect::Either,
    };
    let show = |config: &Config, set: &[portcullis_domain::InstrumentId]| {
        let symbols = set.iter().filter_map(|id| config.names.symbol(*id));
        format!("[{}]", symbols.collect::<Vec<_>>().join(", "))
    };
    difference.whole(of(), field, &show(old, before), &show(new, now), effect);
}

fn firms(old: &Config, new: &Config, difference: &mut Difference) {
    for (index, now) in new.limits.firms.iter().enumerate() {
        let of = || format!("firm {}", new.names.firms.name(index).unwrap_or_default());
        let Some(before) = old.limits.firms.get(index) else {
            difference.whole(of(), "firm", "", "", ChangeEffect::Added);
            continue;
        };
        let cells = (before.cells.cells(), now.cells.cells());
        difference.cells(&of, FIRM_FIELDS, scale(new), cells);
        let sets = (
            (old, before.restricted_set as usize),
            (new, now.restricted_set as usize),
        );
        symbols(&of, "restricted", sets, ChangeEffect::Tighter, difference);
        if before.clearing_member != now.clearing_member {
            let name = |member: Option<_>| {
                member
                    .and_then(|member| new.names.firm_name(member))
                    .unwrap_or("itself")
            };
            let (from, to) = (name(before.clearing_member), name(now.clearing_member));
            difference.whole(of(), "clearing_member", from, to, ChangeEffect::Either);
        }
    }
}

fn accounts(old: &Config, new: &Config, difference: &mut Difference) {
    for (index, now) in new.limits.accounts.iter().enumerate() {
        let id = AccountId::new(index as u32);
        let of = || format!("account {}", new.names.account_name(id).unwrap_or_default());
        let before = old
            .limits
            .accounts
            .get(index)
            .filter(|account| account.row.is_some());
        let (Some(old_row), Some(new_row)) = (before.and_then(|account| account.row), now.row)
        else {
            let class = |config: &Config| class_of(config, index).unwrap_or_default().to_owned();
            if before.is_some() {
                difference.whole(of(), "class", &class(old), "", ChangeEffect::Removed);
            } else if now.row.is_some() {
                difference.whole(of(), "class", "", &class(new), ChangeEffect::Added);
            }
            continue;
        };
        let before_firm = before.map(|account| account.firm);
        if before_firm != Some(now.firm) {
            let name = |firm| new.names.firm_name(firm).unwrap_or_default();
            let from = before_firm.map(name).unwrap_or_default();
            difference.whole(of(), "firm", from, name(now.firm), ChangeEffect::Either);
        }
        let classes = (class_of(old, index), class_of(new, index));
        if classes.0 != classes.1 {
            let (from, to) = (classes.0.unwrap_or_default(), classes.1.unwrap_or_default());
            difference.whole(of(), "class", from, to, ChangeEffect::Either);
        }
        let cells = (
            &old.limits.rows[old_row as usize].cells,
            &new.limits.rows[new_row as usize].cells,
        );
        let by_class = (class_cells(old, index), class_cells(new, index));
        let same_class = classes.0 == classes.1;
        own_cells(&of, cells, by_class, same_class, scale(new), difference);
    }
}

/// Cells of an account that changed, but for those that only follow their class: these are listed
/// there.
fn own_cells(
    of: &dyn Fn() -> String,
    (old, new): (&AccountCells, &AccountCells),
    (old_class, new_class): (Option<&AccountCells>, Option<&AccountCells>),
    same_class: bool,
    scale: FieldScale,
    difference: &mut Difference,
) {
    for (number, field) in ACCOUNT_FIELDS.iter().enumerate() {
        let cell = |cells: &AccountCells| cells.cells()[number];
        let follows =
            Some(cell(old)) == old_class.map(cell) && Some(cell(new)) == new_class.map(cell);
        if !(same_class && follows) {
            difference.cell(of, field, scale, (cell(old), cell(new)));
        }
    }
}

fn class_of(config: &Config, account: usize) -> Option<&str> {
    let class = config.account_classes.get(account).copied().flatten()?;
    config
        .classes
        .get(class as usize)
        .map(|class| class.name.as_str())
}

fn class_cells(config: &Config, account: usize) -> Option<&AccountCells> {
    let class = config.account_classes.get(account).copied().flatten()?;
    config.limits.rows.get(class as usize).map(|row| &row.cells)
}

fn sessions(old: &Config, new: &Config, difference: &mut Difference) {
    for (index, (before, now)) in old.sessions.iter().zip(&new.sessions).enumerate() {
        let of = || format!("session {}", now.user);
        let specs = (&old.limits.sessions[index], &new.limits.sessions[index]);
        let cells = (specs.0.cells.cells(), specs.1.cells.cells());
        difference.cells(&of, SESSION_FIELDS, scale(new), cells);
        if before.password_hash != now.password_hash {
            difference.whole(of(), "password_hash", "old", "new", ChangeEffect::Either);
        }
    }
}
