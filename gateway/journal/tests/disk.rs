//! The same journal in a folder of the machine: lock, quota, names, spares from a thread, readers beside the writer.

mod book;

use book::{NOW, SEGMENT_BYTES, append, opening, options, read_from, record, recovered};
use portcullis_domain::Seq;
use portcullis_journal::{
    Append, Disk, Entry, JournalReader, JournalStart, JournalWriter, MemoryDisk, Mode, SegmentName,
    SegmentSource, Storage, StorageFile, ThreadSource, WordFile, read_words, write_words,
};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;

/// A folder of its own that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("portcullis-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A writer whose segments are made on a thread.
fn create(disk: &Disk) -> io::Result<JournalWriter<Disk>> {
    let lock = disk.lock()?;
    let source = Box::new(ThreadSource::start(disk.clone(), SEGMENT_BYTES)?);
    let start = JournalStart::first(opening(1).identity.journal);
    JournalWriter::create(disk.clone(), lock, source, options(), opening(1), start)
}

/// As the gateway does where the next segment is not made yet.
fn write(writer: &mut JournalWriter<Disk>) {
    loop {
        match writer.write(NOW) {
            Ok(_) => return,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_journal_on_disk_is_written_followed_and_recovered() {
    let folder = Folder::new("written");
    let disk = Disk::open(&folder.0).expect("a folder");
    let mut writer = create(&disk).expect("begins");
    let follower = thread::spawn({
        let disk = disk.clone();
        move || {
            let mut reader = JournalReader::open(disk, Seq::new(1), Mode::Follow).expect("there");
            let mut seen = 0;
            while seen < 1_000 {
                match reader.next().expect("no damage") {
                    Some(Entry::Record(found)) => {
                        seen += 1;
                        assert_eq!(found.to_record(), record(seen));
                    }
                    Some(Entry::Digest { .. }) => panic!("none was noted"),
                    None => thread::yield_now(),
                }
            }
        }
    });
    while writer.next_seq() <= 1_000 {
        let record = record(writer.next_seq());
        while writer.append(record.head, record.raw()) == Append::Full {
            write(&mut writer);
        }
        if writer.next_seq().is_multiple_of(7) {
            write(&mut writer);
            assert_eq!(writer.sync().expect("syncs"), writer.written());
        }
    }
    write(&mut writer);
    follower.join().expect("it saw them all");
    drop(writer);
    let names: Vec<_> = fs::read_dir(&folder.0).expect("there").collect();
    assert!(names.len() > 60, "many segments");
    assert_eq!(recovered(&disk).next_seq, 1_001);
    assert_eq!(read_from(&disk, 1, Mode::Whole).expect("whole"), 1_000);
}

#[test]
fn one_writer_at_a_time() {
    let folder = Folder::new("locked");
    let disk = Disk::open(&folder.0).expect("a folder");
    let writer = create(&disk).expect("begins");
    let error = Disk::open(&folder.0)
        .expect("a folder")
        .lock()
        .expect_err("it is held");
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert!(
        error
            .to_string()
            .contains("another gateway writes this journal"),
        "{error}"
    );
    drop(writer);
    let error = create(&disk)
        .map(|_| ())
        .expect_err("a journal stands there");
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    disk.lock().expect("nobody holds it");
    let memory = MemoryDisk::new();
    let held = memory.lock().expect("nobody holds it");
    assert_eq!(
        memory.lock().map(|_| ()).expect_err("held").kind(),
        io::ErrorKind::WouldBlock
    );
    drop(held);
    memory.lock().expect("nobody holds it");
}

#[test]
fn a_quota_is_a_full_disk_and_what_goes_gives_room() {
    let folder = Folder::new("quota");
    let disk = Disk::with_quota(&folder.0, 1_000).expect("a folder");
    let first = disk.create("first").expect("a file");
    first.write_at(&[1; 600], 0).expect("room");
    first
        .write_at(&[2; 100], 500)
        .expect("no more than was there");
    let second = disk.create("second").expect("a file");
    second
        .write_at(&[3; 400], 0)
        .expect("room to the last byte");
    let error = second.write_at(&[3; 1], 400).expect_err("full");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(error.to_string().contains("quota of 1000 bytes"), "{error}");
    assert_eq!(second.bytes().expect("there"), 400);
    disk.rename("second", "first").expect("replaces");
    disk.create("third")
        .expect("a file")
        .write_at(&[4; 600], 0)
        .expect("room again");
    disk.remove("third").expect("there");
    let again = Disk::with_quota(&folder.0, 1_000).expect("a folder");
    let third = again.create("third").expect("a file");
    assert!(third.write_at(&[5; 601], 0).is_err());
    third.write_at(&[5; 600], 0).expect("room");
    for name in ["", ".", "..", "a/b", "/etc/hosts"] {
        assert_eq!(
            disk.open(name).expect_err("no name").kind(),
            io::ErrorKind::InvalidInput
        );
    }
}

/// A device that is always full: a write that fails takes nothing of the quota, however often it is made.
#[test]
fn a_write_that_fails_takes_nothing_of_the_quota() {
    let folder = Folder::new("failing");
    let disk = Disk::with_quota(&folder.0, 1_000).expect("a folder");
    std::os::unix::fs::symlink("/dev/full", folder.0.join("full")).expect("a link");
    for _ in 0..5 {
        let full = disk.open("full").expect("it is there");
        for _ in 0..2 {
            let error = full.write_at(&[1; 600], 0).expect_err("full");
            assert_eq!(error.raw_os_error(), Some(28), "the device's word: {error}");
        }
    }
    let other = disk.create("other").expect("a file");
    other
        .write_at(&[2; 1_000], 0)
        .expect("room to the last byte");
}

#[test]
fn spares_of_an_earlier_life_are_removed() {
    let folder = Folder::new("stale");
    let disk = Disk::open(&folder.0).expect("a folder");
    for number in 0..4 {
        disk.create(&format!("{number}.spare")).expect("a file");
    }
    let mut source = ThreadSource::start(disk.clone(), SEGMENT_BYTES).expect("a thread");
    while !source.poll() {
        thread::yield_now();
    }
    for number in 2..4 {
        let stale = disk.open(&format!("{number}.spare"));
        assert_eq!(
            stale.expect_err("it is gone").kind(),
            io::ErrorKind::NotFound
        );
    }
}

#[test]
fn a_writer_goes_on_when_the_quota_of_its_folder_lets_it() {
    let folder = Folder::new("full");
    let disk = Disk::with_quota(&folder.0, 3 * SEGMENT_BYTES).expect("a folder");
    let mut writer = create(&disk).expect("begins");
    let error = loop {
        append(&mut writer).unwrap_or_default();
        match writer.write(NOW) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{error}");
    assert!(
        error.to_string().contains("no next segment can be made"),
        "{error}"
    );
    assert!(writer.is_short());
    let waiting = writer.next_seq() - 1;
    let first = SegmentName::new(recovered(&disk).first_seq);
    disk.remove(&first.to_string()).expect("there");
    let written = loop {
        match writer.write(NOW) {
            Ok(written) => break written,
            Err(_) => thread::yield_now(),
        }
    };
    assert_eq!(written, Some(Seq::new(waiting)));
}

#[test]
fn a_source_nobody_takes_from_ends_with_its_owner() {
    let folder = Folder::new("source");
    let disk = Disk::open(&folder.0).expect("a folder");
    let mut source = ThreadSource::start(disk.clone(), SEGMENT_BYTES).expect("a thread");
    while !source.poll() {
        thread::yield_now();
    }
    let spare = source.take().expect("it was ready");
    assert_eq!(
        (spare.bytes, spare.file.bytes().expect("there")),
        (SEGMENT_BYTES, SEGMENT_BYTES)
    );
    drop(source);
    fs::remove_dir_all(&folder.0).expect("nobody makes files any more");
    let mut source = ThreadSource::start(disk, SEGMENT_BYTES).expect("a thread");
    let error = loop {
        match source.take() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => break error,
            Ok(_) => panic!("there is no folder"),
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn words_stand_in_the_folder_by_digest() {
    let folder = Folder::new("words");
    let disk = Disk::open(&folder.0).expect("a folder");
    let digest = write_words(&disk, WordFile::Limits, &[1, 2, 3]).expect("writes");
    assert!(folder.0.join(format!("{digest:016x}.limits")).is_file());
    assert_eq!(
        read_words(&disk, WordFile::Limits, digest).expect("reads"),
        [1, 2, 3]
    );
}
