//! Every sample config loads, fits the wire, and says what it is meant to say.

use crate::config::{Config, DialectBounds, EngineReplayEnd, LoadOptions, Matching, load};
use portcullis_domain::Duration;
use std::path::Path;

/// The bounds of OUCH 5.0, as the server passes them.
pub(super) const OUCH: DialectBounds = DialectBounds {
    name: "OUCH 5.0",
    price_decimals: 4,
    price_max_wire: 1_999_999_900,
    qty_decimals: 0,
    qty_max_wire: 999_999,
    symbol_len_max: 8,
};

fn sample(name: &str) -> Config {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let options = LoadOptions {
        dialect: Some(OUCH),
        previous: None,
    };
    match load(&folder.join(name), options) {
        Ok(config) => {
            assert_eq!(config.warnings, [""; 0], "{name}");
            config
        }
        Err(errors) => panic!("{errors}"),
    }
}

#[test]
fn the_equity_index_future_loads_with_its_accounts_file() {
    let config = sample("equity-index-future.toml");
    assert_eq!(config.names.accounts.len(), 6);
    assert_eq!(
        config.limits.rows.len(),
        2 + 3,
        "two classes, three accounts with exceptions"
    );
    assert_eq!(config.limit_table().accounts_len(), 6);
    assert_eq!(config.instruments[0].tick_lot_value.quanta(), 12_500_000);
}

#[test]
fn the_perpetual_loads() {
    let config = sample("perpetual.toml");
    assert_eq!(config.instruments[0].tick_lot_value.quanta(), 500);
    assert_eq!(config.sessions[1].firm_codes.len(), 2);
    assert!(config.sessions[1].default_account.is_none());
}

#[test]
fn the_cash_product_loads_in_front_of_an_engine() {
    let config = sample("cash.toml");
    let Matching::Ouch { house, replay_end } = &config.profile.matching else {
        panic!("an external engine")
    };
    let quiet = EngineReplayEnd::Quiet(Duration::from_ns(500_000_000));
    assert_eq!((house.len(), *replay_end), (1, quiet));
    assert!(config.sessions[0].engine.is_some());
}

#[test]
fn the_demo_loads_with_everything_in_it() {
    let config = sample("demo.toml");
    let names = &config.names;
    let counts = [
        &names.instruments,
        &names.sessions,
        &names.firms,
        &names.accounts,
    ];
    let spec = &config.limits;
    let loaded = [
        spec.instruments.len(),
        spec.sessions.len(),
        spec.firms.len(),
        spec.accounts.len(),
    ];
    assert_eq!(counts.map(|table| table.len()), loaded);
    assert!(loaded.iter().all(|count| *count > 2), "{loaded:?}");
}

#[test]
fn the_replay_of_recorded_flow_loads() {
    let config = sample("replay.toml");
    assert_eq!(config.limits.instruments.len(), 1);
}

#[test]
fn what_is_no_plain_file_or_not_there_is_refused_by_name() {
    for (path, what) in [
        ("/dev/null", "no plain file"),
        ("/nowhere/x.toml", "cannot be read"),
    ] {
        let errors = load(Path::new(path), LoadOptions::default()).expect_err(path);
        assert_eq!(errors.mistakes[0].file, path);
        assert!(errors.mistakes[0].what.contains(what), "{errors}");
    }
}
