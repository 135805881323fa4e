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

/// The chain behind a record, if a frame ends there. The number is a stranger's word: it may be any.
fn chain_at(disk: &Disk, seq: u64) -> Result<Option<Chain>, JournalError> {
    let Some(next_seq) = seq.checked_add(1) else {
        return Ok(None);
    };
    let next = JournalReader::open(disk.clone(), Seq::new(next_seq), Mode::Follow)?;
    if next.segment().seq_first == next_seq {
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

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{Command, Duration, Timestamp};
    use portcullis_journal::replication::{
        Leader, LeaderConfig, Message, ProcessNumber, VERSION, encode,
    };
    use portcullis_journal::{
        Append, Identity, InlineSource, JournalStart, JournalWriter, Opening, Term, WriterOptions,
    };

    const JOURNAL: u64 = 7;
    const NOW: Timestamp = Timestamp::from_ns(1);

    /// A folder with a journal of three records, removed when it is dropped.
    struct Kept(Disk);

    impl Drop for Kept {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(self.0.folder());
        }
    }

    fn three_records() -> Kept {
        let name = format!("portcullis-lookup-{}", std::process::id());
        let disk = Disk::open(&std::env::temp_dir().join(name)).expect("a folder");
        let segment_bytes = 1 << 20;
        let mut writer = JournalWriter::create(
            disk.clone(),
            disk.lock().expect("nobody holds it"),
            Box::new(InlineSource::new(disk.clone(), segment_bytes)),
            WriterOptions::for_segments_of(segment_bytes),
            Opening {
                identity: Identity {
                    journal: JOURNAL,
                    prelude: 0,
                    rules: 0,
                    build: String::new(),
                },
                term: Term::new(1),
                limits: 0,
                now: NOW,
            },
            JournalStart::first(JOURNAL),
        )
        .expect("a journal");
        for seq in 1..=3 {
            let mut head = Command::Tick.encode();
            head.seq = seq;
            assert_eq!(writer.append(head, &[]), Append::Taken);
            writer.write(NOW).expect("writes");
        }
        Kept(disk)
    }

    /// A hello comes from outside: whatever numbers it has, it is looked up and answered.
    #[test]
    fn no_number_of_a_hello_is_too_large_to_be_looked_up() {
        let kept = three_records();
        let edges = [0, 1, 3, 4, u64::MAX - 1, u64::MAX];
        for number in edges {
            for other in edges {
                let hello = Hello {
                    version: VERSION,
                    process: ProcessNumber::new(2),
                    promoted: false,
                    takes_snapshot: true,
                    journal: JOURNAL,
                    term: 1,
                    last_seq: number,
                    chain: other,
                    staged_snapshot: other,
                    window_bytes: other,
                    silence_max: Duration::from_ns(other),
                };
                let (at, _) = position(&kept.0, &hello, Seq::new(3)).expect("a journal");
                assert_eq!((at.first_seq, at.last_seq), (1, 3));
                assert_eq!(at.chain_at.is_some(), number <= 3, "record {number}");
                let config = LeaderConfig {
                    process: ProcessNumber::new(1),
                    journal: JOURNAL,
                    term: Term::new(1),
                    heartbeat_every: Duration::from_ns(1),
                    silence_max: Duration::from_ns(1),
                    window_bytes: 1,
                };
                let mut leader = Leader::new(config, NOW);
                let mut bytes = Vec::new();
                encode(&Message::Hello(hello), &mut bytes);
                leader.step(&bytes, NOW);
                leader.answer(&at);
                assert!(!leader.output().is_empty(), "it is answered");
            }
        }
    }
}
