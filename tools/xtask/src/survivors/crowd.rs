//! All clients at once: a thread each, and what they share.
//!
//! Invariant: the count of settled clients is of those that are settled now; each takes itself out of it.

use super::client::Client;
use super::orders::Orders;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the count is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// What all clients share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) pausing: AtomicBool,
    pub(super) ending: AtomicBool,
    /// Seconds that the end may take.
    pub(super) ends_within: AtomicU64,
    /// Clients that are owed nothing and heard nothing for a while, since all pause.
    pub(super) settled: AtomicU64,
    /// Orders accepted, of those sent to whoever answers.
    pub(super) accepted: AtomicU64,
    pub(super) orders: AtomicU64,
    pub(super) violations: AtomicU64,
}

/// All clients.
pub(crate) struct Crowd {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Orders>>,
}

impl Crowd {
    /// Starts so many clients, who look for the gateway at these addresses in turn. Whoever starts them
    /// has it die at least once before they finish.
    pub(crate) fn start(clients: usize, addresses: Vec<SocketAddr>, seed: u64) -> Self {
        let shared = Arc::new(Shared::default());
        let threads = (0..clients).map(|client| {
            let shared = Arc::clone(&shared);
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(client as u64);
            let addresses = addresses.clone();
            std::thread::spawn(move || Client::new(client, addresses, seed, shared).live())
        });
        Self {
            threads: threads.collect(),
            shared,
        }
    }

    pub(crate) fn orders(&self) -> u64 {
        self.shared.orders.load(Ordering::Relaxed)
    }

    /// Orders that were accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Acquire)
    }

    pub(crate) fn violations(&self) -> u64 {
        self.shared.violations.load(Ordering::Relaxed)
    }

    /// Nothing new is sent; how many clients do not have all that they are owed in time.
    pub(crate) fn settle(&self, within: Duration) -> u64 {
        self.shared.pausing.store(true, Ordering::Release);
        let deadline = Instant::now() + within;
        loop {
            let settled = self.shared.settled.load(Ordering::Acquire);
            let unsettled = self.threads.len() as u64 - settled;
            if unsettled == 0 {
                return 0;
            }
            if Instant::now() >= deadline {
                println!("VIOLATION {unsettled} clients are owed answers after {within:?}");
                return unsettled;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Nothing new is sent; what is open is cancelled, what is owed waited for.
    pub(crate) fn finish(self, within: Duration) -> Vec<Orders> {
        let ends_within = &self.shared.ends_within;
        ends_within.store(within.as_secs(), Ordering::Relaxed);
        self.shared.ending.store(true, Ordering::Release);
        let ended = self.threads.into_iter();
        ended
            .map(|thread| thread.join().expect("a client does not panic"))
            .collect()
    }
}
