//! Reloads: indices kept, the rest refused by name, differences told.

use super::{changed, parse_plain, small};
use crate::config::{ChangeEffect, Config, diff};
use portcullis_domain::AccountId;

fn reload(old: &Config, text: &str) -> Config {
    match parse_plain(text, Some(old)) {
        Ok(config) => config,
        Err(errors) => panic!("{errors}"),
    }
}

#[test]
fn the_same_text_changes_nothing() {
    let old = small();
    let new = reload(&old, super::SMALL);
    assert_eq!(old.limits, new.limits);
    assert_eq!(old.limits.digest(), new.limits.digest());
    assert_eq!(diff(&old, &new).to_string(), "nothing changes");
}

#[test]
fn names_keep_their_indices_and_what_is_gone_is_unknown() {
    let third = "[[account]]\nname = \"a3\"\nclass = \"std\"\nfirm = \"north\"\n\n[[session]]";
    let three = changed("[[session]]", third);
    let old = parse_plain(&three, None).expect("three accounts load");
    let text = three.replace("name = \"a3\"", "name = \"a0\"");
    let new = reload(&old, &text);
    assert_eq!(new.names.account("a2"), Some(AccountId::new(1)));
    assert_eq!(new.names.account("a3"), Some(AccountId::new(2)));
    assert_eq!(new.names.account("a0"), Some(AccountId::new(3)));
    assert_eq!(new.limits.accounts[2].row, None);
    assert_eq!(new.account_classes, [Some(0), Some(0), None, Some(0)]);
    let effects: Vec<_> = diff(&old, &new)
        .changes
        .iter()
        .map(|change| change.effect)
        .collect();
    let expected = [ChangeEffect::Removed, ChangeEffect::Added];
    assert_eq!(effects, expected, "a3 gone, a0 new");
    let back = reload(&new, &three);
    assert_eq!(back.names.account("a3"), Some(AccountId::new(2)));
    assert_eq!(back.limits.accounts[2].row, Some(0));
    let still = text.replace("account = \"a1\"", "account = \"a3\"");
    let errors = parse_plain(&still, Some(&old)).expect_err("a3 is not in this config any more");
    let unknown = |what: &str| what.contains("no account `a3`");
    assert!(errors.mistakes.iter().any(|m| unknown(&m.what)), "{errors}");
}

#[test]
fn a_removed_firm_stays_for_those_who_still_name_it() {
    let old = small();
    let text = super::SMALL.replace("\"north\"", "\"south\"");
    let new = reload(&old, &text);
    assert_eq!(new.names.firms.len(), 2);
    assert_eq!(new.limits.firms[0], old.limits.firms[0]);
    let errors = parse_plain(
        &text.replacen("firm = \"south\"", "firm = \"north\"", 1),
        Some(&old),
    );
    assert!(
        errors.expect_err("north is gone").mistakes[0]
            .what
            .contains("no firm `north`")
    );
}

