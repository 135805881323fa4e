//! The gateway under measurement: the release binary, as `portcullis run` runs it.
//!
//! Owned by the measuring thread. Invariants: it runs fused on the core it is given, polling
//! busily, in front of the bench's engine, with its [config](crate::config); reference prices move while it is
//! measured; at its end its own counts are compared with what was sent, and what it says of each refusal with the plan.

use crate::case::Case;
use crate::child::Child;
use crate::config::Config;
use crate::market::{self, INSTRUMENTS};
use crate::operator::Operator;
use crate::plan::Refusal;
use crate::rig::Place;
use portcullis_bench_harness::with_every_core;
use std::fmt::Write as _;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A running gateway.
pub(crate) struct Gateway {
    child: Child,
    socket: PathBuf,
    feed: Option<TcpStream>,
    steps: u64,
    moved: Instant,
}

/// How often each reference price moves.
const MOVE_EVERY: Duration = Duration::from_millis(10);

impl Gateway {
    /// Starts it for this many sessions, and for these cases.
    pub(crate) fn start(
        place: Place<'_>,
        sessions: usize,
        engine: SocketAddr,
        cases: &[Case],
    ) -> Result<Self, String> {
        let Place { core, folder, .. } = place;
        let socket = folder.join(format!("wire-{}-{sessions}.sock", std::process::id()));
        let config = folder.join(format!("gateway-{sessions}.toml"));
        let text = Config {
            core,
            sessions,
            engine,
            socket: &socket,
            cases,
        }
        .text()?;
        std::fs::write(&config, text).map_err(|error| format!("{}: {error}", config.display()))?;
        let mut command = Command::new(place.gateway);
        command.arg("run").arg(&config);
        let name = format!("portcullis-{sessions}");
        Ok(Self {
            child: with_every_core(|| Child::start(&name, folder, &mut command))?,
            socket,
            feed: None,
            steps: 0,
            moved: Instant::now(),
        })
    }

    /// Where clients connect, once it listens.
    pub(crate) fn address(&mut self) -> Result<Option<SocketAddr>, String> {
        self.child.must_live()?;
        Ok(self
            .child
            .said("listening on ")
            .and_then(|at| at.parse().ok()))
    }

    /// Gives the first accounts money, does what cases need of an operator, and connects the price feed.
    pub(crate) fn open(&mut self, accounts: usize, cases: &[Case]) -> Result<(), String> {
        let deposits = (0..accounts).map(|account| format!("deposit a{account} 1000000000"));
        let requests: Vec<String> = deposits
            .chain(market::holdings())
            .chain(cases.iter().flat_map(Case::requests))
            .collect();
        Operator::connect(&self.socket)?.ask(&requests)?;
        let at = self
            .child
            .said("price feed on ")
            .ok_or("the gateway did not name its price feed")?;
        let feed =
            TcpStream::connect(&at).map_err(|error| format!("the price feed at {at}: {error}"))?;
        feed.set_nodelay(true).map_err(|error| error.to_string())?;
        self.feed = Some(feed);
        let prices = cases.iter().filter_map(|case| {
            let price = case.price()?;
            Some(format!("{} {price}\n", case.symbol()))
        });
        self.publish(&prices.collect::<String>())?;
        self.move_prices()
    }

    /// Moves every reference price if it is time.
    pub(crate) fn keep_prices(&mut self, now: Instant) -> Result<(), String> {
        if now.duration_since(self.moved) < MOVE_EVERY {
            return Ok(());
        }
        self.moved = now;
        self.move_prices()
    }

    fn move_prices(&mut self) -> Result<(), String> {
        self.steps += 1;
        let mut lines = String::new();
        for instrument in 0..INSTRUMENTS {
            let price = market::reference(instrument, self.steps);
            writeln!(lines, "{} {price}", market::symbol(instrument)).expect("a string takes all");
        }
        self.publish(&lines)
    }

    fn publish(&mut self, lines: &str) -> Result<(), String> {
        let feed = self
            .feed
            .as_mut()
            .ok_or("the price feed is not connected")?;
        feed.write_all(lines.as_bytes())
            .map_err(|error| format!("the price feed: {error}"))
    }

    /// What became of its memory, in words.
    pub(crate) fn memory(&self) -> String {
        if let Some(why) = self.child.said("[threads] lock_memory: ") {
            return why;
        }
        match self.child.locked_kib() {
            Some(0) | None => "memory is not locked".to_owned(),
            Some(locked) => format!("memory is locked, {} MiB", locked >> 10),
        }
    }

    /// It stands still. Its links and clients are silent for much less than would end them.
    pub(crate) fn rest(&self) -> Result<(), String> {
        self.child.rest()
    }

    /// It goes on.
    pub(crate) fn wake(&self) -> Result<(), String> {
        self.child.wake()
    }

    /// Asks it why it refused each of these, and compares that with the plan.
    pub(crate) fn explain(&self, refusals: &[Refusal]) -> Result<(), String> {
        let mut operator = Operator::connect(&self.socket)?;
        let requests: Vec<String> = refusals.iter().map(Refusal::request).collect();
        let answers = operator.ask(&requests)?;
        let mut told = refusals.iter().zip(&answers);
        told.try_for_each(|(refusal, answer)| refusal.compare(answer))
    }

    /// Stops it and compares its counts with what was sent.
    pub(crate) fn finish(mut self, accepted: u64, refused: u64) -> Result<(), String> {
        let status = self.child.terminate(STOP_WITHIN)?;
        let said = self.child.said("stopped: ").unwrap_or_default();
        let wanted = format!("accepted {accepted}, refused {refused}, open orders 0,");
        if status.success() && said.starts_with(&wanted) {
            return Ok(());
        }
        Err(format!(
            "the gateway ended with {status}, `{said}`; wanted `{wanted}`"
        ))
    }
}

/// The gateway's binary: the one that was asked for, else the one beside this program.
pub(crate) fn binary(asked: Option<PathBuf>) -> Result<PathBuf, String> {
    let beside = || {
        let own = std::env::current_exe();
        own.map(|own| own.with_file_name("portcullis"))
            .map_err(|error| format!("where this program lies: {error}"))
    };
    let path = asked.map_or_else(beside, Ok)?;
    if path.is_file() {
        return Ok(path);
    }
    Err(format!(
        "{} is not there; run it as `cargo xtask bench wire`, which builds it",
        path.display()
    ))
}
