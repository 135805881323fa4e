//! Snapshots: whole or told from whole, the newest that fits, what stays of the journal.

mod book;

use book::{NOW, create, frame, journal, random, read_from, recovered};
use portcullis_domain::{Seq, Timestamp};
use portcullis_journal::{
    Chain, Fault, JournalReader, MemoryDisk, Mode, RecoverOptions, Retention, SegmentName,
    SnapshotHeader, SnapshotReader, SnapshotWriter, Storage, Term, WriteFault, dispose,
    newest_snapshot, recover,
};
use std::io::{Read, Write};

/// The ends of frames: number and chain.
fn ends(disk: &MemoryDisk) -> Vec<(u64, Chain)> {
    let mut reader = JournalReader::open(disk.clone(), Seq::new(1), Mode::Whole).expect("there");
    let mut ends = Vec::new();
    while let Some(frame) = reader.next_frame().expect("whole") {
        ends.push((frame.header.seq_last(), frame.header.chain));
    }
    ends
}

fn header(disk: &MemoryDisk, seq: u64, chain: Chain) -> SnapshotHeader {
    let identity = recovered(disk).identity;
    SnapshotHeader {
        seq,
        chain,
        term: Term::new(1),
        core_digest: 11,
        limits: 12,
        prelude: identity.prelude,
        made_ns: seq,
        journal: identity.journal,
        rules: identity.rules,
    }
}

fn section(seq: u64, bytes: usize) -> Vec<u8> {
    (0..bytes)
        .map(|at| seq.wrapping_mul(31).wrapping_add(at as u64 * 7) as u8)
        .collect()
}

/// Sections of no byte, of a few, and of more than a block.
const SECTIONS: [(u32, usize); 4] = [(1, 0), (2, 100), (9, 65_536), (4, 65_537)];

fn save(disk: &MemoryDisk, header: SnapshotHeader) -> std::io::Result<()> {
    let mut writer = SnapshotWriter::begin(disk.clone(), header)?;
    for (id, bytes) in SECTIONS {
        writer.begin_section(id)?;
        writer.write_all(&section(header.seq, bytes))?;
    }
    writer.finish()
}

fn holds(disk: &MemoryDisk, slot: &str, seq: u64) {
    let reader = SnapshotReader::open(disk, slot).expect("whole");
    assert_eq!(reader.header().seq, seq);
    assert!(reader.sections().eq(SECTIONS.map(|(id, _)| id)));
    for (id, bytes) in SECTIONS {
        let mut found = Vec::new();
        let mut stream = reader.section(id).expect("it has it");
        assert_eq!(stream.bytes_total(), bytes as u64);
        stream.read_to_end(&mut found).expect("whole");
        assert_eq!(found, section(seq, bytes));
    }
    assert!(reader.section(3).is_none());
}

#[test]
fn the_newest_of_two_slots_is_read_and_the_other_one_written() {
    let disk = journal(30);
    let ends = ends(&disk);
    for (seq, chain) in ends.iter().copied().skip(3).step_by(4) {
        let before = newest_snapshot(&disk).expect("memory");
        save(&disk, header(&disk, seq, chain)).expect("memory");
        let found = newest_snapshot(&disk).expect("memory");
        let (slot, newest) = found.newest().expect("it was saved");
        assert_eq!(newest.seq, seq);
        assert!(found.faults.is_empty());
        holds(&disk, slot, seq);
        if let Some((slot, older)) = before.newest() {
            holds(&disk, slot, older.seq);
        }
        assert_eq!(recovered(&disk).snapshot, found.newest());
    }
}

#[test]
fn every_block_changed_or_cut_is_found_and_the_other_slot_taken() {
    let disk = journal(12);
    let ends = ends(&disk);
    save(&disk, header(&disk, ends[3].0, ends[3].1)).expect("memory");
    save(&disk, header(&disk, ends[6].0, ends[6].1)).expect("memory");
    let (slot, _) = newest_snapshot(&disk)
        .expect("memory")
        .newest()
        .expect("saved");
    let bytes = disk.contents(slot).expect("there");
    // Every byte of the header, then one in a few hundred, the last of the file among them.
    let header_bytes = 0..4_096;
    for at in header_bytes
        .chain((4_096..bytes.len()).step_by(251))
        .chain([bytes.len() - 1])
    {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        disk.put(slot, &damaged);
        let error = SnapshotReader::open(&disk, slot).expect_err("a byte was changed");
        let (name, offset) = error.at.expect("it names the place");
        assert!(name == slot && offset <= at as u64);
    }
    for length in (0..4_200).chain((4_200..bytes.len()).step_by(509)) {
        disk.put(slot, &bytes[..length]);
        assert!(
            SnapshotReader::open(&disk, slot).is_err(),
            "cut at {length}"
        );
    }
    let found = recovered(&disk);
    assert_eq!(found.snapshot.expect("the other one").1.seq, ends[3].0);
    assert!(
        found.remarks.iter().any(|remark| remark.contains(slot)),
        "{:?}",
        found.remarks
    );
}

