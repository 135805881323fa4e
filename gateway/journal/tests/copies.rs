//! A standby's copy of a journal: what its frames say of the leader's disk is not believed of its own; what it writes
//! once it leads is.

mod book;

use book::{NOW, append, copy_all, create, create_copy, frame, recovered};
use portcullis_domain::Seq;
use portcullis_journal::{
    Fault, JournalReader, JournalWriter, MemoryDisk, Mode, RecoverOptions, SegmentName, Survey,
    Term, list_segments, recover,
};

fn accepting() -> RecoverOptions {
    RecoverOptions {
        accept_unsynced_loss: true,
        ..RecoverOptions::default()
    }
}

/// A journal in which each frame was synced before the next one, as each frame says.
fn leader(frames: u64) -> (MemoryDisk, JournalWriter<MemoryDisk>) {
    let disk = MemoryDisk::new();
    let mut writer = create(&disk).expect("memory");
    for _ in 0..frames {
        frame(&mut writer, 2).expect("memory");
        writer.sync().expect("memory");
    }
    (disk, writer)
}

/// Changes a byte of the frame that holds a record, as a block that the disk did not keep does.
fn tear(disk: &MemoryDisk, seq: u64) {
    let mut reader = JournalReader::open(disk.clone(), Seq::new(seq), Mode::Whole).expect("there");
    let held = reader.next_frame().expect("whole").expect("it is there");
    let bytes = held.bytes().len() as u64;
    let name = SegmentName::new(reader.segment().seq_first).to_string();
    let at = reader.offset() - bytes + 70;
    let mut contents = disk.contents(&name).expect("it is there");
    contents[at as usize] ^= 1;
    disk.put(&name, &contents);
}

fn is_copied(disk: &MemoryDisk) -> Vec<(u64, bool)> {
    let names = list_segments(disk).expect("memory");
    let header = |name: &SegmentName| Survey::open(disk, *name).expect("whole").header().clone();
    names
        .iter()
        .map(|name| (name.seq_first(), header(name).is_copied))
        .collect()
}

#[test]
fn what_a_leader_synced_was_not_synced_here() {
    let (leaders, _writer) = leader(20);
    let copied = MemoryDisk::new();
    copy_all(&leaders, &mut create_copy(&copied).expect("memory"));
    assert!(is_copied(&copied).len() > 2 && is_copied(&copied).iter().all(|(_, is)| *is));
    assert_eq!(recovered(&copied).next_seq, 41);
    for disk in [&leaders, &copied] {
        tear(disk, 5);
        let error = recover(disk, &RecoverOptions::default()).expect_err("whole frames behind");
        let Fault::Frame { synced, .. } = error.fault else {
            panic!("{error}");
        };
        assert_eq!(synced, std::ptr::eq(disk, &leaders));
    }
    assert!(recover(&leaders, &accepting()).is_err(), "this is damage");
    let found = recover(&copied, &accepting()).expect("accepted");
    assert_eq!(found.expect("there").next_seq, 5);
}

#[test]
fn whoever_takes_over_writes_segments_of_its_own_and_is_believed() {
    let (leaders, _writer) = leader(3);
    let disk = MemoryDisk::new();
    let mut copy = create_copy(&disk).expect("memory");
    copy_all(&leaders, &mut copy);
    copy.sync().expect("memory");
    let mut follower = JournalReader::open(disk.clone(), Seq::new(1), Mode::Follow).expect("there");
    let mut writer = copy.lead(Term::new(2));
    disk.set_quota(Some(0));
    append(&mut writer).expect("gathered");
    writer.write(NOW).expect("the spare was made ahead");
    assert_eq!(is_copied(&disk), [(1, true), (7, false)]);
    disk.set_quota(None);
    writer.sync().expect("memory");
    frame(&mut writer, 2).expect("memory");
    writer.sync().expect("memory");
    frame(&mut writer, 2).expect("memory");
    while follower.next().expect("no damage").is_some() {}
    assert_eq!(follower.next_seq(), writer.next_seq());
    drop(writer);
    // All that was copied was synced before it led, and its own frames say so.
    tear(&disk, 3);
    assert!(recover(&disk, &accepting()).is_err(), "this is damage");
}

#[test]
fn a_segment_without_a_frame_is_claimed_under_the_eyes_of_who_follows() {
    let disk = MemoryDisk::new();
    let copy = create_copy(&disk).expect("memory");
    let mut follower = JournalReader::open(disk.clone(), Seq::new(1), Mode::Follow).expect("there");
    assert_eq!(is_copied(&disk), [(1, true)]);
    let mut writer = copy.lead(Term::new(2));
    append(&mut writer).expect("gathered");
    disk.fail_at(disk.operations(), portcullis_journal::WriteFault::Full, 9);
    assert!(writer.write(NOW).is_err());
    writer.write(NOW).expect("it is made again");
    assert_eq!(is_copied(&disk), [(1, false)]);
    while follower.next().expect("no damage").is_some() {}
    assert_eq!(follower.next_seq(), 2);
    assert_eq!(recovered(&disk).term, Term::new(2));
}

#[test]
fn whoever_takes_over_without_a_segment_of_its_own_is_short() {
    let (leaders, _writer) = leader(3);
    let disk = MemoryDisk::new();
    disk.set_quota(Some(book::SEGMENT_BYTES));
    let mut copy = create_copy(&disk).expect("there is room for one segment");
    copy_all(&leaders, &mut copy);
    let mut writer = copy.lead(Term::new(2));
    assert!(writer.is_short(), "it may not write where there is room");
    append(&mut writer).expect("gathered");
    assert!(writer.write(NOW).is_err());
    disk.set_quota(None);
    writer.write(NOW).expect("there is room");
    assert_eq!(is_copied(&disk), [(1, true), (7, false)]);
}
