//! What a core is made from: the capacities of a config, and the prelude of a plain log of earlier versions.
//!
//! Control thread and replay. Invariant: a core made from a prelude is the one that wrote the log.

use portcullis_control::config::Config;
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, RiskCore};

/// Words of the capacities.
const CAPACITY_WORDS: usize = 11;

/// The core's capacities of a config.
pub(crate) fn capacities(config: &Config) -> Capacities {
    let given = &config.profile.capacities;
    Capacities {
        accounts_max: given.accounts_max,
        instruments_max: given.instruments_max,
        firms_max: given.firms_max,
        sessions_max: given.sessions_max,
        orders_max: given.orders_max,
        orders_reserved_per_account: given.orders_reserved_per_account,
        positions_max: given.positions_max,
        past_versions_max: given.past_versions_max,
        executions_max: given.executions_max,
        disputes_max: given.disputes_max,
        sweeps_max: given.sweeps_max,
    }
}

/// The core that a prelude describes.
///
/// # Errors
/// In words, what is wrong with it.
pub(crate) fn core(words: &[u64]) -> Result<RiskCore, String> {
    let damaged = || "the log's prelude does not describe a core".to_owned();
    let (fields, spec) = words.split_at_checked(CAPACITY_WORDS).ok_or_else(damaged)?;
    let field = |index: usize| u32::try_from(fields[index]).map_err(|_| damaged());
    let capacities = Capacities {
        accounts_max: field(0)?,
        instruments_max: field(1)?,
        firms_max: field(2)?,
        sessions_max: field(3)?,
        orders_max: field(4)?,
        orders_reserved_per_account: field(5)?,
        positions_max: field(6)?,
        past_versions_max: field(7)?,
        executions_max: field(8)?,
        disputes_max: field(9)?,
        sweeps_max: field(10)?,
    };
    let spec = LimitSpec::from_words(spec).ok_or_else(damaged)?;
    let table = LimitTable::build(&spec);
    let table =
        table.map_err(|error| format!("the log's limits do not load: {:?}", error.faults))?;
    RiskCore::new(&capacities, table).map_err(|error| error.to_string())
}
