//! What people put in front of an engine today: HAProxy, and nginx with its stream module.
//!
//! Owned by the measuring thread. Invariants: the proxy runs on the core it is given, one worker,
//! no log, with room for twice a session's two connections; one that is not there is a row that says so, never a row that is left out. It is the
//! system's own, or the one that `cargo xtask bench wire` has unpacked; nothing is installed from here.

use crate::child::Child;
use crate::rig::Place;
use portcullis_bench_harness::{folder, with_core};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const LISTEN_WITHIN: Duration = Duration::from_secs(10);
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    HaProxy,
    Nginx,
}

impl Product {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HaProxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// How to get it, on Debian, where it could not be fetched.
    const fn remedy(self) -> &'static str {
        match self {
            Self::HaProxy => "apt-get install haproxy",
            Self::Nginx => "apt-get install nginx libnginx-mod-stream",
        }
    }

    /// Why it cannot be measured; `None` if it can.
    pub(crate) fn absence(self) -> Option<String> {
        if self.binary().is_none() {
            return Some(format!("not on PATH: {}", self.remedy()));
        }
        let module_missing = self == Self::Nginx && stream_module().is_none();
        module_missing.then(|| format!("no stream module: {}", self.remedy()))
    }

    fn binary(self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        let unpacked = unpacked().map(|folder| folder.join("usr/sbin"));
        std::env::split_paths(&path)
            .chain(unpacked)
            .map(|folder| folder.join(self.name()))
            .find(|file| file.is_file())
    }

    fn config(self, listen: SocketAddr, engine: SocketAddr, pid: &Path) -> String {
        match self {
            Self::HaProxy => format!(
                "global\n    nbthread 1\n    maxconn 4096\ndefaults\n    mode tcp\n    \
                 timeout connect 5s\n    timeout client 1h\n    timeout server 1h\n\
                 listen wire\n    bind {listen}\n    server engine {engine}\n"
            ),
            Self::Nginx => format!(
                "load_module {module};\nworker_processes 1;\ndaemon off;\nmaster_process off;\n\
                 pid {pid};\nerror_log stderr;\nevents {{ worker_connections 4096; }}\n\
                 stream {{ server {{ listen {listen}; proxy_pass {engine}; tcp_nodelay on; \
                 proxy_timeout 1h; }} }}\n",
                module = stream_module().unwrap_or_default().display(),
                pid = pid.display(),
            ),
        }
    }

    fn command(self, binary: &Path, config: &Path, folder: &Path) -> Command {
        let mut command = Command::new(binary);
        if let Some(unpacked) = unpacked() {
            command.env("LD_LIBRARY_PATH", unpacked.join(libraries()));
        }
        match self {
            Self::HaProxy => command.arg("-db").arg("-f").arg(config),
            Self::Nginx => command
                .arg("-p")
                .arg(folder)
                .arg("-e")
                .arg("stderr")
                .arg("-c")
                .arg(config),
        };
        command
    }
}

/// Where Debian keeps nginx's stream module.
const NGINX_STREAM: &str = "usr/lib/nginx/modules/ngx_stream_module.so";

/// The module of the system, or the unpacked one.
fn stream_module() -> Option<PathBuf> {
    [Some(PathBuf::from("/")), unpacked()]
        .into_iter()
        .flatten()
        .map(|root| root.join(NGINX_STREAM))
        .find(|file| file.is_file())
}

/// Where Debian keeps libraries.
fn libraries() -> String {
    format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH)
}

/// Proxies that were fetched for this bench: `proxies` in the target folder, beside `bench`.
fn unpacked() -> Option<PathBuf> {
    let unpacked = folder().ok()?.with_file_name("proxies");
    unpacked.is_dir().then_some(unpacked)
}

/// A running proxy.
pub(crate) struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Proxy {
    /// Starts it on a core, for this many sessions.
    pub(crate) fn start(
        product: Product,
        sessions: usize,
        place: Place<'_>,
        engine: SocketAddr,
    ) -> Result<Self, String> {
        let Place { core, folder, .. } = place;
        let name = format!("{}-{sessions}", product.name());
        let binary = product
            .binary()
            .ok_or_else(|| format!("{}: {}", product.name(), product.remedy()))?;
        let address = free_address()?;
        let config = folder.join(format!("{name}.conf"));
        let pid = folder.join(format!("{name}.pid"));
        std::fs::write(&config, product.config(address, engine, &pid))
            .map_err(|error| format!("{}: {error}", config.display()))?;
        let start = || {
            Child::start(
                &name,
                folder,
                &mut product.command(&binary, &config, folder),
            )
        };
        let mut child = with_core(core, start).map_err(|error| error.to_string())??;
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            child.must_live()?;
            if begun.elapsed() > LISTEN_WITHIN {
                return Err(format!("{} does not listen on {address}", product.name()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { child, address })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, however it likes to say goodbye.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        self.child.must_live()?;
        self.child.terminate(STOP_WITHIN).map(drop)
    }
}

/// A port that was free a moment ago.
fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map_err(|error| error.to_string())
}
