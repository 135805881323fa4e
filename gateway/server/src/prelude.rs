//! What a core is made from: the capacities of a config, and the prelude of a plain log of earlier versions.
//!
//! Control thread and replay. Invariant: a core made from a prelude is the one that wrote the log.

use crate::hash_seed;
use portcullis_control::config::Config;
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Capacities, RiskCore};

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
    let (fields, spec) = words.split_first_chunk().ok_or_else(damaged)?;
    let capacities = Capacities::from_words(fields).ok_or_else(damaged)?;
    let spec = LimitSpec::from_words(spec).ok_or_else(damaged)?;
    let table = LimitTable::build(&spec);
    let table =
        table.map_err(|error| format!("the log's limits do not load: {:?}", error.faults))?;
    RiskCore::new(&capacities, table, hash_seed::draw()).map_err(|error| error.to_string())
}
