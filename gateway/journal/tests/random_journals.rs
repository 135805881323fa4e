//! Journals of random frames, segments, records and restarts, cut at random places.

mod book;

use book::{NOW, digest, opening, random, record, recovered};
use portcullis_domain::Seq;
use portcullis_journal::{
    Append, Entry, InlineSource, JournalReader, JournalStart, JournalWriter, MemoryDisk, Mode,
    SEGMENT_BYTES_MIN, SegmentName, Storage, WriterOptions,
};

/// The shortest frame that has room for each record, and the longest that is tried.
const FRAME_BYTES: std::ops::Range<u64> = 320..9_000;

fn writer(disk: &MemoryDisk, random: &mut dyn FnMut() -> u64) -> JournalWriter<MemoryDisk> {
    let frame_bytes = FRAME_BYTES.start + random() % (FRAME_BYTES.end - FRAME_BYTES.start);
    let segment_bytes = SEGMENT_BYTES_MIN + 320 + random() % 20_000;
    let source = Box::new(InlineSource::new(disk.clone(), segment_bytes));
    let options = WriterOptions {
        frame_bytes_max: frame_bytes as usize,
        reserve_bytes: random() % 4_000,
    };
    let lock = disk.lock().expect("nobody else writes");
    let begun = disk
        .list()
        .expect("memory")
        .iter()
        .any(|file| SegmentName::parse(&file.name).is_some());
    if begun {
        let found = recovered(disk);
        let opening = opening(found.term.raw() + random() % 2);
        JournalWriter::resume(disk.clone(), lock, source, options, opening, &found)
            .expect("goes on")
    } else {
        let start = JournalStart::first(opening(1).identity.journal);
        JournalWriter::create(disk.clone(), lock, source, options, opening(1), start)
            .expect("begins")
    }
}

/// Writes for a while; what was noted of which record.
fn write(writer: &mut JournalWriter<MemoryDisk>, random: &mut dyn FnMut() -> u64) -> Vec<u64> {
    let mut noted = Vec::new();
    for _ in 0..random() % 60 {
        let record = record(writer.next_seq());
        while writer.append(record.head, record.raw()) == Append::Full {
            writer.write(NOW).expect("memory");
        }
        match random() % 8 {
            0 => {
                writer.write(NOW).expect("memory");
            }
            1 => {
                let seq = writer.next_seq() - 1;
                writer.note_digest(Seq::new(seq), digest(seq));
                noted.push(seq);
            }
            2 => {
                writer.sync().expect("memory");
            }
            _ => {}
        }
    }
    writer.write(NOW).expect("memory");
    noted
}

/// What reads from a record on is each record once, in order, and each note behind its own.
fn check(disk: &MemoryDisk, from: u64, last: u64, noted: &[u64]) {
    let mut reader = JournalReader::open(disk.clone(), Seq::new(from), Mode::Whole).expect("there");
    let mut next = from;
    let mut notes = Vec::new();
    while let Some(entry) = reader.next().expect("whole") {
        match entry {
            Entry::Record(found) => {
                assert_eq!(found.to_record(), record(next));
                next += 1;
            }
            Entry::Digest { seq, digest: found } => {
                assert_eq!((seq.raw() + 1, found), (next, digest(seq.raw())));
                notes.push(seq.raw());
            }
        }
    }
    assert_eq!(next, last + 1);
    let wanted = noted
        .iter()
        .copied()
        .filter(|seq| (from..=last).contains(seq));
    assert!(wanted.eq(notes));
}

/// Cuts the end of the last segment off, frames and all.
fn cut(disk: &MemoryDisk, random: &mut dyn FnMut() -> u64) {
    let listed = disk.list().expect("memory");
    let last = listed
        .iter()
        .rev()
        .find(|file| SegmentName::parse(&file.name).is_some());
    let name = &last.expect("a segment").name;
    let mut bytes = disk.contents(name).expect("there");
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    // Its header stays: it was synced before the segment had its name.
    let at = 128 + (random() % (end as u64 - 127)) as usize;
    bytes[at..].fill(0);
    disk.put(name, &bytes);
}

#[test]
fn random_journals_read_back_and_are_cut_only_at_the_end() {
    for seed in 0..150 {
        let mut random = random(seed);
        let disk = MemoryDisk::new();
        let mut noted = Vec::new();
        for _ in 0..1 + random() % 5 {
            let mut writer = writer(&disk, &mut random);
            noted.extend(write(&mut writer, &mut random));
            let last = writer.written().raw();
            drop(writer);
            assert_eq!(recovered(&disk).next_seq, last + 1);
            let from = 1 + random() % (last + 1);
            check(&disk, from, last, &noted);
            if random().is_multiple_of(3) {
                cut(&disk, &mut random);
                let left = recovered(&disk).next_seq - 1;
                assert!(left <= last);
                noted.retain(|seq| *seq <= left);
                check(&disk, 1, left, &noted);
            }
        }
    }
}
