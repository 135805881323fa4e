//! A journal's folder as the tools read it.
//!
//! Invariants: nothing is written but the moment's lock that is asked for; a journal that a gateway is writing is
//! read to the end it has for now, one that nobody writes is judged to its end.

use super::clock::utc;
use super::naming::Naming;
use crate::gateway::{kept_names, read_prelude};
use crate::hash_seed;
use crate::replay::follower::built;
use portcullis_domain::Seq;
use portcullis_journal::{
    Disk, JournalReader, Mode, SegmentHeader, WordFile, list_segments, newest_snapshot, read_words,
};
use portcullis_pipeline::recovery::{Prelude, load_core};
use portcullis_risk_core::RiskCore;
use portcullis_risk_core::limits::LimitTable;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

/// Who holds the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// A gateway writes it.
    ByWriter,
    /// Nobody does.
    ByNobody,
    /// It cannot be told.
    Unknown,
}

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) disk: Disk,
    pub(crate) held: Held,
    pub(crate) naming: Arc<Naming>,
}

impl Folder {
    /// A folder that is there.
    ///
    /// # Errors
    /// In words, why it is none.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let place = path.display();
        let disk = Disk::existing(path)
            .map_err(|error| format!("{place}: {error}; name the folder of a journal"))?;
        let segments = list_segments(&disk).map_err(|e| e.to_string())?;
        if segments.is_empty() {
            return Err(format!(
                "{place}: no segment of a journal stands in this folder"
            ));
        }
        let naming = Naming::of(kept_names(&disk));
        Ok(Self {
            held: held(path),
            naming: Arc::new(naming),
            disk,
        })
    }

    /// How its end is to be read.
    pub(crate) const fn mode(&self) -> Mode {
        match self.held {
            Held::ByWriter => Mode::Follow,
            Held::ByNobody | Held::Unknown => Mode::Whole,
        }
    }

    /// The first record that is left.
    ///
    /// # Errors
    /// In words, why the folder cannot be listed, or that its segments went.
    pub(crate) fn first_seq(&self) -> Result<u64, String> {
        let names = list_segments(&self.disk).map_err(|error| error.to_string())?;
        let first = names.first().ok_or_else(|| {
            format!(
                "{}: its segments were moved away; name the folder of a journal",
                self.disk.folder().display()
            )
        })?;
        Ok(first.seq_first())
    }

    /// A reader from a record on.
    pub(crate) fn reader(&self, from: Seq) -> Result<JournalReader<Disk>, String> {
        JournalReader::open(self.disk.clone(), from, self.mode()).map_err(|error| error.to_string())
    }

    /// What a segment's core was made from.
    pub(crate) fn prelude(&self, segment: &SegmentHeader) -> Result<Prelude, String> {
        read_prelude(&self.disk, segment.identity.prelude).map_err(|error| error.to_string())
    }

    /// The oldest core that the journal can be replayed from: that before record 1, or where the first segments are
    /// gone, that of this journal's oldest snapshot that reaches up to what is left; and that snapshot's record.
    ///
    /// # Errors
    /// In words, what the folder lacks.
    pub(crate) fn first_core(&self) -> Result<(Box<RiskCore>, Option<u64>), String> {
        let first = self.first_seq()?;
        let reader = self.reader(Seq::new(first))?;
        let prelude = self.prelude(reader.segment())?;
        if first == 1 {
            let table = self.limit_table(prelude.limits)?;
            let core = RiskCore::new(&prelude.capacities, table, hash_seed::draw());
            return Ok((Box::new(core.map_err(|error| error.to_string())?), None));
        }
        let journal = reader.segment().identity.journal;
        let snapshots = newest_snapshot(&self.disk).map_err(|error| error.to_string())?;
        let mut oldest_first = snapshots.whole.iter().rev();
        let oldest =
            oldest_first.find(|(_, header)| header.journal == journal && header.seq >= first - 1);
        let Some((slot, header)) = oldest else {
            return Err(format!(
                "{}: the journal begins with record {first}, and no good snapshot reaches up to it: restore the \
                 segments before it from a copy",
                self.disk.folder().display()
            ));
        };
        let core = load_core(&self.disk, &prelude, hash_seed::draw(), slot)
            .map_err(|error| error.to_string())?;
        Ok((Box::new(core), Some(header.seq)))
    }

    /// The core of a snapshot.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub(crate) fn snapshot_core(&self, slot: &str, prelude: u64) -> Result<RiskCore, String> {
        let prelude = read_prelude(&self.disk, prelude).map_err(|error| error.to_string())?;
        load_core(&self.disk, &prelude, hash_seed::draw(), slot).map_err(|error| error.to_string())
    }

    /// The table of limits with this digest.
    pub(crate) fn limit_table(&self, digest: u64) -> Result<LimitTable, String> {
        let words = read_words(&self.disk, WordFile::Limits, digest);
        built(&words.map_err(|error| error.to_string())?)
    }
}

/// Whether somebody writes a folder: the lock is asked for as one that many may have, and given back at once.
fn held(folder: &Path) -> Held {
    let Ok(file) = File::open(folder.join("lock")) else {
        return Held::ByNobody;
    };
    match file.try_lock_shared() {
        Ok(()) => Held::ByNobody,
        Err(TryLockError::WouldBlock) => Held::ByWriter,
        Err(TryLockError::Error(_)) => Held::Unknown,
    }
}

/// A segment's facts in one line.
pub(crate) fn segment_line(header: &SegmentHeader) -> String {
    format!(
        "term {}, begun {}, {}, rules {}, limits {:016x}, prelude {:016x}",
        header.term.raw(),
        utc(header.created_ns),
        header.identity.build,
        header.identity.rules,
        header.limits,
        header.identity.prelude,
    )
}
