//! `export`.

use crate::made::{Folder, Made, Pruned};
use crate::portcullis;
use portcullis_domain::{
    CancelRequest, Command, Price, Qty, QtyMeaning, ReplaceRequest, SessionId, Side, TimeInForce,
    Units, UserRef,
};
use std::fs;

fn exported(what: &str, more: &[&str]) -> Vec<Vec<String>> {
    exported_of(&Made::day().finish(), what, more)
}

fn exported_of(folder: &Folder, what: &str, more: &[&str]) -> Vec<Vec<String>> {
    let file = folder.file("out.csv");
    let path = file.display().to_string();
    let journal = folder.journal();
    let config = folder.file("day.toml").display().to_string();
    let mut arguments = vec![
        "journal", "export", &journal, "--csv", &path, "--what", what,
    ];
    arguments.extend(more);
    if more.contains(&"--config") {
        arguments.push(&config);
    }
    portcullis(&arguments).ended(0);
    let text = fs::read_to_string(file).expect("it was written");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let lines = reader
        .records()
        .map(|line| line.expect("as many fields as the header"));
    lines
        .map(|line| line.iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn each_record_is_a_line() {
    let lines = exported("records", &[]);
    assert_eq!(lines.len(), 21);
    assert_eq!(lines[0][0], "seq");
    let order = [
        "5",
        "1700000000005000000",
        "order",
        "TRADE1",
        "0",
        "1",
        "trader1",
        "ACME",
        "buy",
        "10",
        "10000",
        "",
        "day",
        "",
    ];
    assert_eq!(lines[5], order);
    let part = exported("records", &["--from", "5", "--to", "6"]);
    assert_eq!(part.len(), 3);
    assert_eq!(part[1..], lines[5..7]);
}

#[test]
fn verdicts_and_fills_are_those_of_the_replay_in_exact_decimals() {
    let verdicts = exported("verdicts", &["--config"]);
    let refused: Vec<_> = verdicts
        .iter()
        .filter(|line| line[12] == "refused")
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(
        refused[0][3..],
        [
            "TRADE1", "0", "2", "trader1", "ACME", "order", "buy", "2000", "100.00", "refused",
            "QTY_MAX", "1000", "0", "2000", "1000"
        ]
    );
    let fills = exported("fills", &["--config"]);
    assert_eq!(fills.len(), 3);
    assert_eq!(
        fills[1][2..],
        [
            "TRADE1",
            "0",
            "1",
            fills[1][5].as_str(),
            "trader1",
            "ACME",
            "buy",
            "4",
            "100.00",
            "6",
            "0.01",
            "6"
        ]
    );
    assert_eq!(fills[2][9..11], ["2", "99.50"]);
    assert_eq!(exported("fills", &["--from", "8"]).len(), 2);
}

/// A replace and cancels, in units of the wire: 100.25 is 1,002,500 there.
fn wired() -> Folder {
    let mut made = Made::begin(1 << 16, 4);
    made.open();
    made.order(1, Side::Buy, 10, 10_000);
    let session = SessionId::new(0);
    let user_ref = |number| UserRef { row: 0, number };
    let replace = |price| {
        Command::Replace(ReplaceRequest {
            session,
            original: user_ref(1),
            user_ref: user_ref(2),
            units: Units::Wire,
            qty: Qty::new(300),
            qty_meaning: QtyMeaning::Total,
            price,
            time_in_force: TimeInForce::Day,
        })
    };
    let cancel = |units, total| {
        Command::Cancel(CancelRequest {
            session,
            user_ref: user_ref(2),
            units,
            qty_total: Qty::new(total),
        })
    };
    made.give(replace(Some(Price::new(1_002_500))), &[]);
    made.give(replace(None), &[]);
    made.give(cancel(Units::Wire, 200), &[]);
    made.give(cancel(Units::TicksAndLots, 200), &[]);
    made.give(cancel(Units::Wire, 0), &[]);
    made.close();
    made.finish()
}

#[test]
fn numbers_of_the_wire_are_not_taken_for_ticks_and_lots() {
    let folder = wired();
    for more in [&[][..], &["--config"]] {
        let lines = exported_of(&folder, "records", more);
        let seen = lines[6..]
            .iter()
            .map(|line| [2, 9, 10, 12].map(|column| line[column].as_str()));
        assert_eq!(
            seen.collect::<Vec<_>>(),
            [
                ["replace", "", "", "of 1, 300 @ 1002500 wire"],
                ["replace", "", "", "of 1, 300 @ market wire"],
                ["cancel", "", "", "down to 200 wire"],
                ["cancel", "200", "", ""],
                ["cancel", "0", "", ""],
            ]
        );
    }
}

#[test]
fn a_replace_in_ticks_has_them_beside_no_decimals() {
    let of = |more: &[&str]| exported("records", more)[11][9..13].to_vec();
    assert_eq!(of(&[]), ["8", "9950", "", "of 1, 8 @ 9950 ticks"]);
    assert_eq!(of(&["--config"]), ["8", "", "", "of 1, 8 @ 9950 ticks"]);
}

#[test]
fn a_journal_whose_first_segments_are_gone_is_exported_from_where_it_begins() {
    let Pruned { folder, first, .. } = Made::pruned(|_, _| {});
    let first = first.to_string();
    let lines = exported_of(&folder, "records", &[]);
    assert_eq!(lines[1][0], first);
    let from = ["--from", &first];
    assert_eq!(exported_of(&folder, "records", &from), lines);
    let export = ["journal", "export", &folder.journal(), "--csv", "-"];
    let said = format!("the journal begins with record {first}");
    assert!(portcullis(&export).err.contains(&said));
    assert!(
        !portcullis(&[&export[..], &from].concat())
            .err
            .contains(&said)
    );
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = Made::day().finish();
    let journal = folder.journal();
    let nowhere = [
        "journal",
        "export",
        &journal,
        "--csv",
        "/nowhere/at/all.csv",
    ];
    let cannot = portcullis(&nowhere).ended(2);
    assert!(cannot.err.contains("/nowhere/at/all.csv"), "{}", cannot.err);
}
