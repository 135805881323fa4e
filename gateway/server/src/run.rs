//! `portcullis run`: a gateway until it is stopped.
//!
//! The main thread becomes the control thread.

use crate::check::load_config;
use crate::desk::{Desk, Feed};
use crate::gateway::{Finished, Gateway, Options, StartError};
use crate::summary::Summary;
use crate::{REFUSED, cannot};
use portcullis_control::config::Config;
use portcullis_control::ctl::server::CtlServer;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PAUSE: Duration = Duration::from_micros(500);

/// Runs a config's gateway.
pub(crate) fn run(path: &Path, journal: Option<&Path>, accept_unsynced_loss: bool) -> ExitCode {
    let config = match load_config(path) {
        Ok(config) => config,
        Err(errors) => {
            eprintln!("{errors}");
            return ExitCode::from(REFUSED);
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        if let Err(error) = signal_hook::flag::register(signal, Arc::clone(&stop)) {
            return cannot(error);
        }
    }
    let options = Options {
        journal,
        accept_unsynced_loss,
        plant: None,
    };
    let feed = match feed(&config) {
        Ok(feed) => feed,
        Err(error) => return cannot(error),
    };
    let gateway = match Gateway::start(&config, &options) {
        Ok(gateway) => gateway,
        Err(error) => return cannot(error),
    };
    let socket = config.profile.ctl_socket.clone();
    let ctl = socket
        .map(|socket| CtlServer::bind(&socket, config.profile.ctl_mode))
        .transpose();
    let ctl = match ctl {
        Ok(ctl) => ctl,
        Err(error) => return cannot(format!("the control socket: {error}")),
    };
    serve(gateway, config, feed, ctl, &stop)
}

/// Where prices come in, if the config says so.
///
/// # Errors
/// If it cannot be had.
pub(crate) fn feed(config: &Config) -> Result<Option<Feed>, StartError> {
    let bound = config
        .profile
        .feed_listen
        .map(|at| Feed::bind(at, config))
        .transpose();
    bound.map_err(|error| StartError(format!("the price feed's socket: {error}")))
}

/// Serves a gateway that runs, until it is stopped.
pub(crate) fn serve(
    gateway: Gateway,
    config: Config,
    feed: Option<Feed>,
    mut ctl: Option<CtlServer>,
    stop: &AtomicBool,
) -> ExitCode {
    eprintln!("listening on {}", gateway.address);
    let every = config.profile.summary_every;
    let mut summary = every.map(|every| Summary::new(Duration::from_nanos(every.ns())));
    let mut desk = Desk::new(gateway, config, feed, true);
    if let Some(address) = desk.feed_address() {
        eprintln!("price feed on {address}");
    }
    while !stop.load(Ordering::Acquire) && !desk.gateway().is_broken() {
        let mut worked = desk.round();
        if let Some(ctl) = &mut ctl {
            worked |= ctl.poll(&mut desk);
        }
        if let Some(line) = (summary.as_mut()).and_then(|due| due.when_due(desk.readers())) {
            eprintln!("{line}");
        }
        if !worked {
            std::thread::sleep(PAUSE);
        }
    }
    let (finished, _, config) = desk.finish();
    report(&finished, &config)
}

/// What is left when a gateway has stopped.
fn report(finished: &Finished, config: &Config) -> ExitCode {
    let counters = finished.core.counters();
    eprintln!(
        "stopped: accepted {}, refused {}, open orders {}, lots on hold {}, digest {:016x}",
        counters.accepted,
        counters.refused,
        finished.core.open_orders(),
        finished.left(config).holds,
        finished.core.digest(),
    );
    let (ingress, egress) = (&finished.ingress, &finished.egress);
    eprintln!(
        "clients: connections {}, messages {}, unanswerable {}, ended {}, overdue {}, \
         logins refused {}, overloaded {}, told {}, lagged {}, unencodable {}, resent from the journal {}, \
         given up {}",
        ingress.connections,
        ingress.messages,
        ingress.unanswerable,
        ingress.ended,
        ingress.overdue,
        ingress.logins_refused,
        ingress.overloaded,
        egress.published,
        egress.lagged,
        egress.unencodable,
        egress.resent,
        egress.given_up,
    );
    if finished.drained {
        return ExitCode::SUCCESS;
    }
    eprintln!("not everything could be drained: some answers are outstanding at the engine");
    ExitCode::from(REFUSED)
}
