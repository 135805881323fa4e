//! The binary as a process: started with a config of its own, funded, stopped by a signal.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// What a gateway is started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) topology: &'static str,
    pub(crate) idle: &'static str,
    /// The line of the config, or none.
    pub(crate) cores: &'static str,
    /// Further keys of the `[threads]` section, and sections after it.
    pub(crate) further: &'static str,
    /// An external engine; else the ladder matches.
    pub(crate) engine: Option<SocketAddr>,
}

/// A folder that goes with its last user.
#[derive(Clone)]
pub(crate) struct Log(std::sync::Arc<Folder>);

struct Folder(PathBuf);

impl Log {
    pub(crate) fn path(&self) -> String {
        self.0.0.join("journal").display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the system's own folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running gateway.
pub(crate) struct Gateway {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
    address: SocketAddr,
    log: Log,
    socket: String,
}

impl Gateway {
    /// Starts it, gives its account money and its instrument a price.
    pub(crate) fn start(setup: Setup) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-topologies-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("the folder for such things takes one");
        let log = Log(std::sync::Arc::new(Folder(folder.clone())));
        let (config, socket) = (folder.join("gateway.toml"), folder.join("ctl.sock"));
        let text = text(setup, &socket.display().to_string());
        fs::write(&config, text).expect("the folder takes it");
        let mut child = Command::new(BINARY)
            .args([
                "run",
                &config.display().to_string(),
                "--journal",
                &log.path(),
            ])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut said = String::new();
        let address = listening(&mut stderr, &mut said);
        let gateway = Self {
            child,
            stderr,
            said,
            address,
            log,
            socket: socket.display().to_string(),
        };
        gateway.ctl(&["deposit", "trader1", "1_000_000.00"]);
        gateway.ctl(&["reference", "ACME", "100.00"]);
        gateway
    }

    /// Asks over its control socket; what it answered.
    pub(crate) fn ctl(&self, request: &[&str]) -> String {
        run(&[&["ctl", "--socket", &self.socket], request].concat())
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> Log {
        self.log.clone()
    }

    /// Waits for a line that it says with `beginning`, until `is_it` takes one.
    pub(crate) fn wait_for_line(
        &mut self,
        beginning: &str,
        mut is_it: impl FnMut(&str) -> bool,
    ) -> String {
        loop {
            let from = self.said.len();
            let count = self.stderr.read_line(&mut self.said).expect("it is text");
            assert!(count > 0, "it ended without the line: {}", self.said);
            let line = self.said[from..].trim();
            if line.starts_with(beginning) && is_it(line) {
                return line.to_owned();
            }
        }
    }

    /// Stops it by a signal; its exit code and all it said.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let told = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(told.expect("there is kill").success());
        let rest = self.stderr.read_to_string(&mut self.said);
        rest.expect("it is text");
        let status = self.child.wait().expect("it ends");
        (status.code(), std::mem::take(&mut self.said))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // After a stop it is gone already; after a failed test it must not stay.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a gateway says until it says where it listens.
fn listening(stderr: &mut impl BufRead, said: &mut String) -> SocketAddr {
    loop {
        let from = said.len();
        let count = stderr.read_line(said).expect("it is text");
        assert!(count > 0, "the gateway does not start: {said}");
        if let Some(at) = said[from..].trim().strip_prefix("listening on ") {
            return at.parse().expect("an address");
        }
    }
}

/// Runs the binary to its end; what it said.
pub(crate) fn run(arguments: &[&str]) -> String {
    let output = Command::new(BINARY).args(arguments).output();
    let output = output.expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{errors}");
    said
}

/// The hash of the client's password; made once, since it takes long on purpose.
fn password_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let mut child = Command::new(BINARY)
            .arg("hash-password")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(b"right\n").expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let hash = String::from_utf8(output.stdout).expect("it is text");
        hash.trim().to_owned()
    })
}

fn text(setup: Setup, socket: &str) -> String {
    let Setup {
        topology,
        idle,
        cores,
        further,
        engine,
    } = setup;
    let (matching, link) = match engine {
        None => ("kind = \"embedded\"".to_owned(), String::new()),
        Some(address) => {
            let at = format!("address = \"{address}\"");
            let house = format!("[[matching.house]]\n{at}\nuser = \"HOUSE1\"\npassword = \"e\"");
            (
                format!("kind = \"ouch\"\nreplay_quiet_ms = 5\n{house}"),
                format!("engine = {{ {at}, user = \"TRADE1\", password = \"e\" }}"),
            )
        }
    };
    let hash = password_hash();
    format!(
        r#"
[matching]
{matching}

[ctl]
socket = "{socket}"

[threads]
topology = "{topology}"
idle = "{idle}"
{cores}
{further}

[[account]]
name = "trader1"
class = "trader"
firm = "broker"

[[session]]
user = "TRADE1"
password_hash = "{hash}"
account = "trader1"
cancel_on_disconnect = 0
rate_interval_ms = 1_000
rate_count = 10_000
rate_burst = 1_000
{link}
{LIMITS}"#
    )
}

const LIMITS: &str = r#"
[venue]
name = "topologies"
settlement_asset = "USD"
money_quantum = "0.0001"

[network]
listen = "127.0.0.1:0"

[[instrument]]
symbol = "ACME"
tick = "0.01"
lot = "1"
tick_lot_value = "0.01"
reference_from = "ctl"
price_max = "5000.00"
collar_ppm = 100_000
oi_lower = 1_000_000_000
oi_upper = 1_000_000_000
oi_cap = 1_000_000_000
oi_share_max = 1_000_000_000
ref_max_age_s = 86_400
bucket_ms = 1_000
ewma_shift = 8
spike_floor = 1_000_000_000
spike_ppm = 10_000_000
cooldown_s = 15
initial_margin = [{ from_notional = "0", ratio_ppm = 1_000_000 }]
maintenance_margin = [{ from_notional = "0", ratio_ppm = 1_000_000 }]

[[class]]
name = "trader"
instruments = "all"
rate_interval_ms = 1_000
rate_count = 10_000
rate_burst = 1_000
repeat_window_ms = 1
repeat_max = 1_000
qty_max = 1_000
notional_max = "1_000_000"
open_orders_max = 1_000
position_max = 1_000_000
open_notional_max = "100_000_000"
loss_max = "100_000_000"
pnl_weight_ppm = 0
pnl_cap = "0"
account_volume_max = 100_000_000

[[firm]]
name = "broker"
rate_interval_ms = 1_000
rate_count = 10_000
rate_burst = 1_000
qty_max = 1_000
notional_max = "1_000_000"
open_orders_max = 10_000
open_notional_max = "1_000_000_000"
"#;
