//! What a config becomes: plain values that the server wires.
//!
//! Made on the control thread. Invariants: a [`Config`] exists only if its limit table builds; all
//! indices in it are valid in its names; an index keeps its meaning over reloads.

use super::profile::{EngineLink, Profile};
use crate::decimal::Decimal;
use crate::names::Names;
use portcullis_domain::{AccountId, Duration, SessionId, TickLotValue};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};

/// A whole config.
#[derive(Clone, Debug)]
pub struct Config {
    /// What holds from start to stop.
    pub profile: Profile,
    /// All limits.
    pub limits: LimitSpec,
    /// All names.
    pub names: Names,
    /// Client sessions, by [`SessionId`].
    pub sessions: Vec<SessionConfig>,
    /// Instruments, by their index.
    pub instruments: Vec<InstrumentDefinition>,
    /// Limit classes; the first rows of `limits`, in the same order.
    pub classes: Vec<ClassDefinition>,
    /// Index of each account's class, by [`AccountId`]; `None` for an account that was removed.
    pub account_classes: Vec<Option<u32>>,
    /// What loads, but should be looked at.
    pub warnings: Vec<String>,
}

impl Config {
    /// The limit table of this config.
    ///
    /// # Panics
    /// If `limits` was changed since the config was loaded, and no longer builds.
    #[must_use]
    pub fn limit_table(&self) -> LimitTable {
        LimitTable::build(&self.limits).expect("a loaded config's limits build")
    }
}

/// Where an instrument's reference price comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceSource {
    /// The feed socket.
    Feed,
    /// `ctl reference` alone.
    Ctl,
    /// The venue's own last trade.
    LastTrade,
}

/// What an instrument is, apart from its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentDefinition {
    /// Price of one tick.
    pub tick: Decimal,
    /// What one lot is in the quantity unit of the wire.
    pub lot: Decimal,
    /// Quanta for one tick of one lot.
    pub tick_lot_value: TickLotValue,
    /// Where its reference price comes from.
    pub reference_from: ReferenceSource,
}

/// A limit class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassDefinition {
    /// Its name.
    pub name: String,
}

/// A client session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Its index.
    pub session: SessionId,
    /// SoupBinTCP user, in capitals, not padded.
    pub user: String,
    /// Argon2id hash of its password, as a PHC string.
    pub password_hash: String,
    /// The account of orders that name no firm; `None`: such orders are refused.
    pub default_account: Option<AccountId>,
    /// The account of each OUCH firm code, padded with blanks, ascending by code.
    pub firm_codes: Vec<([u8; 4], AccountId)>,
    /// What it may do.
    pub permissions: SessionPermissions,
    /// How often the gateway says that it is there.
    pub heartbeat: Duration,
    /// After this much silence of the client the session is lost.
    pub silence_max: Duration,
    /// Its own link to an external engine; there exactly if the matching is one.
    pub engine: Option<EngineLink>,
}

/// What a session may do beside limit orders and cancels. Unset is no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionPermissions {
    /// Orders without a limit price.
    pub market_orders: bool,
    /// Orders that are carried over the day roll.
    pub good_till_cancel: bool,
}
