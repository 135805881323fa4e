//! The config: whatever loads is whole, and whatever does not says so in a way that can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_control::config::{LoadOptions, diff, parse, parse_str};
use portcullis_fuzz::{NoFiles, check_errors};

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
});
