//! The gateway's config: every limit set, those of the load wide but for what its orders come near, and for each case
//! an account, a class, a firm and an instrument of its own.
//!
//! Owned by nobody. Invariant: what a case does not tighten is as the load has it, or wider.

use crate::case::{Case, Scope};
use crate::market::{self, INSTRUMENTS};
use crate::rig::SPEAKING_MAX;
use portcullis_control::credentials::{HashCost, hash_password};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

/// What a config is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config<'a> {
    /// The core that the gateway runs on, by index among the usable ones.
    pub(crate) core: usize,
    pub(crate) sessions: usize,
    pub(crate) engine: SocketAddr,
    /// Where operators ask.
    pub(crate) socket: &'a Path,
    pub(crate) cases: &'a [Case],
}

/// Whether the gateway is asked to lock its memory: with many sessions it would be 20 GB, 20 MiB for each
/// and its own link to the engine.
const fn is_locked(sessions: usize) -> bool {
    sessions == 1
}

/// A limit's key, and what stands there.
type Limit = (&'static str, String);

impl Config<'_> {
    pub(crate) fn text(&self) -> Result<String, String> {
        // The cheapest hash that loads: logons are not what is measured.
        let cost = HashCost {
            memory_kib: 8,
            passes: 1,
        };
        let hash = hash_password(market::PASSWORD, cost).map_err(|error| error.to_string())?;
        let mut text = self.venue();
        for instrument in 0..INSTRUMENTS {
            section(
                &mut text,
                "instrument",
                &named("symbol", &market::symbol(instrument)),
                instrument_limits(),
            );
        }
        let symbols: Vec<String> = (0..INSTRUMENTS).map(market::symbol).collect();
        section(
            &mut text,
            "class",
            &class("trader", &symbols),
            class_limits(),
        );
        section(&mut text, "firm", &named("name", "broker"), firm_limits());
        section(&mut text, "account", &account(market::HOLDER), Vec::new());
        for case in self.cases {
            add_case(&mut text, case);
        }
        for session in 0..self.sessions {
            self.add_session(&mut text, session, &hash);
        }
        Ok(text)
    }

    fn venue(&self) -> String {
        let Self {
            core,
            sessions,
            engine,
            socket,
            cases,
        } = self;
        let lock_memory = is_locked(*sessions);
        let accounts: usize = cases.iter().map(|case| case.accounts().len()).sum();
        format!(
            r#"[venue]
name = "bench"
settlement_asset = "USD"
money_quantum = "0.000001"

[network]
listen = "127.0.0.1:0"
feed_listen = "127.0.0.1:0"

[threads]
topology = "fused"
idle = "busy"
cores = [{core}]
lock_memory = {lock_memory}

[ctl]
socket = {socket:?}

[capacities]
accounts_max = {accounts_max}
sessions_max = {room}
connections_max = {room}
logons_pending_max = {room}
session_store_bytes = 1_048_576

[matching]
kind = "ouch"

[[matching.house]]
address = "{engine}"
user = "HOUSE"
password = "{password}"
"#,
            accounts_max = sessions + accounts + 16,
            room = sessions + 16,
            password = market::PASSWORD,
        )
    }

    /// A session and its account; it may order for the accounts of the cases too.
    fn add_session(&self, text: &mut String, session: usize, hash: &str) {
        let own = self.own_case(session);
        let engine_user = match own {
            Some(case) if case.is_cut_off() => market::USER_CUT_OFF.to_owned(),
            _ => market::user(session),
        };
        let account = format!("a{session}");
        section(text, "account", &self::account(&account), Vec::new());
        let mut accounts = format!("{{ {} = {account:?}", market::FIRM_CODE);
        if session < SPEAKING_MAX || own.is_some() {
            for case in self.cases {
                for (which, name) in case.accounts().iter().enumerate() {
                    let _ = write!(accounts, ", {} = {name:?}", case.code(which));
                }
            }
        }
        accounts.push_str(" }");
        let (engine, password) = (self.engine, market::PASSWORD);
        let engine = format!(
            "{{ address = \"{engine}\", user = {engine_user:?}, password = {password:?} }}"
        );
        let head = [
            ("user", quoted(&market::user(session))),
            ("password_hash", quoted(hash)),
            ("account", quoted(&account)),
            ("accounts", accounts),
            ("engine", engine),
        ];
        let mut limits = session_limits();
        if let Some(case) = own {
            tighten(&mut limits, case, Scope::Session);
        }
        section(text, "session", &head, limits);
    }

    /// The case whose own session this is: those stand behind the ones that speak.
    fn own_case(&self, session: usize) -> Option<&Case> {
        let mut cases = self.cases.iter();
        cases.find(|case| {
            case.own_session()
                .is_some_and(|own| session == SPEAKING_MAX + own)
        })
    }
}

