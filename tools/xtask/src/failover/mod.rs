//! `cargo xtask failover`: the leader of a loaded pair killed, its standby promoted, round by round.
//!
//! Real processes, sockets and disk. A round: a standby follows the leader until nothing is between them; under
//! load the leader is killed; the standby is promoted; clients log in there with the numbers they expect, and the
//! engine goes on with its sessions. The dead node begins anew with an empty folder, as the standby of the next
//! round. Invariant: what clients, engine and journal find wrong is counted and told; none is forgiven.

mod arguments;
mod figures;
mod node;

use crate::survivors::{Crowd, Engine, Gateway, Orders, Random, Replayed, Scratch};
use crate::verb::{Fault, Outcome, Verb};
use crate::workspace::Workspace;
use arguments::Arguments;
use figures::Figures;
use node::Node;
use std::path::Path;
use std::time::{Duration, Instant};

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "failover",
    arguments: arguments::USAGE,
    summary: "the leader of a loaded pair killed and its standby promoted: what clients and engine know of it",
    run,
};

/// How long a standby may take to have all, an order to be accepted, an answer to come.
const WITHIN: Duration = Duration::from_secs(60);

/// The longest and shortest time under load before a kill.
const LIVES_MS: (u64, u64) = (50, 250);

const LOOK_EVERY: Duration = Duration::from_micros(200);

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    let arguments = Arguments::read(arguments)?;
    let portcullis = crate::gateway::built(workspace)?;
    let program = crate::gateway::program(workspace, "portcullis-engine", "ouch-engine")?;
    let folder = Scratch::new(VERB.name)?;
    println!("seed {}", arguments.seed);
    let engine = Engine::start(&program, &folder.0, arguments.clients)?;
    let nodes = Node::pair(&folder.0, &arguments, engine.address)?;
    let pair = Pair {
        portcullis: &portcullis,
        arguments,
        nodes,
        engine,
        random: Random(arguments.seed),
        figures: Figures::of(&arguments),
    };
    let figures = pair.rounds()?;
    figures.print();
    if arguments.json {
        println!("{}", figures.to_json());
    }
    if figures.is_clean() {
        return Ok(Outcome::Passed);
    }
    println!("the journals stay in {}", folder.keep().display());
    Ok(Outcome::Failed)
}

struct Pair<'a> {
    portcullis: &'a Path,
    arguments: Arguments,
    nodes: [Node; 2],
    engine: Engine,
    random: Random,
    figures: Figures,
}