/// What is replaced by what, and how the refusal begins.
const FIXED: &[(&str, &str, &str)] = &[
    (
        "127.0.0.1:9000",
        "127.0.0.1:9001",
        "[network] `listen` was 127.0.0.1:9000",
    ),
    ("name = \"test\"", "name = \"tset\"", "[venue] `name`"),
    (
        "[matching]",
        "[capacities]\norders_max = 100_000\n[matching]",
        "`orders_max` was 65536",
    ),
    (
        "[matching]",
        "[threads]\ntopology = \"split\"\n[matching]",
        "`topology` was Fused",
    ),
    (
        "[network]",
        "[network]\ncongestion_control = \"reno\"",
        "`congestion_control` was system",
    ),
    (
        "tick_lot_value = \"12.50\"",
        "tick_lot_value = \"12.51\"",
        "`tick_lot_value` of instrument `ES`",
    ),
    (
        "tick = \"0.25\"",
        "tick = \"0.50\"",
        "`tick` of instrument `ES`",
    ),
    ("\"feed\"", "\"ctl\"", "`reference_from` of instrument `ES`"),
    (
        "symbol = \"ES\"",
        "symbol = \"NQ\"",
        "instrument `ES` is gone",
    ),
    (
        "symbol = \"ES\"",
        "symbol = \"NQ\"",
        "instrument `NQ` is new",
    ),
    (
        "user = \"desk1\"",
        "user = \"desk2\"",
        "session `DESK1` is gone",
    ),
    (
        "user = \"desk1\"",
        "user = \"desk2\"",
        "session `DESK2` is new",
    ),
    (
        "account = \"a1\"",
        "account = \"a2\"",
        "`account` of session `DESK1`",
    ),
    (
        "ABCD = \"a2\"",
        "ABCD = \"a1\"",
        "`accounts` of session `DESK1`",
    ),
    (
        "account = \"a1\"",
        "account = \"a1\"\nmarket_orders = true",
        "`market_orders` of session `DESK1`",
    ),
    (
        "account = \"a1\"",
        "account = \"a1\"\nsilence_max_ms = 9_000",
        "`silence_max_ms` of session `DESK1`",
    ),
];

#[test]
fn what_cannot_change_is_refused_by_name() {
    let old = small();
    for (from, to, what) in FIXED {
        let errors = parse_plain(&changed(from, to), Some(&old)).expect_err(to);
        let found = errors
            .mistakes
            .iter()
            .any(|mistake| mistake.what.contains(what));
        assert!(found, "{what}:\n{errors}");
    }
}

/// What is replaced by what, and what is told of it.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "qty_max = 50",
        "qty_max = 40",
        "tighter  class std: qty_max 50 -> 40",
    ),
    (
        "qty_max = 50",
        "qty_max = 60",
        "LOOSER   class std: qty_max 50 -> 60",
    ),
    (
        "loss_max = \"100_000\"",
        "loss_max = \"100_000.50\"",
        "LOOSER   class std: loss_max 100000 -> 100000.5",
    ),
    (
        "loss_max = \"100_000\"",
        "",
        "tighter  class std: loss_max 100000 -> unset",
    ),
    (
        "loss_max = \"5_000.50\"",
        "loss_max = \"4_000\"",
        "tighter  account a2: loss_max 5000.5 -> 4000",
    ),
    (
        "price_max = \"20000.00\"",
        "price_max = \"19999.75\"",
        "tighter  instrument ES: price_max 20000.00 -> 19999.75",
    ),
    (
        "cooldown_s = 5",
        "cooldown_s = 4",
        "LOOSER   instrument ES: cooldown_ns 5000000000 -> 4000000000",
    ),
    (
        "bucket_ms = 250",
        "bucket_ms = 500",
        "changed  instrument ES: bucket_ns 250000000 -> 500000000",
    ),
    (
        "ratio_ppm = 50_000",
        "ratio_ppm = 60_000",
        "tighter  instrument ES: initial_margin [from 0: 50000 ppm] -> [from 0: 60000 ppm]",
    ),
    (
        "instruments = \"all\"",
        "instruments = []",
        "tighter  class std: instruments [ES] -> []",
    ),
    (
        "qty_max = 100",
        "restricted = [\"ES\"]\nqty_max = 100",
        "tighter  firm north: restricted [] -> [ES]",
    ),
    (
        "c29tZXNhbHQ",
        "c29tZXNhbHU",
        "changed  session DESK1: password_hash old -> new",
    ),
];

#[test]
fn a_change_is_told_with_its_direction() {
    let old = small();
    for (from, to, told) in CHANGES {
        let difference = diff(&old, &reload(&old, &changed(from, to)));
        assert_eq!(difference.total, 1, "{difference}");
        assert_eq!(difference.changes[0].to_string(), *told);
        assert_eq!(difference.looser, usize::from(told.starts_with("LOOSER")));
    }
}
