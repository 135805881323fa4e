//! `portcullis check`: whether a config loads.
//!
//! Reads and prints, changes nothing.

use crate::{REFUSED, cannot};
use portcullis_control::config::{Config, DialectBounds, Errors, LoadOptions, load};
use portcullis_wire::ouch50::OUCH50;
use std::path::Path;
use std::process::ExitCode;

/// Longest OUCH symbol.
const SYMBOL_LEN_MAX: usize = 8;

/// What every instrument must fit: OUCH 5.0.
pub(crate) fn dialect() -> DialectBounds {
    DialectBounds {
        name: "OUCH 5.0",
        price_decimals: OUCH50.price_decimals,
        price_max_wire: OUCH50.price_max_wire,
        qty_decimals: 0,
        qty_max_wire: OUCH50.qty_max_wire.into(),
        symbol_len_max: SYMBOL_LEN_MAX,
    }
}

/// Loads a config as every verb does.
pub(crate) fn load_config(path: &Path) -> Result<Config, Errors> {
    load(
        path,
        LoadOptions {
            dialect: Some(dialect()),
            previous: None,
        },
    )
}

/// Says whether a config loads.
pub(crate) fn check(path: &Path) -> ExitCode {
    if !path.exists() {
        return cannot(format!("{}: there is no such file", path.display()));
    }
    match load_config(path) {
        Ok(config) => {
            for warning in &config.warnings {
                println!("warning: {warning}");
            }
            println!(
                "{} loads: {} instruments, {} accounts, {} firms, {} sessions; limits {:016x}",
                path.display(),
                config.limits.instruments.len(),
                config.limits.accounts.len(),
                config.limits.firms.len(),
                config.limits.sessions.len(),
                config.limits.digest(),
            );
            ExitCode::SUCCESS
        }
        Err(errors) => {
            eprintln!("{errors}");
            ExitCode::from(REFUSED)
        }
    }
}
