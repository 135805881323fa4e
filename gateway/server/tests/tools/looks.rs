//! `inspect`, `verify` and `replay` on whole journals.

use crate::made::{Made, Pruned};
use crate::portcullis;
use portcullis_domain::{ReportKind, Side};
use serde_json::Value;

#[test]
fn inspect_shows_segments_tables_and_who_holds_it() {
    let made = Made::day();
    let records = made.core.seq().raw();
    let held = format!("{}", made.disk.folder().display());
    let seen = portcullis(&["journal", "inspect", &held]).ended(0);
    seen.said(&["lock: a gateway holds it"]);
    let folder = made.finish();
    portcullis(&["journal", "inspect", &folder.journal()])
        .ended(0)
        .said(&[
            "lock: nobody holds it",
            "accounts 1, instruments 1, firms 1, sessions 1: TRADE1",
            "number: 000000000000004d",
            "segment 00000000000000000001.segment",
            "term 1, begun 2023-11-14T22:13:20.000000000Z, tools, rules 1",
            &format!("records 1 to {records} ({records}) in 5 frames"),
            "snapshot.0: none",
            ".limits: ",
        ]);
    let frames = portcullis(&["journal", "inspect", &folder.journal(), "--frames"]).ended(0);
    assert_eq!(frames.out.matches(", digest ").count(), 5, "{}", frames.out);
}

#[test]
fn inspect_says_records_in_words() {
    let folder = Made::day().finish();
    let journal = folder.journal();
    let config = folder.file("day.toml").display().to_string();
    let seq = ["journal", "inspect", &journal, "--seq"];
    portcullis(&[&seq[..], &["5", "--count", "4"]].concat())
        .ended(0)
        .said(&[
            "5 2023-11-14T22:13:20.005000000Z order TRADE1:1 for trader1: buy 10 ACME @ 10000 day",
            "OUCH EnterOrder(EnterOrder { user_ref_num: UserRefNum(1), side: Buy, quantity: 10",
            "engine: TRADE1:1 accepted",
            "engine: TRADE1:1 filled 4 @ 10000 ticks, match 6, fee 100",
            "order TRADE1:2 for trader1: buy 2000 ACME",
        ]);
    portcullis(&[&seq[..], &["5", "--config", &config]].concat())
        .ended(0)
        .said(&["buy 10 ACME @ 100.00 day"]);
    let past = portcullis(&[&seq[..], &["900"]].concat()).ended(2);
    assert!(
        past.err.contains("record 900 is not in this journal"),
        "{}",
        past.err
    );
    let none = ["journal", "inspect", &journal, "--segment", "77"];
    let none = portcullis(&none).ended(2);
    assert!(none.err.contains("there is no segment 77"), "{}", none.err);
    let nowhere = portcullis(&["journal", "inspect", "/nowhere/at/all"]).ended(2);
    assert!(
        nowhere.err.contains("name the folder of a journal"),
        "{}",
        nowhere.err
    );
}

#[test]
fn verify_compares_digests_and_snapshots_with_the_replay() {
    let mut made = Made::day();
    made.snapshot(|_, _| {});
    made.order(7, Side::Buy, 1, 10_000);
    made.report(7, ReportKind::Accepted);
    made.close();
    let records = made.core.seq().raw();
    let folder = made.finish();
    let verified = portcullis(&["journal", "verify", &folder.journal(), "--json"]).ended(0);
    let said: Value = serde_json::from_str(&verified.out).expect("one object");
    assert_eq!(said["last_record"], records);
    assert_eq!(said["replay"]["records"], records);
    assert_eq!(said["digests_compared"], 6);
    assert_eq!(
        said["snapshots"][0]["compared"],
        "digest, limits, the hash of the whole state, words"
    );
    assert_eq!(said["faults"].as_array().expect("a list").len(), 0);
    let fast = portcullis(&["journal", "verify", &folder.journal(), "--fast"]).ended(0);
    fast.said(&["replay: none", "not reached"]);
}

#[test]
fn where_the_first_segments_are_gone_a_replay_begins_from_the_oldest_snapshot() {
    let Pruned {
        folder,
        first,
        digest,
        state,
    } = Made::pruned(|_, _| {});
    let at = first - 1;
    let replayed = portcullis(&["replay", &folder.journal()]).ended(0);
    assert!(
        replayed
            .out
            .contains(&format!("digest {digest:016x}, state {state:016x}"))
    );
    assert!(
        replayed.err.contains(&format!("snapshot at record {at}")),
        "{}",
        replayed.err
    );
    portcullis(&["journal", "verify", &folder.journal()])
        .ended(0)
        .said(&["the replay began from it"]);
    std::fs::remove_file(folder.file("journal/snapshot.0")).expect("there");
    let cannot = portcullis(&["replay", &folder.journal()]).ended(2);
    assert!(
        cannot.err.contains("no good snapshot reaches up to it"),
        "{}",
        cannot.err
    );
}

#[test]
fn both_names_of_replay_do_the_same_and_stop_where_told() {
    let made = Made::day();
    let digest = format!("digest {:016x}", made.core.digest());
    let refused = made.refused();
    let folder = made.finish();
    let journal = folder.journal();
    let one = portcullis(&["replay", &journal, "--verdicts"]).ended(0);
    let two = portcullis(&["journal", "replay", &journal, "--verdicts"]).ended(0);
    assert_eq!(one.out, two.out);
    assert!(one.out.contains(&digest), "{}", one.out);
    assert_eq!(one.out.matches(" refused ").count() as u64, refused);
    assert!(one.out.contains("8 1 0:0:2 refused QTY_MAX"), "{}", one.out);
    let part = portcullis(&["replay", &journal, "--to", "7"]).ended(0);
    assert!(part.out.starts_with("7 records, "), "{}", part.out);
}
