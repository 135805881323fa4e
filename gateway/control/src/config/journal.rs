//! The journal's part of the profile: where the log stands, how durable it is, and how a restart opens again.
//!
//! Control thread only. Holds from start to stop.

use super::mistake::Mistakes;
use super::profile_read::{integer, path, word};
use super::section::Section;
use portcullis_domain::Duration;
use std::path::PathBuf;

/// When a record is durable enough for what follows from it to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurabilityPolicy {
    /// At once.
    Memory,
    /// When the operating system has it.
    Journaled,
    /// When the disk has it.
    Synced,
    /// When the operating system and a standby have it.
    Replicated,
}

const POLICIES: [(&str, DurabilityPolicy); 4] = [
    ("memory", DurabilityPolicy::Memory),
    ("journaled", DurabilityPolicy::Journaled),
    ("synced", DurabilityPolicy::Synced),
    ("replicated", DurabilityPolicy::Replicated),
];

impl DurabilityPolicy {
    /// Its word in a config.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Journaled => "journaled",
            Self::Synced => "synced",
            Self::Replicated => "replicated",
        }
    }
}

/// The journal and the restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalProfile {
    /// Its folder; `None`: nothing is kept.
    pub folder: Option<PathBuf>,
    /// What must hold before anything leaves, where it was written.
    pub durability_written: Option<DurabilityPolicy>,
    /// Size of a segment.
    pub segment_bytes: u64,
    /// What the folder may hold, as if the disk were full beyond; `None`: what the disk holds.
    pub folder_bytes_max: Option<u64>,
    /// How long segments are kept that a snapshot has made needless; `None`: for ever.
    pub keep: Option<Duration>,
    /// Records after which a snapshot is made; `None`: never.
    pub snapshot_every_records: Option<u64>,
    /// After how long an undurable record means that the journal is in trouble.
    pub stall: Duration,
    /// How long a restarted gateway stays reduce-only before it is open.
    pub reduce_only: Duration,
}

/// A log that syncs gathers for a millisecond what nobody waits for, which must not look like a disk that stalls.
const STALL_MS_MIN: i64 = 10;
/// Segments that a start makes: the one it writes to, and the next.
const SEGMENTS_AT_START: i64 = 2;
const MIB: i64 = 1 << 20;
const HOUR_NS: u64 = 3_600_000_000_000;

impl JournalProfile {
    pub(super) fn read(
        journal: &mut Section<'_>,
        restart: &mut Section<'_>,
        mistakes: &mut Mistakes<'_>,
    ) -> Self {
        let bytes = |mib: i64| (mib * MIB) as u64;
        let above_zero = |value: i64| (value > 0).then_some(value as u64);
        let segment_mib = integer(journal, "segment_mib", 1, 4_096, mistakes).unwrap_or(64);
        let folder_mib = folder_mib_max(journal, segment_mib, mistakes).unwrap_or(0);
        let keep_hours = integer(journal, "keep_hours", 0, 1_000_000, mistakes).unwrap_or(0);
        let every = integer(journal, "snapshot_every_records", 0, i64::MAX, mistakes);
        let stall_ms = integer(journal, "stall_ms", STALL_MS_MIN, 60_000, mistakes).unwrap_or(250);
        let reduce_only_ms = integer(restart, "reduce_only_ms", 0, 3_600_000, mistakes);
        Self {
            folder: path(journal, "folder", mistakes),
            durability_written: word(journal, "durability", &POLICIES, mistakes),
            segment_bytes: bytes(segment_mib),
            folder_bytes_max: above_zero(folder_mib).map(|mib| mib * MIB as u64),
            keep: above_zero(keep_hours).map(|hours| Duration::from_ns(hours * HOUR_NS)),
            snapshot_every_records: above_zero(every.unwrap_or(10_000_000)),
            stall: Duration::from_ns(stall_ms as u64 * 1_000_000),
            reduce_only: Duration::from_ns(reduce_only_ms.unwrap_or(5_000) as u64 * 1_000_000),
        }
    }

    /// What must hold before anything leaves.
    #[must_use]
    pub fn durability(&self) -> DurabilityPolicy {
        self.durability_written
            .unwrap_or(DurabilityPolicy::Journaled)
    }

    /// Every value by section, key and words.
    pub(super) fn named(&self) -> Vec<(&'static str, &'static str, String)> {
        let mib = |bytes: u64| (bytes / MIB as u64).to_string();
        let folder = self.folder.as_ref();
        let keep_hours = self.keep.map_or(0, |keep| keep.ns() / HOUR_NS);
        vec![
            (
                "journal",
                "folder",
                folder.map_or("none".to_owned(), |path| path.display().to_string()),
            ),
            ("journal", "durability", self.durability().word().to_owned()),
            ("journal", "segment_mib", mib(self.segment_bytes)),
            (
                "journal",
                "folder_mib_max",
                mib(self.folder_bytes_max.unwrap_or(0)),
            ),
            ("journal", "keep_hours", keep_hours.to_string()),
            (
                "journal",
                "snapshot_every_records",
                self.snapshot_every_records.unwrap_or(0).to_string(),
            ),
            (
                "journal",
                "stall_ms",
                (self.stall.ns() / 1_000_000).to_string(),
            ),
            (
                "restart",
                "reduce_only_ms",
                (self.reduce_only.ns() / 1_000_000).to_string(),
            ),
        ]
    }
}

/// A bound must leave room for a start: its segments, and the limits that stand beside them.
fn folder_mib_max(
    journal: &mut Section<'_>,
    segment_mib: i64,
    mistakes: &mut Mistakes<'_>,
) -> Option<i64> {
    let item = journal.take("folder_mib_max")?;
    let folder_mib = item.integer(0, 1 << 30, mistakes)?;
    let segments_mib = SEGMENTS_AT_START * segment_mib;
    let is_unbounded = folder_mib == 0;
    if is_unbounded || folder_mib > segments_mib {
        return Some(folder_mib);
    }
    let what = format!(
        "`folder_mib_max` leaves no room for a start, which makes {SEGMENTS_AT_START} segments of {segment_mib} MiB \
         (`segment_mib`) and keeps its limits beside them"
    );
    let hint = format!(
        "write {} or more, make `segment_mib` smaller, or write 0 for what the disk holds",
        segments_mib + 1
    );
    item.wrong(mistakes, what, hint);
    None
}
