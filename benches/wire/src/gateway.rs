//! The gateway under measurement: the release binary, as `portcullis run` runs it.
//!
//! Owned by the measuring thread. Invariants: it runs fused on the core it is given, polling
//! busily, in front of the bench's engine; every limit of its config is set, and orders come near some and reach none;
//! reference prices move while it is measured; at its end its own counts are compared with what
//! was sent.

use crate::child::Child;
use crate::market::{self, INSTRUMENTS};
use crate::rig::Place;
use portcullis_bench_harness::with_every_core;
use portcullis_control::credentials::{HashCost, hash_password};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A running gateway.
pub(crate) struct Gateway {
    child: Child,
    socket: PathBuf,
    feed: Option<TcpStream>,
    steps: u64,
    moved: Instant,
}

/// How often each reference price moves.
const MOVE_EVERY: Duration = Duration::from_millis(10);

impl Gateway {
    /// Starts it for this many sessions.
    pub(crate) fn start(
        place: Place<'_>,
        sessions: usize,
        engine: SocketAddr,
    ) -> Result<Self, String> {
        let Place { core, folder, .. } = place;
        let socket = folder.join(format!("wire-{}-{sessions}.sock", std::process::id()));
        let config = folder.join(format!("gateway-{sessions}.toml"));
        let text = config_text(core, sessions, engine, &socket)?;
        std::fs::write(&config, text).map_err(|error| format!("{}: {error}", config.display()))?;
        let mut command = Command::new(place.gateway);
        command.arg("run").arg(&config);
        let name = format!("portcullis-{sessions}");
        Ok(Self {
            child: with_every_core(|| Child::start(&name, folder, &mut command))?,
            socket,
            feed: None,
            steps: 0,
            moved: Instant::now(),
        })
    }

    /// Where clients connect, once it listens.
    pub(crate) fn address(&mut self) -> Result<Option<SocketAddr>, String> {
        self.child.must_live()?;
        Ok(self
            .child
            .said("listening on ")
            .and_then(|at| at.parse().ok()))
    }

    /// Gives the first accounts money and connects the price feed.
    pub(crate) fn open(&mut self, accounts: usize) -> Result<(), String> {
        let mut ctl = UnixStream::connect(&self.socket)
            .map_err(|error| format!("the control socket: {error}"))?;
        let mut answers = BufReader::new(ctl.try_clone().map_err(|error| error.to_string())?);
        for account in 0..accounts {
            let request = format!("deposit a{account} 1000000000\n");
            ctl.write_all(request.as_bytes())
                .map_err(|error| error.to_string())?;
            let mut answer = String::new();
            answers
                .read_line(&mut answer)
                .map_err(|error| error.to_string())?;
            if !answer.starts_with("ok") {
                return Err(format!("the gateway answered a deposit with: {answer}"));
            }
        }
        let at = self
            .child
            .said("price feed on ")
            .ok_or("the gateway did not name its price feed")?;
        let feed =
            TcpStream::connect(&at).map_err(|error| format!("the price feed at {at}: {error}"))?;
        feed.set_nodelay(true).map_err(|error| error.to_string())?;
        self.feed = Some(feed);
        self.move_prices()
    }

    /// Moves every reference price if it is time.
    pub(crate) fn keep_prices(&mut self, now: Instant) -> Result<(), String> {
        if now.duration_since(self.moved) < MOVE_EVERY {
            return Ok(());
        }
        self.moved = now;
        self.move_prices()
    }

    fn move_prices(&mut self) -> Result<(), String> {
        self.steps += 1;
        let mut lines = String::new();
        for instrument in 0..INSTRUMENTS {
            let price = market::reference(instrument, self.steps);
            writeln!(lines, "{} {price}", market::symbol(instrument)).expect("a string takes all");
        }
        let feed = self
            .feed
            .as_mut()
            .ok_or("the price feed is not connected")?;
        feed.write_all(lines.as_bytes())
            .map_err(|error| format!("the price feed: {error}"))
    }

    /// It stands still. Its links and clients are silent for much less than would end them.
    pub(crate) fn rest(&self) -> Result<(), String> {
        self.child.rest()
    }

    /// It goes on.
    pub(crate) fn wake(&self) -> Result<(), String> {
        self.child.wake()
    }

    /// Stops it and compares its counts with what was sent.
    pub(crate) fn finish(mut self, accepted: u64, refused: u64) -> Result<(), String> {
        let status = self.child.terminate(STOP_WITHIN)?;
        let said = self.child.said("stopped: ").unwrap_or_default();
        let wanted = format!("accepted {accepted}, refused {refused}, open orders 0,");
        if status.success() && said.starts_with(&wanted) {
            return Ok(());
        }
        Err(format!(
            "the gateway ended with {status}, `{said}`; wanted `{wanted}`"
        ))
    }
}

