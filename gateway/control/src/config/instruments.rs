//! Instruments out of `[[instrument]]`.
//!
//! Control thread only. Invariants: tick-lot value and prices are exact multiples or refused; an
//! instrument that the wire dialect cannot say does not load.

use super::cells::{self, CellPlaces, Wanted};
use super::dialect::Misfit;
use super::draft::{Draft, DraftInstrument, Named, own_name};
use super::mistake::{Mistakes, Place};
use super::model::{InstrumentDefinition, ReferenceSource};
use super::section::Section;
use crate::decimal::{Decimal, show_price};
use crate::field_value::FieldScale;
use core::num::NonZeroU32;
use portcullis_domain::{Price, TickLotValue};
use portcullis_risk_core::limits::InstrumentSpec;
use portcullis_risk_core::limits::instrument::{
    INSTRUMENT_FIELDS, InstrumentCells, InstrumentField, TIERS_MAX, Tier, Tiers, WireUnits,
};

const SOURCES: [(&str, ReferenceSource); 3] = [
    ("feed", ReferenceSource::Feed),
    ("ctl", ReferenceSource::Ctl),
    ("last_trade", ReferenceSource::LastTrade),
];

pub(super) fn read(root: &mut Section<'_>, draft: &mut Draft<'_>, mistakes: &mut Mistakes<'_>) {
    let mut seen = Named::default();
    let sections = root.tables("instrument", mistakes);
    if sections.is_empty() && root.take("instrument").is_none() {
        mistakes.add_unplaced("there is no instrument", "add at least one [[instrument]]");
    }
    for mut section in sections {
        let index = own_name(
            &mut section,
            "symbol",
            &mut draft.names.instruments,
            &mut seen,
            mistakes,
        );
        let instrument = instrument(&mut section, draft, mistakes);
        section.finish(mistakes);
        let Some(index) = index else { continue };
        if let Some(dialect) = draft.dialect {
            let symbol = draft
                .names
                .instruments
                .name(index as usize)
                .unwrap_or_default();
            if symbol.len() > dialect.symbol_len_max {
                let what = format!("symbol `{symbol}` is longer than {} can say", dialect.name);
                let hint = format!("use {} characters at the most", dialect.symbol_len_max);
                mistakes.add(instrument.places.whole, what, hint);
            }
        }
        let index = index as usize;
        if index >= draft.instruments.len() {
            draft.instruments.resize_with(index + 1, || None);
        }
        draft.instruments[index] = Some(instrument);
    }
    let count = draft.names.instruments.len();
    draft.instruments.resize_with(count, || None);
}

fn instrument(
    section: &mut Section<'_>,
    draft: &Draft<'_>,
    mistakes: &mut Mistakes<'_>,
) -> DraftInstrument {
    let tick = positive(section, "tick", "0.01", mistakes);
    let lot = positive(section, "lot", "1", mistakes);
    let source = section.require("reference_from", "\"feed\"", mistakes);
    let source = source.and_then(|item| item.word(&SOURCES, mistakes));
    let scale = FieldScale {
        money: draft.money(),
        tick: tick.map(|(tick, _)| tick),
    };
    let mut cells = InstrumentCells::UNSET;
    let mut places = cells::read(
        section,
        INSTRUMENT_FIELDS,
        scale,
        Wanted::Required,
        mistakes,
        |number, value| {
            assert!(
                cells.set_by_number(number, value),
                "a field of its own table"
            )
        },
    );
    let initial = tiers(section, "initial_margin", scale, &mut places, mistakes);
    let maintenance = tiers(section, "maintenance_margin", scale, &mut places, mistakes);
    for (key, found) in [("tick", tick), ("lot", lot)] {
        found
            .into_iter()
            .for_each(|(_, place)| places.put(key, place));
    }
    if let (Some(tick), Some(lot)) = (tick, lot) {
        fits_dialect(draft, tick, lot, &cells, places.of("price_max"), mistakes);
    }
    let value = cells.cell(InstrumentField::TickLotValue).value();
    let value = value.and_then(|value| TickLotValue::new(u32::try_from(value).ok()?));
    let definition = || {
        Some(InstrumentDefinition {
            tick: tick?.0,
            lot: lot?.0,
            tick_lot_value: value?,
            reference_from: source?,
        })
    };
    DraftInstrument {
        definition: definition(),
        spec: InstrumentSpec {
            cells,
            initial: initial.unwrap_or_else(|| single_tier(1_000_000)),
            maintenance: maintenance.unwrap_or_else(|| single_tier(0)),
            wire: counted(draft, tick, lot).unwrap_or(WireUnits::ONE),
        },
        places,
    }
}

