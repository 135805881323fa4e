//! `cargo xtask crowd`: many clients at once, some of them hostile, against the real binary.
//!
//! Two threads: this one drives the clients that behave (tools/flow, which judges the answers by the
//! bytes that come back), another the hostile ones. Invariants: both are at it at the same time; the
//! gateway is a process of its own, whose memory is the system's word; every wait has a bound; no
//! figure depends on how fast the machine is, except the latencies, which judge nothing.

mod arguments;
mod config;
mod gateway;
mod hostile;
mod memory;
mod verdict;

use std::path::Path;
use std::time::{Duration, Instant};

use portcullis_flow::{
    AccountConfig, Driver, FlowConfig, FlowError, FlowReport, GeneratorConfig, InstrumentConfig,
    Pace, SessionConfig, Source, Until,
};

use crate::verb::{Fault, Outcome, Verb};
use crate::wide_limits::user;
use crate::workspace::Workspace;
use arguments::Arguments;
use gateway::Gateway;
use hostile::Hostile;
use verdict::Findings;

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "crowd",
    arguments: arguments::USAGE,
    summary: "many clients, some of them hostile: wrong answers, memory",
    run,
};

/// Events a second of all that behave, together.
const EVENTS_A_SECOND: u32 = 1_000;

/// How long an answer may take on a machine that is busy with other things.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Until the memory of a whole crowd is looked at.
const SETTLE: Duration = Duration::from_secs(1);
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

/// How much longer than asked for it may take until each hostile client has met its fate.
const FATES_WITHIN: Duration = Duration::from_secs(180);

/// One tick is 0.01, in OUCH's ten-thousandths; the price begins at 100.00.
const TICK_WIRE: u64 = 100;
const MID_TICKS: u64 = 10_000;

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    let arguments = Arguments::read(arguments)?;
    let binary = crate::gateway::built(workspace)?;
    let folder = std::env::temp_dir().join(format!("portcullis-crowd-{}", std::process::id()));
    std::fs::create_dir(&folder).map_err(|error| Fault::of(folder.display(), error))?;
    let findings = meet(&binary, &folder, arguments);
    let removed = std::fs::remove_dir_all(&folder);
    removed.map_err(|error| Fault::of(folder.display(), error))?;
    let findings = findings?;
    findings.print();
    let violations = findings.violations();
    for violation in &violations {
        println!("crowd: {violation}");
    }
    if arguments.json {
        println!("{}", findings.json(&violations));
    }
    Ok(Outcome::of(violations.is_empty()))
}

/// The gateway meets the crowd.
fn meet(binary: &Path, folder: &Path, arguments: Arguments) -> Result<Findings, Fault> {
    let gateway = Gateway::start(binary, folder, &arguments)?;
    let at_start = gateway.memory()?;
    let flow = |error: FlowError| {
        gateway.show_log();
        Fault::of("the clients that behave", error)
    };
    println!(
        "connecting {} clients that behave",
        arguments.well_behaved()
    );
    let mut driver = Driver::connect(flow_config(&gateway, &arguments)).map_err(flow)?;
    println!("setting {} hostile ones on the gateway", arguments.hostile);
    let hostile = Hostile::start(&arguments, gateway.address);
    driver.drive(Until::elapsed(SETTLE)).map_err(flow)?;
    let connected = gateway.memory()?;
    drive(&mut driver, &hostile, arguments.seconds).map_err(flow)?;
    driver.settle().map_err(flow)?;
    driver.cancel_all().map_err(flow)?;
    println!("calling the hostile ones off");
    let hostile = hostile.stop()?;
    let behaved = finish(driver).map_err(flow)?;
    let at_end = gateway.memory()?;
    Ok(Findings {
        arguments,
        behaved,
        hostile,
        memory: [at_start, connected, at_end],
        counted: gateway.stop()?,
    })
}

/// Drives those that behave while the hostile ones are at it, until time is up and each of those has
/// met its fate.
fn drive(driver: &mut Driver, hostile: &Hostile, seconds: u64) -> Result<(), FlowError> {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        let now = Instant::now();
        let left = end.saturating_duration_since(now);
        let over = left.is_zero() && (hostile.is_fulfilled() || now > end + FATES_WITHIN);
        // A hostile thread that gave up says why when it is called off.
        if over || hostile.has_ended() {
            return Ok(());
        }
        driver.drive(Until::elapsed(PROGRESS_EVERY))?;
        let now = driver.progress();
        println!(
            "  {} s left: {} orders sent, {} accepted, {} refused, {} traded, {} open",
            left.as_secs(),
            now.orders_sent,
            now.accepted,
            now.refused,
            now.executed_qty,
            now.open_orders
        );
    }
}

/// What came of those that behave; then they leave.
fn finish(mut driver: Driver) -> Result<FlowReport, FlowError> {
    let report = driver.report();
    driver.logout()?;
    Ok(report)
}

fn flow_config(gateway: &Gateway, arguments: &Arguments) -> FlowConfig {
    let session = |client| SessionConfig {
        user: user(client),
        password: config::PASSWORD.to_owned(),
        accounts: vec![AccountConfig::default_of_session(config::desk(client))],
    };
    let sessions = (0..arguments.well_behaved()).map(session).collect();
    let instrument = |symbol| InstrumentConfig::new(symbol, TICK_WIRE, MID_TICKS);
    let instruments = config::SYMBOLS.map(instrument).to_vec();
    let source = Source::Generated(GeneratorConfig {
        base_rate: EVENTS_A_SECOND / 2,
        fault_ppm: 0,
        ..GeneratorConfig::default()
    });
    FlowConfig {
        pace: Pace::OpenLoop {
            speed_ppm: 1_000_000,
        },
        answer_timeout: ANSWER_WITHIN,
        ..FlowConfig::new(gateway.address, sessions, instruments, source)
    }
}
