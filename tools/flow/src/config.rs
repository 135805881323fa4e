//! What to drive, where to, how fast.
//!
//! **Thread.** Plain values, read once by [`crate::Driver::connect`].
//! **Invariants.** Nothing is checked here; `connect` turns a configuration into its checked form or
//! names the field that is wrong.
//! **Never.** Read a file or an environment variable.

use crate::synthesis::FaultKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything a driver needs to know.
#[derive(Clone, Debug)]
pub struct FlowConfig {
    /// Address of the gateway's order entry port.
    pub gateway: SocketAddr,
    /// Client sessions, one socket each; at least one, at most 1,000.
    pub sessions: Vec<SessionConfig>,
    /// What is traded; at least one.
    pub instruments: Vec<InstrumentConfig>,
    /// Where the flow comes from.
    pub source: Source,
    /// Deals orders to accounts and drives the generator: equal seeds, equal intents.
    pub seed: u64,
    /// How fast.
    pub pace: Pace,
    /// The most unanswered messages a session may have; at least 1.
    pub window: u32,
    /// After this long without an answer, what is outstanding counts as unanswered.
    pub answer_timeout: Duration,
    /// The most messages to send in [`crate::run`]; `None` = until the source ends.
    pub messages_max: Option<u64>,
    /// The longest time to drive in [`crate::run`]; `None` = until the source ends.
    pub elapsed_max: Option<Duration>,
    /// A fault on the client's side, to show that it is noticed.
    pub plant: Option<Plant>,
    /// Keep every answer to an order for [`crate::Driver::take_answers`].
    pub keep_answers: bool,
}

impl FlowConfig {
    /// As fast as possible, a window of 64 messages, 5 s for an answer, seed 1, to the source's end.
    #[must_use]
    pub fn new(
        gateway: SocketAddr,
        sessions: Vec<SessionConfig>,
        instruments: Vec<InstrumentConfig>,
        source: Source,
    ) -> Self {
        Self {
            gateway,
            sessions,
            instruments,
            source,
            seed: 1,
            pace: Pace::Unpaced,
            window: 64,
            answer_timeout: Duration::from_secs(5),
            messages_max: None,
            elapsed_max: None,
            plant: None,
            keep_answers: false,
        }
    }
}

/// One login.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// At most 6 printable characters.
    pub user: String,
    /// At most 10 printable characters.
    pub password: String,
    /// The accounts this session enters orders for; at least one.
    pub accounts: Vec<AccountConfig>,
}

/// One account as a session reaches it.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// The OUCH firm code that names the account; `None` = the session's default account, and no
    /// firm tag is sent.
    pub firm: Option<String>,
    /// The account's own name. Sessions that give the same label share one account: their
    /// executions add up to one position.
    pub label: String,
    /// Indices of instruments this account may not trade. Regular flow leaves them out,
    /// [`FaultKind::NotPermitted`] aims at them.
    pub barred: Vec<usize>,
    /// Only the caller sends for it, with [`crate::Driver::send`]: generated flow leaves it out.
    pub manual: bool,
}

impl AccountConfig {
    /// The session's default account, allowed everything.
    #[must_use]
    pub fn default_of_session(label: impl Into<String>) -> Self {
        Self {
            firm: None,
            label: label.into(),
            barred: Vec::new(),
            manual: false,
        }
    }
}

/// One instrument.
#[derive(Clone, Debug)]
pub struct InstrumentConfig {
    /// At most 8 printable characters.
    pub symbol: String,
    /// One tick in units of 10^-4; at least 1.
    pub tick_wire: u64,
    /// One lot in shares; at least 1.
    pub lot_wire: u32,
    /// Where the generator's mid price starts, in ticks; at least 100.
    pub mid_ticks: u64,
    /// The largest order that is used to flatten a position, in shares. At most the limit the
    /// gateway sets an account.
    pub qty_max_wire: u32,
    /// A quantity in shares that passes the quantity limit and breaks the notional limit; `None` =
    /// [`FaultKind::NotionalTooLarge`] is not sent in this instrument.
    pub qty_heavy_wire: Option<u32>,
    /// On the restricted list: regular flow leaves it out, [`FaultKind::Restricted`] aims at it.
    pub restricted: bool,
}

impl InstrumentConfig {
    /// A tick, lots of one share, orders of at most 100 shares when flattening.
    #[must_use]
    pub fn new(symbol: impl Into<String>, tick_wire: u64, mid_ticks: u64) -> Self {
        Self {
            symbol: symbol.into(),
            tick_wire,
            lot_wire: 1,
            mid_ticks,
            qty_max_wire: 100,
            qty_heavy_wire: None,
            restricted: false,
        }
    }
}

/// Where the flow comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A market-by-order file in DBN format, plain or zstd; mapped as [`crate::DbnFeed`] says, into
    /// the first instrument.
    Dbn(PathBuf),
    /// Flow out of a seed.
    Generated(GeneratorConfig),
    /// Nothing of its own: the caller sends with [`crate::Driver::send`].
    Manual,
}

/// How fast messages are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as the windows allow. An order that is meant to meet what rests waits until
    /// everything before it is answered, and what follows waits for its end.
    Unpaced,
    /// Open loop: each message has a planned time, which a slow gateway does not move.
    OpenLoop {
        /// Speed in parts per million of the source's own: 1,000,000 = as recorded.
        speed_ppm: u64,
    },
}

/// A fault between the socket and the checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// One received answer is dropped: `unanswered` must not be 0.
    LostAnswer,
    /// One received answer is given to another session's checker: `wrong_session` must not be 0.
    /// Takes two sessions.
    WrongSession,
}

/// Generated flow.
///
/// Arrivals excite each other: intensity is a base rate plus a term that jumps with each event and
/// halves every `half_life_ns`.
#[derive(Clone, Debug)]
pub struct GeneratorConfig {
    /// Base rate in events a second of source time; at least 1. The mean rate is
    /// `base / (1 - branching)`.
    pub base_rate: u32,
    /// Mean number of events that one event sets off, in parts per million; below 1,000,000.
    pub branching_ppm: u32,
    /// Time in which the excitation halves, in ns; at least 1.
    pub half_life_ns: u64,
    /// Events to generate; `None` = without end.
    pub events_max: Option<u64>,
    /// Share of events that are deliberately bad, in parts per million.
    pub fault_ppm: u32,
    /// Kinds of bad events with their weights. A kind that the configuration has no means for
    /// (no restricted instrument, say) is left out.
    pub faults: Vec<(FaultKind, u32)>,
    /// The largest regular order, in lots; at least 1.
    pub qty_max_lots: u32,
    /// How far the mid price may walk from its start, in parts per million of it.
    pub band_ppm: u32,
    /// Orders in a row of [`FaultKind::RateBurst`].
    pub burst_len: u32,
    /// Orders in a row of [`FaultKind::Repeated`].
    pub repeat_len: u32,
    /// Resting orders the generator keeps track of in each instrument; beyond, it cancels.
    pub resting_max: usize,
}

impl Default for GeneratorConfig {
    /// 2,000 events a second at base, half of them set off by others, a quarter of all bad.
    fn default() -> Self {
        Self {
            base_rate: 2_000,
            branching_ppm: 500_000,
            half_life_ns: 5_000_000,
            events_max: None,
            fault_ppm: 200_000,
            faults: FaultKind::ALL
                .iter()
                .map(|kind| (*kind, kind.usual_weight()))
                .collect(),
            qty_max_lots: 5,
            band_ppm: 3_000,
            burst_len: 50,
            repeat_len: 8,
            resting_max: 400,
        }
    }
}
