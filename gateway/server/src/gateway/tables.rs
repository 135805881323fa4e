//! What the agents are told of sessions and instruments, from the config.
//!
//! Control thread, at a start. Pure.

use super::assemble::{StartError, cannot};
use portcullis_control::config::{Config, Matching, ReferenceSource, SessionConfig};
use portcullis_domain::{AccountId, InstrumentId, Price, Qty};
use portcullis_pipeline::egress::EgressConfig;
use portcullis_pipeline::ingress::{IngressConfig, VenueAbilities};
use portcullis_pipeline::tables::{SessionProfile, Symbol, SymbolTable};
use portcullis_risk_core::limits::instrument::InstrumentField;
use portcullis_runtime::{Clock, SystemClock};
use portcullis_wire::Alpha;
use portcullis_wire::ouch50::OUCH50;
use portcullis_wire::soupbin::{ServerLimits, SessionName};
use std::fmt;
use std::num::NonZeroU64;

/// Bytes that an average message of a store is taken to have.
const STORED_MESSAGE_BYTES: usize = 64;

/// The instruments on the wire.
pub(crate) fn symbols(config: &Config) -> Result<SymbolTable, StartError> {
    let mut symbols = Vec::new();
    for (index, limits) in config.limits.instruments.iter().enumerate() {
        let instrument = InstrumentId::new(index as u32);
        let name = config.names.symbol(instrument).unwrap_or_default();
        let unfit = |why: &dyn fmt::Display| cannot(&format!("instrument {name}"), why);
        let symbol = Alpha::new(name.as_bytes());
        let symbol = symbol.ok_or_else(|| unfit(&"its symbol has over 8 characters"))?;
        let price_max = limits
            .cells
            .cell(InstrumentField::PriceMax)
            .value()
            .unwrap_or(0);
        let scale = OUCH50.fits(
            NonZeroU64::from(limits.wire.tick),
            limits.wire.lot,
            Price::new(1),
            Price::new(price_max),
            Qty::new(1),
        );
        let scale = scale.map_err(|error| unfit(&error))?;
        symbols.push(Symbol {
            name: symbol,
            instrument,
            scale,
        });
    }
    Ok(SymbolTable::new(&symbols))
}

/// What ingress is told.
pub(crate) fn ingress_config(
    config: &Config,
    symbols: &SymbolTable,
    session_name: SessionName,
) -> IngressConfig {
    let limits = ServerLimits {
        login_within: config.profile.logon.logon_timeout,
        ..ServerLimits::default()
    };
    let abilities = match config.profile.matching {
        Matching::Embedded | Matching::Sim { .. } => VenueAbilities::LADDER,
        Matching::Ouch { .. } => VenueAbilities::OUCH50,
    };
    IngressConfig {
        connections_max: config.profile.capacities.connections_max as usize,
        profiles: config.sessions.iter().map(profile).collect(),
        symbols: symbols.clone(),
        session_name,
        abilities,
        limits,
    }
}

fn profile(session: &SessionConfig) -> SessionProfile {
    let firms = session.firm_codes.iter();
    let firms =
        firms.filter_map(|(code, account)| Some((Alpha::new(code.trim_ascii())?, *account)));
    SessionProfile {
        session: session.session,
        default_account: session.default_account.unwrap_or(AccountId::NONE),
        firms: firms.collect(),
        market_orders: session.permissions.market_orders,
        silence_max: session.silence_max,
    }
}

/// Every session of a new journal is named by its trading day.
pub(crate) fn new_session_name(config: &Config) -> SessionName {
    let day = match config.profile.trading_day {
        Some(day) => (day.year.into(), day.month.into(), day.day.into()),
        None => civil_day(SystemClock.now().ns() / DAY_NS),
    };
    let (year, month, day): (u64, u64, u64) = day;
    let name = format!("{year:04}{month:02}{day:02}");
    Alpha::new(name.as_bytes()).expect("eight digits fit ten characters")
}

/// Nanoseconds of a day.
pub(crate) const DAY_NS: u64 = 86_400_000_000_000;

/// Year, month and day of a day counted from 1970-01-01, by the 400-year cycle of the Gregorian
/// calendar with years that begin in March.
pub(crate) fn civil_day(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// What egress is told.
pub(crate) fn egress_config(
    config: &Config,
    session_name: SessionName,
    symbols: SymbolTable,
) -> EgressConfig {
    let store_bytes = config.profile.capacities.session_store_bytes as usize;
    EgressConfig {
        session_name,
        heartbeats: config.sessions.iter().map(|s| s.heartbeat).collect(),
        orders_max: config.profile.capacities.orders_max as usize,
        store_bytes,
        store_messages: store_bytes / STORED_MESSAGE_BYTES,
        symbols,
    }
}

/// By instrument, whether its own trades make its reference price.
pub(crate) fn last_trade(config: &Config) -> Vec<bool> {
    let sources = config
        .instruments
        .iter()
        .map(|instrument| instrument.reference_from);
    sources
        .map(|source| source == ReferenceSource::LastTrade)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::civil_day;

    #[test]
    fn days_have_their_dates() {
        let cases = [
            (0, (1970, 1, 1)),
            (19_723, (2024, 1, 1)),
            (19_782, (2024, 2, 29)),
        ];
        for (days, date) in cases.into_iter().chain([(20_780, (2026, 11, 23))]) {
            assert_eq!(civil_day(days), date);
        }
    }
}