impl Pair<'_> {
    fn rounds(mut self) -> Result<Figures, Fault> {
        let addresses = self.nodes.each_ref().map(|node| node.address).to_vec();
        let (mut leads, begun) = (0, Instant::now());
        let mut leader = self.nodes[leads].lead(self.portcullis)?;
        leader.serve()?;
        // Before any client: until it has a standby, a replicated leader takes no orders.
        let mut standby = self.follow(1 - leads)?;
        leader.publish_prices()?;
        let crowd = Crowd::start(self.arguments.clients, addresses, self.arguments.seed);
        for round in 0..self.arguments.rounds {
            self.caught_up(&standby)?;
            self.in_step(&leader)?;
            let sent = self.load(&crowd)?;
            let promoted = self.fail_over(&crowd, sent, leader, standby)?;
            leads = 1 - leads;
            leader = promoted;
            standby = self.follow(1 - leads)?;
            if (round + 1) % 10 == 0 {
                eprintln!(
                    "{} of {} rounds in {} s, {} orders, {} violations",
                    round + 1,
                    self.arguments.rounds,
                    begun.elapsed().as_secs(),
                    crowd.orders(),
                    self.figures.violations() + crowd.violations()
                );
            }
        }
        self.caught_up(&standby)?;
        self.end(crowd, leader, standby, leads)
    }

    /// The node that waits, its folder emptied.
    fn follow(&mut self, node: usize) -> Result<Gateway, Fault> {
        self.nodes[node].forget()?;
        self.nodes[node].stand_by(self.portcullis)
    }

    /// Waits until a standby follows and nothing is between it and its leader.
    fn caught_up(&self, standby: &Gateway) -> Result<(), Fault> {
        let deadline = Instant::now() + WITHIN;
        loop {
            let said = standby.ask(&["state"]);
            if said
                .as_ref()
                .is_ok_and(|said| said.contains("\nfollowing;"))
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                standby.show_log();
                return Err(Fault::of(
                    "the standby does not follow",
                    said.unwrap_or_default(),
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a leader waits for its standby, where it is to.
    fn in_step(&self, leader: &Gateway) -> Result<(), Fault> {
        let wanted = format!("durability {}", self.arguments.durability);
        let deadline = Instant::now() + WITHIN;
        loop {
            let said = leader.ask(&["state"])?;
            if said.contains(&wanted) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Fault::of("the leader has no standby in step", said));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets clients send for a while, once their orders are accepted; how many they had sent when it began.
    fn load(&mut self, crowd: &Crowd) -> Result<u64, Fault> {
        let before = crowd.accepted();
        wait_until("an order to be accepted", || crowd.accepted() > before)?;
        let sent = crowd.orders();
        let span_ms = LIVES_MS.0 + self.random.below(LIVES_MS.1 - LIVES_MS.0);
        std::thread::sleep(Duration::from_millis(span_ms));
        Ok(sent)
    }

    fn fail_over(
        &mut self,
        crowd: &Crowd,
        sent: u64,
        leader: Gateway,
        mut standby: Gateway,
    ) -> Result<Gateway, Fault> {
        let killed = Instant::now();
        leader.die_within(Duration::ZERO)?;
        self.figures.killed_under_load += u64::from(crowd.orders() > sent);
        let promoting = Instant::now();
        if let Err(fault) = standby.ask(&["promote"]) {
            standby.show_log();
            return Err(fault);
        }
        standby.serve()?;
        standby.publish_prices()?;
        let before = crowd.accepted();
        let accepted = wait_until("an order to be accepted", || crowd.accepted() > before);
        if let Err(fault) = accepted {
            standby.show_log();
            return Err(fault);
        }
        self.figures.since_kill_ms.push(millis(killed));
        self.figures.since_promotion_ms.push(millis(promoting));
        Ok(standby)
    }

    /// Nobody sends any more: holds against the engine's book, then everything is cancelled.
    fn end(
        mut self,
        crowd: Crowd,
        leader: Gateway,
        standby: Gateway,
        leads: usize,
    ) -> Result<Figures, Fault> {
        self.figures.unsettled = crowd.settle(WITHIN);
        let (held, resting) = (leader.open_orders()?, self.engine.figures()?.open_orders);
        self.figures.resting_compared = resting;
        if held != resting {
            self.figures.holds_mismatches += 1;
            println!("VIOLATION the gateway holds {held} orders, at the engine rest {resting}");
        }
        let orders: Vec<Orders> = crowd.finish(WITHIN);
        for client in &orders {
            self.figures.orders.add(client);
        }
        let stopped = leader.stop()?;
        standby.die_within(Duration::ZERO)?;
        self.figures.engine = self.engine.figures()?;
        let replayed = Replayed::of(self.portcullis, &self.nodes[leads].journal())?;
        self.figures.records = replayed.records;
        self.figures.open_orders_left = stopped.open_orders;
        self.figures.lots_on_hold_left = stopped.lots_on_hold;
        self.figures.digest_mismatches += u64::from(stopped.digest != replayed.digest);
        Ok(self.figures)
    }
}

fn wait_until(what: &str, mut it_is: impl FnMut() -> bool) -> Result<(), Fault> {
    let deadline = Instant::now() + WITHIN;
    while !it_is() {
        if Instant::now() > deadline {
            return Err(Fault(format!("in {WITHIN:?} came nothing: {what}")));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
