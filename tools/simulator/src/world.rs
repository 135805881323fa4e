//! The world: a gateway and its disk, its clients, its engine and the people on duty, on virtual time.
//!
//! One thread. Everything that happens is a function of the plan: who has a turn, how far time moves,
//! what fails. Gateways die and are started again; all else lives on. Invariant: nothing here looks at
//! real time, and nothing depends on an address or on the order of a hash.

mod disk;
mod surroundings;

use crate::client::{Client, PASSWORD, Surroundings};
use crate::clock::SimClock;
use crate::desk::{Counter, Desk};
use crate::gateway::{self, Gateway, OpenError, Stage, Start};
use crate::market::Market;
use crate::plan::{Fault, Faults, Plan, Plant};
use crate::random::{Concern, Prng, stream};
use crate::venue::{Engine, Watched};
use crate::violation::{Rule, Violation};
use disk::SimDisk;
use portcullis_domain::{Record, Seq, SessionId, Timestamp};
use portcullis_pipeline::ingress::LoginVerdict;
use portcullis_risk_core::RiskCore;
use portcullis_runtime::Clock;
use portcullis_transport::{MemoryNetwork, MemoryOptions, memory_transport};

/// Time of the first turn: some midnight, less a little, so that a day ends in a run.
const START_NS: u64 = 20_000 * 86_400_000_000_000 - 2_000_000;

/// Turns in which a world without faults must come to rest.
const SETTLE_TURNS: u32 = 3_000;

/// After how many of them a journal that does not come back is recovered.
const BROKEN_TURNS: u32 = 200;

/// How long such a turn is: together longer than the clock is ever set back, since what waits for a time
/// waits for that too.
const SETTLE_TURN_NS: u64 = 1_000_000;

/// Turns for which it must stay at rest: longer than a session takes to find its connection dead.
const QUIET_TURNS: u32 = 20;

/// Connections at a time: those of all clients, and some given up.
const CONNECTIONS_MAX: usize = 24;

/// Who may have a turn where any order goes: each agent, credentials, desk, clients, the maker of
/// snapshots.
const ACTORS: usize = Stage::ALL.len() + 4;

/// A snapshot is made once in so many of its maker's turns.
const SNAPSHOT_ONE_IN: i64 = 40;

/// A gateway dies once in so many steps.
const CRASH_ONE_IN: i64 = 600;

/// Turns for which it stays down at the most.
const DOWN_TURNS_MAX: i64 = 15;

/// The world.
pub(crate) struct World {
    pub(crate) market: Market,
    /// The one that is up.
    gateway: Option<Gateway>,
    pub(crate) engine: Engine,
    pub(crate) clients: Vec<Client>,
    pub(crate) desk: Desk,
    disk: SimDisk,
    network: MemoryNetwork,
    options: MemoryOptions,
    clock: SimClock,
    faults: Faults,
    plant: Option<Plant>,
    steps: Prng,
    jumps: Prng,
    deaths: Prng,
    /// Turns until the gateway is started again.
    down: u32,
    /// The last record whose effects may have left before it was kept.
    let_out: Seq,
    /// Turns for which the journal has not come back although nothing is wrong with its disk.
    broken: u32,
    /// Why the disk did not let the last start be.
    refused: Option<Violation>,
    /// Agents and others stepped so far.
    pub(crate) stepped: u64,
    /// Times the gateway died, and times the end of its journal was cut.
    pub(crate) crashes: u64,
    pub(crate) cuts: u64,
    /// Snapshots made.
    pub(crate) snapshots: u64,
    /// Starts that began from one.
    pub(crate) from_snapshot: u64,
    /// Messages that gateways which are gone sent again out of the journal.
    resent: u64,
}

