//! What clients missed and no store has any more, out of a running gateway's journal.
//!
//! A thread of its own, which reads the journal as it is written and never meets the agents. Invariant:
//! whatever goes wrong here is told and costs a client its connection, never the gateway.

use super::assemble::{StartError, cannot};
use super::tables::{egress_config, symbols};
use super::venues::venue;
use crate::hash_seed;
use portcullis_control::config::Config;
use portcullis_journal::Disk;
use portcullis_pipeline::recovery::Prelude;
use portcullis_pipeline::resend::{ResendSource, Resender, ResenderConfig};
use portcullis_runtime::{Clock, SystemClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// How often is looked whether a client asks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A pause for a client, or the log, while one is served.
const PAUSE: Duration = Duration::from_micros(200);

/// A turn that took longer loaded a snapshot.
const LOAD_MIN: Duration = Duration::from_millis(20);

/// Rest behind it, at the most.
const LOAD_REST_MAX: Duration = Duration::from_secs(2);

/// The thread, stopped when this is dropped.
pub(super) struct Resend {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Resend {
    /// Starts the thread. That the journal reaches back to its first record is said before this returns.
    pub(super) fn start(
        config: &Config,
        disk: &Disk,
        prelude: Prelude,
        source: ResendSource,
    ) -> Result<Self, StartError> {
        let egress = egress_config(config, prelude.session_name, symbols(config)?);
        let for_venues = config.clone();
        let of_journal = ResenderConfig {
            storage: disk.clone(),
            prelude,
            hash_seed: hash_seed::draw(),
            egress,
            venue: Box::new(move || venue(&for_venues, None).map_err(|error| error.to_string())),
            tell: Box::new(|words: &str| eprintln!("resend: {words}")),
        };
        let mut resender = Resender::new(of_journal, source, SystemClock.now());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || {
            while !stopped.load(Ordering::Acquire) {
                let begun = Instant::now();
                let worked = resender.work(SystemClock.now());
                // Whoever asks again and again has snapshots loaded half of the time at the most.
                let took = begun.elapsed();
                if took > LOAD_MIN {
                    std::thread::sleep(took.min(LOAD_REST_MAX));
                }
                if worked == 0 {
                    std::thread::sleep(if resender.is_idle() {
                        LOOK_EVERY
                    } else {
                        PAUSE
                    });
                }
            }
        };
        let thread = Builder::new()
            .name("resend".to_owned())
            .spawn(work)
            .map_err(|error| cannot("the thread that resends from the journal", error))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Resend {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // Its clients' connections end with the gateway.
            let _ = thread.join();
        }
    }
}