/// The gateway's binary: the one that was asked for, else the one beside this program.
pub(crate) fn binary(asked: Option<PathBuf>) -> Result<PathBuf, String> {
    let beside = || {
        let own = std::env::current_exe();
        own.map(|own| own.with_file_name("portcullis"))
            .map_err(|error| format!("where this program lies: {error}"))
    };
    let path = asked.map_or_else(beside, Ok)?;
    if path.is_file() {
        return Ok(path);
    }
    Err(format!(
        "{} is not there; run it as `cargo xtask bench wire`, which builds it",
        path.display()
    ))
}

fn config_text(
    core: usize,
    sessions: usize,
    engine: SocketAddr,
    socket: &Path,
) -> Result<String, String> {
    // The cheapest hash that loads: logons are not what is measured.
    let cost = HashCost {
        memory_kib: 8,
        passes: 1,
    };
    let hash = hash_password(market::PASSWORD, cost).map_err(|error| error.to_string())?;
    let mut text = format!(
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

[ctl]
socket = {socket:?}

[capacities]
accounts_max = {room}
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
        room = sessions + 16,
        password = market::PASSWORD,
    );
    for instrument in 0..INSTRUMENTS {
        text.push_str(&instrument_text(&market::symbol(instrument)));
    }
    text.push_str(&limits_text());
    for session in 0..sessions {
        text.push_str(&session_text(session, engine, &hash));
    }
    Ok(text)
}

fn instrument_text(symbol: &str) -> String {
    format!(
        r#"
[[instrument]]
symbol = "{symbol}"
tick = "0.01"
lot = "1"
tick_lot_value = "0.01"
reference_from = "feed"
price_max = "1000.00"
collar_ppm = {collar_ppm}
oi_lower = 1_000_000_000
oi_upper = 2_000_000_000
oi_cap = 3_000_000_000
oi_share_max = 1_000_000_000
ref_max_age_s = 60
bucket_ms = 250
ewma_shift = 8
spike_floor = 1_000_000_000
spike_ppm = 8_000_000
cooldown_s = 5
initial_margin = [
    {{ from_notional = "0", ratio_ppm = 50_000 }},
    {{ from_notional = "1_000_000", ratio_ppm = 75_000 }},
    {{ from_notional = "10_000_000", ratio_ppm = 120_000 }},
    {{ from_notional = "100_000_000", ratio_ppm = 250_000 }},
]
maintenance_margin = [
    {{ from_notional = "0", ratio_ppm = 45_000 }},
    {{ from_notional = "1_000_000", ratio_ppm = 67_500 }},
    {{ from_notional = "10_000_000", ratio_ppm = 110_000 }},
    {{ from_notional = "100_000_000", ratio_ppm = 250_000 }},
]
"#,
        collar_ppm = market::COLLAR_PPM,
    )
}

fn session_text(session: usize, engine: SocketAddr, hash: &str) -> String {
    let user = market::user(session);
    let code = String::from_utf8_lossy(market::FIRM_CODE);
    let password = market::PASSWORD;
    format!(
        r#"
[[account]]
name = "a{session}"
class = "trader"
firm = "broker"

[[session]]
user = "{user}"
password_hash = "{hash}"
account = "a{session}"
accounts = {{ {code} = "a{session}" }}
cancel_on_disconnect = false
rate_interval_ms = 1_000
rate_count = 100_000_000
rate_burst = 1_000_000
heartbeat_ms = 1_000
silence_max_ms = 300_000
engine = {{ address = "{engine}", user = "{user}", password = "{password}" }}
"#
    )
}

fn limits_text() -> String {
    let (qty_max, notional_max) = (market::QTY_MAX, market::NOTIONAL_MAX);
    format!(
        r#"
[[class]]
name = "trader"
instruments = "all"
rate_interval_ms = 1_000
rate_count = 100_000_000
rate_burst = 1_000_000
repeat_window_ms = 1
repeat_max = 1_000
qty_max = {qty_max}
notional_max = "{notional_max}"
open_orders_max = 10_000
position_max = 1_000_000
open_notional_max = "1_000_000_000"
loss_max = "100_000_000"
pnl_weight_ppm = 500_000
pnl_cap = "1_000_000"
account_volume_max = 500_000_000

[[firm]]
name = "broker"
rate_interval_ms = 1_000
rate_count = 100_000_000
rate_burst = 1_000_000
qty_max = 1_000
notional_max = "1_000_000"
open_orders_max = 10_000_000
open_notional_max = "1_000_000_000_000"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_bench_market::shipped::lacking;
    use portcullis_control::config::{LoadOptions, load, parse_str};

    #[test]
    fn its_config_sets_each_limit_that_a_shipped_config_sets() {
        let engine = SocketAddr::from(([127, 0, 0, 1], 9_100));
        let text = config_text(0, 2, engine, Path::new("/run/bench.sock")).expect("it is made");
        let own = parse_str("wire", &text).unwrap_or_else(|errors| panic!("{errors}"));
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
}