fn add_case(text: &mut String, case: &Case) {
    let own = case.account();
    let mut instrument = instrument_limits();
    // Its price stands.
    put(
        &mut instrument,
        "ref_max_age_ns",
        "1_000_000_000_000_000".to_owned(),
    );
    tighten(&mut instrument, case, Scope::Instrument);
    section(
        text,
        "instrument",
        &named("symbol", &case.symbol()),
        instrument,
    );
    let mut class = class_limits();
    put(&mut class, "notional_max", quoted("1_000_000"));
    tighten(&mut class, case, Scope::Class);
    let permitted = match case.check.name {
        "NOT_PERMITTED" => market::symbol(0),
        _ => case.symbol(),
    };
    section(text, "class", &self::class(&own, &[permitted]), class);
    let mut firm = firm_limits();
    tighten(&mut firm, case, Scope::Firm);
    section(text, "firm", &named("name", &own), firm);
    for account in case.accounts() {
        let served = [
            ("name", quoted(&account)),
            ("class", quoted(&own)),
            ("firm", quoted(&own)),
        ];
        section(text, "account", &served, Vec::new());
    }
}

/// Writes a section.
fn section(text: &mut String, name: &str, head: &[Limit], limits: Vec<Limit>) {
    let _ = writeln!(text, "\n[[{name}]]");
    for (key, value) in head.iter().chain(&limits) {
        let _ = writeln!(text, "{key} = {value}");
    }
}

/// Puts in what a case has otherwise in a scope.
fn tighten(limits: &mut Vec<Limit>, case: &Case, scope: Scope) {
    for (whose, key, value) in case.tightened() {
        if whose == scope {
            put(limits, key, value);
        }
    }
}

fn put(limits: &mut Vec<Limit>, key: &'static str, value: String) {
    limits.retain(|(other, _)| *other != key);
    limits.push((key, value));
}

fn named(key: &'static str, name: &str) -> [Limit; 1] {
    [(key, quoted(name))]
}

/// An account of the load's class and firm.
fn account(name: &str) -> [Limit; 3] {
    [
        ("name", quoted(name)),
        ("class", quoted("trader")),
        ("firm", quoted("broker")),
    ]
}

