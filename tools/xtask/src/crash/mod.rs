//! `cargo xtask crash`: the gateway killed at random moments under load, and what its clients, its journal and
//! its engine know of it afterwards.
//!
//! Real processes, sockets and disk. After each kill the journal is replayed by itself, and the gateway that
//! goes on must come to the same digest and state; each client logs in again and must find what it was told
//! before, byte for byte, and go on with the next number. At the end every order has one answer, nothing is
//! open, nothing on hold. Invariant: a violation is counted and told with its number; none is forgiven.

mod arguments;
mod figures;

use crate::survivors::{Crowd, Engine, Gateway, Orders, Random, Replayed, Scratch, Setup, config};
use crate::verb::{Fault, Outcome, Verb};
use crate::workspace::Workspace;
use arguments::Arguments;
use figures::Figures;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The verb.
pub(crate) const VERB: Verb = Verb {
    name: "crash",
    arguments: arguments::USAGE,
    summary: "the gateway killed at random moments under load: what its clients, journal and engine know of it",
    run,
};

fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    let arguments = Arguments::read(arguments)?;
    let portcullis = crate::gateway::built(workspace)?;
    let scratch = Scratch::new(VERB.name)?;
    println!("seed {}", arguments.seed);
    let figures = journal_by_journal(workspace, &portcullis, &scratch.0, arguments)?;
    figures.print();
    if arguments.json {
        println!("{}", figures.to_json());
    }
    if !figures.is_clean() {
        println!("the journal stays in {}", scratch.keep().display());
        return Ok(Outcome::Failed);
    }
    Ok(Outcome::Passed)
}

/// Kills over one journal. Each is replayed whole after each kill, and what a life began a snapshot of the next
/// one finds unfinished.
const JOURNAL_KILLS: u64 = 100;

/// Journal after journal, each with clients and an engine of its own, until so many kills are done or
/// something is wrong.
fn journal_by_journal(
    workspace: &Workspace,
    portcullis: &Path,
    scratch: &Path,
    arguments: Arguments,
) -> Result<Figures, Fault> {
    let mut figures = Figures::of(&arguments);
    while figures.kills() < arguments.kills && figures.violations() == 0 {
        let done = figures.kills();
        let folder = scratch.join(done.to_string());
        fs::create_dir(&folder).map_err(|error| Fault::of(folder.display(), error))?;
        let engine = match arguments.engine {
            arguments::Engine::Embedded => None,
            arguments::Engine::Ouch => {
                let package = "portcullis-engine";
                let program = crate::gateway::program(workspace, package, "ouch-engine")?;
                Some(Engine::start(&program, &folder, arguments.clients)?)
            }
        };
        let own = Arguments {
            seed: arguments.seed.wrapping_add(done / JOURNAL_KILLS),
            kills: JOURNAL_KILLS.min(arguments.kills - done),
            ..arguments
        };
        let mut run = Run::new(portcullis, &folder, own, engine, figures)?;
        figures = run.kill_by_kill()?;
        if figures.violations() == 0 {
            fs::remove_dir_all(&folder).map_err(|error| Fault::of(folder.display(), error))?;
        }
    }
    Ok(figures)
}

/// How long an answer of the gateway is waited for at the end.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Kills between two words of progress.
const PROGRESS_EVERY: u64 = 10;

struct Run<'a> {
    arguments: Arguments,
    portcullis: &'a Path,
    folder: &'a Path,
    config: PathBuf,
    engine: Option<Engine>,
    random: Random,
    figures: Figures,
}

impl<'a> Run<'a> {
    fn new(
        portcullis: &'a Path,
        folder: &'a Path,
        arguments: Arguments,
        engine: Option<Engine>,
        figures: Figures,
    ) -> Result<Self, Fault> {
        let config = folder.join("crash.toml");
        let at = engine.as_ref().map(|engine| engine.address);
        let text = config::text(&Setup {
            folder,
            durability: arguments.durability,
            clients: arguments.clients,
            engine: at,
            replication: "",
        })?;
        fs::write(&config, text).map_err(|error| Fault::of(config.display(), error))?;
        Ok(Self {
            arguments,
            portcullis,
            folder,
            config,
            engine,
            random: Random(arguments.seed),
            figures,
        })
    }

