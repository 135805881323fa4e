//! The standby's part of the profile: where a leader is heard, whom a standby follows, and for how long silence is
//! patience.
//!
//! Control thread only. Holds from start to stop.

use super::journal::DurabilityPolicy;
use super::mistake::Mistakes;
use super::profile_read::{integer, path, word};
use super::section::Section;
use portcullis_domain::Duration;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a promoted gateway may wait for, that has no standby of its own yet.
const PROMOTED: [(&str, DurabilityPolicy); 3] = [
    ("journaled", DurabilityPolicy::Journaled),
    ("synced", DurabilityPolicy::Synced),
    ("replicated", DurabilityPolicy::Replicated),
];

/// Leader and standby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationProfile {
    /// Where a standby connects to this gateway; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// The gateway that `portcullis standby` follows.
    pub leader: Option<SocketAddr>,
    /// The leader's journal, where its disk can be reached: a promotion takes what it had not sent from there.
    pub leader_folder: Option<PathBuf>,
    /// The longest time without a sign of life to the other side.
    pub heartbeat: Duration,
    /// Silence after which the other side counts as gone.
    pub silence_max: Duration,
    /// What takes the place of `replicated` in a gateway that was promoted, until a standby has caught up with it.
    pub promoted_durability: DurabilityPolicy,
}

const MS: u64 = 1_000_000;

/// The other gateway, which is not this one: who was promoted tells its term there.
fn leader(
    section: &mut Section<'_>,
    listen: Option<SocketAddr>,
    mistakes: &mut Mistakes<'_>,
) -> Option<SocketAddr> {
    let item = section.take("leader")?;
    let leader = item.address(mistakes)?;
    if listen.is_some_and(|listen| leads_to(leader, listen)) {
        let what = format!("`leader` is {leader}, where this gateway itself listens for a standby");
        let hint = "write the address of the other gateway, and none that moves with the leader";
        item.wrong(mistakes, what, hint);
        return None;
    }
    Some(leader)
}

/// Whether who connects to an address meets who listens at the other, as far as both say.
fn leads_to(address: SocketAddr, listen: SocketAddr) -> bool {
    let ip = address.ip();
    let own = ip.is_loopback() || ip.is_unspecified();
    address.port() == listen.port() && (ip == listen.ip() || own && listen.ip().is_unspecified())
}

impl ReplicationProfile {
    pub(super) fn read(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Self {
        let heartbeat_ms = integer(section, "heartbeat_ms", 1, 60_000, mistakes).unwrap_or(200);
        let silence = section.take("silence_max_ms");
        let silence_ms = silence.as_ref().and_then(|item| {
            let silence_ms = item.integer(2, 600_000, mistakes)?;
            if silence_ms < 2 * heartbeat_ms {
                let what = format!(
                    "`silence_max_ms` is {silence_ms}, less than two heartbeats of {heartbeat_ms} ms"
                );
                item.wrong(mistakes, what, "write at least twice `heartbeat_ms`");
                return None;
            }
            Some(silence_ms)
        });
        let listen = section.take("listen");
        let listen = listen.and_then(|item| item.address(mistakes));
        Self {
            listen,
            leader: leader(section, listen, mistakes),
            leader_folder: path(section, "leader_folder", mistakes),
            heartbeat: Duration::from_ns(heartbeat_ms as u64 * MS),
            silence_max: Duration::from_ns(silence_ms.unwrap_or(10 * heartbeat_ms) as u64 * MS),
            promoted_durability: word(section, "promoted_durability", &PROMOTED, mistakes)
                .unwrap_or(DurabilityPolicy::Journaled),
        }
    }

    /// Every value by section, key and words.
    pub(super) fn named(&self) -> Vec<(&'static str, &'static str, String)> {
        let address =
            |address: Option<SocketAddr>| address.map_or("none".to_owned(), |it| it.to_string());
        let millis = |span: Duration| (span.ns() / MS).to_string();
        vec![
            ("replication", "listen", address(self.listen)),
            ("replication", "leader", address(self.leader)),
            (
                "replication",
                "leader_folder",
                (self.leader_folder.as_ref())
                    .map_or("none".to_owned(), |path| path.display().to_string()),
            ),
            ("replication", "heartbeat_ms", millis(self.heartbeat)),
            ("replication", "silence_max_ms", millis(self.silence_max)),
            (
                "replication",
                "promoted_durability",
                self.promoted_durability.word().to_owned(),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_to_the_own_door_is_told_from_what_may_be_elsewhere() {
        for (leader, listen, own) in [
            ("10.0.0.1:9100", "10.0.0.1:9100", true),
            ("10.0.0.1:9101", "10.0.0.1:9100", false),
            ("10.0.0.2:9100", "10.0.0.1:9100", false),
            ("127.0.0.1:9100", "0.0.0.0:9100", true),
            ("127.0.0.1:9100", "[::]:9100", true),
            ("0.0.0.0:9100", "0.0.0.0:9100", true),
            ("127.0.0.1:9100", "10.0.0.1:9100", false),
            // Whether that is an address of this machine is not said here: the hello tells.
            ("10.0.0.2:9100", "0.0.0.0:9100", false),
        ] {
            let [leader, listen] = [leader, listen].map(|text| text.parse().expect("an address"));
            assert_eq!(leads_to(leader, listen), own, "{leader} {listen}");
        }
    }
}
