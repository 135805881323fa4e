//! What an external engine must be told, and how much room its adapter has.
//!
//! Owned by no thread; judged once, before anything is allocated. Invariant: every capacity that
//! passed [`OuchVenueConfig::check`] holds at least one message.

use core::fmt;
use std::net::SocketAddr;

use portcullis_domain::{Duration, HashSeed, InstrumentId};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::InstrumentScale;
use portcullis_wire::soupbin::{PACKET_BYTES_MAX, Password, SessionName, UserName};

/// Where and how a session logs in to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLogin {
    /// The engine's address for this session.
    pub address: SocketAddr,
    /// User.
    pub user: UserName,
    /// Password.
    pub password: Password,
    /// The engine's session to ask for; `None` for its current one. After a restart the engine must
    /// repeat the last message of the log, whatever the name.
    pub engine_session: Option<SessionName>,
    /// The first sequenced message to ask for where the log has none: 1 for all of the day, n for the
    /// one after the last that was processed, 0 for none of the past.
    pub next_sequence: u64,
}

/// By which road a session's orders go to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// By an engine session of its own. Client sessions, and house sessions: those under which the
    /// gateway enters orders of its own, which need numbers (liquidation; cancels need none and go
    /// by the session of the order).
    Own(EngineLogin),
    /// By none: its link never comes up.
    None,
}

/// One instrument; its index in the list is its `InstrumentId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineInstrument {
    /// The engine's symbol.
    pub symbol: Alpha<8>,
    /// The engine's units against ticks and lots.
    pub scale: InstrumentScale,
}

/// How it is known that the engine has resent all that was missed. SoupBinTCP does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayEnd {
    /// An account query is sent after the login; its answer is sequenced behind the replay. Exact,
    /// and needs an engine that knows the message. It also tells which orders from before a restart
    /// never arrived: those are refused, and nothing is sent before each row of numbers that has one has
    /// its answer. Where an answer does not come, the link is made anew.
    Answered,
    /// No sequenced message came for this long after the login, or `silence_max` has gone by since it: an engine that
    /// trades all the time is never quiet. An engine that stalls longer in the
    /// middle of a replay is taken to be done; its late reports are still taken in order. Orders from
    /// before a restart that have no answer are sent again, since nobody can tell whether they arrived.
    Quiet(Duration),
}

/// All that the adapter is told at construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuchVenueConfig {
    /// By `SessionId`: client sessions, and behind them house sessions.
    pub sessions: Vec<Route>,
    /// By `InstrumentId`.
    pub instruments: Vec<EngineInstrument>,
    /// Orders alive at the engine in all; at least as many as the risk core has room for. Beyond:
    /// an order is given back. As many closed ones stay known for late messages.
    pub orders_max: u32,
    /// Messages of one session that are sent and not answered. Beyond: orders are given back.
    pub in_flight_max: u32,
    /// Where orders lie in the table that finds them by their numbers, which clients pick; nothing that the
    /// adapter says or saves depends on it.
    pub hash_seed: HashSeed,
    /// Bytes of one session that the engine has not read yet. Beyond: orders are given back.
    pub write_buffer_bytes: u32,
    /// Wait before the first try to reconnect; doubled with each try that fails.
    pub reconnect_min: Duration,
    /// The longest wait between two tries.
    pub reconnect_max: Duration,
    /// Silence of the engine after which a link counts as broken, and the time it has to answer a
    /// login, and then the account queries behind it.
    pub silence_max: Duration,
    /// How the end of a replay is known.
    pub replay_end: ReplayEnd,
}

impl OuchVenueConfig {
    /// Says what is wrong, if anything is.
    ///
    /// # Errors
    /// The first field that does not do.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.sessions.is_empty() {
            return Err(ConfigError::Empty("sessions"));
        }
        if self.instruments.is_empty() {
            return Err(ConfigError::Empty("instruments"));
        }
        for (field, value, low, high) in [
            ("orders_max", self.orders_max, 1, 1 << 26),
            ("in_flight_max", self.in_flight_max, 1, 1 << 20),
            (
                "write_buffer_bytes",
                self.write_buffer_bytes,
                PACKET_BYTES_MAX as u32,
                1 << 28,
            ),
        ] {
            if !(low..=high).contains(&value) {
                return Err(ConfigError::OutOfRange {
                    field,
                    value,
                    low,
                    high,
                });
            }
        }
        let zero = Duration::from_ns(0);
        if self.reconnect_min == zero || self.reconnect_min > self.reconnect_max {
            return Err(ConfigError::Reconnect);
        }
        if self.silence_max == zero {
            return Err(ConfigError::Silence);
        }
        for (index, instrument) in self.instruments.iter().enumerate() {
            let earlier = &self.instruments[..index];
            if earlier.iter().any(|one| one.symbol == instrument.symbol) {
                return Err(ConfigError::SymbolTwice(InstrumentId::new(index as u32)));
            }
        }
        Ok(())
    }
}

/// Why an adapter cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The list has no entry.
    Empty(&'static str),
    /// A number is out of its range.
    OutOfRange {
        /// Which field.
        field: &'static str,
        /// What it holds.
        value: u32,
        /// The least it may hold.
        low: u32,
        /// The most it may hold.
        high: u32,
    },
    /// `reconnect_min` is 0 or above `reconnect_max`.
    Reconnect,
    /// `silence_max` is 0.
    Silence,
    /// The instrument's symbol is that of an earlier one.
    SymbolTwice(InstrumentId),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(field) => write!(f, "engine config: `{field}` is empty; name at least one"),
            Self::OutOfRange {
                field,
                value,
                low,
                high,
            } => write!(
                f,
                "engine config: `{field}` is {value}; write a number from {low} to {high}"
            ),
            Self::Reconnect => f.write_str(
                "engine config: `reconnect_min` must be above 0 and at most `reconnect_max`",
            ),
            Self::Silence => f.write_str("engine config: `silence_max` must be above 0"),
            Self::SymbolTwice(instrument) => write!(
                f,
                "engine config: instrument {} has the symbol of an earlier one; give each its own",
                instrument.raw()
            ),
        }
    }
}

impl core::error::Error for ConfigError {}
