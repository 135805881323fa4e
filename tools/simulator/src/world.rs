//! The world: a gateway, its clients, its engine and the people on duty, on virtual time.
//!
//! One thread. Everything that happens is a function of the plan: who has a turn, how far time moves,
//! what fails. Invariant: nothing here looks at real time, and nothing depends on an address or on
//! the order of a hash.

use crate::client::{Client, PASSWORD, Surroundings};
use crate::clock::SimClock;
use crate::desk::Desk;
use crate::gateway::{Gateway, Stage};
use crate::market::Market;
use crate::plan::{Fault, Faults, Plan};
use crate::random::{Concern, Prng, stream};
use crate::venue::Floor;
use crate::violation::{Rule, Violation};
use portcullis_domain::{Record, SessionId, Timestamp};
use portcullis_pipeline::ingress::LoginVerdict;
use portcullis_runtime::Clock;
use portcullis_transport::{MemoryNetwork, MemoryOptions, memory_transport};
use portcullis_venue_embedded::EmbeddedVenue;
use portcullis_venue_sim::Hostility;

/// Time of the first turn: some midnight, less a little, so that a day ends in a run.
const START_NS: u64 = 20_000 * 86_400_000_000_000 - 2_000_000;

/// Turns in which a world without faults must come to rest.
const SETTLE_TURNS: u32 = 3_000;

/// Connections at a time: those of all clients, and some given up.
const CONNECTIONS_MAX: usize = 24;

/// Who may have a turn where any order goes.
const ACTORS: usize = 9;

/// The world.
pub(crate) struct World {
    pub(crate) market: Market,
    pub(crate) gateway: Gateway,
    pub(crate) floor: Floor,
    pub(crate) clients: Vec<Client>,
    pub(crate) desk: Desk,
    /// Every record, as it was sequenced.
    pub(crate) log: Vec<Record>,
    network: MemoryNetwork,
    clock: SimClock,
    faults: Faults,
    steps: Prng,
    jumps: Prng,
    /// Agents and others stepped so far.
    pub(crate) stepped: u64,
}