#[test]
fn a_crash_while_one_is_made_leaves_the_other() {
    let disk = journal(12);
    let ends = ends(&disk);
    save(&disk, header(&disk, ends[3].0, ends[3].1)).expect("memory");
    save(&disk, header(&disk, ends[5].0, ends[5].1)).expect("memory");
    let third = header(&disk, ends[7].0, ends[7].1);
    let begin = disk.operations();
    save(&disk.copy(), third).expect("memory");
    let counted = disk.copy();
    save(&counted, third).expect("memory");
    for operation in 0..counted.operations() {
        for seed in 0..4 {
            let disk = disk.copy();
            let mut random = random(begin + operation * 4 + seed);
            disk.stop_at(operation, (random() % 5_000) as usize);
            save(&disk, third).expect_err("the machine stops");
            disk.crash(&mut random);
            let (slot, found) = newest_snapshot(&disk)
                .expect("memory")
                .newest()
                .expect("one is whole");
            assert!([ends[5].0, ends[7].0].contains(&found.seq));
            holds(&disk, slot, found.seq);
            assert_eq!(recovered(&disk).snapshot.expect("it fits").1.seq, found.seq);
        }
    }
    disk.fail_at(disk.operations() + 2, WriteFault::Full, 10);
    save(&disk, third).expect_err("the disk is full");
    assert_eq!(recovered(&disk).snapshot.expect("it fits").1.seq, ends[5].0);
}

