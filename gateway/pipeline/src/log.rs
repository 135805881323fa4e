//! The log agent: each sequenced record to disk.
//!
//! A thread of its own, never the one that decides: files block. Invariant: records are written in
//! the order they were applied; a write that fails stops the gateway, since what is not in the log
//! did not happen.

use portcullis_domain::Timestamp;
use portcullis_journal::LogWriter;
use portcullis_runtime::{Agent, RecordConsumer};
use std::io::Write;

/// Records written in one duty cycle.
const RECORD_BUDGET: usize = 1_024;

/// The agent.
#[derive(Debug)]
pub struct Log<W> {
    writer: LogWriter<W>,
    records: RecordConsumer,
    dirty: bool,
}

impl<W: Write> Log<W> {
    /// The agent.
    #[must_use]
    pub const fn new(writer: LogWriter<W>, records: RecordConsumer) -> Self {
        Self {
            writer,
            records,
            dirty: false,
        }
    }
}

impl<W: Write> Agent for Log<W> {
    fn name(&self) -> &'static str {
        "log"
    }

    /// # Panics
    /// If the log cannot be written: going on would be trading that nobody can replay.
    fn do_work(&mut self, _now: Timestamp) -> usize {
        for written in 0..RECORD_BUDGET {
            let Some(record) = self.records.pop() else {
                if self.dirty {
                    self.writer.flush().expect("the log takes its records");
                    self.dirty = false;
                }
                return written;
            };
            self.writer
                .append(&record)
                .expect("the log takes its records");
            self.dirty = true;
        }
        RECORD_BUDGET
    }

    fn is_drained(&self) -> bool {
        self.records.is_empty() && !self.dirty
    }
}
