//! Journals that are not whole.

use crate::made::{Folder, Made};
use crate::portcullis;
use std::fs;

/// Where the frames of the day begin, and where the last one ends.
fn frames(folder: &Folder) -> Vec<usize> {
    let shown = portcullis(&["journal", "inspect", &folder.journal(), "--frames"]).ended(0);
    let line = |line: &str| {
        let (at, rest) = line.strip_prefix("    byte ")?.split_once(": ")?;
        let (_, rest) = rest.split_once(", ")?;
        let (bytes, _) = rest.split_once(" bytes")?;
        Some((at.parse().ok()?, bytes.parse().ok()?))
    };
    let found: Vec<(usize, usize)> = shown.out.lines().filter_map(line).collect();
    let (at, bytes) = *found.last().expect("it has frames");
    let offsets = found.iter().map(|(at, _)| *at);
    offsets.chain([at + bytes]).collect()
}

fn spoil(folder: &Folder, at: usize) {
    let mut bytes = fs::read(folder.segment()).expect("it is there");
    bytes[at] ^= 0x10;
    fs::write(folder.segment(), bytes).expect("it takes it");
}

#[test]
fn damage_is_named_with_its_place_and_what_stands_behind_is_shown() {
    let folder = Made::day().finish();
    let journal = folder.journal();
    let frames = frames(&folder);
    // Records 5 to 8.
    spoil(&folder, frames[1] + 70);
    let place = format!("byte {}", frames[1]);
    portcullis(&["journal", "inspect", &journal])
        .ended(1)
        .said(&[
            &format!("DAMAGE at {place}, "),
            "this frame's checksum is not that of its bytes",
            "good up to record 4; whole frames behind the damage: 3",
            "restore this file from a copy",
        ]);
    let seq = ["journal", "inspect", &journal, "--seq"];
    portcullis(&[&seq[..], &["6"]].concat())
        .ended(1)
        .said(&[&format!("{place}: no good frame in")]);
    portcullis(&[&seq[..], &["9"]].concat())
        .ended(0)
        .said(&["order TRADE1:3 for trader1: sell 5"]);
    for more in [&["--fast"][..], &[]] {
        let verify = ["journal", "verify", &journal];
        let verified = portcullis(&[&verify[..], more].concat()).ended(1);
        verified.said(&["WRONG: ", &place, "portcullis journal inspect"]);
    }
    let replayed = portcullis(&["replay", &journal]).ended(1);
    assert!(replayed.out.starts_with("4 records, "), "{}", replayed.out);
    assert!(replayed.err.contains(&place), "{}", replayed.err);
    let csv = ["journal", "export", &journal, "--csv", "-"];
    let exported = portcullis(&csv).ended(1);
    assert_eq!(exported.out.lines().count(), 5);
}

#[test]
fn a_torn_tail_is_no_damage() {
    let folder = Made::day().finish();
    let journal = folder.journal();
    let frames = frames(&folder);
    let last = frames[frames.len() - 2];
    spoil(&folder, frames[frames.len() - 1] - 1);
    portcullis(&["journal", "inspect", &journal])
        .ended(0)
        .said(&[
            &format!("torn tail at byte {last}, "),
            "the next start cuts here and goes on with record",
        ]);
    portcullis(&["journal", "verify", &journal])
        .ended(0)
        .said(&["cut behind the last good frame", &format!("byte {last}")]);
    let replayed = portcullis(&["replay", &journal]).ended(0);
    for words in ["cut behind the last good frame", &format!("byte {last}")] {
        assert!(replayed.err.contains(words), "{}", replayed.err);
    }
    let config = folder.file("day.toml").display().to_string();
    portcullis(&["replay", &journal, "--limits", &config]).ended(0);
    portcullis(&["journal", "export", &journal, "--csv", "-"]).ended(0);
    portcullis(&["journal", "diff", &journal, &journal]).ended(0);
    portcullis(&["explain", &journal, "TRADE1:1"]).ended(0);
}

#[test]
fn each_byte_of_a_small_journal_that_is_flipped_is_found_and_none_makes_a_tool_fall_over() {
    let folder = Made::day().finish();
    let journal = folder.journal();
    let frames = frames(&folder);
    let end = frames[frames.len() - 1];
    let whole = fs::read(folder.segment()).expect("it is there");
    // A few of each kind: header of the segment, of a frame, of a record, a raw message.
    for at in (0..end)
        .step_by(97)
        .chain([0, 8, 127, frames[1], frames[1] + 63])
    {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(folder.segment(), &bytes).expect("it takes it");
        let inspected = portcullis(&["journal", "inspect", &journal]);
        let verified = portcullis(&["journal", "verify", &journal]);
        let tail = at >= frames[frames.len() - 2];
        let expected = if tail { 0 } else { 1 };
        assert_eq!(inspected.code, expected, "byte {at}: {}", inspected.out);
        assert_eq!(verified.code, expected, "byte {at}: {}", verified.out);
        let found = verified.out.contains("WRONG") || verified.out.contains("cut behind");
        assert!(found, "byte {at}: {}", verified.out);
    }
}

#[test]
fn a_limit_table_that_is_not_what_it_is_named_by_is_found() {
    let folder = Made::day().finish();
    let listed = fs::read_dir(folder.file("journal")).expect("it is there");
    let mut tables = listed
        .map(|file| file.expect("it lists").path())
        .filter(|path| path.extension().is_some_and(|end| end == "limits"));
    let table = tables.next().expect("the day's own");
    let mut bytes = fs::read(&table).expect("it is there");
    bytes[3] ^= 1;
    fs::write(&table, bytes).expect("it takes it");
    portcullis(&["journal", "verify", &folder.journal()])
        .ended(1)
        .said(&["WRONG: ", ".limits"]);
    portcullis(&["journal", "inspect", &folder.journal()])
        .ended(1)
        .said(&["DOES NOT READ"]);
}
