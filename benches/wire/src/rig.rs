//! One way from clients to the engine, set up: sessions logged in, the engine behind.
//!
//! Owned by the measuring thread, which drives both ends. Invariants: a rig is made anew for each
//! round, so that no round profits from the last; while it rests, nothing of it takes a core; every order is answered once and seen once by the
//! engine, or the rig ends the run. Waiting has a bound.

use crate::client::Client;
use crate::engine::Engine;
use crate::gateway::Gateway;
use crate::market;
use crate::proxy::{Product, Proxy};
use crate::relay::Relay;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// Sessions that send orders.
pub(crate) const SPEAKING_MAX: usize = 10;
/// How long a step of setting up may take.
const STEP_WITHIN: Duration = Duration::from_secs(30);
/// The engine says this often that it lives.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(3);
/// Logins under way at once.
const LOGINS_AT_ONCE: usize = 32;

/// By which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Direct,
    Relay,
    Gateway,
    Proxy(Product),
}

impl Way {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Relay => "relay",
            Self::Gateway => "gateway",
            Self::Proxy(product) => product.name(),
        }
    }
}

/// Where what stands between runs, and out of what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Its core, by index among the usable ones.
    pub(crate) core: usize,
    /// Where its files go.
    pub(crate) folder: &'a Path,
    /// The gateway's binary.
    pub(crate) gateway: &'a Path,
}

/// What stands between the ends.
enum Between {
    Nothing,
    Relay(Relay),
    Gateway(Gateway),
    Proxy(Proxy),
}

/// The rig.
pub(crate) struct Rig {
    pub(crate) way: Way,
    pub(crate) engine: Engine,
    /// Speaking clients first.
    clients: Vec<Client>,
    /// Where the engine keeps the session of a speaking client.
    lines: Vec<usize>,
    between: Between,
    heartbeat: Instant,
    /// When it was last told to rest.
    rested: Instant,
}

impl Rig {
    /// Sets a way up with this many sessions.
    pub(crate) fn new(way: Way, sessions: usize, place: Place<'_>) -> Result<Self, String> {
        let Place { core, folder, .. } = place;
        let mut engine = Engine::listen()?;
        let at = engine.address();
        let (between, to) = match way {
            Way::Direct => (Between::Nothing, at),
            Way::Relay => {
                let relay = Relay::start(core, sessions, at)?;
                let to = relay.address();
                (Between::Relay(relay), to)
            }
            Way::Gateway => {
                let mut gateway = Gateway::start(place, sessions, at)?;
                let to = listening(&mut gateway, &mut engine, sessions)?;
                (Between::Gateway(gateway), to)
            }
            Way::Proxy(product) => {
                let proxy = Proxy::start(product, folder, core, at)?;
                let to = proxy.address();
                (Between::Proxy(proxy), to)
            }
        };
        let mut rig = Self {
            way,
            engine,
            clients: Vec::new(),
            lines: Vec::new(),
            between,
            heartbeat: Instant::now(),
            rested: Instant::now(),
        };
        rig.log_in(to, sessions)?;
        rig.open()?;
        Ok(rig)
    }

    fn log_in(&mut self, to: SocketAddr, sessions: usize) -> Result<(), String> {
        while self.clients.len() < sessions {
            let first = self.clients.len();
            for session in first..sessions.min(first + LOGINS_AT_ONCE) {
                self.clients.push(Client::connect(to, session)?);
            }
            let (engine, clients) = (&mut self.engine, &mut self.clients);
            until("logins", || {
                engine.poll_all()?;
                for client in &mut clients[first..] {
                    client.poll()?;
                }
                Ok(clients[first..].iter().all(Client::is_logged_in))
            })?;
        }
        Ok(())
    }

    /// Narrows the rig to those that speak, and waits until an order of each is accepted.
    fn open(&mut self) -> Result<(), String> {
        let speaking = self.clients.len().min(SPEAKING_MAX);
        match &mut self.between {
            Between::Relay(relay) => relay.narrow(speaking),
            Between::Gateway(gateway) => gateway.open(speaking)?,
            Between::Nothing | Between::Proxy(_) => {}
        }
        for session in 0..speaking {
            let line = self.engine.line_of(market::user_name(session));
            self.lines
                .push(line.ok_or("a session did not reach the engine")?);
        }
        for session in 0..speaking {
            self.clients[session].probing = true;
            until("an accepted order", || {
                let before = self.clients[session].accepted;
                self.one(session)?;
                if self.clients[session].accepted > before {
                    return Ok(true);
                }
                std::thread::sleep(Duration::from_millis(20));
                Ok(false)
            })?;
            self.clients[session].probing = false;
        }
        Ok(())
    }

