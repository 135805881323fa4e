//! The config: whatever loads is whole, and whatever does not says so in a way that can be shown;
//! alone, and as the reload of another one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_control::config::{Config, DialectBounds, LoadOptions, diff, parse, parse_str};
use portcullis_fuzz::{NoFiles, check_errors};
use std::sync::OnceLock;

/// As of OUCH 5.0.
const DIALECT: DialectBounds = DialectBounds {
    name: "fuzz",
    price_decimals: 4,
    price_max_wire: 1_999_999_900,
    qty_decimals: 0,
    qty_max_wire: 999_999,
    symbol_len_max: 8,
};

/// The config in force.
fn before() -> &'static Config {
    static BEFORE: OnceLock<Config> = OnceLock::new();
    let text = include_str!("../seeds/config/small.toml");
    let options = LoadOptions {
        dialect: Some(DIALECT),
        previous: None,
    };
    BEFORE.get_or_init(|| parse("small.toml", text, &NoFiles, options).expect("the seed is whole"))
}

fuzz_target!(|text: &str| {
    match parse_str("fuzz.toml", text) {
        Ok(config) => {
            let table = config.limit_table();
            assert_eq!(table.digest(), config.limits.digest());
            assert_eq!(table.accounts_len(), config.names.accounts.len());
            let options = LoadOptions {
                dialect: None,
                previous: Some(&config),
            };
            let again = parse("fuzz.toml", text, &NoFiles, options).expect("it loaded before");
            assert_eq!(config.limits, again.limits);
            assert_eq!(diff(&config, &again).total, 0);
        }
        Err(errors) => check_errors(&errors, text),
    }
    reload(text);
});

/// A reload loads what the change may be, and shows it; or it says what may not change.
fn reload(text: &str) {
    let options = LoadOptions {
        dialect: Some(DIALECT),
        previous: Some(before()),
    };
    let config = match parse("fuzz.toml", text, &NoFiles, options) {
        Ok(config) => config,
        Err(errors) => return check_errors(&errors, text),
    };
    assert_eq!(config.profile.named(), before().profile.named());
    let difference = diff(before(), &config);
    assert!(difference.looser <= difference.total);
    assert!(difference.changes.len() <= difference.total);
    let same = config.limits.to_words() == before().limits.to_words();
    assert!(
        same || difference.total > 0,
        "limits differ and nothing is said"
    );
    let shown = difference.to_string();
    assert!(!shown.contains(|c: char| c != '\n' && c.is_control()));
}
