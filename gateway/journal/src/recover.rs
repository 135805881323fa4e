//! What stands in a folder after a stop.
//!
//! The thread that starts the gateway, holding the folder's lock. [`recover`] reads only: what has to change is changed
//! by [`crate::JournalWriter::resume`], and before it by [`Recovered::set_snapshots_aside`]. Invariants: what it reports was read and checked, from the segment that holds the
//! older good snapshot on, or from the first; a folder that cannot be gone on from is refused, with the place.

use crate::error::{Fault, JournalError};
use crate::frame::{Chain, Term};
use crate::reader::{Cut, JournalReader, Mode, open_segment, segments};
use crate::segment::{Identity, SegmentName};
use crate::snapshot::{SnapshotHeader, newest_snapshot};
use crate::storage::Storage;
use portcullis_domain::Seq;
use std::io;

/// What a journal is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecoverOptions {
    /// The rules of now; other ones are remarked on.
    pub rules: Option<u32>,
    /// Frames that no sync covered may be given up where one among them is bad, as after a power failure.
    pub accept_unsynced_loss: bool,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The first record there is; `next_seq` where there is none.
    pub first_seq: u64,
    /// The number that the next record gets.
    pub next_seq: u64,
    /// The chain behind the last record.
    pub chain: Chain,
    /// The last term.
    pub term: Term,
    /// Which journal it is.
    pub identity: Identity,
    /// Digest of the limits in force when the last segment was begun.
    pub limits: u64,
    /// The last record with a digest note, and its digest.
    pub digest: Option<(Seq, u64)>,
    /// Segments.
    pub segments: usize,
    /// Why it ends where it does, if not because nothing more was written.
    pub cut: Option<Cut>,
    /// The slot and header of the newest whole snapshot that fits.
    pub snapshot: Option<(&'static str, SnapshotHeader)>,
    /// What a person should hear of: damaged snapshots, other rules.
    pub remarks: Vec<String>,
    /// Files that are of no more use, to be set aside before anything is written.
    pub(crate) given_up: Vec<String>,
}

impl Recovered {
    /// Sets aside the snapshots that are ahead of the journal, so that whoever looks for the newest one finds one that
    /// fits.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn set_snapshots_aside<S: Storage>(&mut self, storage: &S) -> Result<(), JournalError> {
        let io = |error| JournalError::of_folder(storage.place(), Fault::Io(error));
        while let Some(at) = self
            .given_up
            .iter()
            .position(|name| SegmentName::parse(name).is_none())
        {
            set_aside(storage, &self.given_up[at]).map_err(io)?;
            self.given_up.swap_remove(at);
        }
        Ok(())
    }

    /// The last record there is, if any.
    #[must_use]
    pub const fn last_seq(&self) -> Option<Seq> {
        if self.next_seq == self.first_seq {
            return None;
        }
        Some(Seq::new(self.next_seq - 1))
    }
}

/// Renames a file that was given up, to a name that no file given up before has.
pub(crate) fn set_aside<S: Storage>(storage: &S, name: &str) -> io::Result<()> {
    let listed = storage.list()?;
    let mut aside = format!("{name}.lost");
    let mut number = 1_u64;
    while listed.iter().any(|file| file.name == aside) {
        number += 1;
        aside = format!("{name}.{number}.lost");
    }
    storage.rename(name, &aside)
}

/// Reads a folder; `None` if it holds no journal.
///
/// # Errors
/// Why it cannot be gone on from, and where to look.
pub fn recover<S: Storage>(
    storage: &S,
    options: &RecoverOptions,
) -> Result<Option<Recovered>, JournalError> {
    let fault = |fault| JournalError::of_folder(storage.place(), fault);
    let names = segments(storage)?;
    let snapshots = newest_snapshot(storage)?;
    let Some(first) = names.first() else {
        return match snapshots.newest() {
            Some((_, header)) => Err(fault(Fault::NoSegments {
                snapshot: header.seq,
            })),
            None => Ok(None),
        };
    };
    let walk = Walk::through(storage, options, &names, &snapshots.whole)?;
    let mut remarks: Vec<String> = snapshots
        .faults
        .iter()
        .map(JournalError::to_string)
        .collect();
    let mut given_up = Vec::new();
    let mut fitting = None;
    for (found, chain) in snapshots.whole.iter().zip(&walk.chains) {
        let (slot, header) = found;
        if header.seq >= walk.reader.next_seq() {
            remarks.push(format!(
                "{}/{slot}: the snapshot at record {} is ahead of the journal, which ends with {}: it is set aside",
                storage.place(),
                header.seq,
                walk.reader.next_seq() - 1
            ));
            given_up.push((*slot).to_owned());
            continue;
        }
        let reaches = header.seq + 1 >= first.seq_first();
        if reaches && *chain != Some(header.chain) || header.journal != walk.identity.journal {
            let wrong = Fault::SnapshotChain {
                snapshot: header.seq,
            };
            return Err(JournalError::of_file(storage.place(), slot, 0, wrong));
        }
        if fitting.is_none() {
            fitting = Some(*found);
        }
    }
    let reach = fitting.map(|(_, header)| header.seq);
    if first.seq_first() > reach.unwrap_or(0) + 1 {
        let first = first.seq_first();
        return Err(fault(Fault::Begins {
            first,
            snapshot: reach,
        }));
    }
    let recovered = walk.into_recovered(*first, names.len(), fitting, remarks, given_up);
    Ok(Some(remark_on_rules(storage, options, recovered)))
}

