//! The two configs: the same venue, sessions and names, other limits for every account.
//!
//! Invariant: ordinary flow (up to five lots near the reference) passes the sizes of both; each
//! probe fails one check under one and another under the other.

use super::probes::{PROBES, Probe, REFERENCE_TICKS};
use crate::verb::Fault;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The password of each user, and of [`LATE_USER`] under A.
pub(super) const PASSWORD: &str = "change-me";

/// The password of [`LATE_USER`] under B.
pub(super) const OTHER_PASSWORD: &str = "changed";

/// A user who logs on only to show whose password is in force.
pub(super) const LATE_USER: &str = "LATE";

/// Sessions of ordinary flow, each with an account of its own.
pub(super) const FLOW_SESSIONS: usize = 4;

/// Sessions that send probes.
pub(super) const PROBE_SESSIONS: usize = 2;

/// What ordinary flow trades.
pub(super) const FLOW_SYMBOLS: [&str; 2] = ["FLOWA", "FLOWB"];

/// What probes alone ask for: instruments that differ in one cell, and one that does not.
pub(super) const PROBE_SYMBOLS: [&str; 4] = ["PLAIN", "COLLAR", "OICAP", "MARGIN"];

/// The money quantum is 10^-4.
pub(super) const QUANTA_PER_UNIT: i64 = 10_000;

/// Cash of an account of ordinary flow, in whole units.
const FLOW_CASH: i64 = 1_000_000_000;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// In force at the start.
    A,
    /// The other.
    B,
}

impl Which {
    pub(super) const fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }

    /// That in force in an epoch: the first flip goes to B, the next one back.
    pub(super) const fn in_epoch(epoch: u32) -> Self {
        if epoch % 2 == 1 { Self::A } else { Self::B }
    }

    pub(super) const fn config_name(self) -> &'static str {
        ["a.toml", "b.toml"][self.index()]
    }

    const fn accounts_name(self) -> &'static str {
        ["a.csv", "b.csv"][self.index()]
    }
}

/// A config like B whose accounts file has a mistake in its last line.
pub(super) const BAD_CONFIG: &str = "bad.toml";
const BAD_ACCOUNTS: &str = "bad.csv";

/// What both configs are made from.
pub(super) struct Setup {
    /// Accounts, the named ones included.
    pub(super) accounts: u32,
    /// The control socket.
    pub(super) socket: PathBuf,
    /// Of [`PASSWORD`] and [`OTHER_PASSWORD`].
    pub(super) password_hashes: [String; 2],
}

/// The user of each session, flow first.
pub(super) fn users() -> impl Iterator<Item = String> {
    let flow = (1..=FLOW_SESSIONS).map(|number| format!("FLOW{number}"));
    flow.chain((1..=PROBE_SESSIONS).map(|number| format!("PROBE{number}")))
}

/// The account of a session of ordinary flow.
pub(super) fn flow_account(session: usize) -> String {
    format!("flow-{}", session + 1)
}

