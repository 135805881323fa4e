//! Limit classes, firms and accounts out of their sections.
//!
//! Control thread only. Invariants: an account's own cells are exceptions from its class, and give
//! it a row of its own; classes are the first rows, in order.

use super::cells::{self, Wanted};
use super::draft::{Draft, DraftFirm, Named, RowOrigin, known, own_name};
use super::mistake::{Mistakes, Place};
use super::section::{Item, Section};
use portcullis_domain::{FirmId, InstrumentId};
use portcullis_risk_core::limits::account::{ACCOUNT_FIELDS, AccountCells};
use portcullis_risk_core::limits::firm::{FIRM_FIELDS, FirmCells};
use portcullis_risk_core::limits::{AccountSpec, FirmSpec, RowSpec};

/// An account that does not exist: it has no row, and no firm can be asked of it.
pub(super) const NO_ACCOUNT: AccountSpec = AccountSpec {
    row: None,
    firm: FirmId::new(0),
};

pub(super) fn read_classes(
    root: &mut Section<'_>,
    draft: &mut Draft<'_>,
    mistakes: &mut Mistakes<'_>,
) {
    let mut named = Named::default();
    for mut section in root.tables("class", mistakes) {
        let name = own_name(
            &mut section,
            "name",
            &mut draft.classes,
            &mut named,
            mistakes,
        );
        let mut cells = AccountCells::UNSET;
        let places = cells::read(
            &mut section,
            ACCOUNT_FIELDS,
            draft.scale(),
            Wanted::Required,
            mistakes,
            |number, value| {
                assert!(
                    cells.set_by_number(number, value),
                    "a field of its own table"
                )
            },
        );
        let form = "\"all\", or [\"SYMBOL\", ...]";
        let permitted = section.require("instruments", form, mistakes).map(|item| {
            if item.as_text() == Some("all") {
                return draft.all_instruments();
            }
            let items = item
                .array("symbols, or \"all\"", mistakes)
                .unwrap_or_default();
            draft.symbols(&items, mistakes)
        });
        section.finish(mistakes);
        if name.is_some() {
            let permission_set = draft.sets.intern(permitted.unwrap_or_default());
            draft.rows.push(RowSpec {
                cells,
                permission_set,
            });
            draft.row_classes.push(draft.rows.len() as u32 - 1);
            draft.row_origins.push(RowOrigin::Config(places));
        }
    }
}

pub(super) fn read_firms(
    root: &mut Section<'_>,
    draft: &mut Draft<'_>,
    mistakes: &mut Mistakes<'_>,
) {
    let mut named = Named::default();
    let mut sections = root.tables("firm", mistakes);
    // All names first: a clearing member may stand below the firm that it clears for.
    let names: Vec<Option<u32>> = sections
        .iter_mut()
        .map(|section| {
            own_name(
                section,
                "name",
                &mut draft.names.firms,
                &mut named,
                mistakes,
            )
        })
        .collect();
    draft.firms_named = named;
    let mut firms: Vec<Option<DraftFirm>> = Vec::new();
    firms.resize_with(draft.names.firms.len(), || None);
    for (mut section, index) in sections.into_iter().zip(names) {
        let firm = firm(&mut section, draft, mistakes);
        section.finish(mistakes);
        if let Some(index) = index {
            firms[index as usize] = Some(firm);
        }
    }
    draft.firms = firms;
}

fn firm(
    section: &mut Section<'_>,
    draft: &mut Draft<'_>,
    mistakes: &mut Mistakes<'_>,
) -> DraftFirm {
    let mut cells = FirmCells::UNSET;
    let mut places = cells::read(
        section,
        FIRM_FIELDS,
        draft.scale(),
        Wanted::Required,
        mistakes,
        |number, value| {
            assert!(
                cells.set_by_number(number, value),
                "a field of its own table"
            )
        },
    );
    let member = section.take("clearing_member");
    if let Some(item) = member {
        places.put("clearing_member", item.place);
    }
    let member = member.and_then(|item| firm_index(&item, draft, mistakes));
    let items = section
        .take("restricted")
        .and_then(|item| item.array("symbols", mistakes));
    let restricted: Vec<InstrumentId> = items
        .map(|items| draft.symbols(&items, mistakes))
        .unwrap_or_default();
    let spec = FirmSpec {
        cells,
        clearing_member: member.map(FirmId::new),
        restricted_set: draft.sets.intern(restricted),
    };
    DraftFirm { spec, places }
}

fn firm_index(item: &Item<'_>, draft: &Draft<'_>, mistakes: &mut Mistakes<'_>) -> Option<u32> {
    known(
        item,
        "firm",
        &draft.names.firms,
        Some(&draft.firms_named),
        mistakes,
    )
}

pub(super) fn read_accounts(
    root: &mut Section<'_>,
    draft: &mut Draft<'_>,
    mistakes: &mut Mistakes<'_>,
) {
    for mut section in root.tables("account", mistakes) {
        let name = section.require("name", "\"...\"", mistakes);
        let place = name.map_or(section.place(), |item| item.place);
        let name = name.and_then(|item| item.name(mistakes));
        let class = section.require("class", "\"...\"", mistakes);
        let class = class.and_then(|item| known(&item, "class", &draft.classes, None, mistakes));
        let firm = section.require("firm", "\"...\"", mistakes);
        let firm = firm.and_then(|item| firm_index(&item, draft, mistakes));
        let row = class.and_then(|class| draft.rows.get(class as usize));
        let mut own = row.map_or(AccountCells::UNSET, |row| row.cells);
        let mut any = false;
        let places = cells::read(
            &mut section,
            ACCOUNT_FIELDS,
            draft.scale(),
            Wanted::Exceptions,
            mistakes,
            |number, value| {
                any = true;
                assert!(own.set_by_number(number, value), "a field of its own table");
            },
        );
        section.finish(mistakes);
        let Some(name) = name else { continue };
        let index = draft.names.accounts.intern(name);
        if !draft.accounts_named.mark(index) {
            twice(name, place, mistakes);
            continue;
        }
        let (Some(class), Some(firm)) = (class, firm) else {
            continue;
        };
        let own = any.then_some((own, RowOrigin::Config(places)));
        add(draft, index, class, FirmId::new(firm), own);
    }
}

/// Puts an account into the draft: with the row of its class, or one of its own.
pub(super) fn add(
    draft: &mut Draft<'_>,
    index: u32,
    class: u32,
    firm: FirmId,
    own: Option<(AccountCells, RowOrigin)>,
) {
    let row = match own {
        None => class,
        Some((cells, origin)) => {
            let permission_set = draft.rows[class as usize].permission_set;
            draft.rows.push(RowSpec {
                cells,
                permission_set,
            });
            draft.row_origins.push(origin);
            draft.row_classes.push(class);
            draft.rows.len() as u32 - 1
        }
    };
    let index = index as usize;
    if index >= draft.accounts.len() {
        draft.accounts.resize(index + 1, NO_ACCOUNT);
        draft.account_classes.resize(index + 1, None);
    }
    draft.accounts[index] = AccountSpec {
        row: Some(row),
        firm,
    };
    draft.account_classes[index] = Some(class);
}

fn twice(name: &str, place: Place, mistakes: &mut Mistakes<'_>) {
    mistakes.add(
        place,
        format!("account `{name}` is there twice"),
        "rename it, or remove one",
    );
}
