//! The config of the gateway that is killed, and where it listens.
//!
//! Invariant: it listens at one address in all its lives, which nobody else has.

use crate::verb::Fault;
use crate::wide_limits::{Class, FIRM, cheap_hash, instrument, user};
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

/// Few enough that orders beyond them are refused now and then.
const OPEN_ORDERS_MAX: u32 = 300;

const MARGIN_PPM: u32 = 10_000;

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
    let hash = cheap_hash(PASSWORD)?;
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
{PROFILE}{class}{FIRM}"#,
        socket = folder.join("ctl.sock"),
        address = address(folder)?,
        journal = folder.join("journal"),
        matching = matching(engine),
        class = Class::of_traders("desk", OPEN_ORDERS_MAX).text(),
    );
    text.extend(SYMBOLS.map(|symbol| instrument(symbol, MARGIN_PPM)));
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

const PROFILE: &str = r#"
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
session_store_bytes = 131_072         # what is older is resent from the journal
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
