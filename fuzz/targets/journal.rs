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
    match choice % 5 {
        0 => folder(rest, |_, contents| contents),
        1 => damaged(rest),
        2 => sealed(rest),
        3 => snapshot(rest),
        _ => folder(rest, with_checksums),
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

/// Bytes as the files of a folder, each as `made` makes it from its first record, or 0 for a snapshot.
fn folder(bytes: &[u8], made: impl Fn(u64, Vec<u8>) -> Vec<u8>) {
    let disk = MemoryDisk::new();
    let mut rest = bytes;
    let mut count = 0;
    while let [name, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (contents, after) = after.split_at(length);
        let seq = u64::from(name / 4) + 1;
        match name % 4 {
            0 => disk.put("snapshot.0", &made(0, contents.to_vec())),
            1 => disk.put("snapshot.1", &made(0, contents.to_vec())),
            _ => disk.put(
                &SegmentName::new(seq).to_string(),
                &made(seq, contents.to_vec()),
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

/// A file with what a fuzzer does not guess: magics, and checksums that are right. All else is as it came, but for
/// numbers that are made small so that files meet one another. It is built as the document says, by code of its own.
fn with_checksums(seq_first: u64, mut contents: Vec<u8>) -> Vec<u8> {
    if seq_first == 0 {
        seal_snapshot(&mut contents);
    } else {
        seal_segment(seq_first, &mut contents);
    }
    contents
}

fn put(bytes: &mut [u8], at: usize, word: u64) {
    bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// Leaves a word its first byte alone, so that it is met again in another file; all of it where that byte is 255.
fn small(bytes: &mut [u8], at: usize) {
    let byte = bytes[at];
    if byte != u8::MAX {
        put(bytes, at, u64::from(byte));
    }
}

fn seal_snapshot(contents: &mut Vec<u8>) {
    contents.resize(contents.len().max(SNAPSHOT_HEADER_BYTES), 0);
    contents[..8].copy_from_slice(b"PCULSNP1");
    contents[8..12].copy_from_slice(&1_u32.to_le_bytes());
    for at in [16, 24, 32, 56, 72] {
        small(contents, at);
    }
    if contents[80] == 0 {
        // A snapshot without sections ends with its header.
        contents.truncate(SNAPSHOT_HEADER_BYTES);
        put(contents, 80, 0);
    }
    let length = contents.len() as u64;
    put(contents, 88, length);
    let at = SNAPSHOT_HEADER_BYTES - 8;
    let checksum = xxh3_64_with_seed(&contents[..at], 0);
    put(contents, at, checksum);
}

const SNAPSHOT_HEADER_BYTES: usize = 4_096;

fn seal_segment(seq_first: u64, contents: &mut Vec<u8>) {
    contents.resize(contents.len().max(2 * UNIT_BYTES), 0);
    contents[..8].copy_from_slice(b"PCULSEG1");
    contents[8..12].copy_from_slice(&1_u32.to_le_bytes());
    put(contents, 16, seq_first);
    for at in [24, 32, 40, 64] {
        small(contents, at);
    }
    let checksum = xxh3_64_with_seed(&contents[..120], 0);
    put(contents, 120, checksum);
    let (journal, mut chain) = (word(contents, 64), word(contents, 24));
    let (mut next, mut at) = (seq_first, 2 * UNIT_BYTES);
    while let Some(frame) = contents
        .get_mut(at..)
        .filter(|rest| rest.len() > UNIT_BYTES)
    {
        let how = frame[0];
        let units = 1 + usize::from(frame[20] % 4);
        let Some(frame) = frame.get_mut(..UNIT_BYTES * (1 + units)) else {
            break;
        };
        at += frame.len();
        if how == 0 {
            continue;
        }
        (next, chain) = seal_frame(frame, how, (next, chain), journal);
    }
}

/// A frame: what goes on from the one before it, and whether its records are those that it counts, is `how`'s to say;
/// the number and the chain behind it.
fn seal_frame(frame: &mut [u8], how: u8, (next, chain): (u64, u64), journal: u64) -> (u64, u64) {
    let units = frame.len() / UNIT_BYTES - 1;
    frame[..6].copy_from_slice(b"PCFR\x01\x00");
    frame[20..24].copy_from_slice(&(units as u32).to_le_bytes());
    if how & 1 == 0 {
        put(frame, 8, next);
    }
    if how & 2 == 0 {
        frame[16..20].copy_from_slice(&(units as u32).to_le_bytes());
        let records = frame[UNIT_BYTES..].chunks_exact_mut(UNIT_BYTES);
        for (index, record) in records.enumerate() {
            put(record, 0, next.wrapping_add(index as u64));
            record[20..22].fill(0);
        }
    }
    small(frame, 32);
    if how & 4 == 0 {
        put(frame, 48, chain);
    }
    let seed = xxh3_64_with_seed(&frame[..56], journal);
    let chain = xxh3_64_with_seed(&frame[UNIT_BYTES..], seed);
    put(frame, 56, chain);
    let count = word(frame, 16) & u64::from(u32::MAX);
    (word(frame, 8).saturating_add(count), chain)
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
