//! The journal of a rig: the log agent over a disk in memory.
//!
//! Stepped with the others, behind them. Invariant: what it says of trouble is kept.

use portcullis_domain::{Duration, Record, Seq, Timestamp};
use portcullis_journal::{
    Entry, Identity, InlineSource, JournalReader, JournalStart, JournalWriter, MemoryDisk, Mode,
    Opening, Storage, Term, WriterOptions,
};
use portcullis_pipeline::durability::{Durability, DurabilityWatch, Gate, durability};
use portcullis_pipeline::log::Log;
use portcullis_runtime::{Agent, RecordProducer, record_ring};
use std::sync::{Arc, Mutex};

/// After how long an undurable record means trouble.
pub(crate) const STALL: Duration = Duration::from_ns(100_000_000);

const SEGMENT_BYTES: u64 = 1 << 16;
const JOURNAL: u64 = 7;

/// The journal.
pub(crate) struct Journal {
    log: Log<MemoryDisk>,
    pub(crate) disk: MemoryDisk,
    /// What people were told.
    pub(crate) words: Arc<Mutex<Vec<String>>>,
}

impl Journal {
    pub(crate) fn kept(policy: Durability) -> (Self, RecordProducer, DurabilityWatch, Gate) {
        let disk = MemoryDisk::new();
        let lock = disk.lock().expect("nobody else has it");
        let opening = Opening {
            identity: Identity {
                journal: JOURNAL,
                prelude: 0,
                rules: 1,
                build: "sessions".to_owned(),
            },
            term: Term::new(1),
            limits: 0,
            now: Timestamp::ZERO,
        };
        let writer = JournalWriter::create(
            disk.clone(),
            lock,
            Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES)),
            WriterOptions::for_segments_of(SEGMENT_BYTES),
            opening,
            JournalStart::first(JOURNAL),
        );
        let writer = writer.expect("a disk in memory takes it");
        let ends = durability(policy, Seq::ZERO);
        let (records, records_out) = record_ring(4_096);
        let words = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&words);
        let tell =
            Box::new(move |word: &str| told.lock().expect("one thread").push(word.to_owned()));
        let journal = Self {
            log: Log::new(writer, records_out, ends.log, tell),
            disk,
            words,
        };
        (journal, records, ends.watch, ends.gate)
    }

    /// Gives the log its turn; how much work it had.
    pub(crate) fn work(&mut self, now: Timestamp) -> usize {
        self.log.do_work(now)
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