#[test]
fn segments_go_only_where_both_snapshots_stand_behind_them() {
    let disk = journal(60);
    let ends = ends(&disk);
    let last = ends[ends.len() - 1].0;
    let retention = Retention {
        bytes_max: 0,
        age_max_ns: u64::MAX,
    };
    assert_eq!(dispose(&disk, &retention, NOW).expect("memory"), []);
    save(&disk, header(&disk, ends[20].0, ends[20].1)).expect("memory");
    let alone = dispose(&disk, &retention, NOW).expect("memory");
    assert_eq!(alone, [], "one alone carries nothing");
    disk.put("snapshot.1", b"torn");
    let alone = dispose(&disk, &retention, NOW).expect("memory");
    assert_eq!(alone, [], "nor beside a damaged one");
    save(&disk, header(&disk, ends[40].0, ends[40].1)).expect("memory");
    let young = Retention {
        bytes_max: u64::MAX,
        age_max_ns: 50,
    };
    disk.set_now_ns(NOW.ns() - 50);
    assert_eq!(
        dispose(&disk, &young, NOW).expect("memory"),
        [],
        "at the limit it stays"
    );
    let gone = dispose(&disk, &retention, NOW).expect("memory");
    assert!(!gone.is_empty());
    let found = recovered(&disk);
    assert!(found.first_seq > 1 && found.first_seq <= ends[20].0 + 1);
    assert_eq!(found.next_seq, last + 1);
    assert_eq!(
        read_from(&disk, ends[20].0 + 1, Mode::Whole).expect("whole"),
        last
    );
    // Either snapshot carries it; without both it does not begin.
    let whole = newest_snapshot(&disk).expect("memory").whole;
    for (slot, _) in &whole {
        let one = disk.copy();
        one.put(slot, b"torn");
        let (kept, _) = recovered(&one).snapshot.expect("the other one");
        assert_ne!(kept, *slot);
    }
    for (slot, _) in &whole {
        disk.put(slot, b"torn");
    }
    let error = recover(&disk, &RecoverOptions::default()).expect_err("nothing reaches back");
    assert!(
        matches!(error.fault, Fault::Begins { snapshot: None, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("portcullis journal inspect"),
        "{error}"
    );
}

#[test]
fn a_snapshot_that_does_not_reach_the_segments_or_does_not_fit_is_refused() {
    let disk = journal(60);
    let ends = ends(&disk);
    save(&disk, header(&disk, ends[0].0, ends[0].1)).expect("memory");
    let listed = disk.list().expect("memory");
    let segments = listed
        .iter()
        .filter(|file| SegmentName::parse(&file.name).is_some());
    for file in segments.clone().take(3) {
        disk.remove(&file.name).expect("memory");
    }
    let error = recover(&disk, &RecoverOptions::default()).expect_err("there is a gap");
    let reach = ends[0].0;
    assert!(
        matches!(error.fault, Fault::Begins { snapshot: Some(seq), .. } if seq == reach),
        "{error}"
    );
    for file in segments.skip(3) {
        disk.remove(&file.name).expect("memory");
    }
    let error = recover(&disk, &RecoverOptions::default()).expect_err("no segment");
    assert!(matches!(error.fault, Fault::NoSegments { .. }), "{error}");

    let disk = journal(12);
    save(&disk, header(&disk, ends[4].0, Chain::new(1))).expect("memory");
    let error = recover(&disk, &RecoverOptions::default()).expect_err("of another journal");
    assert!(
        matches!(error.fault, Fault::SnapshotChain { .. }),
        "{error}"
    );
}

#[test]
fn a_snapshot_ahead_of_the_journal_is_set_aside() {
    let disk = journal(12);
    let last = recovered(&disk).next_seq - 1;
    let ends = ends(&disk);
    save(&disk, header(&disk, ends[2].0, ends[2].1)).expect("memory");
    save(&disk, header(&disk, last + 5, Chain::new(1))).expect("memory");
    let found = recovered(&disk);
    assert_eq!(found.snapshot.expect("the one that fits").1.seq, ends[2].0);
    assert!(
        found
            .remarks
            .iter()
            .any(|remark| remark.contains("ahead of the journal"))
    );
    let early = disk.copy();
    let mut before = found.clone();
    before.set_snapshots_aside(&early).expect("memory");
    let newest = newest_snapshot(&early).expect("memory").newest();
    assert_eq!(
        newest, found.snapshot,
        "whoever rebuilds finds one that fits"
    );
    assert!(early.contents("snapshot.1.lost").is_some());
    book::resume(&early, &before, 1).expect("it is not set aside twice");
    let mut writer = book::resume(&disk, &found, 1).expect("goes on");
    for _ in 0..4 {
        frame(&mut writer, 3).expect("memory");
    }
    assert_eq!(recovered(&disk).next_seq, last + 13);
}

/// A header that is whole may still say what no journal holds.
#[test]
fn a_snapshot_of_the_last_number_is_none() {
    let disk = journal(12);
    let ends = ends(&disk);
    save(&disk, header(&disk, ends[4].0, ends[4].1)).expect("memory");
    save(&disk, header(&disk, u64::MAX, Chain::new(1))).expect("memory");
    let found = recovered(&disk);
    assert_eq!(found.snapshot.expect("the other one").1.seq, ends[4].0);
    assert!(found.remarks[0].contains("end of the numbers"));
    let retention = Retention {
        bytes_max: 0,
        age_max_ns: 0,
    };
    assert_eq!(dispose(&disk, &retention, NOW).expect("memory"), []);
}

/// Reading begins in the segment of the older snapshot. Where that is ahead of the journal and set aside, the replica
/// begins from the first record: then all before it counts too.
#[test]
fn without_a_snapshot_that_fits_all_of_the_journal_is_read() {
    let disk = journal(60);
    let last = recovered(&disk).next_seq - 1;
    save(&disk, header(&disk, last + 5, Chain::new(1))).expect("memory");
    assert_eq!(recovered(&disk).snapshot, None);
    let name = SegmentName::new(1).to_string();
    let mut bytes = disk.contents(&name).expect("there");
    bytes[200] ^= 1;
    disk.put(&name, &bytes);
    let error = recover(&disk, &RecoverOptions::default()).expect_err("damaged");
    assert!(matches!(error.fault, Fault::Frame { .. }), "{error}");
}

#[test]
fn old_segments_go_by_age() {
    let disk = MemoryDisk::new();
    let mut writer = create(&disk).expect("memory");
    for _ in 0..40 {
        frame(&mut writer, 2).expect("memory");
    }
    let ends = ends(&disk);
    save(&disk, header(&disk, ends[30].0, ends[30].1)).expect("memory");
    save(&disk, header(&disk, ends[32].0, ends[32].1)).expect("memory");
    disk.set_now_ns(10);
    let retention = Retention {
        bytes_max: u64::MAX,
        age_max_ns: 50,
    };
    assert_eq!(
        dispose(&disk, &retention, Timestamp::from_ns(60)).expect("memory"),
        []
    );
    let gone = dispose(&disk, &retention, Timestamp::from_ns(61)).expect("memory");
    assert!(gone.len() > 2);
    assert_eq!(recovered(&disk).next_seq, 81);
}
