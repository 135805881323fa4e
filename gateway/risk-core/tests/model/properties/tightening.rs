//! From the same state, a stricter parameter never turns a refusal into an accept.
//!
//! Owned by a test. Iterates the tables of fields, each in its tight direction. Apart, as the
//! issue says: the fields of rates and of REPEATED, whose state is itself made of earlier
//! decisions. Apart too, as RULES defines them: `collar_ppm` for market orders, whose limit the
//! collar makes; `ref_max_age_ns` for orders judged by COLLAR, which is passed over under a stale
//! reference.

use super::{LimitSpec, LimitTable, Prng, Scene};
use portcullis_domain::{AccountId, InstrumentId};
use portcullis_risk_core::checks::REGISTRY;
use portcullis_risk_core::limits::account::ACCOUNT_FIELDS;
use portcullis_risk_core::limits::firm::FIRM_FIELDS;
use portcullis_risk_core::limits::instrument::INSTRUMENT_FIELDS;
use portcullis_risk_core::limits::{FieldDescriptor, Tight};
use std::collections::BTreeMap;

const SCENES: u64 = 150;

/// A scope that an order's limits come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    Account,
    Instrument,
    Firm,
}

impl From {
    const ALL: [Self; 3] = [Self::Account, Self::Instrument, Self::Firm];

    const fn fields(self) -> &'static [FieldDescriptor] {
        match self {
            Self::Account => ACCOUNT_FIELDS,
            Self::Instrument => INSTRUMENT_FIELDS,
            Self::Firm => FIRM_FIELDS,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Instrument => "instrument",
            Self::Firm => "firm",
        }
    }

    /// Whether a check that the issue sets apart reads this field.
    fn is_apart(self, field: &FieldDescriptor) -> bool {
        let apart = ["RATE", "REPEATED", "FIRM_RATE", "SESSION_RATE"];
        REGISTRY
            .iter()
            .filter(|check| apart.contains(&check.name))
            .any(|check| check.fields.contains(&(self.name(), field.name)))
    }

    fn cell(self, spec: &LimitSpec, ids: (AccountId, InstrumentId), field: usize) -> Option<i64> {
        match self {
            Self::Account => spec.rows[ids.0.index()].cells.cells()[field].value(),
            Self::Instrument => spec.instruments[ids.1.index()].cells.cells()[field].value(),
            Self::Firm => spec.firms[spec.accounts[ids.0.index()].firm.index()]
                .cells
                .cells()[field]
                .value(),
        }
    }

    fn set(self, spec: &mut LimitSpec, ids: (AccountId, InstrumentId), field: usize, value: i64) {
        let set = match self {
            Self::Account => spec.rows[ids.0.index()].cells.set_by_number(field, value),
            Self::Instrument => spec.instruments[ids.1.index()]
                .cells
                .set_by_number(field, value),
            Self::Firm => {
                let firm = spec.accounts[ids.0.index()].firm;
                spec.firms[firm.index()].cells.set_by_number(field, value)
            }
        };
        assert!(set, "a field of the table");
    }
}

/// A value stricter than `value`, if there is one.
fn stricter(prng: &mut Prng, field: &FieldDescriptor, value: i64) -> Option<i64> {
    match field.tight {
        Tight::Neither => None,
        Tight::Lower if value <= field.min => None,
        Tight::Lower => Some(prng.pick(&[
            field.min,
            value - 1,
            field.min + (value - field.min) / 2,
            prng.clone().between(field.min, value - 1),
        ])),
        Tight::Higher if value >= field.max => None,
        Tight::Higher => Some(prng.pick(&[
            field.max,
            value + 1,
            value + (field.max - value) / 2,
            value.saturating_mul(2).clamp(value + 1, field.max),
        ])),
    }
}

#[test]
fn tightening_any_parameter_never_admits() {
    let mut refused_more: BTreeMap<(From, &str), u32> = BTreeMap::new();
    for seed in 0..SCENES {
        let mut scene = Scene::random(seed, 120);
        let before = scene.judged(scene.order, None);
        let ids = super::ids(&scene.order);
        for scope in From::ALL {
            for (number, field) in scope.fields().iter().enumerate() {
                let Some(value) = scope.cell(&scene.spec, ids, number) else {
                    continue;
                };
                let market = field.name == "collar_ppm" && scene.order.price.is_none();
                let passed_over =
                    field.name == "ref_max_age_ns" && before.iter().any(|name| name == "COLLAR");
                if scope.is_apart(field) || market || passed_over {
                    continue;
                }
                let Some(value) = stricter(&mut scene.prng, field, value) else {
                    continue;
                };
                let mut spec = scene.spec.clone();
                scope.set(&mut spec, ids, number, value);
                if LimitTable::build(&spec).is_err() {
                    continue;
                }
                let after = scene.judged(scene.order, Some(&spec));
                let told = format!("seed {seed}, {scope:?} {} to {value}", field.name);
                assert!(
                    before.is_empty() || !after.is_empty(),
                    "{told}: {:?} was refused by {before:?} and is now accepted",
                    scene.order
                );
                if after.len() > before.len() {
                    *refused_more.entry((scope, field.name)).or_default() += 1;
                }
            }
        }
    }
    // A property that never saw a parameter bind would prove nothing of it.
    for (scope, name) in [
        (From::Account, "qty_max"),
        (From::Account, "notional_max"),
        (From::Account, "open_orders_max"),
        (From::Account, "position_max"),
        (From::Account, "open_notional_max"),
        (From::Account, "loss_max"),
        (From::Account, "account_volume_max"),
        (From::Instrument, "oi_cap"),
        (From::Instrument, "oi_share_max"),
        (From::Instrument, "price_max"),
        (From::Instrument, "collar_ppm"),
        (From::Instrument, "ref_max_age_ns"),
        (From::Firm, "qty_max"),
        (From::Firm, "notional_max"),
        (From::Firm, "open_orders_max"),
        (From::Firm, "open_notional_max"),
    ] {
        assert!(
            refused_more.contains_key(&(scope, name)),
            "{scope:?} {name} never bound"
        );
    }
}
