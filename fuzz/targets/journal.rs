//! A journal's folder: whatever stands in it, recovery says what it is and never panics; of a journal that was damaged
//! no record reads that was not written; a damaged snapshot gives no byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_domain::{Command, Record, Seq, Timestamp, UNIT_BYTES};
use portcullis_journal::{
    Append, Entry, Identity, InlineSource, JournalReader, JournalStart, JournalWriter, MemoryDisk,
    Mode, Opening, RecoverOptions, SegmentName, SnapshotReader, SnapshotWriter, Storage, Term,
    WriterOptions, newest_snapshot, recover,
};
use std::io::{Read, Write};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const JOURNAL: u64 = 77;
const SEGMENT_BYTES: u64 = 1_024;
const NOW: Timestamp = Timestamp::from_ns(9);

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else {
        return;
    };
    match choice % 4 {
        0 => anything(rest),
        1 => damaged(rest),
        2 => sealed(rest),
        _ => snapshot(rest),
    }
});

fn opening() -> Opening {
    Opening {
        identity: Identity {
            journal: JOURNAL,
            prelude: 1,
            rules: 2,
            build: "fuzz".to_owned(),
        },
        term: Term::new(1),
        limits: 3,
        now: NOW,
    }
}

fn record(seq: u64) -> Record {
    let mut head = Command::Tick.encode();
    head.seq = seq;
    head.word = u64::MAX - seq;
    let raw = vec![seq as u8; (seq * 64 % 256) as usize];
    Record::new(head, &raw).expect("fits")
}

/// A journal of frames of so many records; where each frame is synced, and how many records there are.
fn write(disk: &MemoryDisk, frames: &[u8]) -> u64 {
    let source = Box::new(InlineSource::new(disk.clone(), SEGMENT_BYTES));
    let lock = disk.lock().expect("nobody else writes");
    let options = WriterOptions {
        frame_bytes_max: 896,
        reserve_bytes: 0,
    };
    let start = JournalStart::first(JOURNAL);
    let mut writer = JournalWriter::create(disk.clone(), lock, source, options, opening(), start)
        .expect("memory");
    for frame in frames {
        for _ in 0..=frame % 4 {
            let record = record(writer.next_seq());
            while writer.append(record.head, record.raw()) == Append::Full {
                writer.write(NOW).expect("memory");
            }
        }
        if frame & 4 != 0 {
            let last = writer.next_seq() - 1;
            writer.note_digest(Seq::new(last), last ^ 0xD1);
        }
        writer.write(NOW).expect("memory");
        if frame & 8 != 0 {
            writer.sync().expect("memory");
        }
    }
    writer.written().raw()
}

/// Recovers and reads what there is; how far it goes. Each record is given to `check`.
fn look(disk: &MemoryDisk, accept_unsynced_loss: bool, check: impl Fn(&Record)) -> Option<u64> {
    let options = RecoverOptions {
        accept_unsynced_loss,
        ..RecoverOptions::default()
    };
    let found = match recover(disk, &options) {
        Ok(found) => found?,
        Err(error) => {
            assert!(error.to_string().starts_with("memory"), "{error}");
            return None;
        }
    };
    let mode = if accept_unsynced_loss {
        Mode::Accepting
    } else {
        Mode::Whole
    };
    let begins = found
        .snapshot
        .map_or(found.first_seq, |(_, header)| header.seq + 1);
    for mode in [mode, Mode::Follow] {
        let mut reader =
            JournalReader::open(disk.clone(), Seq::new(begins), mode).expect("it recovered");
        let mut next = begins;
        while let Ok(Some(entry)) = reader.next() {
            match entry {
                Entry::Record(found) => {
                    assert_eq!(found.head.seq, next);
                    check(&found.to_record());
                    next += 1;
                }
                Entry::Digest { seq, .. } => assert_eq!(seq.raw() + 1, next),
            }
        }
        if mode != Mode::Follow {
            assert_eq!(next, found.next_seq, "it reads as far as it recovered");
        }
    }
    Some(found.next_seq - 1)
}

/// Bytes as the files of a folder.
fn anything(bytes: &[u8]) {
    let disk = MemoryDisk::new();
    let mut rest = bytes;
    let mut count = 0;
    while let [name, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (contents, after) = after.split_at(length);
        match name % 4 {
            0 => disk.put("snapshot.0", contents),
            1 => disk.put("snapshot.1", contents),
            _ => disk.put(
                &SegmentName::new(u64::from(name / 4) + 1).to_string(),
                contents,
            ),
        }
        rest = after;
        count += 1;
        if count == 8 {
            break;
        }
    }
    look(&disk, false, |_| {});
    look(&disk, true, |_| {});
}