impl World {
    /// A world before its first turn.
    ///
    /// # Errors
    /// If the first gateway does not start.
    pub(crate) fn new(plan: &Plan) -> Result<Self, Violation> {
        let mut prng = stream(plan.seed, Concern::Market);
        let market = Market::random(&mut prng, plan.clients);
        let clock = SimClock::new(Timestamp::from_ns(START_NS));
        let mut steps = stream(plan.seed, Concern::Steps);
        let options = surroundings::memory(&mut steps, plan.faults);
        let accounts = market.config.accounts.len() as u32;
        let clients = (0..plan.clients).map(|index| Client::new(plan.seed, index, accounts));
        let mut world = Self {
            clients: clients.collect(),
            desk: Desk::new(plan.seed, &market),
            gateway: None,
            engine: surroundings::engine(plan, &market),
            disk: SimDisk::new(plan.seed),
            network: memory_transport(options).2,
            options,
            clock,
            faults: plan.faults,
            plant: plan.plant,
            steps,
            jumps: stream(plan.seed, Concern::Clock),
            deaths: stream(plan.seed, Concern::Crashes),
            down: 0,
            refused: None,
            broken: 0,
            let_out: Seq::ZERO,
            stepped: 0,
            crashes: 0,
            cuts: 0,
            snapshots: 0,
            from_snapshot: 0,
            resent: 0,
            market,
        };
        world.start()?;
        let now = world.clock.now();
        if let Some(gateway) = &mut world.gateway {
            world.desk.open(&world.market, &mut gateway.hands, now);
        }
        Ok(world)
    }

    /// The core of the gateway that is up.
    pub(crate) fn core(&self) -> Result<&RiskCore, Violation> {
        let gateway = self.gateway.as_ref();
        gateway
            .map(Gateway::core)
            .ok_or_else(|| Violation::new(Rule::NotDrained, "no gateway is up"))
    }

    /// The journal, read from the disk.
    pub(crate) fn log(&self) -> Result<Vec<Record>, Violation> {
        self.disk.log()
    }

    /// The safety phase: everything may go wrong.
    pub(crate) fn live(&mut self, turns: u32) -> Result<(), Violation> {
        for _ in 0..turns {
            self.pass_time();
            self.disk.turn(self.faults);
            if self.gateway.is_none() && self.down == 0 {
                self.start()?;
            }
            self.down = self.down.saturating_sub(1);
            for turn in 0..ACTORS {
                let actor = if self.faults.has(Fault::AnyOrder) {
                    self.steps.below(ACTORS)
                } else {
                    turn
                };
                self.act(actor)?;
            }
            self.check()?;
        }
        Ok(())
    }

    /// The liveness phase: nothing goes wrong any more, and all must come to rest.
    pub(crate) fn settle(&mut self) -> Result<(), Violation> {
        self.faults = Faults::NONE;
        self.engine.calm();
        self.disk.calm();
        self.clock.set_right();
        self.refused = None;
        let mut quiet = 0;
        for _ in 0..SETTLE_TURNS {
            self.clock.advance_ns(SETTLE_TURN_NS);
            if self.gateway.is_none() {
                self.start()?;
                // Nothing is wrong with the disk any more.
                if let Some(refused) = self.refused.take() {
                    return Err(refused);
                }
            }
            if let Some(gateway) = &mut self.gateway {
                let (core, hands) = gateway.desk_side();
                let mut at = Counter {
                    hands,
                    core,
                    disk: self.disk.folder(),
                    now: self.clock.now(),
                };
                self.desk.calm(&self.market, &mut at);
            }
            for stage in Stage::ALL {
                self.step(stage);
            }
            self.answer_logins();
            self.each_client(Client::settle)?;
            self.check()?;
            self.restart_if_broken();
            quiet = if self.is_at_rest() { quiet + 1 } else { 0 };
            if quiet > QUIET_TURNS {
                return Ok(());
            }
        }
        Err(self.not_at_rest())
    }

    /// A journal whose sync failed once is not written on until it was recovered: whoever is on duty
    /// starts the gateway again, once all that was told is written.
    fn restart_if_broken(&mut self) {
        let broken =
            |gateway: &mut Gateway| gateway.lets_out_what_is_not_kept() && gateway.is_drained();
        self.broken = if self.gateway.as_mut().is_some_and(broken) {
            self.broken + 1
        } else {
            0
        };
        if self.broken > BROKEN_TURNS {
            self.gateway_ends();
            self.disk.process_ends();
            self.crashes += 1;
        }
    }

    fn is_at_rest(&self) -> bool {
        self.gateway.as_ref().is_some_and(Gateway::is_drained)
            && self.desk.is_settled()
            && self.clients.iter().all(Client::is_settled)
    }

