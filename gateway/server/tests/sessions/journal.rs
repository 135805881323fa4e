//! The journal of a rig: the log agent over a disk in memory, and who resends from it.
//!
//! Stepped with the others, behind them. Invariant: what it says of trouble is kept.

use crate::origin::prelude;
use crate::rig::{Setup, egress_config, ladder};
use portcullis_domain::{Duration, HashSeed, Record, Seq, Timestamp};
use portcullis_journal::{
    Entry, JournalReader, JournalWriter, MemoryDisk, Mode, Retention, dispose, list_segments,
};
use portcullis_pipeline::durability::{DurabilityEnds, DurabilityWatch, Gate};
use portcullis_pipeline::log::Log;
use portcullis_pipeline::recovery::{Ground, make_snapshot};
use portcullis_pipeline::resend::{ResendSource, Resender, ResenderConfig};
use portcullis_runtime::{Agent, RecordProducer, record_ring};
use portcullis_venue_embedded::EmbeddedVenue;
use std::sync::{Arc, Mutex};

/// After how long an undurable record means trouble.
pub(crate) const STALL: Duration = Duration::from_ns(100_000_000);

/// The journal.
pub(crate) struct Journal {
    log: Log<MemoryDisk>,
    resender: Resender<MemoryDisk, EmbeddedVenue>,
    pub(crate) disk: MemoryDisk,
    /// What people were told.
    pub(crate) words: Arc<Mutex<Vec<String>>>,
}

/// Where words for people go.
fn kept_in(words: &Arc<Mutex<Vec<String>>>) -> Box<dyn FnMut(&str) + Send> {
    let words = Arc::clone(words);
    Box::new(move |word| words.lock().expect("one thread").push(word.to_owned()))
}

impl Journal {
    pub(crate) fn kept(
        setup: Setup,
        disk: MemoryDisk,
        (writer, ends): (JournalWriter<MemoryDisk>, DurabilityEnds),
        source: ResendSource,
        now: Timestamp,
    ) -> (Self, RecordProducer, DurabilityWatch, Gate) {
        let (records, records_out) = record_ring(4_096);
        let words = Arc::new(Mutex::new(Vec::new()));
        let of_journal = ResenderConfig {
            storage: disk.clone(),
            prelude: prelude(setup),
            hash_seed: HashSeed::FIXED,
            egress: egress_config(setup),
            venue: Box::new(move || Ok(ladder(setup))),
            tell: kept_in(&words),
        };
        let journal = Self {
            log: Log::new(writer, records_out, ends.log, kept_in(&words)),
            resender: Resender::new(of_journal, source, now),
            disk,
            words,
        };
        (journal, records, ends.watch, ends.gate)
    }

    /// Gives the log and the resender their turns; how much work they had.
    pub(crate) fn work(&mut self, now: Timestamp) -> usize {
        self.log.do_work(now) + self.resender.work(now)
    }

    /// Makes a snapshot behind the first digest noted from a record on.
    pub(crate) fn make_snapshot(&self, setup: Setup, wanted: u64, now: Timestamp) {
        let (prelude, egress) = (prelude(setup), egress_config(setup));
        let ground = Ground {
            storage: &self.disk,
            prelude: &prelude,
            hash_seed: HashSeed::FIXED,
            egress: &egress,
            from_snapshot: true,
        };
        let made = make_snapshot(&ground, ladder(setup), Seq::new(wanted), now, &mut || true);
        made.expect("it is made").expect("a digest is noted there");
    }

    /// Removes what snapshots make needless.
    pub(crate) fn prune(&self) {
        let nothing = Retention {
            bytes_max: 0,
            age_max_ns: u64::MAX,
        };
        let gone = dispose(&self.disk, &nothing, Timestamp::ZERO).expect("it takes files away");
        assert!(!gone.is_empty(), "a segment was needless");
    }

    /// The name of its first segment.
    pub(crate) fn first_segment(&self) -> String {
        let segments = list_segments(&self.disk).expect("it lists");
        segments[0].to_string()
    }

    /// Everything that stands on the disk, and the last digest noted.
    pub(crate) fn read(&self) -> (Vec<Record>, Option<(Seq, u64)>) {
        let reader = JournalReader::open(self.disk.clone(), Seq::new(1), Mode::Follow);
        let mut reader = reader.expect("it opens");
        let (mut records, mut noted) = (Vec::new(), None);
        while let Some(entry) = reader.next().expect("it reads") {
            match entry {
                Entry::Record(record) => records.push(record.to_record()),
                Entry::Digest { seq, digest } => noted = Some((seq, digest)),
            }
        }
        (records, noted)
    }
}
