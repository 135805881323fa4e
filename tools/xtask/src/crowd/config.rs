//! The config that a crowd runs against, and the memory that follows from its capacities.
//!
//! Invariants: every user has the same password, whose hash is as cheap as Argon2id goes, since what
//! is tried here is a crowd and not guessing; all clients come from one address, so that its limit of
//! failed logons is out of the way; the hostile ones trade for an account of their own.

use std::fmt::Write;
use std::path::Path;

use super::arguments::Arguments;
use super::hostile::{Kind, kind_of};
use crate::verb::Fault;
use crate::wide_limits::{Class, FIRM, cheap_hash, instrument, user};

/// The password of each user.
pub(super) const PASSWORD: &str = "crowd";

/// What is traded, and the reference price.
pub(super) const SYMBOLS: [&str; 4] = ["AAA", "BBB", "CCC", "DDD"];
pub(super) const REFERENCE: &str = "100.00";

/// What each account has.
pub(super) const DEPOSIT: &str = "1_000_000_000";

/// Accounts of those that behave, dealt to them in turn.
const DESKS: usize = 16;

/// How long a connection may stay without a logon, and a session silent whose client will be.
pub(super) const PATIENCE_SECONDS: u64 = 3;

/// Connections beside one a client: those that churn leave theirs to be noticed.
const CONNECTIONS_SPARE: usize = 256;

const ORDERS_MAX: u64 = 65_536;
const POSITIONS_MAX: u64 = 4_096;
const EXECUTIONS_MAX: u64 = 65_536;
const VERSIONS_MAX: u64 = 65_536;
const EXPLANATIONS_MAX: u64 = 8_192;
const OTHER_RING_BYTES: u64 = 4 << 20;
const STORE_BYTES: u64 = 64 << 10;
const SEND_BUFFER_BYTES: u64 = 16 << 10;

/// The account of a client that behaves.
pub(super) fn desk(client: usize) -> String {
    format!("desk{}", client % DESKS)
}

/// Every account.
pub(super) fn accounts() -> impl Iterator<Item = String> {
    (0..DESKS).map(desk).chain(["hostile".to_owned()])
}

fn connections_max(arguments: &Arguments) -> usize {
    arguments.sessions + CONNECTIONS_SPARE
}

/// Eight orders a session: as many of others' may be before one.
fn order_ring_bytes(arguments: &Arguments) -> u64 {
    (arguments.sessions as u64 * 1_024).next_power_of_two()
}

/// Bytes that the gateway may come to hold: what each thing that a capacity counts takes at most,
/// and a program's own. Everything is made at start, so that nothing a client does adds to it.
pub(super) fn memory_bound_bytes(arguments: &Arguments) -> u64 {
    // A connection: two packets of inbound buffer. A session: its store, a slot and the head of a packet for each
    // 64 bytes of it, four packets of outbound buffer. An order: the core's slot, the client's words, the
    // ladder's slot and level. A lane to the sequencer: an entry for each unit.
    let parts = [
        (connections_max(arguments) as u64, 10 << 10),
        (
            arguments.sessions as u64,
            STORE_BYTES + STORE_BYTES / 64 * (8 + 3) + (18 << 10),
        ),
        (ORDERS_MAX, 2 << 10),
        (POSITIONS_MAX, 512),
        (EXECUTIONS_MAX, 256),
        (VERSIONS_MAX, 128),
        (EXPLANATIONS_MAX, 512),
        (order_ring_bytes(arguments) + 3 * OTHER_RING_BYTES, 2),
    ];
    const PROGRAM: u64 = 32 << 20;
    PROGRAM + parts.iter().map(|(count, each)| count * each).sum::<u64>()
}

