//! What a reload may not change, refused by name.
//!
//! Control thread only. Invariant: whatever the data plane was built for at start (profile,
//! instruments, sessions with their accounts, permissions and engine links) is the same after a
//! reload; only limits, accounts, firms and passwords differ. A change that is told as done and is
//! not would be worse than a refusal.

use super::draft::{Draft, DraftInstrument};
use super::mistake::{Mistakes, Place};
use super::model::{Config, InstrumentDefinition, SessionConfig};
use crate::decimal::MoneyScale;
use portcullis_domain::Money;
use toml::de::{DeTable, DeValue};

const RESTART: &str = "put it back, or stop the venue and start it with the new config";

/// Refuses what may not change, and puts the old in its place so that the rest is judged.
pub(super) fn check(
    previous: &Config,
    draft: &mut Draft<'_>,
    root: &DeTable<'_>,
    mistakes: &mut Mistakes<'_>,
) {
    profile(previous, draft, root, mistakes);
    instruments(previous, draft, mistakes);
    sessions(previous, draft, mistakes);
}

fn profile(previous: &Config, draft: &Draft<'_>, root: &DeTable<'_>, mistakes: &mut Mistakes<'_>) {
    let (old, new) = (previous.profile.named(), draft.profile.named());
    let mut changed = false;
    for ((section, key, old), (_, _, new)) in old.iter().zip(&new) {
        if old == new {
            continue;
        }
        changed = true;
        let what =
            format!("[{section}] `{key}` was {old} and would be {new}: a reload cannot change it");
        match place_of(root, section, key) {
            Some(place) => mistakes.add(place, what, RESTART),
            None => mistakes.add_unplaced(what, RESTART),
        }
    }
    if !changed && previous.profile != draft.profile {
        let what = "a password in [matching] would change: a reload cannot do that";
        mistakes.add_unplaced(what, RESTART);
    }
}

fn place_of(root: &DeTable<'_>, section: &str, key: &str) -> Option<Place> {
    let DeValue::Table(table) = root.get(section)?.get_ref() else {
        return None;
    };
    table.get(key).map(|value| value.span().into())
}

fn instruments(previous: &Config, draft: &mut Draft<'_>, mistakes: &mut Mistakes<'_>) {
    for (index, before) in previous.instruments.iter().enumerate() {
        let symbol = previous.names.instruments.name(index).unwrap_or_default();
        match draft.instruments.get(index).and_then(Option::as_ref) {
            Some(now) => {
                let Some(definition) = now.definition else {
                    continue;
                };
                for (key, old, new) in differences(before, &definition, draft.money()) {
                    let what = format!(
                        "`{key}` of instrument `{symbol}` was {old} and would be {new}: a reload cannot change it"
                    );
                    mistakes.add(now.places.of(key), what, RESTART);
                }
            }
            None => {
                let what = format!("instrument `{symbol}` is gone: a reload cannot remove it");
                let hint = "put it back; to stop trading in it, use `ctl state instrument`";
                mistakes.add_unplaced(what, hint);
                draft.instruments[index] = Some(DraftInstrument {
                    definition: Some(*before),
                    spec: previous.limits.instruments[index].clone(),
                    places: Default::default(),
                });
            }
        }
    }
    for index in previous.instruments.len()..draft.names.instruments.len() {
        let symbol = draft.names.instruments.name(index).unwrap_or_default();
        let place = draft.instruments[index]
            .as_ref()
            .map(|i| i.places.whole)
            .unwrap_or_default();
        let what = format!("instrument `{symbol}` is new: a reload cannot add it");
        mistakes.add(place, what, RESTART);
    }
}

fn differences(
    old: &InstrumentDefinition,
    new: &InstrumentDefinition,
    money: MoneyScale,
) -> Vec<(&'static str, String, String)> {
    let value = |definition: &InstrumentDefinition| {
        money.show(Money::new(definition.tick_lot_value.quanta()))
    };
    let source = |definition: &InstrumentDefinition| format!("{:?}", definition.reference_from);
    let all = [
        ("tick", old.tick.to_string(), new.tick.to_string()),
        ("lot", old.lot.to_string(), new.lot.to_string()),
        ("tick_lot_value", value(old), value(new)),
        ("reference_from", source(old), source(new)),
    ];
    all.into_iter().filter(|(_, old, new)| old != new).collect()
}

/// What of a session is other than it was, of all that ingress and the venue were started with.
fn changed(old: &SessionConfig, new: &SessionConfig) -> impl Iterator<Item = &'static str> {
    let (may, might) = (new.permissions, old.permissions);
    let all = [
        ("account", new.default_account != old.default_account),
        ("accounts", new.firm_codes != old.firm_codes),
        ("market_orders", may.market_orders != might.market_orders),
        (
            "good_till_cancel",
            may.good_till_cancel != might.good_till_cancel,
        ),
        ("heartbeat_ms", new.heartbeat != old.heartbeat),
        ("silence_max_ms", new.silence_max != old.silence_max),
        ("engine", new.engine != old.engine),
    ];
    all.into_iter()
        .filter(|(_, changed)| *changed)
        .map(|(key, _)| key)
}

fn sessions(previous: &Config, draft: &mut Draft<'_>, mistakes: &mut Mistakes<'_>) {
    for (before, slot) in previous.sessions.iter().zip(&mut draft.sessions) {
        match slot {
            Some((now, _)) => {
                for fixed in changed(before, now) {
                    let what = format!(
                        "`{fixed}` of session `{}` would change: a reload cannot do that",
                        before.user
                    );
                    mistakes.add_unplaced(what, RESTART);
                }
            }
            None => {
                let what = format!(
                    "session `{}` is gone: a reload cannot remove it",
                    before.user
                );
                let hint = "put it back; to stop it, use `ctl kill session`";
                mistakes.add_unplaced(what, hint);
                let spec = previous.limits.sessions[before.session.index()].clone();
                *slot = Some((before.clone(), spec));
            }
        }
    }
    for (session, _) in draft
        .sessions
        .iter()
        .skip(previous.sessions.len())
        .flatten()
    {
        let what = format!("session `{}` is new: a reload cannot add it", session.user);
        mistakes.add_unplaced(what, RESTART);
    }
}
