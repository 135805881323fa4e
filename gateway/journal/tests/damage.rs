//! Every byte of a small journal changed, every file cut at every length, every file taken away: it recovers to the last
//! good frame, or is refused with the place; it never gives a record that was not written.

mod book;

use book::{create, frame, journal, read_from, recovered, resume};
use portcullis_journal::{
    Fault, FrameFault, JournalError, MemoryDisk, Mode, RecoverOptions, Recovered, SegmentName,
    Storage, recover,
};

const FRAMES: u64 = 26;

/// The segments and their bytes.
fn files(disk: &MemoryDisk) -> Vec<(String, Vec<u8>)> {
    let listed = disk.list().expect("memory");
    let names = listed.into_iter().map(|file| file.name);
    names
        .filter(|name| SegmentName::parse(name).is_some())
        .map(|name| {
            let bytes = disk.contents(&name).expect("it is there");
            (name, bytes)
        })
        .collect()
}

/// A journal without the spares, which nothing reads.
fn small() -> MemoryDisk {
    let disk = MemoryDisk::new();
    for (name, bytes) in files(&journal(FRAMES)) {
        disk.put(&name, &bytes);
    }
    disk
}

fn look(disk: &MemoryDisk) -> Result<Recovered, JournalError> {
    let found = recover(disk, &RecoverOptions::default())?;
    Ok(found.expect("a journal stands there"))
}

/// What recovers reads up to where it says, goes on, and recovers again.
fn holds(disk: &MemoryDisk, found: &Recovered, mode: Mode) {
    assert_eq!(
        read_from(disk, 1, mode).expect("it recovered"),
        found.next_seq - 1
    );
    let mut writer = resume(disk, found, 2).expect("it goes on");
    frame(&mut writer, 3).expect("memory");
    drop(writer);
    let after = recovered(disk);
    assert_eq!(after.next_seq, found.next_seq + 3);
    assert_eq!(after.cut, None, "what was cut is known as cut");
    assert_eq!(
        read_from(disk, 1, Mode::Whole).expect("whole"),
        after.next_seq - 1
    );
}

fn names_the_place(error: &JournalError, name: &str, at: u64) {
    let text = error.to_string();
    let (file, offset) = error.at.as_ref().expect("it names a file");
    assert_eq!(file, name, "{text}");
    assert!(*offset <= at, "{text}: nothing is wrong before byte {at}");
    assert!(
        text.contains(name) && text.contains("portcullis journal inspect memory"),
        "{text}"
    );
}

#[test]
fn every_byte_changed_is_cut_off_or_refused_with_its_place() {
    let whole = small();
    let files = files(&whole);
    assert!(files.len() > 3, "several segments");
    let end = recovered(&whole).next_seq;
    let (mut cut, mut refused) = (0, 0);
    for (index, (name, bytes)) in files.iter().enumerate() {
        let is_last = index + 1 == files.len();
        for at in 0..bytes.len() {
            let disk = whole.copy();
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            disk.put(name, &damaged);
            match look(&disk) {
                Ok(found) if found.next_seq == end => {
                    assert_eq!(bytes[at], 0, "byte {at} of {name} is read")
                }
                Ok(found) => {
                    assert!(is_last && found.next_seq < end);
                    let place = found.cut.clone().expect("a loss is said");
                    assert_eq!((&place.segment, place.frames_lost), (name, 0));
                    assert!(place.offset <= at as u64);
                    cut += 1;
                    if at % 16 == 0 {
                        holds(&disk, &found, Mode::Whole);
                    }
                }
                Err(error) => {
                    names_the_place(&error, name, at as u64);
                    refused += 1;
                }
            }
        }
    }
    assert!(cut > 64 && refused > 4_000, "{cut} cut, {refused} refused");
}

#[test]
fn every_file_cut_at_every_length_is_cut_off_or_refused_with_its_place() {
    let whole = small();
    let files = files(&whole);
    let end = recovered(&whole).next_seq;
    for (index, (name, bytes)) in files.iter().enumerate() {
        let is_last = index + 1 == files.len();
        for length in 0..bytes.len() {
            let disk = whole.copy();
            disk.put(name, &bytes[..length]);
            match look(&disk) {
                Ok(found) => {
                    assert!(is_last || found.next_seq == end);
                    assert!(found.next_seq <= end);
                    assert_eq!(
                        found.cut.is_some(),
                        is_last,
                        "a file that is too short is said"
                    );
                    if length % 64 < 2 {
                        holds(&disk, &found, Mode::Whole);
                    }
                }
                Err(error) => names_the_place(&error, name, length as u64),
            }
        }
    }
}

#[test]
fn a_file_taken_away_is_a_hole_with_its_place() {
    let whole = small();
    let files = files(&whole);
    for (index, (name, _)) in files.iter().enumerate() {
        let disk = whole.copy();
        disk.remove(name).expect("memory");
        match look(&disk) {
            // Nothing tells that there was one behind the last.
            Ok(found) => assert!(index + 1 == files.len() && found.cut.is_none()),
            Err(JournalError {
                fault: Fault::Begins { snapshot: None, .. },
                ..
            }) => assert_eq!(index, 0),
            Err(error) => {
                assert!(matches!(error.fault, Fault::Hole { .. }), "{error}");
                assert_eq!(error.at.as_ref().map(|at| &at.0), Some(&files[index - 1].0));
            }
        }
    }
}