impl Setup {
    /// Writes both configs and the bad one into a folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Fault> {
        for which in [Which::A, Which::B] {
            let text = self.text(which, which.accounts_name());
            write(&folder.join(which.config_name()), &text)?;
            self.write_accounts(&folder.join(which.accounts_name()), which)?;
        }
        write(&folder.join(BAD_CONFIG), &self.text(Which::B, BAD_ACCOUNTS))?;
        let (good, bad) = (Which::B.accounts_name(), folder.join(BAD_ACCOUNTS));
        let fault = |error| Fault::of(bad.display(), error);
        fs::copy(folder.join(good), &bad).map_err(fault)?;
        let file = File::options().append(true).open(&bad);
        let appended = file.and_then(|mut file| file.write_all(b"one-more,trader,flow,0,1\n"));
        appended.map_err(fault)
    }

    /// The line of the mistake in the bad config's accounts file.
    pub(super) fn bad_place(accounts: u32) -> String {
        format!("{BAD_ACCOUNTS}:{}", accounts + 2)
    }

    /// What `ctl` is told before the flow begins.
    pub(super) fn preparations(&self) -> Vec<String> {
        let price = REFERENCE_TICKS / 100;
        let symbols = FLOW_SYMBOLS.iter().chain(&PROBE_SYMBOLS);
        let prices = symbols.map(|symbol| format!("reference {symbol} {price}"));
        let flow = (0..FLOW_SESSIONS).map(|n| format!("deposit {} {FLOW_CASH}", flow_account(n)));
        let probes = PROBES
            .iter()
            .map(|probe| format!("deposit {} {}", probe.account, probe.cash));
        prices.chain(flow).chain(probes).collect()
    }

    /// One account a line: flow's, the probes', and all the others, which nobody trades for.
    fn write_accounts(&self, path: &Path, which: Which) -> Result<(), Fault> {
        let fault = |error| Fault::of(path.display(), error);
        let mut out = BufWriter::new(File::create(path).map_err(fault)?);
        let mut line = |text: String| out.write_all(text.as_bytes()).map_err(fault);
        line("name,class,firm,qty_max,notional_max\n".to_owned())?;
        let qty_max = [10, 1_000][which.index()];
        let notional_max = [100_000_000, 600][which.index()];
        for session in 0..FLOW_SESSIONS {
            let name = flow_account(session);
            line(format!("{name},trader,flow,{qty_max},{notional_max}\n"))?;
        }
        for probe in &PROBES {
            let Probe { account, firm, .. } = probe;
            let qty_max = probe.qty_max[which.index()];
            let notional_max = probe.notional_max[which.index()];
            line(format!(
                "{account},trader,{firm},{qty_max},{notional_max}\n"
            ))?;
        }
        let named = (FLOW_SESSIONS + PROBES.len()) as u32;
        for other in named..self.accounts {
            let qty_max = [20, 300][which.index()] + other % 50;
            let notional_max = [1_000_000, 2_000_000][which.index()] + other % 1_000;
            line(format!(
                "other-{other},trader,flow,{qty_max},{notional_max}\n"
            ))?;
        }
        out.flush().map_err(fault)
    }

    fn text(&self, which: Which, accounts: &str) -> String {
        let Self { socket, .. } = self;
        let accounts_max = self.accounts + 1;
        let mut text = format!(
            "accounts_csv = {accounts:?}\n{VENUE}\n[ctl]\nsocket = {socket:?}\n\n[capacities]\n\
             accounts_max = {accounts_max}\norders_reserved_per_account = 0\n"
        );
        for symbol in FLOW_SYMBOLS.iter().chain(&PROBE_SYMBOLS) {
            text.push_str(&instrument(symbol, which));
        }
        text.push_str(CLASS);
        for firm in ["flow", "probes", "firm-notional", "firm-orders"] {
            text.push_str(&self::firm(firm, which));
        }
        for (index, user) in users().enumerate() {
            let account = (index < FLOW_SESSIONS).then_some(index);
            text.push_str(&self.session(account, &user, Which::A));
        }
        text.push_str(&self.session(Some(0), LATE_USER, which));
        text
    }

    /// A session with an account of ordinary flow, or with those of all probes; and with the
    /// password that it has under one of the configs.
    fn session(&self, flow: Option<usize>, user: &str, which: Which) -> String {
        let mut accounts = String::new();
        if let Some(flow) = flow {
            let _ = writeln!(accounts, "account = {:?}", flow_account(flow));
        } else {
            let by_code = |probe: &Probe| format!("{} = {:?}", probe.code, probe.account);
            let by_code: Vec<String> = PROBES.iter().map(by_code).collect();
            let _ = writeln!(accounts, "accounts = {{ {} }}", by_code.join(", "));
        }
        let hash = &self.password_hashes[which.index()];
        format!(
            "\n[[session]]\nuser = {user:?}\npassword_hash = {hash:?}\n{accounts}\
             cancel_on_disconnect = false\n{RATES}"
        )
    }
}

fn instrument(symbol: &str, which: Which) -> String {
    let tight = which == Which::B;
    let collar_ppm = match symbol {
        "COLLAR" if tight => 10_000,
        symbol if FLOW_SYMBOLS.contains(&symbol) => 100_000,
        _ => 500_000,
    };
    let oi_cap = if tight && symbol == "OICAP" {
        10
    } else {
        1_000_000_000
    };
    let ratio_ppm = if tight && symbol == "MARGIN" {
        1_000_000
    } else {
        10_000
    };
    format!(
        r#"
[[instrument]]
symbol = "{symbol}"
tick = "0.01"
lot = "1"
tick_lot_value = "0.01"
reference_from = "ctl"
price_max = "5000.00"
collar_ppm = {collar_ppm}
oi_lower = 1_000_000_000
oi_upper = 1_000_000_000
oi_cap = {oi_cap}
oi_share_max = 1_000_000_000
ref_max_age_s = 86_400
bucket_ms = 1_000
ewma_shift = 8
spike_floor = 1_000_000_000
spike_ppm = 10_000_000
cooldown_s = 15
initial_margin = [{{ from_notional = "0", ratio_ppm = {ratio_ppm} }}]
maintenance_margin = [{{ from_notional = "0", ratio_ppm = 5_000 }}]
"#
    )
}

fn firm(name: &str, which: Which) -> String {
    let tight = which == Which::B;
    let notional_max = if tight && name == "firm-notional" {
        600
    } else {
        100_000_000
    };
    let open_orders_max = if tight && name == "firm-orders" {
        0
    } else {
        1_000_000
    };
    format!(
        r#"
[[firm]]
name = "{name}"
qty_max = 1_000_000
notional_max = "{notional_max}"
open_orders_max = {open_orders_max}
open_notional_max = "100_000_000_000"
{RATES}"#
    )
}

const VENUE: &str = r#"
[venue]
name = "reload"
settlement_asset = "USD"
money_quantum = "0.0001"

[network]
listen = "127.0.0.1:0"

[threads]
topology = "fused"
idle = "yield"

[matching]
kind = "embedded"
"#;

const CLASS: &str = r#"
[[class]]
name = "trader"
instruments = "all"
rate_interval_ms = 1_000
rate_count = 1_000_000
rate_burst = 1_000_000
repeat_window_ms = 0
repeat_max = 1_000_000
qty_max = 1
notional_max = "1"
open_orders_max = 10_000
position_max = 1_000_000
open_notional_max = "1_000_000_000"
loss_max = "1_000_000_000"
pnl_weight_ppm = 0
pnl_cap = "0"
account_volume_max = 500_000_000
"#;

const RATES: &str = "rate_interval_ms = 1_000\nrate_count = 1_000_000\nrate_burst = 1_000_000\n";

fn write(path: &Path, text: &str) -> Result<(), Fault> {
    fs::write(path, text).map_err(|error| Fault::of(path.display(), error))
}
