//! One way from clients to the engine, set up: sessions logged in, the engine behind.
//!
//! Owned by the measuring thread, which drives both ends. Invariants: a rig is made anew for each
//! round, so that no round profits from the last; while it rests, nothing of it takes a core; every order is answered
//! once and as planned, and each that is not refused is seen once by the engine, or the rig ends the run. Waiting has a
//! bound.

mod ground;

use crate::case::{self, Case};
use crate::client::{Answered, Client};
use crate::engine::Engine;
use crate::gateway::Gateway;
use crate::market;
use crate::plan::{Fate, Plan};
use crate::proxy::{Product, Proxy};
use crate::relay::Relay;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// Sessions that send orders.
pub(crate) const SPEAKING_MAX: usize = 10;
/// How long a step of setting up may take.
const STEP_WITHIN: Duration = Duration::from_secs(30);
/// The engine says this often that it lives.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(3);
/// Refusals that are asked about before the engine is looked after.
const EXPLAINED_AT_ONCE: usize = 1_024;
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

/// An order that was sent, and has its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trip {
    pub(crate) took: Duration,
    /// Whether it went no further than to what stands between.
    pub(crate) refused: bool,
}

/// What a rig's orders came to.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) orders: u64,
    /// How often each check refused, where anybody decided, and with how many sessions connected.
    pub(crate) refusals: Option<(usize, Vec<(&'static str, u64)>)>,
}

/// The rig.
pub(crate) struct Rig {
    pub(crate) way: Way,
    pub(crate) engine: Engine,
    /// Speaking clients first, and those behind them that cases have for their own.
    clients: Vec<Client>,
    /// Where the engine keeps the session of each of these, if its link is up.
    lines: Vec<Option<usize>>,
    speaking: usize,
    plan: Plan,
    between: Between,
    heartbeat: Instant,
    /// When it was last told to rest.
    rested: Instant,
}

impl Rig {
    /// Sets a way up with this many sessions.
    pub(crate) fn new(way: Way, sessions: usize, place: Place<'_>) -> Result<Self, String> {
        let mut engine = Engine::listen()?;
        let at = engine.address();
        let cases = case::all(sessions);
        let (between, to) = match way {
            Way::Direct => (Between::Nothing, at),
            Way::Relay => {
                let relay = Relay::start(place.core, sessions, at)?;
                let to = relay.address();
                (Between::Relay(relay), to)
            }
            Way::Gateway => {
                let mut gateway = Gateway::start(place, sessions, at, &cases)?;
                let cut_off = cases.iter().filter(|case| case.is_cut_off()).count();
                let to = listening(&mut gateway, &mut engine, sessions - cut_off)?;
                (Between::Gateway(gateway), to)
            }
            Way::Proxy(product) => {
                let proxy = Proxy::start(product, sessions, place, at)?;
                let to = proxy.address();
                (Between::Proxy(proxy), to)
            }
        };
        let mut rig = Self {
            way,
            engine,
            clients: Vec::new(),
            lines: Vec::new(),
            speaking: sessions.min(SPEAKING_MAX),
            plan: Plan::new(cases, way == Way::Gateway),
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

    /// Narrows the rig to those that speak, waits until an order of each is accepted, and has done what has to have
    /// happened before the first order of a case.
    fn open(&mut self) -> Result<(), String> {
        let speaking = self.speaking;
        match &mut self.between {
            Between::Relay(relay) => relay.narrow(speaking),
            Between::Gateway(gateway) => gateway.open(speaking, self.plan.cases())?,
            Between::Nothing | Between::Proxy(_) => {}
        }
        let own = self.plan.cases().iter().filter_map(Case::own_session);
        let own = if self.plan.decides() { own.count() } else { 0 };
        for session in 0..speaking + own {
            let line = self.engine.line_of(market::user_name(session));
            if line.is_none() && session < speaking {
                return Err("a session did not reach the engine".to_owned());
            }
            self.lines.push(line);
        }
        for session in 0..speaking {
            self.clients[session].probing = true;
            until("an accepted order", || {
                let before = self.clients[session].accepted;
                self.one_that_passes(session)?;
                if self.clients[session].accepted > before {
                    return Ok(true);
                }
                std::thread::sleep(Duration::from_millis(20));
                Ok(false)
            })?;
            self.clients[session].probing = false;
        }
        if self.plan.decides() {
            self.prepare()?;
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

    /// What became of the gateway's memory, where it is one that stands between.
    pub(crate) fn memory(&self) -> Option<String> {
        match &self.between {
            Between::Gateway(gateway) => Some(gateway.memory()),
            Between::Nothing | Between::Relay(_) | Between::Proxy(_) => None,
        }
    }

    /// Sessions that are connected.
    pub(crate) fn sessions(&self) -> usize {
        self.clients.len()
    }

    /// Sessions that send orders.
    pub(crate) const fn speaking(&self) -> usize {
        self.speaking
    }

    /// These, and those behind them that cases have for their own.
    pub(crate) fn talking(&self) -> usize {
        self.lines.len()
    }

    /// Orders of a session that wait for their answer.
    pub(crate) fn outstanding(&self, session: usize) -> u32 {
        self.clients[session].outstanding()
    }

    /// Puts the next order behind what a session has to write, or a case's own session if it is one of that.
    #[inline]
    pub(crate) fn enter(&mut self, session: usize) -> (usize, Fate) {
        let clients = &self.clients;
        let due = self
            .plan
            .next(|session, number| clients[session].is_answered(number));
        let Some(which) = due.case else {
            self.clients[session].enter(None);
            return (session, due.fate);
        };
        let case = *self.plan.case(which);
        let own = case.own_session().filter(|_| self.plan.decides());
        let session = own.map_or(session, |own| self.speaking + own);
        let client = &mut self.clients[session];
        match due.fate {
            Fate::Passes => client.enter(Some(&case)),
            Fate::Refused(_) => client.enter_refused(&case),
        }
        self.plan.sent(due, session, client.sent());
        (session, due.fate)
    }

    /// Writes what a session has to write.
    pub(crate) fn flush(&mut self, session: usize) -> Result<(), String> {
        self.clients[session].flush()
    }

    /// The engine reads a session once and answers; returns how many orders came.
    pub(crate) fn poll_engine(&mut self, session: usize) -> Result<u64, String> {
        match self.lines[session] {
            Some(line) => self.engine.poll(line),
            None => Ok(0),
        }
    }

    /// A session reads what was answered.
    pub(crate) fn poll_client(&mut self, session: usize) -> Result<Answered, String> {
        self.clients[session].poll()
    }

    /// Sends one order and waits for its answer.
    pub(crate) fn one(&mut self, session: usize) -> Result<Trip, String> {
        let (session, fate) = self.enter(session);
        self.wait_for(session, fate != Fate::Passes)
    }

    /// The same with an order that goes the whole way.
    pub(crate) fn one_that_passes(&mut self, session: usize) -> Result<Duration, String> {
        self.clients[session].enter(None);
        Ok(self.wait_for(session, false)?.took)
    }

    /// Writes an order and waits for its answer, the ends taking turns at one core: first only the engine can have news,
    /// then only the client. What is refused never reaches the engine.
    fn wait_for(&mut self, session: usize, refused: bool) -> Result<Trip, String> {
        let begun = Instant::now();
        self.flush(session)?;
        let (mut tries, mut seen) = (0_u32, u64::from(refused));
        while self.outstanding(session) > 0 {
            if seen == 0 {
                seen = self.poll_engine(session)?;
                // The first orders are sent before it is sure that they pass.
                if self.clients[session].probing {
                    self.poll_client(session)?;
                }
            } else {
                self.poll_client(session)?;
            }
            tries += 1;
            if tries.is_multiple_of(1 << 16) && begun.elapsed() > STEP_WITHIN {
                return Err("an order is not answered".to_owned());
            }
        }
        let took = begun.elapsed();
        Ok(Trip { took, refused })
    }

    /// Compares what the gateway says of each refusal with the plan.
    fn compare_explanations(&mut self) -> Result<(), String> {
        for some in self.plan.explained().chunks(EXPLAINED_AT_ONCE) {
            if let Between::Gateway(gateway) = &self.between {
                gateway.explain(some)?;
            }
            self.beat(Instant::now())?;
        }
        Ok(())
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

    /// Compares what was planned, sent, answered, seen by the engine and told by the gateway.
    pub(crate) fn finish(mut self) -> Result<Finished, String> {
        self.end_resting()?;
        let (mut accepted, mut versions, mut refused) = (0, 0, 0);
        let mut refusals = BTreeMap::new();
        for (client, &line) in self.clients.iter().zip(&self.lines) {
            let seen = line.map(|line| self.engine.seen(line)).unwrap_or_default();
            let sent = u64::from(client.sent() - client.unanswered);
            let planned: u64 = client.refusals.values().sum();
            let agree = client.outstanding() == 0
                && client.accepted + client.refused_first + planned == sent
                && (seen.orders, seen.sum_of_numbers) == (client.accepted, client.sum_of_numbers);
            if !agree {
                return Err(format!(
                    "sent {sent}, accepted {}, refused {planned} and at first {}, seen by the engine {}: they do not \
                     agree",
                    client.accepted, client.refused_first, seen.orders
                ));
            }
            accepted += client.accepted;
            versions += u64::from(client.unanswered);
            refused += client.refused_first + planned;
            for (reason, count) in &client.refusals {
                *refusals.entry(*reason).or_default() += count;
            }
        }
        self.plan.compare(&refusals)?;
        self.compare_explanations()?;
        match self.between {
            Between::Gateway(gateway) => gateway.finish(accepted + versions, refused)?,
            Between::Relay(relay) => relay.stop()?,
            Between::Proxy(proxy) => proxy.stop()?,
            Between::Nothing => {}
        }
        let decides = self.plan.decides();
        Ok(Finished {
            orders: accepted + refused,
            refusals: decides.then(|| (self.clients.len(), self.plan.counts())),
        })
    }
}

/// Where the gateway listens, once so many links to the engine, and that of the house, are logged in.
fn listening(
    gateway: &mut Gateway,
    engine: &mut Engine,
    links: usize,
) -> Result<SocketAddr, String> {
    let mut address = None;
    until("the gateway's links", || {
        engine.poll_all()?;
        std::thread::sleep(Duration::from_millis(2));
        address = gateway.address()?;
        Ok(address.is_some() && engine.logged_in() > links)
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
