//! What a replay lacks is said by each tool that replays: tables of limits, digests, first segments.

use crate::made::{Folder, Made, Pruned};
use crate::portcullis;
use portcullis_domain::{ReportKind, Side};

/// Limits that refuse a later order come into force.
fn stricter() -> (Made, std::path::PathBuf) {
    let mut made = Made::begin(1 << 16, 64);
    made.open();
    made.order(1, Side::Buy, 10, 10_000);
    made.close();
    let table = made.flip("qty_max = 1_000\nnotional", "qty_max = 500\nnotional");
    made.order(2, Side::Buy, 600, 10_000);
    (made, table)
}

/// Without the file of those limits.
fn tableless(made: Made, table: &std::path::Path) -> Folder {
    std::fs::remove_file(table).expect("it was written");
    made.finish()
}

const REMARK: &str = "record 6: the limit table ";
const UNCONFIRMED: &str = "not confirmed by a digest of the journal";

#[test]
fn an_order_is_explained_under_the_limits_that_came_into_force() {
    let (mut made, _) = stricter();
    made.close();
    let folder = made.finish();
    for which in [&["--seq", "7"][..], &["TRADE1:2"]] {
        let explained = portcullis(&[&["explain", &folder.journal()], which].concat()).ended(0);
        let explained = explained.said(&["verdict: REFUSED by QTY_MAX"]);
        assert!(!explained.out.contains(UNCONFIRMED), "{}", explained.out);
        assert!(explained.err.is_empty(), "{}", explained.err);
    }
}

#[test]
fn an_explanation_under_limits_that_cannot_be_read_is_no_success() {
    // A digest behind the order shows that it is wrong.
    let (mut made, table) = stricter();
    made.close();
    let noted = tableless(made, &table);
    // None does.
    let (mut made, table) = stricter();
    made.close_unnoted();
    let unnoted = tableless(made, &table);
    for which in [&["--seq", "7"][..], &["TRADE1:2"]] {
        for (folder, why) in [(&noted, "digest"), (&unnoted, REMARK)] {
            let explained = portcullis(&[&["explain", &folder.journal()], which].concat());
            let explained = explained.ended(1).said(&[UNCONFIRMED]);
            assert!(explained.err.contains(REMARK), "{}", explained.err);
            assert!(explained.err.contains(why), "{}", explained.err);
        }
        // What came before is what it was.
        portcullis(&["explain", &unnoted.journal(), "--seq", "5"])
            .ended(0)
            .said(&["verdict: ACCEPTED"]);
    }
}

#[test]
fn an_explanation_that_no_digest_follows_says_so() {
    let (mut made, _) = stricter();
    made.close_unnoted();
    let folder = made.finish();
    for which in [&["--seq", "7"][..], &["TRADE1:2"]] {
        portcullis(&[&["explain", &folder.journal()], which].concat())
            .ended(0)
            .said(&["verdict: REFUSED by QTY_MAX", UNCONFIRMED]);
    }
}

#[test]
fn a_digest_is_read_on_to_past_other_records() {
    let (mut made, table) = stricter();
    for number in 3..12 {
        made.order(number, Side::Buy, 1, 10_000);
        made.report(number, ReportKind::Canceled);
    }
    // Frames of the order and behind it have none, the last one does.
    made.close_unnoted();
    made.order(12, Side::Buy, 1, 10_000);
    made.close();
    made.order(13, Side::Buy, 1, 10_000);
    made.close_unnoted();
    let seq = [
        "explain",
        &made.disk.folder().display().to_string(),
        "--seq",
        "7",
    ]
    .map(str::to_owned);
    let seq: Vec<&str> = seq.iter().map(String::as_str).collect();
    let explained = portcullis(&seq).ended(0);
    assert!(!explained.out.contains(UNCONFIRMED), "{}", explained.out);
    let _folder = tableless(made, &table);
    let explained = portcullis(&seq).ended(1);
    assert!(explained.err.contains("digest"), "{}", explained.err);
}

#[test]
fn a_day_under_other_limits_is_held_against_the_digests_of_the_recorded_one() {
    let (mut made, table) = stricter();
    made.close();
    let folder = tableless(made, &table);
    let config = folder.file("day.toml").display().to_string();
    let run = portcullis(&["replay", &folder.journal(), "--limits", &config]).ended(1);
    assert!(run.err.contains("noted the digest"), "{}", run.err);
}

/// Each tool that replays, on this journal.
fn replaying(folder: &Folder) -> Vec<(String, String)> {
    let journal = folder.journal();
    let config = folder.file("day.toml").display().to_string();
    let out = folder.file("out.csv").display().to_string();
    let export = |what| ["journal", "export", &journal, "--csv", &out, "--what", what];
    let said = |arguments: &[&str]| (arguments.join(" "), portcullis(arguments).err);
    vec![
        said(&["replay", &journal]),
        said(&["replay", &journal, "--limits", &config]),
        said(&export("verdicts")),
        said(&export("fills")),
        said(&["explain", &journal, "TRADE1:20"]),
    ]
}

#[test]
fn each_tool_says_what_table_it_could_not_read() {
    let (mut made, table) = stricter();
    made.order(20, Side::Buy, 1, 10_000);
    made.close_unnoted();
    for (tool, err) in replaying(&tableless(made, &table)) {
        assert_eq!(err.matches(REMARK).count(), 1, "{tool}: {err}");
    }
}

#[test]
fn each_tool_says_from_what_snapshot_it_begins() {
    let Pruned { folder, first, .. } = Made::pruned(|_, _| {});
    let begins = format!("begins from the snapshot at record {}", first - 1);
    for (tool, err) in replaying(&folder) {
        assert_eq!(err.matches(&begins).count(), 1, "{tool}: {err}");
    }
}
