//! The standby's replica: its own journal, record by record, as it is written.
//!
//! A thread of its own, so that an acknowledgement waits for no decision. Invariants: it reads what the journal's reader
//! has checked; the first digest that is not the leader's ends it; at its end nothing that was written is left to take
//! or to compare, or its time was up.

use super::shared::Shared;
use crate::gateway::{StartError, VenueKind, egress_config, symbols, venue};
use crate::hash_seed;
use portcullis_control::config::Config;
use portcullis_journal::{Disk, Mode};
use portcullis_pipeline::recovery::{Follower, Ground, Prelude, Rebuilt, RecoveryError, Step};
use portcullis_runtime::IdleStrategy;
use portcullis_venue::RecallVenue;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Entries between two words of how far it is.
const ENTRIES_AT_A_TIME: usize = 256;

/// How long it may go on taking what is written once nothing more comes.
const LAST_WITHIN: Duration = Duration::from_secs(10);

/// What it came to: `None` where it was stopped and leads nothing.
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

/// The replica, until its end; why it ended before is told before the thread is gone.
fn run(
    config: &Config,
    disk: &Disk,
    prelude: &Prelude,
    shared: &Shared,
    idle: IdleStrategy,
) -> Applied {
    apply(config, disk, prelude, shared, idle).map_err(|error| {
        let why = match error {
            Failed::Start(error) => error.to_string(),
            Failed::Replica(error) => {
                if let RecoveryError::Diverged(diverged) = &error {
                    shared.diverge(*diverged);
                }
                error.to_string()
            }
        };
        shared.failed.get_or_init(|| why.clone());
        why
    })
}

/// Why there is no replica any more.
enum Failed {
    Start(StartError),
    Replica(RecoveryError),
}

impl From<StartError> for Failed {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<RecoveryError> for Failed {
    fn from(error: RecoveryError) -> Self {
        Self::Replica(error)
    }
}

fn apply(
    config: &Config,
    disk: &Disk,
    prelude: &Prelude,
    shared: &Shared,
    mut idle: IdleStrategy,
) -> Result<Option<Rebuilt<VenueKind>>, Failed> {
    let symbols = symbols(config)?;
    let egress = egress_config(config, prelude.session_name, symbols);
    let ground = Ground {
        storage: disk,
        prelude,
        hash_seed: hash_seed::draw(),
        egress: &egress,
        from_snapshot: true,
    };
    let mut follower = Follower::begin(&ground, venue(config, None)?, Mode::Follow)?;
    let mut last_by = None;
    loop {
        let taken = take(&mut follower, shared)?;
        let end_at = shared.end_at.get();
        if end_at > 0 && taken.is_all && follower.taken() + 1 >= end_at {
            return Ok(Some(follower.into_rebuilt()));
        }
        if shared.is_whole.load(Ordering::Acquire) {
            let by = *last_by.get_or_insert_with(|| Instant::now() + LAST_WITHIN);
            if taken.is_all || Instant::now() >= by {
                return Ok(None);
            }
        }
        idle.idle(taken.entries);
    }
}

/// What was taken in one go.
struct Taken {
    entries: usize,
    /// Nothing more stood there.
    is_all: bool,
}

/// Takes what the journal has, so much at a time, and says how far that is.
fn take(follower: &mut Follower<Disk, VenueKind>, shared: &Shared) -> Result<Taken, RecoveryError> {
    // What is written behind this look is the next one's.
    let was_whole = shared.is_whole.load(Ordering::Acquire);
    let mut entries = 0;
    let mut is_all = false;
    while entries < ENTRIES_AT_A_TIME && !is_all {
        match follower.step()? {
            Some(Step::Compared(seq)) => shared.compared.raise(seq.raw()),
            Some(Step::Record(_)) => {}
            None => is_all = true,
        }
        entries += usize::from(!is_all);
    }
    shared.applied.raise(follower.taken());
    // Settles what was taken, too.
    if let Some(fault) = follower.replica().venue().recall_fault() {
        shared.book_fault.get_or_init(|| fault.to_string());
    }
    if is_all {
        shared.settled.raise(follower.taken());
    }
    Ok(Taken {
        entries,
        is_all: is_all && (was_whole || shared.end_at.get() > 0),
    })
}
