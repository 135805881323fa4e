//! The engine that lives on while gateways die in front of it.
//!
//! A process of its own, asked over its standard input. Invariant: it is asked when nothing is under way.

use super::config::{ENGINE_PASSWORD, HOUSE, SYMBOLS, TICK_WIRE};
use crate::children::Running;
use crate::verb::Fault;
use crate::wide_limits::user;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

/// The engine.
pub(crate) struct Engine {
    pub(crate) address: SocketAddr,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
    _running: Running,
}

/// What it counted, in code that knows no gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EngineFigures {
    pub(crate) orders_entered: u64,
    /// Orders that came under a number that had come before.
    pub(crate) enters_repeated: u64,
    pub(crate) trades: u64,
    pub(crate) open_orders: u64,
}

impl EngineFigures {
    /// Adds what another engine counted.
    pub(crate) const fn add(&mut self, other: &Self) {
        self.orders_entered += other.orders_entered;
        self.enters_repeated += other.enters_repeated;
        self.trades += other.trades;
        self.open_orders += other.open_orders;
    }

    /// Prints them, with how many orders at rest were compared with the gateway's holds, and how many of these differed.
    pub(crate) fn print(&self, resting_compared: u64, holds_mismatches: u64) {
        println!(
            "engine     entered {}, entered twice {}, trades {}; at rest {resting_compared} orders, other holds \
             {holds_mismatches}",
            self.orders_entered, self.enters_repeated, self.trades
        );
    }
}

impl Engine {
    /// Starts it for the sessions of so many clients, and the gateway's own.
    pub(crate) fn start(program: &Path, folder: &Path, clients: usize) -> Result<Self, Fault> {
        let users = folder.join("engine-users");
        let names = (0..clients).map(user).chain([HOUSE.to_owned()]);
        let text: String = names
            .map(|name| format!("{name} {ENGINE_PASSWORD}\n"))
            .collect();
        fs::write(&users, text).map_err(|error| Fault::of(users.display(), error))?;
        let mut run = Command::new(program);
        run.arg("--users").arg(&users);
        for symbol in SYMBOLS {
            run.args(["--instrument", &format!("{symbol}:{TICK_WIRE}")]);
        }
        run.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = Running::start("engine", folder, &mut run)?;
        let pipes = running.pipes();
        let (asked, out) = pipes.ok_or_else(|| Fault("the engine has no pipes".to_owned()))?;
        let mut engine = Self {
            address: ([127, 0, 0, 1], 0).into(),
            asked,
            answers: BufReader::new(out),
            _running: running,
        };
        let hello = engine.answer()?;
        let listening = hello["listening"].as_str().unwrap_or_default();
        let address = listening.parse();
        engine.address = address.map_err(|error| Fault::of("the engine's address", error))?;
        Ok(engine)
    }

    /// What it has counted so far.
    pub(crate) fn figures(&mut self) -> Result<EngineFigures, Fault> {
        let asked = writeln!(self.asked, "figures").and_then(|()| self.asked.flush());
        asked.map_err(|error| Fault::of("the engine", error))?;
        let answer = self.answer()?;
        let count = |key: &str| {
            let count = answer[key].as_u64();
            count.ok_or_else(|| Fault(format!("the engine does not say {key}: {answer}")))
        };
        Ok(EngineFigures {
            orders_entered: count("orders_entered")?,
            enters_repeated: count("enters_repeated")?,
            trades: count("trades")?,
            open_orders: count("open_orders")?,
        })
    }

    fn answer(&mut self) -> Result<Value, Fault> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        read.map_err(|error| Fault::of("the engine", error))?;
        serde_json::from_str(&line).map_err(|error| Fault::of("the engine's answer", error))
    }
}
