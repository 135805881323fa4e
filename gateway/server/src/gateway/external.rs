//! An external engine over OUCH 5.0: its adapter, from the config.
//!
//! Control thread, once; the adapter then belongs to the venue thread.

use super::assemble::{StartError, cannot};
use crate::hash_seed;
use portcullis_control::config::{Config, EngineLink, EngineReplayEnd, Matching};
use portcullis_domain::Duration;
use portcullis_pipeline::tables::SymbolTable;
use portcullis_venue_ouch::{
    EngineInstrument, EngineLogin, OuchVenue, OuchVenueConfig, ReplayEnd, Route, TcpDial,
};
use portcullis_wire::Alpha;
use portcullis_wire::soupbin::Password;
use std::time;

/// Messages of a session that may be sent and unanswered.
const IN_FLIGHT_MAX: u32 = 65_536;

/// How long the engine may take to let a connection in.
const CONNECT_WITHIN: time::Duration = time::Duration::from_secs(2);

const MS: u64 = 1_000_000;

/// The adapter of a config's engine.
pub(super) fn venue(
    config: &Config,
    symbols: &SymbolTable,
) -> Result<OuchVenue<TcpDial>, StartError> {
    let Matching::Ouch { house, replay_end } = &config.profile.matching else {
        return Err(cannot("the engine", "the config names none"));
    };
    let clients = config
        .sessions
        .iter()
        .map(|session| session.engine.as_ref());
    let routes = clients
        .chain(house.iter().map(Some))
        .map(|link| match link {
            Some(link) => login(link).map(Route::Own),
            None => Ok(Route::None),
        });
    let capacities = &config.profile.capacities;
    let instruments = symbols.all().iter();
    let engine = OuchVenueConfig {
        sessions: routes.collect::<Result<_, _>>()?,
        instruments: instruments
            .map(|symbol| EngineInstrument {
                symbol: symbol.name,
                scale: symbol.scale,
            })
            .collect(),
        orders_max: capacities.orders_max,
        in_flight_max: IN_FLIGHT_MAX,
        hash_seed: hash_seed::draw(),
        write_buffer_bytes: capacities.engine_out_bytes,
        reconnect_min: Duration::from_ns(100 * MS),
        reconnect_max: Duration::from_ns(5_000 * MS),
        silence_max: Duration::from_ns(15_000 * MS),
        replay_end: match replay_end {
            EngineReplayEnd::Quiet(quiet) => ReplayEnd::Quiet(*quiet),
            EngineReplayEnd::AccountQuery => ReplayEnd::Answered,
        },
    };
    let dial = TcpDial::start_with(
        &engine,
        CONNECT_WITHIN,
        config.profile.congestion_control.name(),
    );
    let dial = dial.map_err(|error| cannot("the thread that dials the engine", error))?;
    OuchVenue::new(engine, dial).map_err(|error| cannot("the engine's adapter", error))
}

fn login(link: &EngineLink) -> Result<EngineLogin, StartError> {
    let what = format!("the engine link of user {}", link.user);
    let user = Alpha::new(link.user.as_bytes());
    let password = Alpha::new(link.password.as_bytes());
    Ok(EngineLogin {
        address: link.address,
        user: user.ok_or_else(|| cannot(&what, "the user has over 6 characters"))?,
        password: Password(
            password.ok_or_else(|| cannot(&what, "the password has over 10 characters"))?,
        ),
        engine_session: None,
        next_sequence: 1,
    })
}
