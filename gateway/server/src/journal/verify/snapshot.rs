//! A snapshot, held against the segments and against the replay.
//!
//! Invariant: what fits here, a start takes; see [`portcullis_journal::recover`].

use crate::journal::folder::Folder;
use crate::replay::follower::CoreFollower;
use portcullis_domain::Digest;
use portcullis_journal::{Chain, Disk, JournalReader, SnapshotHeader, SnapshotReader};
use portcullis_risk_core::RiskCore;

/// A snapshot, and how far it is known to be one of this journal.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) slot: &'static str,
    pub(super) header: SnapshotHeader,
    /// The journal's chain behind its record, if that is the last of a frame.
    chain: Option<Chain>,
    /// What was compared with the replay.
    pub(super) compared: &'static str,
}

/// What the segments come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segments {
    /// The journal's number.
    pub(super) journal: u64,
    pub(super) first_seq: u64,
    /// The last record that was read.
    pub(super) last_seq: u64,
    /// Whether that is the journal's last, and not the last before a fault.
    pub(super) to_the_end: bool,
}

impl Snapshot {
    /// Opens it, all its blocks checked.
    ///
    /// # Errors
    /// In words, what of it is damaged.
    pub(super) fn open(folder: &Folder, slot: &'static str) -> Result<Self, String> {
        let reader = SnapshotReader::open(&folder.disk, slot).map_err(|error| error.to_string())?;
        Ok(Self {
            slot,
            header: *reader.header(),
            chain: None,
            compared: "not reached",
        })
    }

    /// Notes the chain where the reader stands, if it stands behind the snapshot's record.
    pub(super) fn note_chain(&mut self, reader: &JournalReader<Disk>) {
        if self.header.seq.checked_add(1) == Some(reader.next_seq()) {
            self.chain = Some(reader.chain());
        }
    }

    /// Whether the journal goes on from it without a gap.
    pub(super) const fn reaches(&self, segments: &Segments) -> bool {
        let seq = self.header.seq;
        seq <= segments.last_seq && seq >= segments.first_seq - 1
    }

    /// Whether it is of a record that the journal does not have: what a loss of power leaves of one that had them.
    pub(super) const fn is_ahead(&self, segments: &Segments) -> bool {
        segments.to_the_end && self.header.seq > segments.last_seq
    }

    /// What of it does not fit the segments.
    pub(super) fn wrong_with(&self, segments: &Segments) -> Option<String> {
        let SnapshotHeader { seq, journal, .. } = self.header;
        // What a start sets aside it does not look into; what a fault hides fits or not when that is mended.
        if seq > segments.last_seq {
            return None;
        }
        if journal != segments.journal {
            return Some(format!(
                "it is of journal {journal:016x}, and the segments of {:016x}",
                segments.journal
            ));
        }
        if !self.reaches(segments) || self.chain == Some(self.header.chain) {
            return None;
        }
        Some(match self.chain {
            Some(_) => format!(
                "its chain at record {seq} is not the journal's: it was made from another journal"
            ),
            None => format!(
                "it is at record {seq}, behind which no frame ends: it was made from another journal"
            ),
        })
    }

    /// Holds it against the replay's core, if that stands at its record; what differs.
    pub(super) fn compare(&mut self, folder: &Folder, follower: &CoreFollower) -> Vec<String> {
        let (slot, header, core) = (self.slot, &self.header, follower.core());
        if header.seq != core.seq().raw() {
            return Vec::new();
        }
        if follower.began == Some(header.seq) {
            self.compared = "the replay began from it";
            return Vec::new();
        }
        let saved = match folder.snapshot_core(slot, header.prelude) {
            Ok(saved) => saved,
            Err(error) => return vec![format!("{slot}: {error}")],
        };
        self.compared = "digest, limits, the hash of the whole state, words";
        let pairs = [
            ("digest", header.core_digest, core.digest()),
            ("limits", header.limits, core.limits_built_digest()),
            ("state", saved.state_hash(), core.state_hash()),
            ("words", digest_of_words(&saved), digest_of_words(core)),
        ];
        let differing = pairs.into_iter().filter(|(_, noted, found)| noted != found);
        differing
            .map(|(what, noted, found)| {
                format!(
                    "{slot}: at record {} it has {what} {noted:016x}, and the replay {found:016x}: it was made by \
                     another build, or is of another journal",
                    header.seq
                )
            })
            .collect()
    }
}

/// The digest of all that a snapshot keeps of a core.
fn digest_of_words(core: &RiskCore) -> u64 {
    let mut digest = Digest::new();
    core.save(&mut |word| digest.push(word));
    digest.value()
}