    fn not_at_rest(&self) -> Violation {
        let clients: Vec<String> = self.clients.iter().map(Client::standing).collect();
        let busy = self.gateway.as_ref().map(Gateway::undrained);
        let kept = self.gateway.as_ref().map(Gateway::kept);
        let last = self.core().map(RiskCore::seq);
        let ready = self.core().map(RiskCore::readiness);
        let settled = self.desk.is_settled();
        let unanswered = |client: &Client| client.story.unanswered().is_some();
        let rests = settled && self.gateway.as_ref().is_some_and(Gateway::is_drained);
        let rule = if rests && self.clients.iter().any(unanswered) {
            Rule::AnswerMissing
        } else {
            Rule::NotDrained
        };
        Violation::new(
            rule,
            format!(
                "after {SETTLE_TURNS} turns: busy {busy:?}, {kept:?} of {last:?} kept by \
                 {:?}, {ready:?}, desk settled {settled}, {clients:?}",
                self.disk.policy
            ),
        )
    }

    fn pass_time(&mut self) {
        let span_ns = match self.steps.between(1, 20) {
            1 => self.steps.between(1_000_000, 30_000_000),
            2 => 0,
            _ => self.steps.between(100, 200_000),
        };
        self.clock.advance_ns(span_ns as u64);
        if !self.faults.has(Fault::ClockJumps) || !self.jumps.one_in(60) {
            return;
        }
        if self.jumps.one_in(3) {
            self.clock
                .set_back_ns(self.jumps.between(1, 2_000_000_000) as u64);
        } else {
            let most = self
                .jumps
                .pick(&[1_000_000_000, 20_000_000_000, 3_600_000_000_000]);
            self.clock.advance_ns(self.jumps.between(1, most) as u64);
        }
    }

    fn act(&mut self, actor: usize) -> Result<(), Violation> {
        self.stepped += 1;
        if let Some(stage) = Stage::ALL.get(actor) {
            self.step(*stage);
            return self.perhaps_die(*stage);
        }
        match actor - Stage::ALL.len() {
            0 => self.answer_logins(),
            1 => self.desk_turn(),
            2 => self.each_client(Client::turn)?,
            _ => self.perhaps_snapshot()?,
        }
        Ok(())
    }

    /// In place of the thread that makes snapshots: behind a place somewhere in the journal.
    fn perhaps_snapshot(&mut self) -> Result<(), Violation> {
        if !self.faults.has(Fault::Snapshots) || !self.deaths.one_in(SNAPSHOT_ONE_IN) {
            return Ok(());
        }
        let Some(gateway) = &self.gateway else {
            return Ok(());
        };
        let wanted = self.deaths.between(1, gateway.kept().raw().max(1) as i64);
        let floor = self.engine.aside(&self.market);
        let (disk, now) = (self.disk.folder(), self.clock.now());
        let wanted = Seq::new(wanted.unsigned_abs());
        match gateway::make_snapshot(&self.market, disk, floor, wanted, now) {
            Ok(made) => self.snapshots += u64::from(made),
            Err(OpenError::Disk(_)) => {}
            Err(OpenError::Journal(why) | OpenError::Engine(why)) => {
                return Err(Violation::new(Rule::Snapshot, why));
            }
        }
        Ok(())
    }

    fn step(&mut self, stage: Stage) {
        if let Some(gateway) = &mut self.gateway {
            gateway.step(stage, self.clock.now());
        }
    }

    fn desk_turn(&mut self) {
        let Some(gateway) = &mut self.gateway else {
            return;
        };
        let (core, hands) = gateway.desk_side();
        let mut at = Counter {
            hands,
            core,
            disk: self.disk.folder(),
            now: self.clock.now(),
        };
        self.desk.turn(&self.market, &mut at, self.faults);
    }

    fn each_client(
        &mut self,
        turn: impl Fn(&mut Client, &Surroundings<'_>) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        let around = Surroundings {
            network: &self.network,
            now: self.clock.now(),
            prices: &self.desk.prices,
            faults: self.faults,
        };
        for client in &mut self.clients {
            turn(client, &around)?;
        }
        Ok(())
    }

    /// In place of the credential thread.
    fn answer_logins(&mut self) {
        let Some(gateway) = &mut self.gateway else {
            return;
        };
        let hands = &mut gateway.hands;
        while !hands.verdicts.is_full()
            && let Ok(query) = hands.queries.pop()
        {
            let number = query.user.as_str().strip_prefix('U');
            let session = number.and_then(|number| number.parse().ok());
            let right = query.password.0.as_str().as_bytes() == PASSWORD;
            let verdict = LoginVerdict {
                connection: query.connection,
                session: session.filter(|_| right).map(SessionId::new),
            };
            assert!(hands.verdicts.push(verdict).is_ok(), "room was looked for");
        }
    }

