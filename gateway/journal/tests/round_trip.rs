//! What is written reads back: records, digest notes, frames, over segments and restarts.

mod book;

use book::{
    NOW, SEGMENT_BYTES, append, create, frame, journal, read_from, record, recovered, resume,
};
use portcullis_domain::Seq;
use portcullis_journal::{
    Append, Entry, FrameFault, JournalReader, MemoryDisk, Mode, SegmentName, Storage, Term,
};

fn segment_names(disk: &MemoryDisk) -> Vec<SegmentName> {
    let listed = disk.list().expect("memory");
    listed
        .iter()
        .filter_map(|file| SegmentName::parse(&file.name))
        .collect()
}

#[test]
fn records_and_digests_read_back_from_any_record_on() {
    let disk = journal(40);
    assert!(segment_names(&disk).len() > 5, "it has several segments");
    let last = recovered(&disk).next_seq - 1;
    assert_eq!(last, 100);
    for from in 1..=last + 1 {
        assert_eq!(read_from(&disk, from, Mode::Whole).expect("whole"), last);
        assert_eq!(read_from(&disk, from, Mode::Follow).expect("whole"), last);
    }
}

#[test]
fn a_journal_goes_on_where_it_was_left_in_a_segment_of_its_own() {
    let disk = journal(3);
    for term in 1..8 {
        disk.restart();
        let before = recovered(&disk);
        assert_eq!(before.cut, None);
        let mut writer = resume(&disk, &before, term).expect("goes on");
        assert_eq!(writer.segment(), SegmentName::new(before.next_seq));
        // Each second restart writes nothing: its segment is begun anew by the next one.
        if term % 2 == 0 {
            frame(&mut writer, 2).expect("memory");
        }
        drop(writer);
        let after = recovered(&disk);
        let added = if term % 2 == 0 { 2 } else { 0 };
        assert_eq!(after.next_seq, before.next_seq + added);
        assert_eq!(after.term, Term::new(term));
        assert_eq!(
            read_from(&disk, 1, Mode::Whole).expect("whole"),
            after.next_seq - 1
        );
    }
}

#[test]
fn a_follower_sees_each_frame_when_it_is_written() {
    let disk = MemoryDisk::new();
    let mut writer = create(&disk).expect("memory");
    let mut reader = JournalReader::open(disk, Seq::new(1), Mode::Follow).expect("it is there");
    let mut seen = 0;
    for round in 0..400 {
        assert_eq!(reader.next().expect("no damage"), None);
        for _ in 0..1 + round % 3 {
            append(&mut writer).expect("memory");
        }
        writer.write(NOW).expect("memory");
        while let Some(entry) = reader.next().expect("no damage") {
            let Entry::Record(found) = entry else {
                panic!("no digest was noted");
            };
            seen += 1;
            assert_eq!(found.to_record(), record(seen));
        }
        assert_eq!(seen, writer.written().raw());
    }
}

#[test]
fn frames_taken_over_make_the_same_bytes() {
    let disk = journal(30);
    let copy = MemoryDisk::new();
    let mut writer = book::create_copy(&copy).expect("memory");
    let mut reader = JournalReader::open(disk.clone(), Seq::new(1), Mode::Whole).expect("there");
    while let Some(frame) = reader.next_frame().expect("whole") {
        let bytes = frame.bytes();
        let mut damaged = bytes.to_vec();
        damaged[bytes.len() / 2] ^= 1;
        assert_eq!(writer.append_frame(&damaged), Err(FrameFault::Checksum));
        assert_eq!(writer.append_frame(&bytes[1..]), Err(FrameFault::Size));
        assert_eq!(writer.append_frame(bytes), Ok(Append::Taken));
        assert_eq!(writer.append_frame(bytes), Ok(Append::Full));
        writer.write(NOW).expect("memory");
        assert_eq!(
            writer.append_frame(bytes),
            Err(FrameFault::Chain),
            "it is taken once"
        );
    }
    assert_eq!(segment_names(&copy), segment_names(&disk));
    for name in segment_names(&disk) {
        let name = name.to_string();
        let mut bytes = copy.contents(&name).expect("it has the same name");
        assert_eq!(bytes[119], 255, "{name} says that it is copied");
        let written = disk.contents(&name).expect("it is there");
        bytes[119..128].copy_from_slice(&written[119..128]);
        assert_eq!(bytes, written, "{name}");
        assert_eq!(
            disk.contents(&name).map(|bytes| bytes.len() as u64),
            Some(SEGMENT_BYTES)
        );
    }
}
