//! The profile out of the config's sections.
//!
//! Control thread only. Invariant: a value that is wrong is a mistake and gets a stand-in, so that
//! the rest of the config is judged too.

use super::capacities::Capacities;
use super::journal::{DurabilityPolicy, JournalProfile};
use super::mistake::Mistakes;
use super::profile::{
    CongestionControl, EngineLink, EngineReplayEnd, Idle, LogonProfile, Matching, Profile,
    Topology, TradingDay,
};
use super::replication::ReplicationProfile;
use super::section::{Item, Section};
use crate::decimal::MoneyScale;
use portcullis_domain::Duration;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

const CONGESTION_CONTROLS: [(&str, CongestionControl); 2] = [
    ("system", CongestionControl::System),
    ("reno", CongestionControl::Reno),
];
const TOPOLOGIES: [(&str, Topology); 3] = [
    ("fused", Topology::Fused),
    ("split", Topology::Split),
    ("dedicated", Topology::Dedicated),
];
const IDLES: [(&str, Idle); 3] = [
    ("busy", Idle::Busy),
    ("yield", Idle::Yield),
    ("park", Idle::Park),
];

/// The longest SoupBinTCP user and password.
const USER_MAX: usize = 6;
const PASSWORD_MAX: usize = 10;

/// The most cores that a config may name.
const CORES_MAX: usize = 64;

