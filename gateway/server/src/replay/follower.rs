//! A core that follows a journal: records read into batches and applied, effects given to a sink.
//!
//! Whoever replays. Invariants: the core is the server's own, made from the journal's prelude; a flip finds its
//! table in the file that its digest names; each digest that the journal notes is held against the core's own;
//! memory is one batch and the reader's buffer, and what is to be said and was not yet. Must never write in the
//! journal's folder.

use crate::journal::folder::Folder;
use portcullis_domain::{Command, CommandKind, Head, Record, Seq, UNIT_BYTES};
use portcullis_journal::{Disk, Entry, JournalError, JournalReader};
use portcullis_pipeline::replica::Diverged;
use portcullis_pipeline::risk::Fetch;
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{Effect, EffectSink, RiskCore};

/// Records applied together.
const BATCH: usize = 128;

/// Where a run ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The journal has no more.
    Journal,
    /// Before the record that was asked for, which is held.
    Held,
    /// The journal is damaged, and where.
    Damage(JournalError),
    /// The journal notes another digest than the core came to.
    Diverged(Diverged),
}

/// The follower.
pub(crate) struct CoreFollower {
    folder: Folder,
    reader: JournalReader<Disk>,
    core: Box<RiskCore>,
    batch: Box<[Record]>,
    taken: usize,
    /// A record that was read and not applied.
    held: Option<Record>,
    /// The snapshot it began from, if not before record 1.
    pub(crate) began: Option<u64>,
    /// Records read.
    pub(crate) records: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Digests compared, and the record of the last one.
    pub(crate) compared: u64,
    pub(crate) compared_to: u64,
    /// Whether a table could not be had, and no digest since has shown that none was needed.
    in_doubt: bool,
    /// What people should hear of and have not yet: where it began, tables that could not be had.
    remarks: Vec<String>,
}

impl CoreFollower {
    /// A follower before record 1, or where the journal's first segments are gone, behind its oldest snapshot.
    ///
    /// # Errors
    /// In words, what the folder lacks.
    pub(crate) fn open(folder: &Folder) -> Result<Self, String> {
        let (core, began) = folder.first_core()?;
        let begins = began.map(|record| {
            format!(
                "the first segments are gone: the replay begins from the snapshot at record {record}"
            )
        });
        Ok(Self {
            folder: folder.clone(),
            reader: folder.reader(core.seq().next())?,
            began,
            core,
            batch: vec![Record::bare(Command::Tick.encode()); BATCH].into_boxed_slice(),
            taken: 0,
            held: None,
            records: 0,
            bytes: 0,
            compared: 0,
            compared_to: 0,
            in_doubt: false,
            remarks: begins.into_iter().collect(),
        })
    }

    /// Applies records until `stop` says so of one, which is then held and not applied; `every` is told of each
    /// batch.
    pub(crate) fn run(
        &mut self,
        stop: &mut impl FnMut(&Head) -> bool,
        sink: &mut impl EffectSink,
        every: &mut impl FnMut(&Self),
    ) -> End {
        loop {
            if let Step::End(end) = self.step(stop, sink) {
                return end;
            }
            every(self);
        }
    }

    /// Applies records until one whose digest the journal notes, and compares it. How the journal ended, if it did
    /// without one.
    pub(crate) fn run_to_digest(
        &mut self,
        sink: &mut impl EffectSink,
        every: &mut impl FnMut(&Self),
    ) -> Option<End> {
        loop {
            match self.step(&mut |_| false, sink) {
                Step::Applied => every(self),
                Step::Compared => return None,
                Step::End(end) => return Some(end),
            }
        }
    }

    /// Applies the record that is held, if one is.
    pub(crate) fn take_held(&mut self, sink: &mut impl EffectSink) {
        let Some(record) = self.held.take() else {
            return;
        };
        self.count(&record.head);
        let flips = flip_of(&record.head);
        self.batch[0] = record;
        self.taken = 1;
        match flips {
            Some(digest) => self.flip(digest, sink),
            None => self.settle(sink),
        }
    }

    /// The record that is held.
    pub(crate) const fn held(&self) -> Option<&Record> {
        self.held.as_ref()
    }

    /// Whether the core may be another than the gateway's was: a table could not be had, and no digest since was
    /// compared.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// What people should hear of, once.
    pub(crate) fn take_remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    /// Says it on standard error, in the name of a tool.
    pub(crate) fn say_remarks(&mut self, tool: &str) {
        for remark in self.take_remarks() {
            eprintln!("{tool}: {remark}");
        }
    }

    /// The core, after all that was applied.
    pub(crate) const fn core(&self) -> &RiskCore {
        &self.core
    }

    /// The core, to be asked what it would say.
    pub(crate) const fn core_mut(&mut self) -> &mut RiskCore {
        &mut self.core
    }

    /// The core alone.
    pub(crate) fn into_core(self) -> Box<RiskCore> {
        self.core
    }

    /// Why the journal ends where it does, in words, if not because nothing more was written.
    pub(crate) fn cut(&self) -> Option<String> {
        cut_of(&self.reader)
    }