/// The config's text.
pub(super) fn text(arguments: &Arguments, socket: &Path) -> Result<String, Fault> {
    let hash = cheap_hash(PASSWORD)?;
    let mut text = format!(
        r#"
[ctl]
socket = {socket:?}

[logon]
timeout_s = {PATIENCE_SECONDS}
failures_max = 1_000_000        # all clients have one address

[capacities]
accounts_max = 64
sessions_max = {sessions}
connections_max = {connections}
logons_pending_max = 1_024
orders_max = {ORDERS_MAX}
positions_max = {POSITIONS_MAX}
executions_max = {EXECUTIONS_MAX}
past_versions_max = {VERSIONS_MAX}
explanations_max = {EXPLANATIONS_MAX}
order_ring_bytes = {order_ring}
cancel_ring_bytes = {OTHER_RING_BYTES}
report_ring_bytes = {OTHER_RING_BYTES}
control_ring_bytes = {OTHER_RING_BYTES}
session_store_bytes = {STORE_BYTES}
send_buffer_bytes = {SEND_BUFFER_BYTES}
{PROFILE}{desk}{hostile}{FIRM}"#,
        desk = DESK.text(),
        hostile = HOSTILE.text(),
        sessions = arguments.sessions,
        connections = connections_max(arguments),
        order_ring = order_ring_bytes(arguments),
    );
    add_participants(&mut text, arguments, &hash);
    Ok(text)
}

fn add_participants(text: &mut String, arguments: &Arguments, hash: &str) {
    text.extend(SYMBOLS.map(|symbol| instrument(symbol, MARGIN_PPM)));
    for account in accounts() {
        let class = if account == "hostile" {
            "hostile"
        } else {
            "desk"
        };
        add(
            text,
            format_args!(
                "\n[[account]]\nname = \"{account}\"\nclass = \"{class}\"\nfirm = \"broker\"\n"
            ),
        );
    }
    for client in 0..arguments.sessions {
        let index = client.checked_sub(arguments.well_behaved());
        let hostile = index.is_some();
        let silent = index.map(kind_of) == Some(Kind::SilentAfterLogon);
        let account = if hostile {
            "hostile".to_owned()
        } else {
            desk(client)
        };
        let silence_ms = if silent {
            PATIENCE_SECONDS * 1_000
        } else {
            60_000
        };
        add(
            text,
            format_args!(
                "\n[[session]]\nuser = \"{}\"\npassword_hash = \"{hash}\"\naccount = \"{account}\"\n\
                 cancel_on_disconnect = {hostile}\nsilence_max_ms = {silence_ms}\n\
                 rate_interval_ms = 1_000\nrate_count = 100_000\nrate_burst = 10_000\n",
                user(client)
            ),
        );
    }
}

fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more)
        .expect("a string takes all that is written to it");
}

/// The hostile ones are bound by it too, since they share the ladder with others.
const OPEN_ORDERS_MAX: u32 = 4_000;

const MARGIN_PPM: u32 = 10_000;

const DESK: Class<'_> = Class::of_traders("desk", OPEN_ORDERS_MAX);

const HOSTILE: Class<'_> = Class {
    name: "hostile",
    rate_count: 1_000_000,
    repeat_max: 1_000_000,
    account_volume_max: 500_000_000,
    ..DESK
};

const PROFILE: &str = r#"
[venue]
name = "crowd"
settlement_asset = "USD"
money_quantum = "0.0001"

[matching]
kind = "embedded"

[network]
listen = "127.0.0.1:0"

[threads]
topology = "fused"
idle = "yield"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_loads_and_the_bound_grows_with_the_crowd() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let few = Arguments::read(&words("--sessions 30 --hostile 10")).unwrap();
        let text = text(&few, Path::new("crowd.sock")).unwrap();
        let config = portcullis_control::config::parse_str("crowd.toml", &text).unwrap();
        assert_eq!(config.sessions.len(), 30);
        let many = Arguments::read(&words("--sessions 1000")).unwrap();
        assert!(memory_bound_bytes(&few) < memory_bound_bytes(&many));
    }
}