pub(super) fn read(root: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Profile {
    let mut venue = root.table("venue", mistakes);
    let mut network = root.table("network", mistakes);
    let mut threads = root.table("threads", mistakes);
    let mut ctl = root.table("ctl", mistakes);
    let mut journal = root.table("journal", mistakes);
    let mut restart = root.table("restart", mistakes);
    let mut replication = root.table("replication", mistakes);
    let mut logon = root.table("logon", mistakes);
    let mut observe = root.table("observe", mistakes);
    let mut capacities = root.table("capacities", mistakes);
    let matching = matching(root.table("matching", mistakes), mistakes);
    let venue_name = venue.require("name", "\"...\"", mistakes);
    let asset = venue.require("settlement_asset", "\"USD\"", mistakes);
    let listen = network.require("listen", "\"127.0.0.1:9000\"", mistakes);
    let profile = Profile {
        venue_name: name(venue_name, mistakes),
        settlement_asset: name(asset, mistakes),
        money: money(&mut venue, mistakes),
        trading_day: trading_day(&mut venue, mistakes),
        matching,
        listen: listen
            .and_then(|item| item.address(mistakes))
            .unwrap_or_else(no_address),
        feed_listen: network
            .take("feed_listen")
            .and_then(|item| item.address(mistakes)),
        congestion_control: word(
            &mut network,
            "congestion_control",
            &CONGESTION_CONTROLS,
            mistakes,
        )
        .unwrap_or(CongestionControl::System),
        topology: word(&mut threads, "topology", &TOPOLOGIES, mistakes).unwrap_or(Topology::Fused),
        idle: word(&mut threads, "idle", &IDLES, mistakes).unwrap_or(Idle::Yield),
        cores: cores(&mut threads, mistakes),
        lock_memory: threads
            .take("lock_memory")
            .and_then(|item| item.boolean(mistakes))
            .unwrap_or(false),
        capacities: Capacities::read(&mut capacities, mistakes),
        ctl_socket: path(&mut ctl, "socket", mistakes),
        ctl_mode: mode(&mut ctl, mistakes),
        journal: JournalProfile::read(&mut journal, &mut restart, mistakes),
        replication: ReplicationProfile::read(&mut replication, mistakes),
        logon: logons(&mut logon, mistakes),
        summary_every: every(&mut observe, "summary_every_ms", 10_000, mistakes),
        value_accounts_every: every(&mut observe, "value_accounts_every_ms", 0, mistakes),
    };
    hear_a_standby(&profile, &replication, mistakes);
    let sections = [
        venue,
        network,
        threads,
        ctl,
        journal,
        restart,
        replication,
        logon,
        observe,
        capacities,
    ];
    for section in sections {
        section.finish(mistakes);
    }
    profile
}

fn logons(logon: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> LogonProfile {
    LogonProfile {
        failures_max: integer(logon, "failures_max", 1, 1_000_000, mistakes)
            .map_or(10, |count| count as u32),
        window: seconds(logon, "window_s", 86_400, 60, mistakes),
        logon_timeout: seconds(logon, "timeout_s", 3_600, 30, mistakes),
    }
}

/// A gateway that waits for a standby must be one that a standby can connect to.
fn hear_a_standby(profile: &Profile, replication: &Section<'_>, mistakes: &mut Mistakes<'_>) {
    let waits = profile.journal.durability() == DurabilityPolicy::Replicated;
    if waits && profile.replication.listen.is_none() {
        let what = "`durability` is \"replicated\", and no standby can connect";
        let hint = "name where in `listen` of [replication], as \"127.0.0.1:9100\"";
        mistakes.add(replication.place(), what, hint);
    }
}

/// A user and password for the engine, out of a section that names them.
pub(super) fn engine_link(
    section: &mut Section<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<EngineLink> {
    let address = section.require("address", "\"127.0.0.1:9100\"", mistakes);
    let user = section.require("user", "\"GATE01\"", mistakes);
    let password = section.require("password", "\"...\"", mistakes);
    let address = address.and_then(|item| item.address(mistakes));
    let user = user.and_then(|item| soup_text(&item, USER_MAX, mistakes));
    let password = password.and_then(|item| soup_text(&item, PASSWORD_MAX, mistakes));
    Some(EngineLink {
        address: address?,
        user: user?,
        password: password?,
    })
}

/// The user of a client session, in capitals.
pub(super) fn user(item: &Item<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let text = soup_text(item, USER_MAX, mistakes)?;
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Some(text.to_ascii_uppercase());
    }
    let what = format!("user \"{text}\" has characters other than letters and digits");
    item.wrong(
        mistakes,
        what,
        format!("write 1 to {USER_MAX} letters or digits"),
    );
    None
}

fn soup_text(item: &Item<'_>, length_max: usize, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let form = format!("1 to {length_max} printable characters without blanks, in quotes");
    let text = item.text(&form, mistakes)?;
    let fits = (1..=length_max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if !fits {
        let what = format!(
            "`{}` does not fit its field in a SoupBinTCP logon",
            item.key
        );
        item.wrong(mistakes, what, format!("write {form}"));
        return None;
    }
    Some(text.to_owned())
}

/// What an engine on the same network needs, with room for one slow write.
const REPLAY_QUIET_DEFAULT: Duration = Duration::from_ns(300_000_000);

fn matching(mut section: Section<'_>, mistakes: &mut Mistakes<'_>) -> Matching {
    #[derive(Clone, Copy)]
    enum Kind {
        Embedded,
        Ouch,
        Sim,
    }
    let kinds = [
        ("embedded", Kind::Embedded),
        ("ouch", Kind::Ouch),
        ("sim", Kind::Sim),
    ];
    let kind = section.require("kind", "\"embedded\"", mistakes);
    let kind = kind
        .and_then(|item| item.word(&kinds, mistakes))
        .unwrap_or(Kind::Embedded);
    let matching = match kind {
        Kind::Embedded => Matching::Embedded,
        Kind::Sim => Matching::Sim {
            seed: integer(&mut section, "seed", 0, i64::MAX, mistakes).unwrap_or(0) as u64,
        },
        Kind::Ouch => {
            let mut house = Vec::new();
            for mut link in section.tables("house", mistakes) {
                house.extend(engine_link(&mut link, mistakes));
                link.finish(mistakes);
            }
            if house.is_empty() {
                let what = "[matching] has no house session for what the gateway itself sends";
                let hint = "add [[matching.house]] with `address`, `user` and `password`";
                mistakes.add(section.place(), what, hint);
            }
            let replay_end = replay_end(&mut section, mistakes);
            Matching::Ouch { house, replay_end }
        }
    };
    section.finish(mistakes);
    matching
}

fn replay_end(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> EngineReplayEnd {
    let quiet_ms = integer(section, "replay_quiet_ms", 1, 60_000, mistakes);
    let quiet = quiet_ms.map_or(REPLAY_QUIET_DEFAULT, |ms| {
        Duration::from_ns(ms as u64 * 1_000_000)
    });
    let asks = section.take("account_query");
    if asks
        .and_then(|item| item.boolean(mistakes))
        .unwrap_or(false)
    {
        EngineReplayEnd::AccountQuery
    } else {
        EngineReplayEnd::Quiet(quiet)
    }
}

fn money(venue: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> MoneyScale {
    let Some(item) = venue.take("money_quantum") else {
        return MoneyScale::default();
    };
    let Some(quantum) = item.decimal("0.000001", mistakes) else {
        return MoneyScale::default();
    };
    quantum
        .as_power()
        .and_then(MoneyScale::new)
        .unwrap_or_else(|| {
            let what =
                format!("`money_quantum` is {quantum}, which is no power of ten from 10^-9 to 1");
            item.wrong(
                mistakes,
                what,
                "write \"1\", \"0.01\", \"0.000001\" or another of these",
            );
            MoneyScale::default()
        })
}

fn trading_day(venue: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<TradingDay> {
    let item = venue.take("trading_day")?;
    let form = "a day in quotes, as \"2026-11-23\"";
    let text = item.text(form, mistakes)?;
    let day = TradingDay::parse(text);
    if day.is_none() {
        item.wrong(
            mistakes,
            "`trading_day` is no day of the calendar",
            format!("write {form}"),
        );
    }
    day
}

fn cores(threads: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Vec<usize> {
    let items = threads
        .take("cores")
        .and_then(|item| item.array("core numbers", mistakes));
    let items = items.unwrap_or_default();
    if let Some(item) = items.get(CORES_MAX) {
        item.wrong(
            mistakes,
            "`cores` names too many",
            format!("name {CORES_MAX} at the most"),
        );
    }
    let numbers = items.iter().take(CORES_MAX);
    numbers
        .filter_map(|item| item.integer(0, 4_095, mistakes))
        .map(|core| core as usize)
        .collect()
}

/// An interval of at most an hour; 0 is never.
fn every(
    observe: &mut Section<'_>,
    key: &'static str,
    default_ms: i64,
    mistakes: &mut Mistakes<'_>,
) -> Option<Duration> {
    let every_ms = integer(observe, key, 0, 3_600_000, mistakes).unwrap_or(default_ms);
    (every_ms > 0).then(|| Duration::from_ns(every_ms as u64 * 1_000_000))
}

fn mode(ctl: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> u32 {
    const DEFAULT: u32 = 0o600;
    let form = "an octal file mode in quotes, from \"0600\" to \"0660\"";
    let Some(item) = ctl.take("mode") else {
        return DEFAULT;
    };
    let Some(text) = item.text(form, mistakes) else {
        return DEFAULT;
    };
    let mode = u32::from_str_radix(text, 8).ok();
    mode.filter(|mode| mode & !0o660 == 0 && mode & 0o600 == 0o600)
        .unwrap_or_else(|| {
            let what = "`mode` would open the control socket to everybody, or is no mode";
            item.wrong(
                mistakes,
                what,
                format!("write {form}: owner, and group if need be"),
            );
            DEFAULT
        })
}

pub(super) fn word<T: Copy>(
    section: &mut Section<'_>,
    key: &str,
    words: &[(&str, T)],
    mistakes: &mut Mistakes<'_>,
) -> Option<T> {
    section.take(key)?.word(words, mistakes)
}

pub(super) fn integer(
    section: &mut Section<'_>,
    key: &str,
    min: i64,
    max: i64,
    mistakes: &mut Mistakes<'_>,
) -> Option<i64> {
    section.take(key)?.integer(min, max, mistakes)
}

fn seconds(
    section: &mut Section<'_>,
    key: &str,
    max: i64,
    default: u64,
    mistakes: &mut Mistakes<'_>,
) -> Duration {
    let seconds = integer(section, key, 1, max, mistakes).map_or(default, |value| value as u64);
    Duration::from_ns(seconds * 1_000_000_000)
}

pub(super) fn path(
    section: &mut Section<'_>,
    key: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<PathBuf> {
    let item = section.take(key)?;
    let text = item.text("a path in quotes", mistakes)?;
    if text.is_empty() || text.contains('\0') {
        item.wrong(
            mistakes,
            format!("`{key}` is no path"),
            "write a path in quotes",
        );
        return None;
    }
    Some(text.into())
}

fn name(item: Option<Item<'_>>, mistakes: &mut Mistakes<'_>) -> String {
    item.and_then(|item| item.name(mistakes))
        .unwrap_or_default()
        .to_owned()
}

fn no_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}
