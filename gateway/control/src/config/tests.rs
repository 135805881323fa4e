//! The config as a whole: samples, mistakes, reloads, differences, the accounts file.

mod accounts_file;
mod mistakes;
mod reloads;
mod samples;

use crate::config::{Config, Errors, Files, LoadOptions, parse};
use std::io::{self, BufRead, Cursor};

/// A small whole config, for tests to break.
pub(crate) const SMALL: &str = r#"
[venue]
name = "test"
settlement_asset = "USD"

[network]
listen = "127.0.0.1:9000"

[matching]
kind = "embedded"

[[instrument]]
symbol = "ES"
tick = "0.25"
lot = "1"
tick_lot_value = "12.50"
reference_from = "feed"
price_max = "20000.00"
collar_ppm = 50_000
oi_lower = 100
oi_upper = 200
oi_cap = 300
oi_share_max = 100
ref_max_age_s = 5
bucket_ms = 250
ewma_shift = 8
spike_floor = 1_000
spike_ppm = 8_000_000
cooldown_s = 5
initial_margin = [{ from_notional = "0", ratio_ppm = 50_000 }]
maintenance_margin = [{ from_notional = "0", ratio_ppm = 40_000 }]

[[class]]
name = "std"
instruments = "all"
rate_interval_ms = 1_000
rate_count = 100
rate_burst = 10
repeat_window_ms = 100
repeat_max = 5
qty_max = 50
notional_max = "1_000_000"
open_orders_max = 100
position_max = 500
open_notional_max = "10_000_000"
loss_max = "100_000"
pnl_weight_ppm = 500_000
pnl_cap = "1000"
account_volume_max = 400

[[firm]]
name = "north"
rate_interval_ms = 1_000
rate_count = 1_000
rate_burst = 100
qty_max = 100
notional_max = "2_000_000"
open_orders_max = 1_000
open_notional_max = "100_000_000"

[[account]]
name = "a1"
class = "std"
firm = "north"

[[account]]
name = "a2"
class = "std"
firm = "north"
loss_max = "5_000.50"

[[session]]
user = "desk1"
password_hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A"
account = "a1"
accounts = { ABCD = "a2" }
cancel_on_disconnect = true
rate_interval_ms = 1_000
rate_count = 100
rate_burst = 10
"#;

/// One file, by name.
struct OneFile(&'static str, String);

impl Files for OneFile {
    fn open(&self, name: &str) -> io::Result<Box<dyn BufRead>> {
        if name != self.0 {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Box::new(Cursor::new(self.1.clone().into_bytes())))
    }
}

fn parse_plain(text: &str, previous: Option<&Config>) -> Result<Config, Errors> {
    let options = LoadOptions {
        dialect: Some(samples::OUCH),
        previous,
    };
    parse("test.toml", text, &OneFile("", String::new()), options)
}

pub(crate) fn small() -> Config {
    match parse_plain(SMALL, None) {
        Ok(config) => config,
        Err(errors) => panic!("{errors}"),
    }
}

/// The small config with one text in the place of another, which must be in it.
fn changed(old: &str, new: &str) -> String {
    assert!(SMALL.contains(old), "{old}");
    SMALL.replacen(old, new, 1)
}