    /// Applies what stands before the next thing to be done, and does it.
    fn step(&mut self, stop: &mut impl FnMut(&Head) -> bool, sink: &mut impl EffectSink) -> Step {
        match self.read(stop) {
            Read::Batch => {
                self.settle(sink);
                Step::Applied
            }
            // Its record stands in the batch, and is not to be applied before its table is staged.
            Read::Flip(digest) => {
                self.flip(digest, sink);
                Step::Applied
            }
            Read::Digest(seq, noted) => {
                self.settle(sink);
                match self.compare(seq, noted) {
                    Ok(()) => Step::Compared,
                    Err(diverged) => Step::End(End::Diverged(diverged)),
                }
            }
            Read::End(end) => {
                self.settle(sink);
                Step::End(end)
            }
        }
    }

    /// Reads into the batch until something else is to be done.
    fn read(&mut self, stop: &mut impl FnMut(&Head) -> bool) -> Read {
        if self.held.is_some() {
            return Read::End(End::Held);
        }
        while self.taken < self.batch.len() {
            let record = match self.reader.next() {
                Ok(Some(Entry::Record(record))) => record,
                Ok(Some(Entry::Digest { seq, digest })) => return Read::Digest(seq, digest),
                Ok(None) => return Read::End(End::Journal),
                Err(error) => return Read::End(End::Damage(error)),
            };
            if stop(record.head) {
                self.held = Some(record.to_record());
                return Read::End(End::Held);
            }
            self.records += 1;
            self.bytes += (record.head.units() * UNIT_BYTES) as u64;
            let flips = flip_of(record.head);
            self.batch[self.taken].become_message(record.head, record.raw);
            self.taken += 1;
            if let Some(digest) = flips {
                return Read::Flip(digest);
            }
        }
        Read::Batch
    }

    const fn count(&mut self, head: &Head) {
        self.records += 1;
        self.bytes += (head.units() * UNIT_BYTES) as u64;
    }

    fn settle(&mut self, sink: &mut impl EffectSink) {
        let records = &self.batch[..self.taken];
        self.core.apply_batch(records, &mut Fetch, sink);
        self.taken = 0;
    }

    /// Applies the batch, whose last record puts the limits with this digest into force. A flip that was refused
    /// when it was logged may have no table, and is refused again.
    fn flip(&mut self, digest: u64, sink: &mut impl EffectSink) {
        let flip = self.batch[self.taken - 1];
        self.taken -= 1;
        self.settle(sink);
        self.stage(digest, flip.head.seq);
        self.core.apply_batch(&[flip], &mut Fetch, sink);
        drop(self.core.take_retired());
    }

    fn stage(&mut self, digest: u64, seq: u64) {
        match self.folder.limit_table(digest) {
            Ok(table) => drop(self.core.stage(Box::new(table))),
            Err(error) => {
                self.in_doubt = true;
                self.remarks.push(no_table(seq, digest, &error));
            }
        }
    }

    fn compare(&mut self, seq: Seq, noted: u64) -> Result<(), Diverged> {
        let found = self.core.digest();
        if self.core.seq() != seq || found != noted {
            return Err(Diverged { seq, noted, found });
        }
        self.compared += 1;
        self.compared_to = seq.raw();
        self.in_doubt = false;
        Ok(())
    }
}

/// What a step came to.
enum Step {
    /// Records were applied.
    Applied,
    /// A digest was compared, and is the core's.
    Compared,
    /// No more is to be read.
    End(End),
}

/// What reading came to.
enum Read {
    /// The batch is full.
    Batch,
    /// Its last record puts limits into force.
    Flip(u64),
    /// A digest is noted.
    Digest(Seq, u64),
    /// No more is to be read.
    End(End),
}

/// Where a journal that was read to its end is cut by the next start, in words.
pub(crate) fn cut_of(reader: &JournalReader<Disk>) -> Option<String> {
    let cut = reader.cut()?;
    Some(format!(
        "{}, byte {}: cut behind the last good frame: {}; the next start goes on with record {}",
        cut.segment,
        cut.offset,
        cut.fault,
        reader.next_seq()
    ))
}

/// The digest of the limits that a record puts into force.
pub(crate) fn flip_of(head: &Head) -> Option<u64> {
    if head.kind != CommandKind::FlipLimits as u8 {
        return None;
    }
    match Command::decode(head) {
        Ok(Command::FlipLimits(flip)) => Some(flip.digest),
        Ok(_) | Err(_) => None,
    }
}

/// The table that canonical words say.
pub(crate) fn built(words: &[u64]) -> Result<LimitTable, String> {
    use portcullis_risk_core::limits::LimitSpec;
    let spec = LimitSpec::from_words(words).ok_or("a limit file does not read")?;
    LimitTable::build(&spec)
        .map_err(|error| format!("a limit file does not load: {:?}", error.faults))
}

/// That the table of a flip cannot be had, and what follows.
pub(super) fn no_table(seq: u64, digest: u64, why: &str) -> String {
    format!(
        "record {seq}: the limit table {digest:016x} of this flip cannot be read: {why}; the flip is refused here, as \
         it was then only if it was refused then"
    )
}

/// Hears nothing: the core keeps its digest by itself.
pub(crate) struct Deaf;

impl EffectSink for Deaf {
    fn on_record(&mut self, _record: &Record) {}
    fn on_effect(&mut self, _effect: Effect) {}
}
