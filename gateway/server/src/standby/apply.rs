//! The standby's replica: its own journal, record by record, as it is written.
//!
//! A thread of its own, so that an acknowledgement waits for no decision. Invariants: it reads what the journal's reader
//! has checked; the first digest that is not the leader's ends it.

use super::shared::Shared;
use crate::gateway::{VenueKind, egress_config, symbols, venue};
use portcullis_control::config::Config;
use portcullis_journal::{Disk, Mode};
use portcullis_pipeline::recovery::{Follower, Ground, Prelude, Rebuilt, RecoveryError, Step};
use portcullis_runtime::IdleStrategy;
use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

/// Entries between two words of how far it is.
const ENTRIES_AT_A_TIME: usize = 256;

/// What it came to: `None` where it was stopped before its end.
pub(super) type Applied = Result<Option<Rebuilt<VenueKind>>, String>;

/// The thread.
pub(super) struct Applying {
    pub(super) prelude: Prelude,
    thread: JoinHandle<Applied>,
}

impl Applying {
    /// Begins behind the newest snapshot of the folder, or before its first record.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(super) fn start(
        config: Arc<Config>,
        disk: Disk,
        prelude: Prelude,
        shared: Arc<Shared>,
        idle: IdleStrategy,
    ) -> io::Result<Self> {
        let thread = Builder::new()
            .name("apply".to_owned())
            .spawn(move || run(&config, &disk, &prelude, &shared, idle))?;
        Ok(Self { prelude, thread })
    }

    /// Whether it has ended.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// What it came to.
    ///
    /// # Panics
    /// If the thread did: an invariant of the replica was broken.
    pub(super) fn join(self) -> Applied {
        self.thread
            .join()
            .expect("a replica's invariant was broken")
    }
}

fn run(
    config: &Config,
    disk: &Disk,
    prelude: &Prelude,
    shared: &Shared,
    mut idle: IdleStrategy,
) -> Applied {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let symbols = symbols(config).map_err(|error| words(&error))?;
    let egress = egress_config(config, prelude.session_name, symbols);
    let ground = Ground {
        storage: disk,
        prelude,
        egress: &egress,
        from_snapshot: true,
    };
    let venue = venue(config, None).map_err(|error| words(&error))?;
    let follower = Follower::begin(&ground, venue, Mode::Follow);
    let mut follower = follower.map_err(|error| words(&error))?;
    loop {
        let mut taken = 0;
        while taken < ENTRIES_AT_A_TIME {
            match follower.step() {
                Ok(Some(Step::Compared(seq))) => shared.compared.raise(seq.raw()),
                Ok(Some(Step::Record(_))) => {}
                Ok(None) => break,
                Err(error) => {
                    if let RecoveryError::Diverged(diverged) = &error {
                        shared.diverge(*diverged);
                    }
                    return Err(error.to_string());
                }
            }
            taken += 1;
        }
        follower.replica().settle();
        shared.applied.raise(follower.taken());
        let end_at = shared.end_at.get();
        if end_at > 0 && follower.taken() + 1 >= end_at {
            return Ok(Some(follower.into_rebuilt()));
        }
        if shared.is_stopped() {
            return Ok(None);
        }
        idle.idle(taken);
    }
}
