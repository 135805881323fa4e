//! The journal's disk: what fails on it, and what must be on it after a crash.
//!
//! Owned by the world. Invariant: after a crash the journal begins with every record that was durable
//! before it, as it was.

use crate::plan::{Fault, Faults};
use crate::random::{Concern, Prng, stream};
use crate::violation::{Rule, Violation};
use portcullis_domain::{Record, Seq};
use portcullis_journal::{Entry, JournalError, JournalReader, MemoryDisk, Mode, WriteFault};
use portcullis_pipeline::durability::Durability;

/// Turns for which a disk is in trouble at the most.
const TROUBLE_TURNS_MAX: i64 = 30;

/// The disk.
pub(super) struct SimDisk {
    folder: MemoryDisk,
    pub(super) policy: Durability,
    prng: Prng,
    /// Turns of trouble left.
    trouble: u32,
    /// What was durable when the gateway died.
    kept: Vec<Record>,
}

impl SimDisk {
    pub(super) fn new(seed: u64) -> Self {
        let mut prng = stream(seed, Concern::Disk);
        let policies = [
            Durability::Memory,
            Durability::Journaled,
            Durability::Journaled,
            Durability::Synced,
            Durability::Synced,
        ];
        Self {
            folder: MemoryDisk::new(),
            policy: prng.pick(&policies),
            prng,
            trouble: 0,
            kept: Vec::new(),
        }
    }

    /// The folder.
    pub(super) const fn folder(&self) -> &MemoryDisk {
        &self.folder
    }

    /// Whether what leaves is safe from the end of the process.
    pub(super) fn survives_processes(&self) -> bool {
        self.policy != Durability::Memory
    }

    /// Whether it is safe from a power cut.
    pub(super) fn survives_power(&self) -> bool {
        self.policy == Durability::Synced
    }

    /// One turn: trouble begins, goes on or ends.
    pub(super) fn turn(&mut self, faults: Faults) {
        if self.trouble > 0 {
            self.trouble -= 1;
            if self.trouble == 0 {
                self.calm();
            }
            return;
        }
        if !faults.has(Fault::DiskTrouble) || !self.prng.one_in(80) {
            return;
        }
        self.trouble = self.prng.between(1, TROUBLE_TURNS_MAX) as u32;
        match self.prng.between(1, 5) {
            1 => self.folder.fail(Some(WriteFault::Full)),
            2 => self.folder.fail(Some(WriteFault::ReadOnly)),
            3 => self.folder.fail(Some(WriteFault::Device)),
            4 => self.folder.fail(Some(WriteFault::Stalled)),
            // No further byte, but what is there can be written over.
            _ => self.folder.set_quota(Some(0)),
        }
    }

    /// Nothing is wrong with it from now on.
    pub(super) fn calm(&mut self) {
        self.trouble = 0;
        self.folder.fail(None);
        self.folder.set_quota(None);
    }

    /// Remembers what is durable: the gateway is about to die.
    pub(super) fn before_crash(&mut self, kept: Seq) -> Result<(), Violation> {
        let mut log = self.read(Mode::Follow)?;
        log.truncate(kept.raw() as usize);
        if log.len() as u64 != kept.raw() {
            let why = format!(
                "{} records were said to be durable, and {} stand in the journal",
                kept.raw(),
                log.len()
            );
            return Err(Violation::new(Rule::RecoveryLost, why));
        }
        self.kept = log;
        Ok(())
    }

    /// The machine stops somewhere in one of the next operations.
    pub(super) fn stop_within(&mut self, deaths: &mut Prng) {
        let operation = self.folder.operations() + deaths.below(3) as u64;
        self.folder.stop_at(operation, deaths.below(700));
    }

    /// The process is gone: what was written is there.
    pub(super) fn process_ends(&mut self) {
        self.folder.restart();
    }

    /// The power is gone, and with it what was not synced, in part.
    pub(super) fn power_fails(&mut self, deaths: &mut Prng) {
        self.folder.crash(&mut || deaths.bits());
        self.calm();
    }

    /// A gateway goes on behind this record: what was durable must be before it, as it was.
    pub(super) fn recovered(&mut self, seq: u64) -> Result<(), Violation> {
        let kept = core::mem::take(&mut self.kept);
        let lost = |why: String| Err(Violation::new(Rule::RecoveryLost, why));
        if seq < kept.len() as u64 {
            return lost(format!(
                "{} records were durable, {seq} are there",
                kept.len()
            ));
        }
        let log = self.read(Mode::Follow)?;
        let differs = kept.iter().zip(&log).find(|(before, now)| before != now);
        match differs {
            Some((before, now)) => lost(format!("{before:?} became {now:?}")),
            None => Ok(()),
        }
    }

    /// The journal from its first record on.
    pub(super) fn log(&self) -> Result<Vec<Record>, Violation> {
        self.read(Mode::Follow)
    }

    fn read(&self, mode: Mode) -> Result<Vec<Record>, Violation> {
        let unreadable = |error: JournalError| {
            let why = format!("the journal does not read: {error}");
            Violation::new(Rule::RecoveryRefused, why)
        };
        let reader = JournalReader::open(self.folder.clone(), Seq::new(1), mode);
        let mut reader = reader.map_err(unreadable)?;
        let mut log = Vec::new();
        while let Some(entry) = reader.next().map_err(unreadable)? {
            if let Entry::Record(record) = entry {
                log.push(record.to_record());
            }
        }
        Ok(log)
    }
}
