//! Connecting, logging in, logging out.
//!
//! **Thread.** The caller's.
//! **Invariants.** Logins go out a few at a time, since a gateway verifies passwords one after the
//! other behind a bounded queue.
//! **Never.** Reconnect: a lost session stays lost and is reported.

use super::{Driver, LATENCY_MAX_NS, POLL_MAX};
use crate::checker::Checker;
use crate::config::FlowConfig;
use crate::driver::send::Sent;
use crate::error::FlowError;
use crate::feed::Feed;
use crate::link::Link;
use crate::pace::Schedule;
use crate::positions::Positions;
use crate::tamper::Tamper;
use crate::trades::Trades;
use crate::venue::Venue;
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use portcullis_domain::Timestamp;
use portcullis_wire::soupbin::ClientConfig;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// How many logins are under way at once.
const LOGINS_AT_ONCE: usize = 4;
/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long a login may take.
const LOGIN_MAX: Duration = Duration::from_secs(30);
/// How long the gateway may take to close after a logout.
const LOGOUT_MAX: Duration = Duration::from_secs(2);
/// Socket events taken at once.
const EVENTS: usize = 256;

impl Driver {
    /// Checks the configuration, opens the source, connects and logs in every session.
    ///
    /// # Errors
    /// A field is wrong, the file cannot be read, the gateway is not there or refuses a login.
    pub fn connect(config: FlowConfig) -> Result<Self, FlowError> {
        let venue = Venue::new(&config)?;
        let feed = Feed::open(&config, &venue)?;
        let poll = Poll::new().map_err(FlowError::Poll)?;
        let mut latency = Histogram::new_with_bounds(1, LATENCY_MAX_NS, 3)
            .or_else(|_| Histogram::new(3))
            .map_err(|error| FlowError::Config {
                field: "latency".to_owned(),
                what: error.to_string(),
            })?;
        latency.auto(false);
        let sessions = venue.sessions.len();
        let mut driver = Self {
            positions: Positions::new(&venue),
            schedule: Schedule::new(config.pace),
            tamper: Tamper::new(config.plant),
            venue,
            poll,
            events: Events::with_capacity(EVENTS),
            clock: Instant::now(),
            links: Vec::new(),
            checkers: (0..sessions).map(Checker::new).collect(),
            sent: (0..sessions).map(|_| Sent::default()).collect(),
            feed,
            held: None,
            barrier: false,
            handles: HashMap::new(),
            deferred: VecDeque::new(),
            trades: Trades::default(),
            latency,
            skipped: 0,
            answers: Vec::new(),
            phase: "connect",
            life_ns: 0,
            timers_ns: 0,
            config,
        };
        while driver.links.len() < sessions {
            let until = (driver.links.len() + LOGINS_AT_ONCE).min(sessions);
            while driver.links.len() < until {
                driver.open_link()?;
            }
            driver.await_logins()?;
        }
        Ok(driver)
    }

    /// Logs every session out and waits for the gateway to close.
    ///
    /// # Errors
    /// Waiting for the sockets failed.
    pub fn logout(&mut self) -> Result<(), FlowError> {
        self.phase = "logout";
        for link in &mut self.links {
            if link.is_active() {
                link.logout();
            }
        }
        let start = Instant::now();
        while start.elapsed() < LOGOUT_MAX {
            match self.turn(POLL_MAX) {
                Ok(()) => {}
                Err(FlowError::AllSessionsLost(_)) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn open_link(&mut self) -> Result<(), FlowError> {
        let session = self.links.len();
        let Some(spec) = self.venue.sessions.get(session) else {
            return Ok(());
        };
        let fail = |source| FlowError::Connect { session, source };
        let stream = std::net::TcpStream::connect_timeout(&self.config.gateway, CONNECT_MAX)
            .map_err(fail)?;
        stream.set_nodelay(true).map_err(fail)?;
        stream.set_nonblocking(true).map_err(fail)?;
        let mut link = Link::new(
            TcpStream::from_std(stream),
            ClientConfig::new(spec.user, spec.password),
        );
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut link.stream, Token(session), interest)
            .map_err(FlowError::Poll)?;
        link.login(Timestamp::from_ns(self.now_ns()));
        self.links.push(link);
        Ok(())
    }

    fn await_logins(&mut self) -> Result<(), FlowError> {
        let start = Instant::now();
        loop {
            let pending = self.links.iter().position(|link| !link.is_active());
            let Some(session) = pending else {
                return Ok(());
            };
            let lost = self.links.get(session).and_then(|link| link.lost.clone());
            let late = start.elapsed() >= LOGIN_MAX;
            if lost.is_some() || late {
                let user = self.config.sessions.get(session);
                return Err(FlowError::Login {
                    session,
                    user: user.map(|spec| spec.user.clone()).unwrap_or_default(),
                    what: lost.unwrap_or_else(|| {
                        format!("no answer to the login within {} s", LOGIN_MAX.as_secs())
                    }),
                });
            }
            match self.turn(POLL_MAX) {
                // The loop above names the session.
                Ok(()) | Err(FlowError::AllSessionsLost(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