impl World {
    /// A world before its first turn.
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut prng = stream(plan.seed, Concern::Market);
        let market = Market::random(&mut prng, plan.clients);
        let clock = SimClock::new(Timestamp::from_ns(START_NS));
        let floor = floor(plan, &market);
        let mut steps = stream(plan.seed, Concern::Steps);
        let options = memory(&mut steps, plan.faults);
        let (inbound, outbound, network) = memory_transport(options);
        let gateway = Gateway::new(
            &market,
            (inbound, outbound),
            floor.clone(),
            clock.clone(),
            CONNECTIONS_MAX,
        );
        let accounts = market.config.accounts.len() as u32;
        let clients = (0..plan.clients).map(|index| Client::new(plan.seed, index, accounts));
        let mut world = Self {
            clients: clients.collect(),
            desk: Desk::new(plan.seed, &market),
            gateway,
            floor,
            log: Vec::new(),
            network,
            clock,
            faults: plan.faults,
            steps,
            jumps: stream(plan.seed, Concern::Clock),
            stepped: 0,
            market,
        };
        let now = world.clock.now();
        let hands = &mut world.gateway.hands;
        world.desk.open(&world.market, hands, now);
        world
    }

    /// The safety phase: everything may go wrong.
    pub(crate) fn live(&mut self, turns: u32) -> Result<(), Violation> {
        for _ in 0..turns {
            self.pass_time();
            if self.faults.has(Fault::AnyOrder) {
                for _ in 0..ACTORS {
                    let actor = self.steps.below(ACTORS);
                    self.act(actor)?;
                }
            } else {
                for actor in 0..ACTORS {
                    self.act(actor)?;
                }
            }
            self.check()?;
        }
        Ok(())
    }

    /// The liveness phase: nothing goes wrong any more, and all must come to rest.
    pub(crate) fn settle(&mut self) -> Result<(), Violation> {
        self.faults = Faults::NONE;
        self.floor.calm();
        let mut quiet = 0;
        for _ in 0..SETTLE_TURNS {
            self.clock.advance_ns(100_000);
            let now = self.clock.now();
            self.desk.calm(&mut self.gateway.hands, now);
            for stage in Stage::ALL {
                self.step(stage);
            }
            self.take_log();
            self.answer_logins();
            self.each_client(Client::settle)?;
            self.check()?;
            let rests = self.gateway.is_drained() && self.clients.iter().all(Client::is_settled);
            quiet = if rests { quiet + 1 } else { 0 };
            // Longer than a session takes to find its connection dead.
            if quiet > 20 {
                return Ok(());
            }
        }
        let waiting: Vec<String> = self.clients.iter().map(Client::standing).collect();
        let drained = self.gateway.is_drained();
        Err(Violation::new(
            Rule::NotDrained,
            format!("after {SETTLE_TURNS} turns: gateway drained {drained}, {waiting:?}"),
        ))
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
        match actor {
            0..=4 => self.step(Stage::ALL[actor]),
            5 => self.take_log(),
            6 => self.answer_logins(),
            7 => {
                let now = self.clock.now();
                let (desk, hands) = (&mut self.desk, &mut self.gateway.hands);
                desk.turn(&self.market, hands, now, self.faults);
            }
            _ => self.each_client(Client::turn)?,
        }
        self.stepped += 1;
        Ok(())
    }

    fn step(&mut self, stage: Stage) {
        self.gateway.step(stage, self.clock.now());
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

    /// In place of the log thread: the records, as they are to stand on disk.
    fn take_log(&mut self) {
        while let Some(record) = self.gateway.hands.log.pop() {
            self.log.push(record);
        }
    }

    /// In place of the credential thread.
    fn answer_logins(&mut self) {
        let hands = &mut self.gateway.hands;
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

    /// What must be so after each turn.
    fn check(&self) -> Result<(), Violation> {
        let unencodable = self.gateway.told().unencodable;
        if unencodable > 0 {
            let why = format!("{unencodable} messages could not be said");
            return Err(Violation::new(Rule::Unencodable, why));
        }
        let twice = self.floor.look(|engine| engine.notes().twice);
        match twice {
            Some(order) => Err(Violation::new(Rule::SentTwice, format!("{order:?}"))),
            None => Ok(()),
        }
    }
}

/// Buffers that are short where readers are slow, and calls that carry little.
fn memory(prng: &mut Prng, faults: Faults) -> MemoryOptions {
    let mut options = MemoryOptions::new(CONNECTIONS_MAX);
    options.buffer_bytes = if faults.has(Fault::SlowReaders) {
        prng.pick(&[128, 512, 2_048])
    } else {
        4_096
    };
    if faults.has(Fault::Pieces) {
        options.read_bytes_max = prng.pick(&[1, 7, 64, usize::MAX]);
        options.write_bytes_max = prng.pick(&[1, 13, 100, usize::MAX]);
    }
    options
}

fn floor(plan: &Plan, market: &Market) -> Floor {
    let mut prng = stream(plan.seed, Concern::Venue);
    let engine = EmbeddedVenue::new(market.ladder(), None).expect("the bounds are in range");
    let hostility = hostility(&mut prng, plan.faults);
    Floor::new(engine, plan.clients, hostility)
}

/// Reports are late, split, refused and held back, links break: nothing is lost by any of it. Reports
/// that are never told are an engine's breach that no gateway can see: see the planted faults.
fn hostility(prng: &mut Prng, faults: Faults) -> Hostility {
    let mut hostility = Hostility {
        seed: prng.bits(),
        ..Hostility::NONE
    };
    if faults.has(Fault::HostileVenue) {
        hostility.latency_polls_max = prng.between(0, 12) as u32;
        hostility.give_back_one_in = prng.pick(&[0, 5, 20]);
        hostility.refuse_one_in = prng.pick(&[0, 10, 50]);
        hostility.split_fill_one_in = prng.pick(&[0, 2, 8]);
        hostility.hold_back_one_in = prng.pick(&[0, 10]);
        hostility.hold_back_polls = prng.between(1, 30) as u32;
        hostility.disconnect_one_in = prng.pick(&[0, 100, 400]);
        hostility.disconnect_polls = prng.between(1, 60) as u32;
    }
    if faults.has(Fault::Lies) {
        for lie in &mut hostility.lie_one_in {
            *lie = prng.pick(&[0, 0, 200, 1_000]);
        }
    }
    hostility
}
