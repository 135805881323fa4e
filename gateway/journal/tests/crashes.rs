//! The machine stops in every operation, with every kind of loss: what was synced is there.

mod book;

use book::{NOW, append, create, frame, random, read_from, recovered, resume};
use portcullis_domain::Seq;
use portcullis_journal::{
    Append, JournalReader, MemoryDisk, Mode, RecoverOptions, WriteFault, recover,
};
use std::io;

/// Writes frames until the machine stops; the last record that a sync covered, and the last one appended.
fn write_until_it_stops(disk: &MemoryDisk, syncs_each: u64) -> (u64, u64) {
    let mut synced = 0;
    let mut appended = 0;
    let mut run = || -> io::Result<()> {
        let mut writer = create(disk)?;
        for number in 0..24 {
            for _ in 0..1 + number % 3 {
                append(&mut writer)?;
            }
            appended = writer.next_seq() - 1;
            writer.write(NOW)?;
            if number % syncs_each == 0 {
                synced = writer.sync()?.raw();
            }
        }
        Ok(())
    };
    let _ = run();
    (synced, appended.max(synced))
}

/// Recovers what a crash left, and holds it against what must be there.
fn check(disk: &MemoryDisk, synced: u64, appended: u64, options: &RecoverOptions) {
    let Some(found) = recover(disk, options).expect("it recovers") else {
        assert_eq!(synced, 0, "what was synced is there");
        create(disk).expect("a new one begins where none is");
        return;
    };
    let last = found.next_seq - 1;
    assert!(
        last >= synced,
        "synced up to {synced}, recovered up to {last}"
    );
    assert!(last <= appended, "nothing is there that was not written");
    let mut writer = resume(disk, &found, 1).expect("it goes on");
    frame(&mut writer, 2).expect("memory");
    drop(writer);
    assert_eq!(read_from(disk, 1, Mode::Whole).expect("whole"), last + 2);
}

#[test]
fn a_crash_in_any_operation_loses_nothing_that_was_synced() {
    for syncs_each in [1, 2, 5, 100] {
        let disk = MemoryDisk::new();
        write_until_it_stops(&disk, syncs_each);
        let operations = disk.operations();
        assert!(operations > 40);
        for operation in 0..operations {
            for seed in 0..8 {
                let disk = MemoryDisk::new();
                let mut random = random(operation << 8 | seed);
                disk.stop_at(operation, (random() % 700) as usize);
                let (synced, appended) = write_until_it_stops(&disk, syncs_each);
                disk.crash(&mut random);
                // Where each frame is synced before the next one, nothing has to be given up.
                let accept_unsynced_loss = syncs_each > 1;
                let options = RecoverOptions {
                    accept_unsynced_loss,
                    ..RecoverOptions::default()
                };
                check(&disk, synced, appended, &options);
            }
        }
    }
}

#[test]
fn a_crash_of_the_process_alone_loses_nothing_that_was_written() {
    let disk = MemoryDisk::new();
    write_until_it_stops(&disk, 100);
    for operation in 0..disk.operations() {
        let disk = MemoryDisk::new();
        disk.stop_at(operation, 77);
        write_until_it_stops(&disk, 100);
        disk.restart();
        let Some(found) = recover(&disk, &RecoverOptions::default()).expect("it recovers") else {
            continue;
        };
        assert_eq!(
            read_from(&disk, 1, Mode::Whole).expect("whole"),
            found.next_seq - 1
        );
    }
}

#[test]
fn a_full_disk_is_told_ahead_and_nothing_is_lost_when_space_returns() {
    let disk = MemoryDisk::new();
    let mut writer = create(&disk).expect("memory");
    // The segment that is written and the spare that is ready; no more.
    disk.set_quota(Some(2 * book::SEGMENT_BYTES));
    let mut taken_while_short = 0;
    let refused = loop {
        if writer.is_short() {
            taken_while_short += 1;
        }
        if let Err(error) = frame(&mut writer, 1) {
            break error;
        }
    };
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    assert!(
        taken_while_short >= 2,
        "there is room for cancels behind the warning"
    );
    let waiting = writer.next_seq() - 1;
    let record = book::record(waiting + 1);
    assert_eq!(
        writer.append(record.head, record.raw()),
        Append::Full,
        "an offered frame is closed"
    );
    for _ in 0..3 {
        assert!(writer.write(NOW).is_err());
        assert!(writer.is_short());
    }
    disk.set_quota(None);
    assert_eq!(
        writer.write(NOW).expect("there is space"),
        Some(Seq::new(waiting))
    );
    assert!(!writer.is_short());
    frame(&mut writer, 3).expect("it goes on");
    assert_eq!(
        read_from(&disk, 1, Mode::Whole).expect("whole"),
        waiting + 3
    );
}

#[test]
fn each_write_may_fail_at_any_byte_and_is_made_again() {
    for fault in [
        WriteFault::Full,
        WriteFault::ReadOnly,
        WriteFault::Device,
        WriteFault::Stalled,
    ] {
        let disk = MemoryDisk::new();
        let mut writer = create(&disk).expect("memory");
        let mut reader =
            JournalReader::open(disk.clone(), Seq::new(1), Mode::Follow).expect("there");
        let mut random = random(7);
        let mut seen = 0;
        for number in 1..60 {
            append(&mut writer).expect("memory");
            append(&mut writer).expect("memory");
            disk.fail_at(disk.operations(), fault, (random() % 600) as usize);
            assert!(writer.write(NOW).is_err());
            while reader
                .next()
                .expect("a half-written frame is one to come")
                .is_some()
            {
                seen += 1;
            }
            disk.fail(Some(fault));
            assert!(writer.write(NOW).is_err());
            disk.fail(None);
            assert_eq!(
                writer.write(NOW).expect("it is made again"),
                Some(Seq::new(2 * number))
            );
            while reader.next().expect("no damage").is_some() {
                seen += 1;
            }
            assert_eq!(seen, 2 * number);
        }
        drop(writer);
        assert_eq!(recovered(&disk).next_seq, 2 * 60 - 1);
        assert_eq!(read_from(&disk, 1, Mode::Whole).expect("whole"), 2 * 59);
    }
}

#[test]
fn a_sync_that_failed_is_never_said_to_have_worked() {
    let disk = MemoryDisk::new();
    let mut writer = create(&disk).expect("memory");
    frame(&mut writer, 2).expect("memory");
    disk.fail_at(disk.operations(), WriteFault::Stalled, 0);
    assert!(writer.sync().is_err());
    assert_eq!(writer.sync().expect("it was only slow"), Seq::new(2));
    frame(&mut writer, 2).expect("memory");
    disk.fail_at(disk.operations(), WriteFault::Device, 0);
    assert!(writer.sync().is_err());
    for _ in 0..2 {
        let error = writer.sync().expect_err("the system may have dropped it");
        assert!(error.to_string().contains("Restart"), "{error}");
    }
    assert_eq!(
        (writer.synced(), writer.written()),
        (Seq::new(2), Seq::new(4))
    );
}
