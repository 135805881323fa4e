//! Where a follower stands in the leader's journal.
//!
//! The leader's replication thread. Reads only. Invariant: a chain is one that a frame of this journal ends with.

use portcullis_domain::Seq;
use portcullis_journal::replication::{Hello, LogPosition, SnapshotAt};
use portcullis_journal::{
    Chain, Disk, DiskFile, JournalError, JournalReader, Mode, SegmentName, Storage, StorageFile,
    newest_snapshot,
};

/// A snapshot to give away: its file stays what it is, whatever takes its name.
pub(super) struct SnapshotFile {
    pub(super) file: DiskFile,
    pub(super) limits: u64,
}

/// What the journal has for a follower that said this.
///
/// # Errors
/// What the folder says.
pub(super) fn position(
    disk: &Disk,
    hello: &Hello,
    kept: Seq,
) -> Result<(LogPosition, Option<SnapshotFile>), JournalError> {
    let first_seq = first_record(disk)?;
    let too_old = hello.last_seq.saturating_add(1) < first_seq;
    let chain_at = if too_old {
        None
    } else {
        chain_at(disk, hello.last_seq)?
    };
    let helps = too_old || hello.last_seq == 0;
    let (snapshot, file) = if helps && hello.takes_snapshot {
        snapshot(disk, hello.staged_snapshot)?
    } else {
        (None, None)
    };
    // A frame that was found is there, also where the log's own thread has not said so yet.
    let found = chain_at.map_or(0, |_| hello.last_seq);
    let position = LogPosition {
        first_seq,
        last_seq: kept.raw().max(found),
        chain_at,
        snapshot,
    };
    Ok((position, file))
}

/// Number of the first record of the oldest segment.
fn first_record(disk: &Disk) -> Result<u64, JournalError> {
    let reader_at = |seq| JournalReader::open(disk.clone(), Seq::new(seq), Mode::Follow);
    let listed = disk.list().unwrap_or_default();
    let names = listed
        .iter()
        .filter_map(|file| SegmentName::parse(&file.name));
    match names.min() {
        Some(name) => Ok(name.seq_first()),
        // It says in words that there is none.
        None => Ok(reader_at(1)?.segment().seq_first),
    }
}

/// The chain behind a record, if a frame ends there.
fn chain_at(disk: &Disk, seq: u64) -> Result<Option<Chain>, JournalError> {
    let next = JournalReader::open(disk.clone(), Seq::new(seq + 1), Mode::Follow)?;
    if next.segment().seq_first == seq + 1 {
        return Ok(Some(next.segment().previous));
    }
    let mut reader = JournalReader::open(disk.clone(), Seq::new(seq), Mode::Follow)?;
    let Some(frame) = reader.next_frame()? else {
        return Ok(None);
    };
    let header = frame.header;
    Ok((header.seq_last() == seq).then_some(header.chain))
}

/// The snapshot of which the follower has a part, or the newest.
fn snapshot(
    disk: &Disk,
    staged: u64,
) -> Result<(Option<SnapshotAt>, Option<SnapshotFile>), JournalError> {
    let whole = newest_snapshot(disk)?.whole;
    let begun = whole.iter().find(|(_, header)| header.seq == staged);
    let Some((slot, header)) = begun.or(whole.first()) else {
        return Ok((None, None));
    };
    let opened = disk.open(slot).and_then(|file| Ok((file.bytes()?, file)));
    // Gone between two looks: the follower asks again.
    let Ok((bytes, file)) = opened else {
        return Ok((None, None));
    };
    let at = SnapshotAt {
        seq: header.seq,
        chain: header.chain,
        bytes,
    };
    let limits = header.limits;
    Ok((Some(at), Some(SnapshotFile { file, limits })))
}