/// A journal that was written, and then had its bytes changed, its files cut or taken away.
fn damaged(bytes: &[u8]) {
    let (frames, mut rest) = bytes.split_at(bytes.len().min(12));
    let disk = MemoryDisk::new();
    let last = write(&disk, frames);
    let listed = disk.list().expect("memory");
    let names: Vec<String> = listed.into_iter().map(|file| file.name).collect();
    while let [what, file, high, low, after @ ..] = rest {
        rest = after;
        let name = &names[usize::from(*file) % names.len()];
        let mut contents = disk.contents(name).unwrap_or_default();
        let at = usize::from(u16::from_be_bytes([*high, *low])) % (contents.len() + 1);
        match what % 16 {
            0 => contents.truncate(at),
            1 => {
                let _ = disk.remove(name);
                continue;
            }
            bit => {
                if let Some(byte) = contents.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
        }
        disk.put(name, &contents);
    }
    for accept in [false, true] {
        let found = look(&disk, accept, |found| {
            assert_eq!(*found, record(found.head.seq))
        });
        assert!(
            found.is_none_or(|found| found <= last),
            "more than was written"
        );
    }
}

/// Bytes as the records of a frame whose header and checksum are right, behind one that was written: past the checksum,
/// which a fuzzer does not guess. It is built as the document says, by code of its own.
fn sealed(bytes: &[u8]) {
    let Some(([count, units], records)) = bytes.split_first_chunk() else {
        return;
    };
    let disk = MemoryDisk::new();
    assert_eq!(write(&disk, &[0]), 1);
    let name = SegmentName::new(1).to_string();
    let mut contents = disk.contents(&name).expect("it was written");
    let second = 128 + UNIT_BYTES * (1 + usize::from(contents[128 + 20]));
    let units = usize::from(*units % 8) + 1;
    let mut frame = vec![0; UNIT_BYTES * (1 + units)];
    frame[..6].copy_from_slice(b"PCFR\x01\x00");
    frame[8] = 2;
    frame[16] = count % 8;
    frame[20] = units as u8;
    frame[32] = 1;
    let chain: [u8; 8] = contents[128 + 56..128 + 64]
        .try_into()
        .expect("eight bytes");
    frame[48..56].copy_from_slice(&chain);
    let room = &mut frame[UNIT_BYTES..];
    let length = room.len().min(records.len());
    room[..length].copy_from_slice(&records[..length]);
    let seed = xxh3_64_with_seed(&frame[..56], JOURNAL);
    let chain = xxh3_64_with_seed(&frame[UNIT_BYTES..], seed);
    frame[56..UNIT_BYTES].copy_from_slice(&chain.to_le_bytes());
    if second + frame.len() > contents.len() {
        return;
    }
    contents[second..second + frame.len()].copy_from_slice(&frame);
    disk.put(&name, &contents);
    let found = look(&disk, false, |_| {}).expect("the first frame stands");
    assert!(found == 1 || found == 1 + u64::from(count % 8));
}

/// A snapshot that was written, and damaged: it is refused, or reads as it was.
fn snapshot(bytes: &[u8]) {
    let disk = MemoryDisk::new();
    write(&disk, &[0, 4]);
    let found = recover(&disk, &RecoverOptions::default())
        .expect("whole")
        .expect("there");
    let header = portcullis_journal::SnapshotHeader {
        seq: found.next_seq - 1,
        chain: found.chain,
        term: found.term,
        core_digest: 4,
        limits: 3,
        prelude: 1,
        made_ns: 5,
        journal: JOURNAL,
        rules: 2,
    };
    let (damage, section) = bytes.split_at(bytes.len().min(6));
    let mut writer = SnapshotWriter::begin(disk.clone(), header).expect("memory");
    for id in [1, 2] {
        writer.begin_section(id).expect("memory");
        writer.write_all(section).expect("memory");
    }
    writer.finish().expect("memory");
    let mut contents = disk.contents("snapshot.0").expect("it was written");
    for change in damage.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[1], change[2]])) % contents.len();
        contents[at] ^= change[0];
    }
    disk.put("snapshot.0", &contents);
    let found = newest_snapshot(&disk).expect("memory");
    assert_eq!(found.whole.len() + found.faults.len(), 1);
    if let Some((slot, _)) = found.newest() {
        let reader = SnapshotReader::open(&disk, slot).expect("it was whole");
        assert_eq!(*reader.header(), header);
        for id in [1, 2] {
            let mut read = Vec::new();
            reader
                .section(id)
                .expect("it has it")
                .read_to_end(&mut read)
                .expect("whole");
            assert_eq!(read, section);
        }
    }
    look(&disk, false, |_| {});
}