    /// What stands between stands still, so that another rig has the cores.
    pub(crate) fn rest(&mut self) -> Result<(), String> {
        match &mut self.between {
            Between::Relay(relay) => relay.rest(),
            Between::Gateway(gateway) => gateway.rest()?,
            // Proxies sleep of themselves where nobody speaks.
            Between::Nothing | Between::Proxy(_) => {}
        }
        self.rested = Instant::now();
        Ok(())
    }

    /// How long it has been at rest, if it is.
    pub(crate) fn rested(&self) -> Duration {
        self.rested.elapsed()
    }

    /// It goes on, and hears that its engine lives if that is due.
    pub(crate) fn wake(&mut self) -> Result<(), String> {
        self.beat(Instant::now())?;
        match &mut self.between {
            Between::Relay(relay) => relay.wake(),
            Between::Gateway(gateway) => gateway.wake()?,
            Between::Nothing | Between::Proxy(_) => {}
        }
        Ok(())
    }

    /// Sessions that are connected.
    pub(crate) fn sessions(&self) -> usize {
        self.clients.len()
    }

    /// Sessions that send orders.
    pub(crate) fn speaking(&self) -> usize {
        self.lines.len()
    }

    /// A session's client, and its session at the engine.
    pub(crate) fn ends(&mut self, session: usize) -> (&mut Client, &mut Engine, usize) {
        (
            &mut self.clients[session],
            &mut self.engine,
            self.lines[session],
        )
    }

    /// Sends one order and waits for its answer, the ends taking turns at one core: first only the
    /// engine can have news, then only the client.
    pub(crate) fn one(&mut self, session: usize) -> Result<Duration, String> {
        let (client, engine, line) = self.ends(session);
        client.enter();
        let begun = Instant::now();
        client.flush()?;
        let (mut tries, mut seen) = (0_u32, 0);
        while client.outstanding() > 0 {
            if seen == 0 {
                seen = engine.poll(line)?;
                // What the gateway refuses never reaches the engine.
                if client.probing {
                    client.poll()?;
                }
            } else {
                client.poll()?;
            }
            tries += 1;
            if tries.is_multiple_of(1 << 16) && begun.elapsed() > STEP_WITHIN {
                return Err("an order is not answered".to_owned());
            }
        }
        Ok(begun.elapsed())
    }

    /// What has to go on beside the orders: reference prices, and heartbeats of the engine.
    pub(crate) fn between_orders(&mut self, now: Instant) -> Result<(), String> {
        if let Between::Gateway(gateway) = &mut self.between {
            gateway.keep_prices(now)?;
        }
        self.beat(now)
    }

    /// Every session hears that the engine lives, if it is time.
    fn beat(&mut self, now: Instant) -> Result<(), String> {
        if now.duration_since(self.heartbeat) >= HEARTBEAT_EVERY {
            self.heartbeat = now;
            self.engine.heartbeat()?;
        }
        Ok(())
    }

    /// Compares what was sent, answered, and seen by the engine; returns the orders sent.
    pub(crate) fn finish(self) -> Result<u64, String> {
        let (mut accepted, mut refused) = (0, 0);
        for (client, &line) in self.clients.iter().zip(&self.lines) {
            let seen = self.engine.seen(line);
            let sent = u64::from(client.sent());
            let agree = client.outstanding() == 0
                && client.accepted + client.refused == sent
                && (seen.orders, seen.sum_of_numbers) == (client.accepted, client.sum_of_numbers);
            if !agree {
                return Err(format!(
                    "sent {sent}, accepted {}, refused {}, seen by the engine {}: they do not agree",
                    client.accepted, client.refused, seen.orders
                ));
            }
            accepted += client.accepted;
            refused += client.refused;
        }
        match self.between {
            Between::Gateway(gateway) => gateway.finish(accepted, refused)?,
            Between::Relay(relay) => relay.stop()?,
            Between::Proxy(proxy) => proxy.stop()?,
            Between::Nothing => {}
        }
        Ok(accepted + refused)
    }
}

/// Where the gateway listens, once its links to the engine are logged in.
fn listening(
    gateway: &mut Gateway,
    engine: &mut Engine,
    sessions: usize,
) -> Result<SocketAddr, String> {
    let mut address = None;
    until("the gateway's links", || {
        engine.poll_all()?;
        std::thread::sleep(Duration::from_millis(2));
        address = gateway.address()?;
        Ok(address.is_some() && engine.logged_in() > sessions)
    })?;
    address.ok_or_else(|| "the gateway does not listen".to_owned())
}

/// Repeats a step until it says that it is done, within a bound.
fn until(what: &str, mut step: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let begun = Instant::now();
    while !step()? {
        if begun.elapsed() > STEP_WITHIN {
            return Err(format!("{what} did not come within {STEP_WITHIN:?}"));
        }
    }
    Ok(())
}
