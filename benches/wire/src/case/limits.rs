//! The limit that a case is about, as the config says it: its key and what it is there.
//!
//! Owned by nobody. Invariant: what is said of a scope is said of the case's own, whose other limits are as they were.

use super::{Case, RATE_INTERVAL_MS};

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Instrument,
    Class,
    Firm,
    Session,
}

/// A key of a scope and what stands there.
pub(crate) type Tightened = (Scope, &'static str, String);

impl Case {
    /// What its own class, firm, instrument or session has otherwise than those of the load.
    pub(crate) fn tightened(&self) -> Vec<Tightened> {
        use Scope::{Class, Firm, Instrument, Session};
        let of = |scope, key, value: &str| (scope, key, value.to_owned());
        let own = || format!("[\"{}\"]", self.symbol());
        // One at once, and then one in each interval.
        let rate = |scope| {
            vec![
                (scope, "rate_interval_ms", RATE_INTERVAL_MS.to_string()),
                of(scope, "rate_count", "1"),
                of(scope, "rate_burst", "1"),
            ]
        };
        match self.check.name {
            "LOT_INVALID" => vec![of(Instrument, "lot", "\"10\"")],
            "RESTRICTED" => vec![(Firm, "restricted", own())],
            "SESSION_RATE" => rate(Session),
            "RATE" => rate(Class),
            "FIRM_RATE" => rate(Firm),
            "REPEATED" => vec![
                of(Class, "repeat_window_ms", "86_400_000"),
                of(Class, "repeat_max", "1"),
            ],
            "NOTIONAL_MAX" => vec![of(Class, "notional_max", "\"99.99\"")],
            "OPEN_ORDERS_MAX" => vec![of(Class, "open_orders_max", "0")],
            "FIRM_OPEN_ORDERS_MAX" => vec![of(Firm, "open_orders_max", "0")],
            "REFERENCE_STALE" => vec![of(Instrument, "ref_max_age_ns", "1")],
            "POSITION_MAX" => vec![of(Class, "position_max", "0")],
            "OPEN_NOTIONAL_MAX" => vec![of(Class, "open_notional_max", "\"0\"")],
            "FIRM_OPEN_NOTIONAL_MAX" => vec![of(Firm, "open_notional_max", "\"0\"")],
            "LOSS_MAX" => vec![of(Class, "loss_max", "\"1\"")],
            "OI_CAP" => vec![of(Instrument, "oi_cap", "0")],
            "OI_SHARE" => vec![of(Instrument, "oi_share_max", "0")],
            "ACCOUNT_VOLUME" => vec![of(Class, "account_volume_max", "1")],
            // Two accounts fill the floor, and the next lot trips it for good.
            "VOLUME_SPIKE" => vec![
                of(Class, "account_volume_max", "10"),
                of(Instrument, "spike_floor", "20"),
                of(Instrument, "spike_ppm", "0"),
                of(Instrument, "bucket_ms", "1_000_000"),
                of(Instrument, "cooldown_s", "1_000_000"),
            ],
            _ => Vec::new(),
        }
    }
}
