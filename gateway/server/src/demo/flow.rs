//! The demo's clients: which sessions, accounts and instruments, and in which order they do what.
//!
//! The clients' thread.

use super::Arguments;
use super::prices::Prices;
use super::tour;
use portcullis_control::config::{Config, SessionConfig as GatewaySession};
use portcullis_domain::{AccountId, InstrumentId};
use portcullis_flow::{
    AccountConfig, Driver, Drove, FlowConfig, FlowError, FlowReport, GeneratorConfig,
    InstrumentConfig, Pace, Progress, SessionConfig, Source, Until,
};
use portcullis_risk_core::limits::account::AccountField;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A slice of driving, after which prices follow trades.
const SLICE: Duration = Duration::from_millis(20);

/// Generated flow is paced as its source is.
const AS_RECORDED_PPM: u64 = 1_000_000;

/// Classes of accounts that the tour alone trades for.
const TOUR_CLASSES: [&str; 2] = ["tour", "filler"];

/// Events a second that the generator makes by itself.
const BASE_RATE: u32 = 1_500;

/// Orders of one instrument that the generator lets rest: together they leave slots free.
const RESTING_MAX: usize = 120;

/// The clients' side of a config.
pub(super) fn config(
    config: &Config,
    prices: &Prices,
    gateway: SocketAddr,
    arguments: &Arguments,
) -> FlowConfig {
    let sessions = config.sessions.iter().enumerate();
    let sessions = sessions.map(|(index, session)| self::session(config, session, index));
    let instruments = (0..config.limits.instruments.len()).map(|i| instrument(config, prices, i));
    let source = match &arguments.flow {
        Some(path) => Source::Dbn(path.clone()),
        None => Source::Generated(GeneratorConfig {
            base_rate: BASE_RATE,
            resting_max: RESTING_MAX,
            ..GeneratorConfig::default()
        }),
    };
    let generated = arguments.flow.is_none();
    let mut flow = FlowConfig::new(gateway, sessions.collect(), instruments.collect(), source);
    flow.seed = arguments.seed;
    flow.plant = arguments.plant.and_then(super::PlantKind::in_clients);
    if generated {
        flow.pace = Pace::OpenLoop {
            speed_ppm: AS_RECORDED_PPM,
        };
    }
    flow
}

fn session(config: &Config, session: &GatewaySession, index: usize) -> SessionConfig {
    let account = |firm: Option<String>, account: AccountId| AccountConfig {
        firm,
        label: config
            .names
            .account_name(account)
            .unwrap_or_default()
            .to_owned(),
        barred: barred(config, account),
        manual: is_of_the_tour(config, account),
    };
    let named = session.firm_codes.iter().map(|(code, id)| {
        let code = String::from_utf8_lossy(code.trim_ascii_end()).into_owned();
        account(Some(code), *id)
    });
    let mut accounts: Vec<_> = named.collect();
    if accounts.is_empty() {
        accounts.extend(session.default_account.map(|id| account(None, id)));
    }
    SessionConfig {
        user: session.user.clone(),
        // As the demo's config says in its head.
        password: format!("demo{}", index + 1),
        accounts,
    }
}

fn is_of_the_tour(config: &Config, account: AccountId) -> bool {
    let class = config.account_classes.get(account.index()).copied();
    let class = class
        .flatten()
        .and_then(|class| config.classes.get(class as usize));
    class.is_some_and(|class| TOUR_CLASSES.contains(&class.name.as_str()))
}

/// Instruments an account may not enter: not in its set, or on its firm's restricted list.
fn barred(config: &Config, account: AccountId) -> Vec<usize> {
    let limits = &config.limits;
    let Some(spec) = limits.accounts.get(account.index()) else {
        return Vec::new();
    };
    let set = |index: u32| limits.instrument_sets.get(index as usize);
    let row = spec.row.and_then(|row| limits.rows.get(row as usize));
    let permitted = row.and_then(|row| set(row.permission_set));
    let firm = limits.firms.get(spec.firm.index());
    let restricted = firm.and_then(|firm| set(firm.restricted_set));
    let barred = (0..limits.instruments.len() as u32).filter(|index| {
        let id = InstrumentId::new(*index);
        let may = permitted.is_some_and(|set| set.contains(&id));
        !may || restricted.is_some_and(|set| set.contains(&id))
    });
    barred.map(|index| index as usize).collect()
}

fn instrument(config: &Config, prices: &Prices, index: usize) -> InstrumentConfig {
    let wire = config.limits.instruments[index].wire;
    let symbol = config
        .names
        .symbol(InstrumentId::new(index as u32))
        .unwrap_or_default();
    let qty_max = config
        .limits
        .rows
        .iter()
        .filter_map(|row| row.cells.cell(AccountField::QtyMax).value());
    let least = qty_max.min().unwrap_or(1);
    InstrumentConfig {
        lot_wire: wire.lot.get(),
        qty_max_wire: u32::try_from(least)
            .unwrap_or(1)
            .saturating_mul(wire.lot.get()),
        ..InstrumentConfig::new(
            symbol,
            wire.tick.get().into(),
            prices.begin(index).unsigned_abs(),
        )
    }
}

/// Connects, takes the tour (generated flow only), drives, cancels what rests, flattens what is held, logs out.
pub(super) fn drive(
    flow: &FlowConfig,
    prices: &Prices,
    seconds: Option<u64>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<FlowReport, FlowError> {
    let mut driver = Driver::connect(flow.clone())?;
    let generated = matches!(flow.source, Source::Generated(_));
    if generated {
        tour::begin(&mut driver, flow)?;
    }
    let start = Instant::now();
    let within = seconds.map(Duration::from_secs);
    while within.is_none_or(|within| start.elapsed() < within) {
        let drove = driver.drive(Until::elapsed(SLICE))?;
        follow(&driver, flow, prices);
        progress(&driver.progress());
        if drove == Drove::SourceEnded {
            break;
        }
    }
    driver.settle()?;
    progress(&driver.progress());
    if generated {
        tour::end(&mut driver, flow, prices)?;
        progress(&driver.progress());
    }
    driver.cancel_all()?;
    progress(&driver.progress());
    let at: Vec<_> = (0..prices.len())
        .map(|index| Some(prices.now(index).unsigned_abs() * flow.instruments[index].tick_wire))
        .collect();
    driver.flatten(&at)?;
    progress(&driver.progress());
    driver.logout()?;
    Ok(driver.report())
}

/// Reference prices follow what last traded.
fn follow(driver: &Driver, flow: &FlowConfig, prices: &Prices) {
    for (index, instrument) in flow.instruments.iter().enumerate() {
        if let Some(wire) = driver.last_price(index) {
            prices.traded(index, (wire / instrument.tick_wire) as i64);
        }
    }
}