/// A reading of all that matters.
struct Walk<S: Storage> {
    reader: JournalReader<S>,
    identity: Identity,
    digest: Option<(Seq, u64)>,
    /// Ends of frames whose chain a snapshot names.
    wanted: Vec<u64>,
    chains: Vec<Option<Chain>>,
}

impl<S: Storage> Walk<S> {
    /// From the older snapshot on. Where the journal ends before that, nothing is begun from it: then from the first
    /// record.
    fn through(
        storage: &S,
        options: &RecoverOptions,
        names: &[SegmentName],
        snapshots: &[(&'static str, SnapshotHeader)],
    ) -> Result<Self, JournalError> {
        let first = names[0].seq_first();
        let oldest = snapshots.iter().map(|(_, header)| header.seq).min();
        let from = oldest.unwrap_or(first).max(first);
        let mut walk = Self::begin(storage, options, names, snapshots, from)?;
        walk.run()?;
        if walk.reader.next_seq() > from || from == first {
            return Ok(walk);
        }
        let mut walk = Self::begin(storage, options, names, snapshots, first)?;
        walk.run()?;
        Ok(walk)
    }

    fn begin(
        storage: &S,
        options: &RecoverOptions,
        names: &[SegmentName],
        snapshots: &[(&'static str, SnapshotHeader)],
        from: u64,
    ) -> Result<Self, JournalError> {
        let mode = if options.accept_unsynced_loss {
            Mode::Accepting
        } else {
            Mode::Whole
        };
        let reader = JournalReader::open(storage.clone(), Seq::new(from), mode)?;
        let begins = reader.segment().seq_first;
        // Segments before it are not read, but they are held to be segments.
        for name in names.iter().take_while(|name| name.seq_first() < begins) {
            open_segment(storage, *name)?;
        }
        let mut walk = Self {
            identity: reader.segment().identity.clone(),
            reader,
            digest: None,
            wanted: snapshots.iter().map(|(_, header)| header.seq).collect(),
            chains: vec![None; snapshots.len()],
        };
        walk.note_chain();
        Ok(walk)
    }

    fn note_chain(&mut self) {
        let position = *self.reader.position();
        for (wanted, chain) in self.wanted.iter().zip(&mut self.chains) {
            if wanted.checked_add(1) == Some(position.next_seq) {
                *chain = Some(position.chain);
            }
        }
    }

    fn run(&mut self) -> Result<(), JournalError> {
        while let Some(frame) = self.reader.next_frame()? {
            let header = frame.header;
            if let Some(digest) = header.digest() {
                self.digest = Some((Seq::new(header.seq_last()), digest));
            }
            self.note_chain();
        }
        Ok(())
    }

    fn into_recovered(
        self,
        first: SegmentName,
        segments: usize,
        snapshot: Option<(&'static str, SnapshotHeader)>,
        remarks: Vec<String>,
        mut given_up: Vec<String>,
    ) -> Recovered {
        let cut = self.reader.cut().cloned();
        let position = *self.reader.position();
        given_up.extend(cut.iter().flat_map(|cut| cut.segments_lost.iter().cloned()));
        Recovered {
            first_seq: first.seq_first(),
            next_seq: position.next_seq,
            chain: position.chain,
            term: position.term,
            limits: self.reader.segment().limits,
            identity: self.reader.segment().identity.clone(),
            digest: self.digest,
            segments,
            cut,
            snapshot,
            remarks,
            given_up,
        }
    }
}

fn remark_on_rules<S: Storage>(
    storage: &S,
    options: &RecoverOptions,
    mut recovered: Recovered,
) -> Recovered {
    let found = &recovered.identity;
    if let Some(rules) = options.rules.filter(|rules| *rules != found.rules) {
        recovered.remarks.push(format!(
            "{}: the journal was written by {} under rules {}, this program has rules {rules}: a replay may decide otherwise",
            storage.place(),
            found.build,
            found.rules
        ));
    }
    recovered
}