    fn kill_by_kill(&mut self) -> Result<Figures, Fault> {
        let begun = Instant::now();
        let addresses = vec![config::address(self.folder)?];
        let crowd = Crowd::start(self.arguments.clients, addresses, self.arguments.seed);
        let mut before = None;
        for kill in 0..self.arguments.kills {
            self.live_and_die(&crowd, kill, before.take())?;
            let replayed = Replayed::of(self.portcullis, &self.journal())?;
            before = Some(replayed);
            if (kill + 1) % PROGRESS_EVERY == 0 {
                eprintln!(
                    "{} kills, {} of {} over this journal in {} s, {} orders, {} violations",
                    self.figures.kills(),
                    kill + 1,
                    self.arguments.kills,
                    begun.elapsed().as_secs(),
                    crowd.orders(),
                    self.figures.violations() + crowd.violations()
                );
            }
        }
        self.live_to_the_end(crowd, before)?;
        Ok(std::mem::take(&mut self.figures))
    }

    fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Starts a gateway and kills it some time later: mostly while it serves, sometimes while it recovers.
    fn live_and_die(
        &mut self,
        crowd: &Crowd,
        kill: u64,
        before: Option<Replayed>,
    ) -> Result<(), Fault> {
        let mut gateway = Gateway::start(self.portcullis, self.folder, &self.config)?;
        if kill > 0 && self.random.one_in(8) {
            gateway.die_within(Duration::from_micros(self.random.below(30_000)))?;
            self.figures.killed_in_recovery += 1;
            return Ok(());
        }
        self.served(&mut gateway, before)?;
        let orders = crowd.orders();
        let lives_ms = 30 + self.random.below(self.arguments.life_ms_max.max(31) - 30);
        std::thread::sleep(Duration::from_millis(lives_ms));
        gateway.die_within(Duration::ZERO)?;
        self.figures.killed_serving += 1;
        self.figures.killed_under_load += u64::from(crowd.orders() > orders);
        Ok(())
    }

    /// Waits until a gateway serves, and holds what it came to against the replay of its journal.
    fn served(&mut self, gateway: &mut Gateway, before: Option<Replayed>) -> Result<(), Fault> {
        let recovered = gateway.serve()?;
        // The first life has nothing before it.
        if let Some(before) = before {
            self.figures.compare(recovered.as_ref(), &before);
        }
        gateway.publish_prices()
    }

    /// A last life, in which everything ends as it should.
    fn live_to_the_end(&mut self, crowd: Crowd, before: Option<Replayed>) -> Result<(), Fault> {
        let mut gateway = Gateway::start(self.portcullis, self.folder, &self.config)?;
        self.served(&mut gateway, before)?;
        self.compare_at_rest(&crowd, &gateway)?;
        let orders: Vec<Orders> = crowd.finish(ANSWER_WITHIN);
        for client in &orders {
            self.figures.take(client);
        }
        let stopped = gateway.stop()?;
        if let Some(engine) = &mut self.engine {
            self.figures.take_engine(&engine.figures()?);
        }
        let replayed = Replayed::of(self.portcullis, &self.journal())?;
        self.figures.records += replayed.records;
        self.figures.open_orders_left += stopped.open_orders;
        self.figures.lots_on_hold_left += stopped.lots_on_hold;
        self.figures.digest_mismatches += u64::from(stopped.digest != replayed.digest);
        Ok(())
    }
}

impl Run<'_> {
    /// While nobody sends and nothing is owed: what the gateway holds is what rests at the engine.
    fn compare_at_rest(&mut self, crowd: &Crowd, gateway: &Gateway) -> Result<(), Fault> {
        self.figures.unsettled += crowd.settle(ANSWER_WITHIN);
        let Some(engine) = &mut self.engine else {
            return Ok(());
        };
        let (held, resting) = (gateway.open_orders()?, engine.figures()?.open_orders);
        self.figures.resting_compared += resting;
        if held != resting {
            self.figures.holds_mismatches += 1;
            println!("VIOLATION the gateway holds {held} orders, at the engine rest {resting}");
        }
        Ok(())
    }
}
