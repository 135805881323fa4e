//! `diff`.

use crate::made::Made;
use crate::portcullis;
use portcullis_domain::{ReportKind, Side};
use std::fs;

#[test]
fn a_copy_does_not_differ_and_a_shorter_one_ends_first() {
    let folder = Made::day().finish();
    let copy = folder.copy();
    let copied = copy.display().to_string();
    let journal = folder.journal();
    portcullis(&["journal", "diff", &journal, &copied])
        .ended(0)
        .said(&["records equal: 20", "frames equal: 5", "no difference"]);
    let segment = copy.join("00000000000000000001.segment");
    let bytes = fs::read(&segment).expect("it is there");
    // Four frames are whole, of the fifth a part.
    let fifth = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == b"PCFR")
        .nth(4);
    let (at, _) = fifth.expect("it has five");
    fs::write(&segment, &bytes[..at + 64]).expect("it takes it");
    portcullis(&["journal", "diff", &journal, &copied])
        .ended(1)
        .said(&["records equal: 16", "B ends with record 16"]);
}

#[test]
fn the_first_record_that_differs_is_said_field_by_field() {
    let made = |qty| {
        let mut made = Made::begin(1 << 16, 4);
        made.open();
        made.order(1, Side::Buy, 10, 10_000);
        made.order(2, Side::Buy, qty, 10_000);
        made.report(1, ReportKind::Accepted);
        made.close();
        made.finish()
    };
    let (one, other) = (made(7), made(8));
    let differing = portcullis(&["journal", "diff", &one.journal(), &other.journal()]).ended(1);
    differing.said(&[
        "records equal: 5",
        "record 6 differs:",
        "  qty: A 7, B 8",
        "  raw, from byte ",
        "A: 6 2023-11-14T22:13:20.006000000Z order TRADE1:2 for trader1: buy 7 ACME @ 10000 day",
        "buy 8 ACME @ 10000 day",
        "frame 1 differs",
        "  chain: A ",
    ]);
}