/// A class, and what its accounts may trade: no more, since what they may order at once is bounded by each instrument.
fn class(name: &str, symbols: &[String]) -> [Limit; 2] {
    [
        ("name", quoted(name)),
        ("instruments", format!("{symbols:?}")),
    ]
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn limits_of<const N: usize>(limits: [(&'static str, &str); N]) -> Vec<Limit> {
    let owned = limits.map(|(key, value)| (key, value.to_owned()));
    owned.into()
}

fn instrument_limits() -> Vec<Limit> {
    let mut limits = limits_of([
        ("tick", "\"0.01\""),
        ("lot", "\"1\""),
        ("tick_lot_value", "\"0.01\""),
        ("reference_from", "\"feed\""),
        ("price_max", "\"1000.00\""),
        ("oi_cap", "3_000_000_000"),
        ("oi_share_max", "1_000_000_000"),
        ("ref_max_age_ns", "60_000_000_000"),
        ("bucket_ms", "250"),
        ("ewma_shift", "8"),
        ("spike_floor", "1_000_000_000"),
        ("spike_ppm", "8_000_000"),
        ("cooldown_s", "5"),
    ]);
    limits.push(("oi_lower", market::OI_LOWER.to_string()));
    limits.push(("oi_upper", market::OI_UPPER.to_string()));
    limits.push(("collar_ppm", market::COLLAR_PPM.to_string()));
    limits.push(("initial_margin", tiers([50_000, 75_000, 120_000, 250_000])));
    limits.push((
        "maintenance_margin",
        tiers([45_000, 67_500, 110_000, 250_000]),
    ));
    limits
}

/// Tiers of margin with these shares.
fn tiers(shares_ppm: [u32; 4]) -> String {
    let from = ["0", "1_000_000", "10_000_000", "100_000_000"];
    let tiers = from.iter().zip(shares_ppm);
    let tiers: Vec<String> = tiers
        .map(|(from, ppm)| format!("{{ from_notional = {from:?}, ratio_ppm = {ppm} }}"))
        .collect();
    format!("[{}]", tiers.join(", "))
}

fn class_limits() -> Vec<Limit> {
    let mut limits = limits_of([
        ("rate_interval_ms", "1_000"),
        ("rate_count", "100_000_000"),
        ("rate_burst", "1_000_000"),
        ("repeat_window_ms", "1"),
        ("repeat_max", "1_000"),
        ("open_orders_max", "10_000"),
        ("position_max", "1_000_000"),
        ("open_notional_max", "\"1_000_000_000\""),
        ("loss_max", "\"100_000_000\""),
        ("pnl_weight_ppm", "500_000"),
        ("pnl_cap", "\"1_000_000\""),
        ("account_volume_max", "500_000_000"),
    ]);
    limits.push(("qty_max", market::QTY_MAX.to_string()));
    limits.push(("notional_max", quoted(&market::NOTIONAL_MAX.to_string())));
    limits
}

fn firm_limits() -> Vec<Limit> {
    limits_of([
        ("rate_interval_ms", "1_000"),
        ("rate_count", "100_000_000"),
        ("rate_burst", "1_000_000"),
        ("qty_max", "1_000"),
        ("notional_max", "\"1_000_000\""),
        ("open_orders_max", "10_000_000"),
        ("open_notional_max", "\"1_000_000_000_000\""),
    ])
}

fn session_limits() -> Vec<Limit> {
    limits_of([
        ("cancel_on_disconnect", "false"),
        ("rate_interval_ms", "1_000"),
        ("rate_count", "100_000_000"),
        ("rate_burst", "1_000_000"),
        ("heartbeat_ms", "1_000"),
        ("silence_max_ms", "300_000"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SESSIONS_MANY;
    use crate::case;
    use portcullis_bench_market::shipped::lacking;
    use portcullis_control::config::{LoadOptions, load, parse_str};

    fn text(sessions: usize) -> String {
        let config = Config {
            core: 0,
            sessions,
            engine: SocketAddr::from(([127, 0, 0, 1], 9_100)),
            socket: Path::new("/run/bench.sock"),
            cases: &case::all(sessions),
        };
        config.text().expect("it is made")
    }

    #[test]
    fn it_sets_each_limit_that_a_shipped_config_sets() {
        let own = parse_str("wire", &text(1)).unwrap_or_else(|errors| panic!("{errors}"));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
        for entry in std::fs::read_dir(folder).expect("the repository has its configs") {
            let path = entry.expect("an entry that can be read").path();
            if path.extension().is_some_and(|end| end == "toml") {
                let shipped = load(&path, LoadOptions::default());
                let shipped = shipped.unwrap_or_else(|errors| panic!("{errors}"));
                let lacking = lacking(&shipped.limits, &own.limits);
                assert!(lacking.is_empty(), "{}: {lacking:?}", path.display());
            }
        }
    }

    #[test]
    fn memory_is_locked_with_one_session_alone() {
        for (sessions, locked) in [(1, true), (SESSIONS_MANY, false)] {
            let config = parse_str("wire", &text(sessions));
            let config = config.unwrap_or_else(|errors| panic!("{errors}"));
            assert_eq!(config.profile.lock_memory, locked, "{sessions}");
        }
    }

    #[test]
    fn with_many_sessions_three_of_them_are_cases_own() {
        let text = text(SESSIONS_MANY);
        parse_str("wire", &text).unwrap_or_else(|errors| panic!("{errors}"));
        let cut_off = text.matches(market::USER_CUT_OFF).count();
        assert_eq!(cut_off, 1);
        let slow = text.matches("rate_count = 1\n").count();
        assert_eq!(slow, 3, "of an account, of a firm, and of a session");
    }
}