#[test]
fn segments_that_do_not_belong_are_refused() {
    let disk = small();
    let files = files(&disk);
    // The same bytes under another name; a segment of another history under the right one.
    let stray = disk.copy();
    stray.put(&SegmentName::new(3).to_string(), &files[1].1);
    let error = look(&stray).expect_err("named by another record");
    assert!(matches!(error.fault, Fault::Stray { within: 1 }), "{error}");

    // The same records in the same frames, of another term: each checksum is another.
    let other = MemoryDisk::new();
    let mut writer = book::create_in_term(&other, 2).expect("memory");
    for number in 0..FRAMES {
        frame(&mut writer, 1 + number % 4).expect("memory");
    }
    let (name, bytes) = self::files(&other)[1].clone();
    assert_eq!(name, files[1].0);
    disk.put(&name, &bytes);
    let error = look(&disk).expect_err("two histories");
    assert!(matches!(error.fault, Fault::ChainBreak), "{error}");
    names_the_place(&error, &name, 0);
}

#[test]
fn other_formats_rules_and_preludes_are_told_apart() {
    let disk = small();
    let mut other = book::opening(1);
    other.identity.prelude = 4;
    let error = book::resume_as(&disk, &recovered(&disk), other).map(|_| ());
    let error = error.expect_err("another prelude");
    let expected = Fault::Prelude {
        expected: 4,
        found: 5,
    };
    assert_eq!(error.fault.to_string(), expected.to_string());
    let options = RecoverOptions {
        rules: Some(9),
        ..RecoverOptions::default()
    };
    let found = recover(&disk, &options).expect("readable").expect("there");
    assert!(
        found
            .remarks
            .iter()
            .any(|remark| remark.contains("rules 6")),
        "{:?}",
        found.remarks
    );
    let (name, bytes) = files(&disk)[1].clone();
    let mut other = bytes;
    other[8] = 2;
    disk.put(&name, &other);
    let error = look(&disk).expect_err("another format");
    assert!(matches!(error.fault, Fault::Format { found: 2 }), "{error}");
}

/// Frames behind a bad one that no sync covered are given up where that is accepted, and only there.
#[test]
fn unsynced_loss_is_given_up_when_it_is_accepted() {
    let disk = MemoryDisk::new();
    let mut writer = create(&disk).expect("memory");
    frame(&mut writer, 2).expect("memory");
    writer.sync().expect("memory");
    for _ in 0..30 {
        frame(&mut writer, 2).expect("memory");
    }
    drop(writer);
    let (name, bytes) = files(&disk)[0].clone();
    let frame_bytes = |at: usize| 64 * (1 + usize::from(bytes[at + 20]));
    let second = 128 + frame_bytes(128);
    let third = second + frame_bytes(second);
    for (at, lost_from) in [(second, 3), (third, 5)] {
        let torn = disk.copy();
        let mut damaged = bytes.clone();
        damaged[at + 70] ^= 1;
        torn.put(&name, &damaged);
        let error = look(&torn).expect_err("whole frames stand behind it");
        // The second frame itself says that all before it was synced; behind it nothing does.
        let wanted = Fault::Frame {
            fault: FrameFault::Checksum,
            synced: false,
        };
        assert_eq!(error.fault.to_string(), wanted.to_string());
        names_the_place(&error, &name, at as u64);
        assert!(error.to_string().contains("--accept-unsynced-loss"));
        let options = RecoverOptions {
            accept_unsynced_loss: true,
            ..RecoverOptions::default()
        };
        let found = recover(&torn, &options).expect("accepted").expect("there");
        assert_eq!(found.next_seq, lost_from);
        let cut = found.cut.clone().expect("said");
        assert!(cut.frames_lost > 20 && !cut.segments_lost.is_empty());
        holds(&torn, &found, Mode::Accepting);
    }
    let mut damaged = bytes.clone();
    damaged[128 + 70] ^= 1;
    disk.put(&name, &damaged);
    let options = RecoverOptions {
        accept_unsynced_loss: true,
        ..RecoverOptions::default()
    };
    let error = recover(&disk, &options).expect_err("it was synced: this is damage");
    assert!(
        error
            .to_string()
            .contains("records that were safe are damaged"),
        "{error}"
    );
}

/// The same segment is given up twice: what was set aside first is still there.
#[test]
fn what_was_set_aside_is_never_written_over() {
    let disk = small();
    let end = recovered(&disk).next_seq;
    let name = SegmentName::new(end).to_string();
    for torn in [b"torn once", b"torn more"] {
        disk.put(&name, torn);
        let found = recovered(&disk);
        assert_eq!(found.next_seq, end);
        drop(resume(&disk, &found, 1).expect("it goes on"));
    }
    let aside = |name: String| disk.contents(&name).expect("it is kept");
    assert_eq!(aside(format!("{name}.lost")), b"torn once");
    assert_eq!(aside(format!("{name}.2.lost")), b"torn more");
    assert_eq!(recovered(&disk).next_seq, end);
}

/// A process dies between writing and syncing; the next one goes on behind what was written, and then the power
/// fails: nothing of what was gone on from may be missing.
#[test]
fn what_is_gone_on_from_survives_a_power_failure() {
    for seed in 0..50 {
        let disk = MemoryDisk::new();
        let mut writer = create(&disk).expect("memory");
        for number in 0..9 {
            frame(&mut writer, 1 + number % 4).expect("memory");
        }
        drop(writer);
        disk.restart();
        let found = recovered(&disk);
        assert_eq!(found.next_seq, 22, "all that was written is there");
        drop(resume(&disk, &found, 1).expect("memory"));
        disk.crash(&mut book::random(seed));
        let again = recovered(&disk);
        assert_eq!((again.next_seq, &again.cut), (22, &None), "seed {seed}");
    }
}
