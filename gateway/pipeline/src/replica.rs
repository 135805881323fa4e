//! A replica: the core, what clients were told and where the engine stands, as the log says.
//!
//! Whoever follows a log owns one: recovery at a start, the maker of snapshots, a standby, the tools. It is
//! fed the log's records in order and muted: nothing leaves. Invariants: after a record its parts stand
//! exactly where those of the gateway that wrote the log stood after it; where that gateway noted its digest
//! and this one has another, it says so, and nothing may be made of it.

use crate::egress::ClientStreams;
use crate::item::{ClientEffect, venue_raw};
use crate::risk::Fetch;
use portcullis_domain::{Command, CommandKind, Head, Record, Seq, Timestamp};
use portcullis_risk_core::limits::LimitTable;
use portcullis_risk_core::{Effect, EffectSink, RiskCore};
use portcullis_venue::RecallVenue;
use std::fmt;

/// Records applied together: many, so that nearly each has the lines it needs fetched in time.
const BATCH: usize = 128;

/// The replica.
#[derive(Debug)]
pub struct Replica<V> {
    core: Box<RiskCore>,
    streams: ClientStreams,
    venue: V,
    batch: Box<[Record]>,
    taken: usize,
}

/// The log says that its gateway's digest was another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diverged {
    /// After this record.
    pub seq: Seq,
    /// What the log says.
    pub noted: u64,
    /// What this replica came to.
    pub found: u64,
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "after record {} the gateway noted the digest {:016x}, and replaying comes to {:016x}: the log \
             is another build's, or was changed",
            self.seq.raw(),
            self.noted,
            self.found
        )
    }
}

impl std::error::Error for Diverged {}

/// What a replica is made of.
#[derive(Debug)]
pub struct ReplicaParts<V> {
    /// The core.
    pub core: Box<RiskCore>,
    /// What clients were told.
    pub streams: ClientStreams,
    /// Where the engine stands.
    pub venue: V,
}

impl<V: RecallVenue> Replica<V> {
    /// A replica of what stands after the core's last record.
    #[must_use]
    pub fn new(parts: ReplicaParts<V>) -> Self {
        Self {
            core: parts.core,
            streams: parts.streams,
            venue: parts.venue,
            batch: vec![Record::bare(Command::Tick.encode()); BATCH].into_boxed_slice(),
            taken: 0,
        }
    }

    /// The digest of the limits that a record puts into force: the table is staged before it is taken, or
    /// the flip is refused, as it was where it was not staged then.
    #[must_use]
    pub fn limits_wanted(head: &Head) -> Option<u64> {
        if head.kind != CommandKind::FlipLimits as u8 {
            return None;
        }
        match Command::decode(head) {
            Ok(Command::FlipLimits(flip)) => Some(flip.digest),
            Ok(_) | Err(_) => None,
        }
    }

    /// Puts a table where the next flip finds it.
    pub fn stage(&mut self, table: Box<LimitTable>) {
        self.settle();
        drop(self.core.stage(table));
    }

    /// Takes the next record of the log.
    ///
    /// # Panics
    /// If it is not the next one: whoever reads the log has checked that.
    pub fn take(&mut self, head: Head, raw: &[u8]) {
        let flips = head.kind == CommandKind::FlipLimits as u8;
        if flips || self.taken == self.batch.len() {
            self.settle();
        }
        self.batch[self.taken].become_message(&head, raw);
        self.taken += 1;
        if flips {
            self.settle();
            drop(self.core.take_retired());
        }
    }

    /// Applies what was taken.
    pub fn settle(&mut self) {
        let records = &self.batch[..self.taken];
        let mut sink = Recall {
            streams: &mut self.streams,
            venue: &mut self.venue,
            records,
            next: 0,
        };
        self.core.apply_batch(records, &mut Fetch, &mut sink);
        self.taken = 0;
    }

    /// Holds the digest that the log notes after a record against this replica's own.
    ///
    /// # Errors
    /// They differ.
    pub fn compare(&mut self, seq: Seq, noted: u64) -> Result<(), Diverged> {
        self.settle();
        let found = self.core.digest();
        if self.core.seq() == seq && found == noted {
            return Ok(());
        }
        Err(Diverged { seq, noted, found })
    }

    /// The core, after all that was taken.
    pub fn core(&mut self) -> &RiskCore {
        self.settle();
        &self.core
    }

    /// What clients were told, after all that was taken.
    pub fn streams(&mut self) -> &ClientStreams {
        self.settle();
        &self.streams
    }

    /// Where the engine stands, after all that was taken.
    pub fn venue(&mut self) -> &mut V {
        self.settle();
        &mut self.venue
    }

    /// Its parts, for a gateway that goes on.
    #[must_use]
    pub fn into_parts(mut self) -> ReplicaParts<V> {
        self.settle();
        ReplicaParts {
            core: self.core,
            streams: self.streams,
            venue: self.venue,
        }
    }
}

/// Takes a batch's effects as what was told and sent.
struct Recall<'a, V> {
    streams: &'a mut ClientStreams,
    venue: &'a mut V,
    records: &'a [Record],
    /// The record after the one in hand.
    next: usize,
}

impl<V: RecallVenue> EffectSink for Recall<'_, V> {
    fn on_record(&mut self, record: &Record) {
        self.next += 1;
        let head = &record.head;
        let from_engine =
            head.kind == CommandKind::Report as u8 || head.kind == CommandKind::VenueSequence as u8;
        if !from_engine {
            return;
        }
        match Command::decode(head) {
            Ok(Command::Report(report)) => self.venue.recall_report(&report, record.raw()),
            Ok(Command::VenueSequence { session, sequence }) => {
                self.venue.recall_sequence(session, sequence);
            }
            // What the core took for no command is none here.
            Ok(_) | Err(_) => {}
        }
    }

    fn on_effect(&mut self, effect: Effect) {
        let record = &self.records[self.next - 1];
        if let Some(said) = ClientEffect::of(&effect) {
            let at = Timestamp::from_ns(record.head.timestamp_ns);
            self.streams.recall(&said, record.raw(), at);
        }
        if let Effect::Approved(order) = effect {
            let raw = venue_raw(order.get(), record.raw());
            self.venue.recall_order(order, raw);
        }
    }
}
