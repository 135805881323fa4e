//! One round: a gateway with what is behind it, and the client that tells whether it is right.
//!
//! Owned by the verb's thread; a second one reads the client's lines, so that a wait for one has a
//! bound. Invariant: the engine dies and returns when the client asks, and at no other time.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::Bench;
use super::config;
use crate::children::{Running, command};
use crate::gateway::{self, password_hash};
use crate::verb::Fault;

/// Bounds of failure, not of speed: for a program to start or to end,
const TURN: Duration = Duration::from_secs(60);
/// and for the client to say its next line, beyond the bounds that it has itself.
const CLIENT_SILENCE: Duration = Duration::from_secs(180);

/// Where the search for the engine's port begins, by the process; and how many are tried.
const FIRST_PORTS: std::ops::Range<u16> = 20_000..28_000;
const PORTS_TRIED: u16 = 1_000;

/// The exit code of an engine that died of an order.
const DIED_OF_AN_ORDER: i32 = 17;

/// What matches the orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// The gateway's own ladder.
    Embedded,
    /// tools/interop/engine.py.
    External,
}

impl Behind {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Embedded => "a client from elsewhere, the ladder behind",
            Self::External => "a client and an engine from elsewhere",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::External => "external",
        }
    }
}

/// What runs.
pub(super) struct Round<'a> {
    bench: &'a Bench,
    behind: Behind,
    folder: PathBuf,
    engine_port: u16,
    engine: Option<Running>,
    gateway: Running,
    gateway_port: String,
}

impl<'a> Round<'a> {
    /// Starts engine and gateway, and puts money and a price in.
    pub(super) fn start(bench: &'a Bench, behind: Behind) -> Result<Self, Fault> {
        let folder = bench.folder.join(behind.word());
        fs::create_dir(&folder).map_err(|error| Fault::of(folder.display(), error))?;
        let engine_port = free_port()?;
        let engine = match behind {
            Behind::Embedded => None,
            Behind::External => Some(start_engine(bench, &folder, engine_port)?),
        };
        let socket = folder.join("ctl.sock");
        let text = config::text(
            behind,
            engine_port,
            &socket,
            &password_hash(&bench.portcullis, config::PASSWORD)?,
        );
        let file = folder.join("gateway.toml");
        fs::write(&file, text).map_err(|error| Fault::of(file.display(), error))?;
        let mut run = command(&bench.portcullis);
        let gateway = Running::start("gateway", &folder, run.arg("run").arg(&file))?;
        let mut round = Self {
            bench,
            behind,
            folder,
            engine_port,
            engine,
            gateway,
            gateway_port: String::new(),
        };
        round.prepare().inspect_err(|_| round.show_logs())?;
        Ok(round)
    }

    fn prepare(&mut self) -> Result<(), Fault> {
        self.gateway_port = self.gateway.line_with("listening on 127.0.0.1:", TURN)?;
        for account in config::accounts() {
            self.control(&["deposit", &account, config::DEPOSIT])?;
        }
        let (symbol, price) = config::REFERENCE;
        self.control(&["reference", symbol, price])
    }

    /// Lets the client have its say, then stops the gateway. Returns how many checks held.
    pub(super) fn play(&mut self) -> Result<u32, Fault> {
        let checks = self
            .checks()
            .and_then(|checks| self.stop().map(|()| checks));
        checks.inspect_err(|_| self.show_logs())
    }

    fn checks(&mut self) -> Result<u32, Fault> {
        let mut script = script(self.bench, "client.py");
        script.arg(&self.gateway_port).arg(self.behind.word());
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut client = Running::start("client", &self.folder, &mut script)?;
        let (mut answers, output) = client.pipes().expect("they were asked for");
        let lines = lines_of(BufReader::new(output));
        let mut checks = 0;
        loop {
            // The reader hangs up at the client's end.
            let line = match lines.recv_timeout(CLIENT_SILENCE) {
                Ok(line) => line,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    client.show_log();
                    return Err(Fault(format!(
                        "the client was silent for {CLIENT_SILENCE:?}"
                    )));
                }
            };
            println!("{line}");
            checks += u32::from(line.starts_with("ok  "));
            if let Some(wish) = line.strip_prefix("ask: ") {
                self.grant(wish, &mut answers)?;
            }
        }
        let status = client.wait(TURN)?;
        if status.success() && checks > 0 {
            return Ok(checks);
        }
        client.show_log();
        Err(Fault::of("the client", status))
    }

    fn grant(&mut self, wish: &str, answers: &mut ChildStdin) -> Result<(), Fault> {
        match (wish, self.engine.as_mut()) {
            ("kill the engine", Some(engine)) => {
                engine.kill()?;
                self.engine = None;
            }
            ("start the engine", engine) => {
                // Still there: the client knows it to be dying of an order.
                if let Some(engine) = engine {
                    let status = engine.wait(TURN)?;
                    if status.code() != Some(DIED_OF_AN_ORDER) {
                        return Err(Fault::of("the engine", status));
                    }
                }
                let engine = start_engine(self.bench, &self.folder, self.engine_port)?;
                self.engine = Some(engine);
            }
            (_, _) => return Err(Fault(format!("the client cannot be granted `{wish}`"))),
        }
        let told = answers.write_all(b"done\n");
        told.map_err(|error| Fault::of("the client", error))
    }

    fn stop(&mut self) -> Result<(), Fault> {
        self.gateway.terminate()?;
        let status = self.gateway.wait(TURN)?;
        match status.success() {
            true => Ok(()),
            false => Err(Fault::of("the gateway, stopping", status)),
        }
    }

    fn control(&self, request: &[&str]) -> Result<(), Fault> {
        let socket = self.folder.join("ctl.sock");
        gateway::control(&self.bench.portcullis, &socket, request).map(drop)
    }

    fn show_logs(&self) {
        for child in [Some(&self.gateway), self.engine.as_ref()]
            .into_iter()
            .flatten()
        {
            child.show_log();
        }
    }
}

fn start_engine(bench: &Bench, folder: &std::path::Path, port: u16) -> Result<Running, Fault> {
    let mut engine = script(bench, "engine.py");
    engine
        .arg(port.to_string())
        .arg(folder.join("engine.state"));
    Running::start("engine", folder, &mut engine)
}

fn script(bench: &Bench, name: &str) -> Command {
    let mut script = command(&bench.python);
    script
        .arg(bench.scripts.join(name))
        .env("PYTHONPATH", &bench.folder)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    script
}

/// A port that nobody listens on at the moment, below those that systems give to whoever connects:
/// while the engine is dead, one of the gateway's own attempts could else take its port.
fn free_port() -> Result<u16, Fault> {
    let first = FIRST_PORTS.start + (std::process::id() % FIRST_PORTS.len() as u32) as u16;
    (first..first + PORTS_TRIED)
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .ok_or_else(|| Fault(format!("no free port of loopback from {first} on")))
}

/// The lines of a reader, as they come; hangs up at its end.
fn lines_of(reader: impl BufRead + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
