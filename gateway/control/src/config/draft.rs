//! The config while it is read: what has been found so far, and where.
//!
//! Control thread only. Invariant: what is in the draft is well-formed by itself; what ties its
//! parts together is judged at the end by the limit table's own load rules.

use super::cells::CellPlaces;
use super::dialect::DialectBounds;
use super::mistake::Mistakes;
use super::model::{Config, InstrumentDefinition, SessionConfig};
use super::profile::Profile;
use super::section::{Item, Section};
use crate::decimal::MoneyScale;
use crate::field_value::FieldScale;
use crate::names::{NameTable, Names};
use crate::nearest::nearest;
use portcullis_domain::InstrumentId;
use portcullis_risk_core::limits::{AccountSpec, FirmSpec, InstrumentSpec, RowSpec, SessionSpec};
use std::collections::HashMap;

/// Where a row of account limits stands.
pub(super) enum RowOrigin {
    /// In a class or account of the config.
    Config(CellPlaces),
    /// In this line of the accounts file.
    Csv(u32),
}

/// One instrument, as read.
pub(super) struct DraftInstrument {
    pub(super) definition: Option<InstrumentDefinition>,
    pub(super) spec: InstrumentSpec,
    pub(super) places: CellPlaces,
}

/// One firm, as read.
pub(super) struct DraftFirm {
    pub(super) spec: FirmSpec,
    pub(super) places: CellPlaces,
}

/// Everything found so far.
pub(super) struct Draft<'a> {
    pub(super) profile: Profile,
    pub(super) dialect: Option<DialectBounds>,
    pub(super) previous: Option<&'a Config>,
    pub(super) names: Names,
    pub(super) instruments: Vec<Option<DraftInstrument>>,
    pub(super) sets: InstrumentSets,
    pub(super) classes: NameTable,
    pub(super) rows: Vec<RowSpec>,
    pub(super) row_origins: Vec<RowOrigin>,
    /// The class of each row: of a class's own row, itself.
    pub(super) row_classes: Vec<u32>,
    pub(super) firms: Vec<Option<DraftFirm>>,
    pub(super) firms_named: Named,
    pub(super) accounts: Vec<AccountSpec>,
    pub(super) accounts_named: Named,
    pub(super) account_classes: Vec<Option<u32>>,
    pub(super) sessions: Vec<Option<(SessionConfig, SessionSpec)>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        profile: Profile,
        dialect: Option<DialectBounds>,
        previous: Option<&'a Config>,
    ) -> Self {
        let names = previous
            .map(|config| config.names.clone())
            .unwrap_or_default();
        Self {
            profile,
            dialect,
            previous,
            names,
            instruments: Vec::new(),
            sets: InstrumentSets::default(),
            classes: NameTable::default(),
            rows: Vec::new(),
            row_origins: Vec::new(),
            row_classes: Vec::new(),
            firms: Vec::new(),
            firms_named: Named::default(),
            accounts: Vec::new(),
            accounts_named: Named::default(),
            account_classes: Vec::new(),
            sessions: Vec::new(),
        }
    }

    pub(super) fn money(&self) -> MoneyScale {
        self.profile.money
    }

    /// The scale of fields outside instruments.
    pub(super) fn scale(&self) -> FieldScale {
        FieldScale {
            money: self.money(),
            tick: None,
        }
    }

    /// The indices of a list of symbols, ascending.
    pub(super) fn symbols(
        &self,
        items: &[Item<'_>],
        mistakes: &mut Mistakes<'_>,
    ) -> Vec<InstrumentId> {
        let mut found: Vec<InstrumentId> = items
            .iter()
            .filter_map(|item| known(item, "instrument", &self.names.instruments, None, mistakes))
            .map(InstrumentId::new)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// All instruments.
    pub(super) fn all_instruments(&self) -> Vec<InstrumentId> {
        (0..self.names.instruments.len() as u32)
            .map(InstrumentId::new)
            .collect()
    }
}

/// Indices whose name stands in this load, as against names kept from before.
#[derive(Default)]
pub(super) struct Named(Vec<u64>);

impl Named {
    /// Marks an index; `false` if it was marked before.
    pub(super) fn mark(&mut self, index: u32) -> bool {
        let (word, bit) = (index as usize / 64, 1_u64 << (index % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let first = self.0[word] & bit == 0;
        self.0[word] |= bit;
        first
    }

    pub(super) fn has(&self, index: u32) -> bool {
        self.0
            .get(index as usize / 64)
            .is_some_and(|word| word >> (index % 64) & 1 == 1)
    }
}

/// Sets of instruments, each kept once.
#[derive(Default)]
pub(super) struct InstrumentSets {
    sets: Vec<Vec<InstrumentId>>,
    indices: HashMap<Vec<InstrumentId>, u32>,
}

impl InstrumentSets {
    /// The index of a set, given ascending.
    pub(super) fn intern(&mut self, set: Vec<InstrumentId>) -> u32 {
        if let Some(index) = self.indices.get(&set) {
            return *index;
        }
        let index = self.sets.len() as u32;
        self.sets.push(set.clone());
        self.indices.insert(set, index);
        index
    }

    pub(super) fn as_slice(&self) -> &[Vec<InstrumentId>] {
        &self.sets
    }
}

/// The index of the name that an item gives; a mistake if there is none in this load.
pub(super) fn known(
    item: &Item<'_>,
    kind: &str,
    table: &NameTable,
    named: Option<&Named>,
    mistakes: &mut Mistakes<'_>,
) -> Option<u32> {
    let name = item.name(mistakes)?;
    let index = find(name, table, named);
    if index.is_none() {
        item.wrong(
            mistakes,
            format!("there is no {kind} `{name}`"),
            suggestion(name, kind, table),
        );
    }
    index
}

/// The index of a name that stands in this load.
pub(super) fn find(name: &str, table: &NameTable, named: Option<&Named>) -> Option<u32> {
    table
        .find(name)
        .filter(|index| named.is_none_or(|named| named.has(*index)))
}

/// What to write for a name that is not there.
pub(super) fn suggestion(name: &str, kind: &str, table: &NameTable) -> String {
    /// The most names that are compared with a mistyped one.
    const COMPARED_MAX: usize = 10_000;
    match nearest(name, table.iter().take(COMPARED_MAX)).filter(|meant| *meant != name) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("name a {kind} of this config, or add [[{kind}]] with that name"),
    }
}

/// The index of a section's own name, new or kept; a mistake if it was given before in this load.
pub(super) fn own_name(
    section: &mut Section<'_>,
    key: &str,
    table: &mut NameTable,
    named: &mut Named,
    mistakes: &mut Mistakes<'_>,
) -> Option<u32> {
    let item = section.require(key, "\"...\"", mistakes)?;
    let name = item.name(mistakes)?;
    let index = table.intern(name);
    if !named.mark(index) {
        let what = format!("{} `{name}` is there twice", section.what());
        item.wrong(mistakes, what, "rename it, or merge the two");
        return None;
    }
    Some(index)
}
