//! The config of the gateway that is killed, and where it listens.
//!
//! Invariant: it listens at one address in all its lives, which nobody else has.

use crate::verb::Fault;
use portcullis_control::credentials::{HashCost, hash_password};
use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

/// The password of each user.
pub(crate) const PASSWORD: &str = "crash";

/// What is traded.
pub(crate) const SYMBOLS: [&str; 2] = ["AAA", "BBB"];

/// The reference price, in the config's units and on the wire.
pub(crate) const REFERENCE: &str = "100.00";
pub(crate) const REFERENCE_WIRE: u64 = 1_000_000;

/// A tick on the wire.
pub(crate) const TICK_WIRE: u64 = 100;

/// The user of a client.
pub(crate) fn user(client: usize) -> String {
    format!("C{client:05}")
}

/// Where the gateway listens: a port that was free when it was first asked for.
pub(crate) fn address(folder: &Path) -> Result<SocketAddr, Fault> {
    let file = folder.join("address");
    if let Ok(text) = fs::read_to_string(&file) {
        return text.parse().map_err(|error| Fault::of(text, error));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    let address = address.map_err(|error| Fault::of("a free port", error))?;
    fs::write(&file, address.to_string()).map_err(|error| Fault::of(file.display(), error))?;
    Ok(address)
}

/// The password of each session at the engine.
pub(crate) const ENGINE_PASSWORD: &str = "engine";

/// The user of the gateway's own session at the engine.
pub(crate) const HOUSE: &str = "HOUSE1";

/// A gateway that is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    /// Its folder: journal, control socket.
    pub(crate) folder: &'a Path,
    /// What must hold before anything leaves it.
    pub(crate) durability: &'a str,
    /// Clients.
    pub(crate) clients: usize,
    /// Where an engine of its own listens; without one the ladder matches, which dies with the gateway.
    pub(crate) engine: Option<SocketAddr>,
    /// The section `[replication]`, or nothing.
    pub(crate) replication: &'a str,
}

/// The config's text.
pub(crate) fn text(setup: &Setup<'_>) -> Result<String, Fault> {
    let Setup {
        folder,
        durability,
        clients,
        engine,
        replication,
    } = *setup;
    let cost = HashCost {
        memory_kib: 8,
        passes: 1,
    };
    let hash = hash_password(PASSWORD, cost).map_err(|error| Fault::of("the password", error))?;
    let mut text = format!(
        r#"
[ctl]
socket = {socket:?}

[network]
listen = "{address}"

[journal]
folder = {journal:?}
durability = "{durability}"
segment_mib = 1
snapshot_every_records = 20_000
stall_ms = 2_000

{replication}

[restart]
reduce_only_ms = 0

[logon]
failures_max = 1_000_000        # all clients have one address

{matching}
{LIMITS}"#,
        socket = folder.join("ctl.sock"),
        address = address(folder)?,
        journal = folder.join("journal"),
        matching = matching(engine),
    );
    for symbol in SYMBOLS {
        add(
            &mut text,
            format_args!("\n[[instrument]]\nsymbol = \"{symbol}\"\n{INSTRUMENT}"),
        );
    }
    for client in 0..clients {
        let user = user(client);
        add(
            &mut text,
            format_args!(
                "\n[[account]]\nname = \"{user}\"\nclass = \"desk\"\nfirm = \"broker\"\n\
                 \n[[session]]\nuser = \"{user}\"\npassword_hash = \"{hash}\"\naccount = \"{user}\"\n\
                 cancel_on_disconnect = {}\nrate_interval_ms = 1_000\nrate_count = 100_000\n\
                 rate_burst = 10_000\n{}\n",
                client % 4 == 3,
                engine.map_or(String::new(), |at| format!(
                    "engine = {{ {} }}",
                    link(at, &user)
                ))
            ),
        );
    }
    Ok(text)
}

fn matching(engine: Option<SocketAddr>) -> String {
    let Some(at) = engine else {
        return "[matching]\nkind = \"embedded\"".to_owned();
    };
    format!(
        "[matching]\nkind = \"ouch\"\naccount_query = true\n\n[[matching.house]]\n{}",
        link(at, HOUSE).replace(", ", "\n")
    )
}

/// A session at the engine.
fn link(at: SocketAddr, user: &str) -> String {
    format!("address = \"{at}\", user = \"{user}\", password = \"{ENGINE_PASSWORD}\"")
}

fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more)
        .expect("a string takes all that is written to it");
}

const INSTRUMENT: &str = r#"tick = "0.01"
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
initial_margin = [{ from_notional = "0", ratio_ppm = 10_000 }]
maintenance_margin = [{ from_notional = "0", ratio_ppm = 10_000 }]
"#;

const LIMITS: &str = r#"
[venue]
name = "crash"
settlement_asset = "USD"
money_quantum = "0.0001"

[threads]
topology = "fused"
idle = "yield"

[capacities]
accounts_max = 64
sessions_max = 64
orders_max = 16_384
positions_max = 1_024
executions_max = 16_384
past_versions_max = 16_384
session_store_bytes = 16_777_216

[[class]]
name = "desk"
instruments = "all"
rate_interval_ms = 1_000
rate_count = 100_000
rate_burst = 100_000
repeat_window_ms = 1
repeat_max = 1_000
qty_max = 1_000
notional_max = "1_000_000"
open_orders_max = 300
position_max = 1_000_000
open_notional_max = "100_000_000"
loss_max = "100_000_000"
pnl_weight_ppm = 0
pnl_cap = "0"
account_volume_max = 100_000_000

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_loads() {
        let folder =
            std::env::temp_dir().join(format!("xtask-crash-config-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        for engine in [None, Some(([127, 0, 0, 1], 7).into())] {
            let setup = Setup {
                folder: &folder,
                durability: "journaled",
                clients: 3,
                engine,
                replication: "",
            };
            let text = text(&setup).unwrap();
            let config = portcullis_control::config::parse_str("crash.toml", &text).unwrap();
            assert_eq!(config.sessions.len(), 3);
            assert_eq!(address(&folder).unwrap(), config.profile.listen);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
