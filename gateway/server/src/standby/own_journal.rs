//! The standby's own journal: the leader's frames, byte for byte, in a folder of its own.
//!
//! The following thread. Invariants: it begins where a leader said, and goes on frame by frame; a frame that the disk
//! does not take is tried until it does, or the standby is stopped, and nothing behind it is taken meanwhile.

use super::shared::Shared;
use crate::gateway::{RULES, Room, build, read_prelude};
use portcullis_control::config::{Config, DurabilityPolicy};
use portcullis_domain::Seq;
use portcullis_journal::replication::{FollowerPosition, SegmentNotice};
use portcullis_journal::{
    Append, Disk, FolderLock, Frame, Identity, JournalCopy, JournalStart, Opening, SnapshotHeader,
    Term, ThreadSource, WriterOptions,
};
use portcullis_pipeline::recovery::Prelude;
use portcullis_runtime::{Clock, SystemClock};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::sleep;
use std::time::Duration;

/// Between two tries of a write that failed.
const WRITE_AGAIN_AFTER: Duration = Duration::from_millis(2);

/// The journal, once it has begun.
pub(super) struct OwnJournal {
    pub(super) config: Arc<Config>,
    pub(super) disk: Disk,
    /// Held until there is a writer, which holds it then.
    pub(super) lock: Option<FolderLock>,
    pub(super) writer: Option<JournalCopy<Disk>>,
    pub(super) shared: Arc<Shared>,
    /// Told once there is a journal to apply.
    pub(super) begun: Sender<Prelude>,
}

/// Where a journal begins, and what wrote it.
struct Beginning {
    identity: Identity,
    term: Term,
    limits: u64,
    start: JournalStart,
}

impl OwnJournal {
    /// The leader's frames stand in this segment: begins the journal, if it has not begun.
    ///
    /// # Errors
    /// In words, why it cannot be followed.
    pub(super) fn on_segment(
        &mut self,
        notice: &SegmentNotice<'_>,
        at: &FollowerPosition,
    ) -> Result<(), String> {
        if notice.rules_version != RULES {
            return Err(format!(
                "the leader decides by rules {}, this program by rules {RULES}: run the same build on both",
                notice.rules_version
            ));
        }
        if self.writer.is_some() {
            return Ok(());
        }
        self.begin(Beginning {
            identity: Identity {
                journal: at.journal,
                prelude: notice.prelude,
                rules: RULES,
                build: build(),
            },
            term: Term::new(notice.term),
            limits: notice.limits,
            start: JournalStart {
                next_seq: at.last_seq + 1,
                chain: at.chain,
            },
        })
    }

    /// Begins the journal behind a snapshot.
    ///
    /// # Errors
    /// In words, why it cannot.
    pub(super) fn begin_behind(&mut self, header: &SnapshotHeader) -> Result<(), String> {
        self.begin(Beginning {
            identity: Identity {
                journal: header.journal,
                prelude: header.prelude,
                rules: RULES,
                build: build(),
            },
            term: header.term,
            limits: header.limits,
            start: JournalStart {
                next_seq: header.seq + 1,
                chain: header.chain,
            },
        })
    }

    fn begin(&mut self, beginning: Beginning) -> Result<(), String> {
        let Some(lock) = self.lock.take() else {
            return Err("the folder's lock is not held".to_owned());
        };
        let prelude = read_prelude(&self.disk, beginning.identity.prelude);
        let prelude = prelude.map_err(|error| error.to_string())?;
        let segment_bytes = self.config.profile.journal.segment_bytes;
        let place = self.disk.folder().display().to_string();
        let room = Room::look(&self.disk, segment_bytes);
        let words =
            |error: std::io::Error| format!("the journal {place}: {}", room.explain(&error));
        let source = ThreadSource::start(self.disk.clone(), segment_bytes).map_err(words)?;
        let opening = Opening {
            identity: beginning.identity,
            term: beginning.term,
            limits: beginning.limits,
            now: SystemClock.now(),
        };
        let writer = JournalCopy::create(
            self.disk.clone(),
            lock,
            Box::new(source),
            WriterOptions::for_segments_of(segment_bytes),
            opening,
            beginning.start,
        );
        self.writer = Some(writer.map_err(words)?);
        self.shared.written.raise(beginning.start.next_seq - 1);
        // Whoever applies it may be gone, because the standby stops.
        let _ = self.begun.send(prelude);
        Ok(())
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// In words, why it is none of this journal's.
    pub(super) fn append(&mut self, frame: &Frame<'_>) -> Result<(), String> {
        let Some(writer) = &mut self.writer else {
            return Err("the leader sent a frame before it said in which segment".to_owned());
        };
        let taken = writer.append_frame(frame.bytes());
        match taken {
            Ok(Append::Taken) => {}
            Ok(Append::Full) => return Err("a frame waits to be written".to_owned()),
            Err(fault) => return Err(format!("record {}: {fault}", frame.header.seq_first)),
        }
        let mut told = false;
        loop {
            match writer.write(SystemClock.now()) {
                Ok(_) => break,
                Err(error) => {
                    let waits = error.kind() == std::io::ErrorKind::WouldBlock;
                    if !waits && !told {
                        eprintln!("standby: its journal cannot be written: {error}");
                        told = true;
                    }
                    if self.shared.is_stopped() {
                        return Err(format!("its journal cannot be written: {error}"));
                    }
                    sleep(WRITE_AGAIN_AFTER);
                }
            }
        }
        if told {
            eprintln!("standby: its journal can be written again");
        }
        self.shared.written.raise(frame.header.seq_last());
        self.shared.frame_written_ns.raise(frame.header.written_ns);
        Ok(())
    }

    /// How far it is synced; where the config says `synced`, all that is written.
    ///
    /// # Errors
    /// In words, if a sync fails.
    pub(super) fn synced(&mut self) -> Result<Seq, String> {
        let wanted = self.config.profile.journal.durability() == DurabilityPolicy::Synced;
        let Some(writer) = &mut self.writer else {
            return Ok(Seq::ZERO);
        };
        if wanted && writer.synced() < writer.written() {
            let synced = writer.sync();
            return synced.map_err(|error| format!("its journal cannot be synced: {error}"));
        }
        Ok(writer.synced())
    }
}