    /// Starts a gateway on what the disk holds. A disk that does not let it is tried again later.
    fn start(&mut self) -> Result<(), Violation> {
        let (inbound, outbound, network) = memory_transport(self.options);
        let floor = self.engine.floor(|| self.market.engine());
        let start = Start {
            market: &self.market,
            disk: self.disk.folder(),
            policy: self.disk.policy,
            clock: &self.clock,
            connections_max: CONNECTIONS_MAX,
            plant: self.plant,
            engine: &self.engine,
        };
        match gateway::open(&start, (inbound, outbound), floor) {
            Ok((gateway, found)) => {
                self.cuts += u64::from(found.cut);
                self.from_snapshot += u64::from(found.from_snapshot);
                self.disk.recovered(found.seq)?;
                if self.crashes > 0 {
                    self.desk.restarted(&self.market, gateway.core());
                }
                self.gateway = Some(gateway);
                self.network = network;
                Ok(())
            }
            Err(OpenError::Disk(why)) => {
                let again = Violation::new(Rule::RecoveryRefused, why.to_string());
                self.refused = Some(again);
                self.disk.process_ends();
                self.down = 5;
                Ok(())
            }
            Err(OpenError::Journal(why)) => Err(Violation::new(Rule::RecoveryRefused, why)),
            Err(OpenError::Engine(why)) => Err(Violation::new(Rule::RecoveryEngine, why)),
        }
    }

    /// The gateway dies, now and then, behind the step of an agent.
    fn perhaps_die(&mut self, stage: Stage) -> Result<(), Violation> {
        let process = self.faults.has(Fault::Restarts) && self.disk.survives_processes();
        let power = self.faults.has(Fault::PowerCuts) && self.disk.survives_power();
        let dies = (process || power) && self.deaths.one_in(CRASH_ONE_IN);
        let Some(gateway) = self.gateway.as_mut() else {
            return Ok(());
        };
        // What leaves while the journal is in trouble is not kept, until some time after it is over: a
        // crash then is a second failure, and what was told is lost. See docs/simulator.md.
        if gateway.lets_out_what_is_not_kept() {
            self.let_out = gateway.core().seq();
        }
        if !dies || gateway.kept() < self.let_out {
            return Ok(());
        }
        self.disk.before_crash(gateway.kept())?;
        if stage != Stage::Log && self.deaths.one_in(2) {
            // In the middle of a write, if there is one.
            self.disk.stop_within(&mut self.deaths);
            gateway.step(Stage::Risk, self.clock.now());
            gateway.step(Stage::Log, self.clock.now());
        }
        self.gateway_ends();
        if power && !(process && self.deaths.one_in(2)) {
            self.disk.power_fails(&mut self.deaths);
        } else {
            self.disk.process_ends();
        }
        self.crashes += 1;
        self.down = self.deaths.between(0, DOWN_TURNS_MAX) as u32;
        Ok(())
    }

    fn gateway_ends(&mut self) {
        self.resent = self.resent();
        self.gateway = None;
    }

    /// Messages sent again out of the journal.
    pub(crate) fn resent(&self) -> u64 {
        let now = self.gateway.as_ref();
        self.resent + now.map_or(0, |gateway| gateway.told().resent)
    }

    /// What must be so after each turn.
    fn check(&self) -> Result<(), Violation> {
        let unencodable = self
            .gateway
            .as_ref()
            .map_or(0, |gateway| gateway.told().unencodable);
        if unencodable > 0 {
            let why = format!("{unencodable} messages could not be said");
            return Err(Violation::new(Rule::Unencodable, why));
        }
        let seen = |engine: &Watched| (engine.notes().twice, engine.notes().sent_seq);
        let (twice, sent) = self.engine.look(seen);
        if let Some(order) = twice {
            return Err(Violation::new(Rule::SentTwice, format!("{order:?}")));
        }
        let kept = self.gateway.as_ref().map(Gateway::kept);
        match kept.filter(|kept| self.disk.survives_processes() && kept.raw() < sent) {
            Some(kept) => {
                let why = format!("the engine has what record {sent} approved, {kept:?} is kept");
                Err(Violation::new(Rule::SentEarly, why))
            }
            None => Ok(()),
        }
    }
}
