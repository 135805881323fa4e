//! What configs of verbs that run a gateway have in common: limits beyond what their clients do, and
//! passwords whose hashes cost next to nothing.
//!
//! Invariant: a limit that a verb's clients come to is stated by that verb.

use crate::verb::Fault;
use portcullis_control::credentials::{HashCost, hash_password};

/// The user of a client.
pub(crate) fn user(client: usize) -> String {
    format!("C{client:05}")
}

/// A hash as cheap as Argon2id goes, for where it is not guessing that is tried.
pub(crate) fn cheap_hash(password: &str) -> Result<String, Fault> {
    let cost = HashCost {
        memory_kib: 8,
        passes: 1,
    };
    hash_password(password, cost).map_err(|error| Fault::of("the password", error))
}

/// An instrument with this margin and a collar of 10%.
pub(crate) fn instrument(symbol: &str, margin_ppm: u32) -> String {
    format!(
        r#"
[[instrument]]
symbol = "{symbol}"
tick = "0.01"
lot = "1"
tick_lot_value = "0.01"
reference_from = "ctl"
price_max = "5000.00"
collar_ppm = 100_000
oi_lower = 1_000_000_000
oi_upper = 1_000_000_000
oi_cap = 1_000_000_000
oi_share_max = 1_000_000_000
ref_max_age_s = 86_400
bucket_ms = 1_000
ewma_shift = 8
spike_floor = 1_000_000_000
spike_ppm = 10_000_000
cooldown_s = 15
initial_margin = [{{ from_notional = "0", ratio_ppm = {margin_ppm} }}]
maintenance_margin = [{{ from_notional = "0", ratio_ppm = {margin_ppm} }}]
"#
    )
}

/// A class of accounts, with the limits that are not every verb's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class<'a> {
    pub(crate) name: &'a str,
    pub(crate) rate_count: u32,
    pub(crate) repeat_max: u32,
    pub(crate) open_orders_max: u32,
    pub(crate) account_volume_max: u64,
}

impl<'a> Class<'a> {
    /// For clients that trade as they should.
    pub(crate) const fn of_traders(name: &'a str, open_orders_max: u32) -> Self {
        Self {
            name,
            rate_count: 100_000,
            repeat_max: 1_000,
            open_orders_max,
            account_volume_max: 100_000_000,
        }
    }

    /// Its section of a config.
    pub(crate) fn text(&self) -> String {
        let Self {
            name,
            rate_count,
            repeat_max,
            open_orders_max,
            account_volume_max,
        } = self;
        format!(
            r#"
[[class]]
name = "{name}"
instruments = "all"
rate_interval_ms = 1_000
rate_count = {rate_count}
rate_burst = 100_000
repeat_window_ms = 1
repeat_max = {repeat_max}
qty_max = 1_000
notional_max = "1_000_000"
open_orders_max = {open_orders_max}
position_max = 1_000_000
open_notional_max = "100_000_000"
loss_max = "100_000_000"
pnl_weight_ppm = 0
pnl_cap = "0"
account_volume_max = {account_volume_max}
"#
        )
    }
}

/// The firm of every account.
pub(crate) const FIRM: &str = r#"
[[firm]]
name = "broker"
rate_interval_ms = 1_000
rate_count = 1_000_000
rate_burst = 1_000_000
qty_max = 1_000
notional_max = "1_000_000"
open_orders_max = 60_000
open_notional_max = "1_000_000_000"
"#;
