//! The clients: ordinary flow without a pause, and a probe every millisecond, while limits flip.
//!
//! The verb's thread drives all sessions; one more asks for the reloads. Invariant: flow and probes
//! begin before the first reload and end after the last one.

use super::config::{
    FLOW_SESSIONS, FLOW_SYMBOLS, LATE_USER, PASSWORD, PROBE_SESSIONS, PROBE_SYMBOLS, flow_account,
    users,
};
use super::flips::{Flipped, Flips};
use super::probes::{PROBES, QTY, REFERENCE_TICKS};
use crate::verb::Fault;
use portcullis_domain::Side;
use portcullis_flow::{
    AccountConfig, Act, Answer, Driver, Enter, Flaw, FlowConfig, FlowError, FlowReport,
    GeneratorConfig, InstrumentConfig, Lane, Listing, Pace, SessionConfig, Source, Until,
};
use portcullis_wire::ouch50::TimeInForce;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// One probe after another, in turn of kinds and sessions.
const PROBE_EVERY: Duration = Duration::from_millis(1);

/// Flow before the first reload and after the last one.
const LEAD: Duration = Duration::from_millis(500);

/// A bound of failure: machines that test are shared.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// Wire units of a tick of 0.01.
const TICK_WIRE: u64 = 100;

/// Events a second that the generator makes by itself; as many again follow from them.
const BASE_RATE: u32 = 500;

/// Orders of one instrument that the generator lets rest.
const RESTING_MAX: usize = 200;

/// What the clients saw.
pub(super) struct Flown {
    pub(super) report: FlowReport,
    pub(super) answers: Vec<Answer>,
}

/// Flow at a gateway's address, from before the first of these reloads to after the last.
pub(super) fn under(address: SocketAddr, flips: &Flips<'_>) -> Result<(Flown, Flipped), Fault> {
    let flow = |error: FlowError| Fault::of("the flow", error);
    let mut driver = Driver::connect(config(address)).map_err(flow)?;
    let flipped = AtomicBool::new(false);
    let answer = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            thread::sleep(LEAD);
            let answer = flips.ask();
            thread::sleep(LEAD);
            flipped.store(true, Ordering::Release);
            answer
        });
        let driven = drive(&mut driver, &flipped);
        let answer = asking.join().expect("asking panics with its own words");
        driven.map_err(flow).and(answer)
    })?;
    let flown = finish(&mut driver).map_err(flow)?;
    Ok((flown, answer))
}

fn drive(driver: &mut Driver, flipped: &AtomicBool) -> Result<(), FlowError> {
    let mut told = Instant::now();
    for probe in (0..PROBES.len()).cycle().zip((0..PROBE_SESSIONS).cycle()) {
        if flipped.load(Ordering::Acquire) {
            break;
        }
        driver.drive(Until::elapsed(PROBE_EVERY))?;
        driver.send(Act::Enter(enter(probe)))?;
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            let now = driver.progress();
            eprintln!(
                "{} messages sent, {} accepted, {} refused",
                now.messages_sent, now.accepted, now.refused
            );
        }
    }
    Ok(())
}

fn finish(driver: &mut Driver) -> Result<Flown, FlowError> {
    driver.settle()?;
    driver.cancel_all()?;
    let report = driver.report();
    let answers = driver.take_answers();
    driver.logout()?;
    Ok(Flown { report, answers })
}

/// A buy order that no config lets pass.
fn enter((kind, session): (usize, usize)) -> Enter {
    let probe = &PROBES[kind];
    let symbols = FLOW_SYMBOLS.iter().chain(&PROBE_SYMBOLS);
    let instrument = symbols
        .into_iter()
        .position(|symbol| *symbol == probe.symbol);
    let instrument = instrument.expect("a probe asks for an instrument of the config");
    Enter {
        handle: None,
        lane: Lane(FLOW_SESSIONS + session * PROBES.len() + kind),
        listing: Listing::Known(instrument),
        side: Side::Buy,
        quantity: QTY,
        price: probe.price_ticks.unsigned_abs() * TICK_WIRE,
        time_in_force: TimeInForce::Ioc,
        flaw: Flaw::None,
    }
}

fn config(address: SocketAddr) -> FlowConfig {
    let sessions = users().enumerate().map(|(index, user)| SessionConfig {
        user,
        password: PASSWORD.to_owned(),
        accounts: accounts(index),
    });
    let instrument = |symbol: &&str| InstrumentConfig {
        restricted: PROBE_SYMBOLS.contains(symbol),
        ..InstrumentConfig::new(*symbol, TICK_WIRE, REFERENCE_TICKS.unsigned_abs())
    };
    let instruments = FLOW_SYMBOLS.iter().chain(&PROBE_SYMBOLS).map(instrument);
    let faults = GeneratorConfig::default().faults.into_iter();
    let source = Source::Generated(GeneratorConfig {
        base_rate: BASE_RATE,
        resting_max: RESTING_MAX,
        // The probes' instruments count as restricted so that flow leaves them alone.
        faults: faults
            .filter(|(kind, _)| *kind != portcullis_flow::FaultKind::Restricted)
            .collect(),
        ..GeneratorConfig::default()
    });
    let mut config = FlowConfig::new(address, sessions.collect(), instruments.collect(), source);
    config.pace = Pace::OpenLoop {
        speed_ppm: 1_000_000,
    };
    config.answer_timeout = ANSWER_WITHIN;
    config.keep_answers = true;
    config
}

/// Whether a password of the late user lets it in.
pub(super) fn logs_on(address: SocketAddr, password: &str) -> Result<bool, Fault> {
    let session = SessionConfig {
        user: LATE_USER.to_owned(),
        password: password.to_owned(),
        accounts: accounts(0),
    };
    let instruments = vec![InstrumentConfig::new(FLOW_SYMBOLS[0], TICK_WIRE, 10_000)];
    let config = FlowConfig::new(address, vec![session], instruments, Source::Manual);
    match Driver::connect(config) {
        Ok(mut driver) => {
            let closed = driver.logout();
            closed.map_err(|error| Fault::of(LATE_USER, error))?;
            Ok(true)
        }
        Err(FlowError::Login { .. }) => Ok(false),
        Err(error) => Err(Fault::of(LATE_USER, error)),
    }
}

fn accounts(session: usize) -> Vec<AccountConfig> {
    if session < FLOW_SESSIONS {
        return vec![AccountConfig::default_of_session(flow_account(session))];
    }
    let account = |probe: &super::probes::Probe| AccountConfig {
        firm: Some(probe.code.to_owned()),
        label: probe.account.to_owned(),
        barred: Vec::new(),
        manual: true,
    };
    PROBES.iter().map(account).collect()
}
