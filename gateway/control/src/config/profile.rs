//! The profile: everything of a config that holds from start to stop.
//!
//! Control thread only. Invariant: [`Profile::named`] lists every value of it, so that a reload
//! which would change one is refused by the name of its key.

use super::capacities::Capacities;
use super::journal::JournalProfile;
use super::replication::ReplicationProfile;
use crate::decimal::MoneyScale;
use portcullis_domain::Duration;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A calendar day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TradingDay {
    /// Year, 2000 to 2199.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, from 1.
    pub day: u8,
}

impl TradingDay {
    /// The day that a text names as `YYYY-MM-DD`, if there is such a day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let mut parts = text.split('-').map(str::parse::<u16>);
        let (year, month, day) = (
            parts.next()?.ok()?,
            parts.next()?.ok()?,
            parts.next()?.ok()?,
        );
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 31,
        };
        let exists =
            (2000..2200).contains(&year) && (1..=12).contains(&month) && (1..=last).contains(&day);
        let complete = parts.next().is_none() && plain;
        (exists && complete).then_some(Self {
            year,
            month: month as u8,
            day: day as u8,
        })
    }
}

impl core::fmt::Display for TradingDay {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// What matches the orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// The ladder in this process.
    Embedded,
    /// An external engine over OUCH 5.0; each session has its own link to it.
    Ouch {
        /// Links for what the gateway itself sends; at least one.
        house: Vec<EngineLink>,
        /// How the end of its replay after a login is known.
        replay_end: EngineReplayEnd,
    },
    /// The deterministic hostile venue of the tests.
    Sim {
        /// Where its randomness starts.
        seed: u64,
    },
}

/// How the end of an engine's replay is known, which SoupBinTCP does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineReplayEnd {
    /// No sequenced message for this long after the login.
    Quiet(Duration),
    /// The answer to an account query, which also says which orders never arrived.
    AccountQuery,
}

/// One engine session: where, and as whom.
#[derive(Clone, PartialEq, Eq)]
pub struct EngineLink {
    /// The engine's address.
    pub address: SocketAddr,
    /// SoupBinTCP user, 1 to 6 characters.
    pub user: String,
    /// SoupBinTCP password, at most 10 characters.
    pub password: String,
}

impl core::fmt::Debug for EngineLink {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "EngineLink({} as {})", self.address, self.user)
    }
}

/// The congestion control of connections to clients and engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CongestionControl {
    /// Whichever the system gives each socket.
    System,
    /// Reno, which every system has and which asks least of each acknowledgement: messages of sessions are few and
    /// small, and fill no window.
    Reno,
}

impl CongestionControl {
    /// Its word in a config.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Reno => "reno",
        }
    }

    /// What the system calls it; `None` where it is left to the system.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Reno => Some("reno"),
        }
    }
}

/// Which agents share a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// All on one thread.
    Fused,
    /// Session input and output on one, the rest on another.
    Split,
    /// Each on its own.
    Dedicated,
}

impl Topology {
    /// Its word in a config.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fused => "fused",
            Self::Split => "split",
            Self::Dedicated => "dedicated",
        }
    }
}

/// What an agent does when it has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Looks again at once.
    Busy,
    /// Lets others run first.
    Yield,
    /// Sleeps a little.
    Park,
}

/// How logons are guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogonProfile {
    /// Failed logons of one source address in `window` before it is refused unheard.
    pub failures_max: u32,
    /// That window.
    pub window: Duration,
    /// How long a connection may stay without a logon.
    pub logon_timeout: Duration,
}

/// Everything of a config that holds from start to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name of the venue.
    pub venue_name: String,
    /// What money is in.
    pub settlement_asset: String,
    /// How it is counted.
    pub money: MoneyScale,
    /// The trading day; `None`: that of the clock at start.
    pub trading_day: Option<TradingDay>,
    /// What matches.
    pub matching: Matching,
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Where the reference price feed connects, if there is one.
    pub feed_listen: Option<SocketAddr>,
    /// The congestion control of connections to clients and engines.
    pub congestion_control: CongestionControl,
    /// Which agents share a thread.
    pub topology: Topology,
    /// What they do when idle.
    pub idle: Idle,
    /// Cores to pin them to, in the order of the topology's threads; empty: not pinned.
    pub cores: Vec<usize>,
    /// Whether the process's memory is locked once all is allocated.
    pub lock_memory: bool,
    /// Bounds.
    pub capacities: Capacities,
    /// The control socket, if there is one.
    pub ctl_socket: Option<PathBuf>,
    /// Its file mode.
    pub ctl_mode: u32,
    /// The log of records, and how a restart opens again.
    pub journal: JournalProfile,
    /// Leader and standby.
    pub replication: ReplicationProfile,
    /// Guard of logons.
    pub logon: LogonProfile,
    /// How often `run` sums up what it does; `None`: never.
    pub summary_every: Option<Duration>,
    /// How often all accounts are valued; `None`: when somebody asks.
    pub value_accounts_every: Option<Duration>,
}

impl Profile {
    /// Every value by section, key and words.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, &'static str, String)> {
        let path = |path: &Option<PathBuf>| {
            path.as_ref()
                .map_or("none".to_owned(), |path| path.display().to_string())
        };
        let every_ms = |every: Option<Duration>| {
            let every_ms = every.map_or(0, |every| every.ns() / 1_000_000);
            every_ms.to_string()
        };
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        let mut named = vec![
            ("venue", "name", self.venue_name.clone()),
            ("venue", "settlement_asset", self.settlement_asset.clone()),
            ("venue", "money_quantum", self.money.quantum().to_string()),
            (
                "venue",
                "trading_day",
                or_none(self.trading_day.map(|day| day.to_string())),
            ),
            ("matching", "kind", format!("{:?}", self.matching)),
            ("network", "listen", self.listen.to_string()),
            (
                "network",
                "feed_listen",
                or_none(self.feed_listen.map(|a| a.to_string())),
            ),
            (
                "network",
                "congestion_control",
                self.congestion_control.word().to_owned(),
            ),
            ("threads", "topology", format!("{:?}", self.topology)),
            ("threads", "idle", format!("{:?}", self.idle)),
            ("threads", "cores", format!("{:?}", self.cores)),
            ("threads", "lock_memory", self.lock_memory.to_string()),
            ("ctl", "socket", path(&self.ctl_socket)),
            ("ctl", "mode", format!("{:04o}", self.ctl_mode)),
            ("observe", "summary_every_ms", every_ms(self.summary_every)),
            (
                "observe",
                "value_accounts_every_ms",
                every_ms(self.value_accounts_every),
            ),
            ("logon", "failures_max", self.logon.failures_max.to_string()),
            (
                "logon",
                "window_s",
                (self.logon.window.ns() / 1_000_000_000).to_string(),
            ),
            (
                "logon",
                "timeout_s",
                (self.logon.logon_timeout.ns() / 1_000_000_000).to_string(),
            ),
        ];
        named.extend(self.journal.named());
        named.extend(self.replication.named());
        let capacities = self.capacities.named();
        named.extend(
            capacities
                .into_iter()
                .map(|(key, value)| ("capacities", key, value.to_string())),
        );
        named
    }
}
