//! The config that a round runs the gateway with.
//!
//! Owned by nobody. Invariant: it says what tools/interop/client.py counts on: three users, one
//! share, 1,000 lots an order, a collar of 10%; every other limit is beyond what the client does.

use std::fmt::Write;
use std::path::Path;

use super::round::Behind;
use crate::wide_limits::{Class, FIRM, instrument};

/// The users, and whether their orders are cancelled when they are disconnected.
const USERS: [(&str, bool); 3] = [("ALICE", false), ("BOBBY", false), ("CAROL", true)];

/// The password of each user.
pub(super) const PASSWORD: &str = "change-me";

/// What each account has.
pub(super) const DEPOSIT: &str = "100_000_000";

/// The instrument and its reference price.
pub(super) const REFERENCE: (&str, &str) = ("ACME", "100.00");

/// Nothing is lent.
const MARGIN_PPM: u32 = 1_000_000;

const OPEN_ORDERS_MAX: u32 = 1_000;

/// The accounts, which have the users' names in small letters.
pub(super) fn accounts() -> impl Iterator<Item = String> {
    USERS.iter().map(|(user, _)| user.to_lowercase())
}

/// The config's text.
pub(super) fn text(behind: Behind, engine_port: u16, socket: &Path, password_hash: &str) -> String {
    let address = format!("127.0.0.1:{engine_port}");
    let matching = match behind {
        Behind::Embedded => "[matching]\nkind = \"embedded\"\n".to_owned(),
        Behind::External => format!(
            r#"[matching]
kind = "ouch"

[[matching.house]]
address = "{address}"
user = "HOUSE1"
password = "engine"
"#
        ),
    };
    let instrument = instrument(REFERENCE.0, MARGIN_PPM);
    let class = Class::of_traders("trader", OPEN_ORDERS_MAX).text();
    let mut text =
        format!("{matching}\n[ctl]\nsocket = {socket:?}\n{PROFILE}{instrument}{class}{FIRM}");
    for ((user, cancel), account) in USERS.into_iter().zip(accounts()) {
        let engine = match behind {
            Behind::Embedded => String::new(),
            Behind::External => format!(
                r#"engine = {{ address = "{address}", user = "{user}", password = "engine" }}
"#
            ),
        };
        write!(
            text,
            r#"
[[account]]
name = "{account}"
class = "trader"
firm = "broker"

[[session]]
user = "{user}"
password_hash = "{password_hash}"
account = "{account}"
cancel_on_disconnect = {cancel}
rate_interval_ms = 1_000
rate_count = 10_000
rate_burst = 1_000
{engine}"#
        )
        .expect("a string takes all that is written to it");
    }
    text
}

const PROFILE: &str = r#"
[venue]
name = "interop"
settlement_asset = "USD"
money_quantum = "0.0001"

[network]
listen = "127.0.0.1:0"

[threads]
topology = "fused"
idle = "park"                   # machines that test are shared
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_external_engine_has_links() {
        let socket = Path::new("/tmp/a.sock");
        let embedded = text(Behind::Embedded, 7, socket, "hash");
        assert_eq!(embedded.matches("127.0.0.1:7").count(), 0);
        let external = text(Behind::External, 7, socket, "hash");
        assert_eq!(external.matches("127.0.0.1:7").count(), 1 + USERS.len());
    }
}
