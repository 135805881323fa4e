//! What a standby begins with: nothing, the end of its journal, or a snapshot that it had taken when it stopped.
//!
//! The main thread, once, before the standby follows. Invariants: what it goes on from was recovered and checked; a term
//! that was heard of counts for the journal that it was heard of, whatever else is left of that.

use super::own_journal::OwnJournal;
use crate::gateway::{RULES, Room, build, read_prelude, say};
use portcullis_journal::replication::FollowerPosition;
use portcullis_journal::{
    Chain, Disk, Fault, Identity, JournalCopy, JournalError, Opening, RecoverOptions, Recovered,
    SnapshotHeader, Term, ThreadSource, WriterOptions, newest_snapshot, recover,
};
use portcullis_runtime::{Clock, SystemClock};

/// What stands in a standby's folder.
pub(super) enum Beginning {
    /// Nothing of a journal.
    Empty,
    /// A journal.
    Journal(Box<Recovered>),
    /// A snapshot alone: it stopped between that and the first frame behind it.
    Snapshot(SnapshotHeader),
}

impl Beginning {
    /// What stands there.
    ///
    /// # Errors
    /// Why it cannot be gone on from.
    pub(super) fn find(disk: &Disk, accept_unsynced_loss: bool) -> Result<Self, JournalError> {
        let how = RecoverOptions {
            accept_unsynced_loss,
            rules: Some(RULES),
        };
        let error = match recover(disk, &how) {
            Ok(None) => return Ok(Self::Empty),
            Ok(Some(recovered)) => {
                say(disk, &recovered);
                return Ok(Self::Journal(Box::new(recovered)));
            }
            Err(error) => error,
        };
        if !matches!(error.fault, Fault::NoSegments { .. }) {
            return Err(error);
        }
        // Were there segments behind it once, the leader has them.
        match newest_snapshot(disk)?.newest() {
            Some((_, header)) => Ok(Self::Snapshot(header)),
            None => Err(error),
        }
    }

    /// Where that is.
    pub(super) fn place(&self, heard: Option<(u64, Term)>) -> FollowerPosition {
        let (journal, log_term, last_seq, chain) = match self {
            Self::Empty => (
                heard.map_or(0, |(journal, _)| journal),
                Term::new(0),
                0,
                Chain::new(0),
            ),
            Self::Journal(recovered) => (
                recovered.identity.journal,
                recovered.term,
                recovered.next_seq - 1,
                recovered.chain,
            ),
            Self::Snapshot(header) => (header.journal, header.term, header.seq, header.chain),
        };
        let heard = heard.filter(|(of, _)| *of == journal);
        FollowerPosition {
            journal,
            term: heard.map_or(log_term, |(_, term)| term.max(log_term)),
            last_seq,
            chain,
            log_term,
            staged_snapshot: 0,
        }
    }

    /// Goes on from there.
    ///
    /// # Errors
    /// In words, why it cannot.
    pub(super) fn go_on(&self, own: &mut OwnJournal) -> Result<(), String> {
        match self {
            Self::Empty => Ok(()),
            Self::Journal(recovered) => resume(own, recovered),
            Self::Snapshot(header) => {
                eprintln!(
                    "standby: no segment stands here: goes on behind the snapshot of record {}",
                    header.seq
                );
                own.begin_behind(header)
            }
        }
    }
}

/// Goes on in a journal that is there.
fn resume(own: &mut OwnJournal, recovered: &Recovered) -> Result<(), String> {
    let Some(lock) = own.lock.take() else {
        return Err("the folder's lock is not held".to_owned());
    };
    let prelude = read_prelude(&own.disk, recovered.identity.prelude);
    let prelude = prelude.map_err(|error| error.to_string())?;
    let segment_bytes = own.config.profile.journal.segment_bytes;
    let room = Room::look(&own.disk, segment_bytes);
    let source = ThreadSource::start(own.disk.clone(), segment_bytes);
    let source = source.map_err(|error| error.to_string())?;
    let opening = Opening {
        identity: Identity {
            rules: RULES,
            build: build(),
            ..recovered.identity.clone()
        },
        term: recovered.term,
        limits: recovered.limits,
        now: SystemClock.now(),
    };
    let options = WriterOptions::for_segments_of(segment_bytes);
    let (disk, source) = (own.disk.clone(), Box::new(source));
    let writer = JournalCopy::resume(disk, lock, source, options, opening, recovered);
    own.writer = Some(writer.map_err(|error| room.explain_journal(&error))?);
    own.shared.written.raise(recovered.next_seq - 1);
    // The main thread holds the other end.
    let _ = own.begun.send(prelude);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(journal: u64) -> Beginning {
        Beginning::Snapshot(SnapshotHeader {
            seq: 40,
            chain: Chain::new(41),
            term: Term::new(3),
            core_digest: 0,
            limits: 0,
            prelude: 0,
            made_ns: 0,
            journal,
            rules: RULES,
        })
    }

    #[test]
    fn a_term_counts_for_the_journal_that_it_was_heard_of() {
        let heard = Some((7, Term::new(9)));
        let empty = Beginning::Empty.place(heard);
        assert_eq!((empty.journal, empty.term), (7, Term::new(9)));
        assert_eq!((empty.last_seq, empty.log_term), (0, Term::new(0)));
        let nothing = Beginning::Empty.place(None);
        assert_eq!((nothing.journal, nothing.term), (0, Term::new(0)));
        let same = snapshot(7).place(heard);
        assert_eq!((same.journal, same.term), (7, Term::new(9)));
        assert_eq!((same.last_seq, same.log_term), (40, Term::new(3)));
        let other = snapshot(8).place(heard);
        assert_eq!((other.journal, other.term), (8, Term::new(3)));
    }
}
