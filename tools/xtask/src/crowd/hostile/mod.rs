//! The hostile ones: a thread of theirs, whose clients are each stepped in turn.
//!
//! Invariants: the thread sleeps between rounds; it ends by itself soon after it was told to, once
//! those that are served have their answers or a bound is reached.

mod bytes;
mod client;
mod figures;
mod kind;

pub(crate) use figures::Figures;
pub(crate) use kind::{Fate, Kind};

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::arguments::Arguments;
use crate::verb::Fault;
use crate::wide_limits::user;
use client::Client;

const ROUND_EVERY: Duration = Duration::from_millis(1);

/// How long the last answers are waited for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// The thread.
pub(super) struct Hostile {
    stop: Arc<AtomicBool>,
    fulfilled: Arc<AtomicBool>,
    thread: JoinHandle<Result<ByKind, Fault>>,
}

/// Figures of each kind.
pub(super) type ByKind = Vec<(Kind, Figures)>;

impl Hostile {
    /// Sets them on a gateway.
    pub(super) fn start(arguments: &Arguments, gateway: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let now = Instant::now();
        let all = arguments.well_behaved()..arguments.sessions;
        let clients = all.map(|client| {
            let kind = kind_of(client - arguments.well_behaved());
            Client::new(kind, user(client), now)
        });
        let clients: Vec<_> = clients.collect();
        let fulfilled = Arc::new(AtomicBool::new(false));
        let (told, tell) = (Arc::clone(&stop), Arc::clone(&fulfilled));
        let thread = std::thread::spawn(move || harass(clients, gateway, &told, &tell));
        Self {
            stop,
            fulfilled,
            thread,
        }
    }

    /// Whether what must become of each client has by now: on a slow machine it takes longer.
    pub(super) fn is_fulfilled(&self) -> bool {
        self.fulfilled.load(Ordering::Relaxed)
    }

    /// Whether they have given up for a reason of their own.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Calls them off; what came of it.
    pub(super) fn stop(self) -> Result<ByKind, Fault> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| Fault("the hostile clients' thread panicked".into()))?
    }
}

/// The kind of the hostile client of this index.
pub(super) fn kind_of(index: usize) -> Kind {
    Kind::ALL[index % Kind::ALL.len()]
}

fn harass(
    mut clients: Vec<Client>,
    gateway: SocketAddr,
    stop: &AtomicBool,
    fulfilled: &AtomicBool,
) -> Result<ByKind, Fault> {
    let mut end = None;
    loop {
        let now = Instant::now();
        let ending = stop.load(Ordering::Relaxed);
        for client in &mut clients {
            client.step(gateway, now, ending)?;
        }
        fulfilled.store(are_fulfilled(&clients), Ordering::Relaxed);
        if ending {
            let end = *end.get_or_insert(now + ANSWERS_WITHIN);
            if now > end || clients.iter().all(Client::is_settled) {
                return Ok(by_kind(&clients));
            }
        }
        std::thread::sleep(ROUND_EVERY);
    }
}

/// Each has met its fate, and those that flood were held back.
fn are_fulfilled(clients: &[Client]) -> bool {
    let mut flooders = clients.iter().filter(|c| c.kind() == Kind::Flooder);
    let held_back = flooders.clone().next().is_none() || flooders.any(|c| c.figures.overloaded > 0);
    held_back && clients.iter().all(Client::has_met_its_fate)
}

fn by_kind(clients: &[Client]) -> ByKind {
    let of = |kind| {
        let mut sum = Figures::default();
        let clients = clients.iter().filter(|client| client.kind() == kind);
        clients.for_each(|client| sum.add(&client.figures));
        (kind, sum)
    };
    let kinds = Kind::ALL.into_iter().map(of);
    kinds.filter(|(_, figures)| figures.clients > 0).collect()
}
