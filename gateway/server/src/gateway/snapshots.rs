//! Snapshots of a running gateway's journal, and the segments they make needless.
//!
//! A thread of its own, which reads the journal as it is written and never meets the agents. Invariants: a
//! snapshot is made of a replica, behind a digest that the core itself noted; whatever goes wrong here is told
//! and costs a snapshot, never the gateway; segments go only behind two whole snapshots.

use super::assemble::{StartError, cannot};
use super::tables::{egress_config, symbols};
use super::venues::venue;
use crate::hash_seed;
use crate::side_thread::{SideThread, Stop};
use portcullis_control::config::Config;
use portcullis_domain::Seq;
use portcullis_journal::{Disk, Retention, Storage, dispose, newest_snapshot};
use portcullis_pipeline::durability::Gate;
use portcullis_pipeline::recovery::{Ground, Prelude, SnapshotMade, make_snapshot};
use portcullis_runtime::{Clock, SystemClock};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How often is looked whether a snapshot is due.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often a snapshot that found no digest noted is tried again.
const TRIES: u32 = 10;

/// How far a log is, as whoever writes it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The last record that is written.
    pub(crate) seq: Seq,
    /// The last record that a standby has, where there may be one: what it lacks is kept.
    pub(crate) standby_at: Option<u64>,
}

/// Says how far a log is.
pub(crate) type Progress = Box<dyn Fn() -> Written + Send + Sync>;

/// The thread of a standby, which a promoted gateway goes on with: from then on it hears the leader's progress.
pub(crate) struct Inherited {
    pub(crate) snapshots: Option<Snapshots>,
    pub(crate) leads: Arc<OnceLock<Progress>>,
}

/// The progress of a log that a gate waits for.
pub(super) fn progress_of(gate: Gate, standby_at: Option<Arc<AtomicU64>>) -> Progress {
    Box::new(move || Written {
        seq: gate.kept(),
        standby_at: standby_at.as_ref().map(|at| at.load(Ordering::Acquire)),
    })
}

/// The thread, stopped when this is dropped.
pub(crate) struct Snapshots {
    _thread: SideThread,
}

/// What the thread works on.
struct Maker {
    config: Config,
    disk: Disk,
    prelude: Prelude,
    progress: Progress,
    every: u64,
    /// The record of the last snapshot, or of the try at one.
    last: Seq,
}

impl Snapshots {
    /// Starts the thread, where the config wants snapshots.
    pub(crate) fn start(
        config: &Config,
        disk: &Disk,
        prelude: Prelude,
        progress: Progress,
    ) -> Result<Option<Self>, StartError> {
        let Some(every) = config.profile.journal.snapshot_every_records else {
            return Ok(None);
        };
        let mut maker = Maker {
            config: config.clone(),
            disk: disk.clone(),
            prelude,
            last: Seq::ZERO,
            progress,
            every,
        };
        let thread = SideThread::start("snapshots", move |stop| maker.run(stop))
            .map_err(|error| cannot("the thread that makes snapshots", error))?;
        Ok(Some(Self { _thread: thread }))
    }
}

impl Maker {
    fn run(&mut self, stop: &Stop) {
        self.last = self.newest();
        while !stop.is_wanted() {
            stop.pause(LOOK_EVERY);
            let kept = (self.progress)().seq;
            if kept.raw().saturating_sub(self.last.raw()) < self.every {
                continue;
            }
            self.last = kept;
            let began = Instant::now();
            match self.make(kept, stop) {
                Ok(Some(made)) => {
                    eprintln!(
                        "snapshot: record {} in {} ms, from record {}; digest {:016x}",
                        made.seq.raw(),
                        began.elapsed().as_millis(),
                        made.began,
                        made.digest
                    );
                    self.tidy();
                }
                Ok(None) if stop.is_wanted() => return,
                Ok(None) => eprintln!(
                    "snapshot: no digest was noted behind record {}; it is tried again in {} records",
                    kept.raw(),
                    self.every
                ),
                Err(error) => eprintln!("snapshot: {error}"),
            }
        }
    }

    /// The record of the newest snapshot there is.
    fn newest(&self) -> Seq {
        match newest_snapshot(&self.disk) {
            Ok(found) => found
                .newest()
                .map_or(Seq::ZERO, |(_, header)| Seq::new(header.seq)),
            Err(error) => {
                eprintln!("snapshot: {error}");
                Seq::ZERO
            }
        }
    }

    /// Makes one at or behind a record; a digest is noted some milliseconds behind any.
    fn make(&self, wanted: Seq, stop: &Stop) -> Result<Option<SnapshotMade>, StartError> {
        let symbols = symbols(&self.config)?;
        let egress = egress_config(&self.config, self.prelude.session_name, symbols);
        let ground = Ground {
            storage: &self.disk,
            prelude: &self.prelude,
            hash_seed: hash_seed::draw(),
            egress: &egress,
            from_snapshot: true,
        };
        for _ in 0..TRIES {
            let venue = venue(&self.config, None)?;
            let mut goes_on = || !stop.is_wanted();
            let made = make_snapshot(&ground, venue, wanted, SystemClock.now(), &mut goes_on);
            let made = made.map_err(|error| cannot("it cannot be made", error))?;
            if made.is_some() || stop.is_wanted() {
                return Ok(made);
            }
            stop.pause(LOOK_EVERY);
        }
        Ok(None)
    }

    /// How far the standby is, where it lacks a record that might go.
    fn standby_lacks(&self) -> Option<u64> {
        let at = (self.progress)().standby_at?;
        let oldest = newest_snapshot(&self.disk).ok()?.whole.last()?.1.seq;
        (at < oldest).then_some(at)
    }

    /// Removes segments that are of no more use.
    fn tidy(&self) {
        if let Some(at) = self.standby_lacks() {
            eprintln!("journal: old segments stay: the standby has record {at}");
            return;
        }
        let journal = &self.config.profile.journal;
        let retention = Retention {
            bytes_max: journal.folder_bytes_max.map_or(u64::MAX, |bytes| bytes / 2),
            age_max_ns: journal.keep.map_or(u64::MAX, |keep| keep.ns()),
        };
        match dispose(&self.disk, &retention, SystemClock.now()) {
            Ok(gone) if gone.is_empty() => {}
            Ok(gone) => eprintln!(
                "journal: {} segments removed from {}",
                gone.len(),
                self.disk.place()
            ),
            Err(error) => eprintln!("journal: old segments stay: {error}"),
        }
    }
}