/// A decimal above zero, and where it stands.
fn positive(
    section: &mut Section<'_>,
    key: &str,
    example: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<(Decimal, Place)> {
    let item = section.require(key, &format!("\"{example}\""), mistakes)?;
    let value = item.decimal(example, mistakes)?;
    if !value.is_positive() {
        let what = format!("`{key}` is {value}, which is not above zero");
        item.wrong(
            mistakes,
            what,
            format!("write a positive decimal, as \"{example}\""),
        );
        return None;
    }
    Some((value.reduced(), item.place))
}

/// How the wire counts the instrument; `None` without a dialect, or where it does not fit one, which
/// is a mistake of its own.
fn counted(
    draft: &Draft<'_>,
    tick: Option<(Decimal, Place)>,
    lot: Option<(Decimal, Place)>,
) -> Option<WireUnits> {
    let units = draft.dialect?.units(tick?.0, lot?.0).ok()?;
    let whole = |units: i64| NonZeroU32::new(u32::try_from(units).ok()?);
    Some(WireUnits {
        tick: whole(units.tick)?,
        lot: whole(units.lot)?,
    })
}

fn fits_dialect(
    draft: &Draft<'_>,
    (tick, tick_place): (Decimal, Place),
    (lot, lot_place): (Decimal, Place),
    cells: &InstrumentCells,
    price_place: Place,
    mistakes: &mut Mistakes<'_>,
) {
    let Some(dialect) = draft.dialect else { return };
    let price_max = cells.cell(InstrumentField::PriceMax).value();
    let units = dialect.units(tick, lot);
    let fits = units.and_then(|units| dialect.price_fits(units, price_max.unwrap_or(1)));
    let name = dialect.name;
    match fits {
        Ok(()) => {}
        Err(Misfit::Tick) => mistakes.add(
            tick_place,
            format!("{name} cannot say a tick of {tick}"),
            format!(
                "use a multiple of {}",
                Decimal::power(dialect.price_decimals)
            ),
        ),
        Err(Misfit::Lot) => mistakes.add(
            lot_place,
            format!("{name} cannot say a lot of {lot}"),
            format!("use a multiple of {}", Decimal::power(dialect.qty_decimals)),
        ),
        Err(Misfit::PriceMax(most)) => mistakes.add(
            price_place,
            format!("`price_max` is beyond the highest price of {name}"),
            format!(
                "write \"{}\" at the most",
                show_price(Price::new(most), tick)
            ),
        ),
        Err(Misfit::QtyMax(_)) => unreachable!("price_fits judges no quantity"),
    }
}

fn tiers(
    section: &mut Section<'_>,
    key: &'static str,
    scale: FieldScale,
    places: &mut CellPlaces,
    mistakes: &mut Mistakes<'_>,
) -> Option<Tiers> {
    let form = "[{ from_notional = \"0\", ratio_ppm = 100_000 }]";
    let item = section.require(key, form, mistakes)?;
    places.put(key, item.place);
    let items = item.array(&format!("tiers, as {form}"), mistakes)?;
    let mut tiers = Vec::new();
    let mut complete = true;
    for tier in items.iter().take(TIERS_MAX) {
        let read = tier
            .section(&format!("tier of `{key}`"), mistakes)
            .and_then(|section| self::tier(section, scale, mistakes));
        complete &= read.is_some();
        tiers.extend(read);
    }
    if !complete {
        return None;
    }
    if items.len() > TIERS_MAX {
        let what = format!("`{key}` has {} tiers", items.len());
        item.wrong(mistakes, what, format!("write {TIERS_MAX} at the most"));
        return None;
    }
    let valid = Tiers::new(&tiers);
    if valid.is_none() {
        let what = format!("the tiers of `{key}` do not ascend from 0");
        item.wrong(
            mistakes,
            what,
            "begin with from_notional = \"0\" and let each begin above the one before",
        );
    }
    valid
}

fn tier(mut section: Section<'_>, scale: FieldScale, mistakes: &mut Mistakes<'_>) -> Option<Tier> {
    let from = section.require("from_notional", "\"0\"", mistakes);
    let ratio = section.require("ratio_ppm", "100_000", mistakes);
    let ratio = ratio.and_then(|item| item.integer(0, 1_000_000, mistakes));
    let from = from.and_then(|item| {
        let amount = item.decimal("0", mistakes)?;
        let money = scale
            .money
            .money(amount)
            .filter(|money| money.quanta() >= 0);
        if money.is_none() {
            let quantum = scale.money.quantum();
            let what =
                format!("`from_notional` is {amount}, no money from 0 in steps of {quantum}");
            item.wrong(
                mistakes,
                what,
                format!("write a multiple of {quantum} from \"0\" up"),
            );
        }
        money
    });
    section.finish(mistakes);
    Some(Tier {
        from_notional: from?.quanta(),
        ratio_ppm: ratio? as u32,
    })
}

fn single_tier(ratio_ppm: u32) -> Tiers {
    Tiers::new(&[Tier {
        from_notional: 0,
        ratio_ppm,
    }])
    .expect("one tier from 0")
}
