//! `export`.

use crate::made::Made;
use crate::portcullis;
use std::fs;

fn exported(what: &str, more: &[&str]) -> Vec<Vec<String>> {
    let folder = Made::day().finish();
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
