//! `replay --limits`.

use crate::made::{Folder, Made};
use crate::portcullis;
use portcullis_domain::{ReportKind, Side};
use serde_json::Value;

fn flips(folder: &Folder, config: &str, more: &[&str]) -> (Vec<Value>, Value) {
    let journal = folder.journal();
    let arguments = ["replay", &journal, "--limits", config, "--json"];
    let run = portcullis(&[&arguments[..], more].concat()).ended(0);
    let mut lines: Vec<Value> = run
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    let totals = lines.pop().expect("the totals come last");
    (lines, totals)
}

#[test]
fn the_same_limits_flip_nothing() {
    let folder = Made::day().finish();
    let config = folder.file("day.toml").display().to_string();
    let (flips, totals) = flips(&folder, &config, &[]);
    assert!(flips.is_empty());
    assert_eq!(totals["verdicts"], 6);
    assert_eq!(totals["refused_both"], 1);
    assert_eq!(totals["reports_skipped"], 0);
}

#[test]
fn stricter_limits_refuse_and_reports_on_what_they_refused_do_not_raise() {
    let folder = Made::day().finish();
    let config = folder.config("qty_max = 1_000\nnotional", "qty_max = 500\nnotional");
    let (flips, totals) = flips(&folder, &config, &[]);
    assert_eq!(flips.len(), 1);
    assert_eq!(flips[0]["order"], "TRADE1:5");
    assert_eq!(flips[0]["account"], "trader1");
    assert_eq!(flips[0]["flip"], "accepted->refused");
    assert_eq!(flips[0]["checks"][0], "QTY_MAX");
    // It was accepted by the engine and canceled.
    assert_eq!(totals["reports_skipped"], 2);
    assert_eq!(totals["alarms_otherwise"], 0);
    let (later, totals) = self::flips(&folder, &config, &["--from", "18"]);
    assert!(later.is_empty(), "order 5 was record 15");
    assert_eq!(totals["verdicts"], 1);
}

#[test]
fn looser_limits_accept_and_what_only_they_accepted_is_ended_at_once() {
    let folder = Made::day().finish();
    let text = crate::made::CONFIG.replace("qty_max = 1_000", "qty_max = 5_000");
    let path = folder.file("loose.toml");
    std::fs::write(&path, text).expect("it takes a file");
    let (flips, totals) = flips(&folder, &path.display().to_string(), &[]);
    assert_eq!(flips.len(), 1);
    assert_eq!(flips[0]["flip"], "refused->accepted");
    assert_eq!(flips[0]["order"], "TRADE1:2");
    assert_eq!(totals["ended_at_once"], 1);
    let text = portcullis(&[
        "replay",
        &folder.journal(),
        "--limits",
        &path.display().to_string(),
    ]);
    text.ended(0).said(&[
        "8 trader1 TRADE1:2 refused->accepted QTY_MAX\n",
        "  trader1 QTY_MAX refused->accepted 1\n",
        "verdicts compared 6: accepted->refused 0, refused->accepted 1",
    ]);
}

/// A replace up is refused by the tried limits alone: the order keeps its version, takes executions that fit it, and
/// ends when the recorded order does.
#[test]
fn an_order_whose_replace_only_the_tried_limits_refuse_keeps_its_version() {
    let mut made = Made::begin(1 << 16, 4);
    made.open();
    made.order(1, Side::Buy, 10, 10_000);
    made.report(1, ReportKind::Accepted);
    made.replace(1, 2, 300, 10_000);
    let new = portcullis_domain::UserRef { row: 0, number: 2 };
    made.report(1, ReportKind::Replaced { new });
    made.fill(2, 6, 10_000);
    made.fill(2, 50, 10_000);
    made.report(2, ReportKind::Canceled);
    made.order(3, Side::Sell, 5, 10_000);
    made.close();
    let folder = made.finish();
    let config = folder.config("qty_max = 1_000\nnotional", "qty_max = 100\nnotional");
    let (flips, totals) = flips(&folder, &config, &[]);
    assert_eq!(flips.len(), 1);
    assert_eq!(flips[0]["order"], "TRADE1:2");
    // The confirmation, and the execution beyond its ten lots.
    assert_eq!(totals["reports_skipped"], 2);
    assert_eq!(totals["fills_skipped"], 1);
    // Had the account been Halted, the last order would have been refused.
    assert_eq!(totals["alarms_otherwise"], 0);
    assert_eq!(totals["accepted_to_refused"], 1);
}

/// An order whose replace up is refused by limits that allow 100, and what becomes of it at the engine.
fn replaced_up(then: impl Fn(&mut Made)) -> (Folder, String) {
    let mut made = Made::begin(1 << 16, 4);
    made.open();
    made.order(1, Side::Buy, 10, 10_000);
    made.report(1, ReportKind::Accepted);
    made.replace(1, 2, 300, 10_000);
    then(&mut made);
    made.close();
    let folder = made.finish();
    let config = folder.config("qty_max = 1_000\nnotional", "qty_max = 100\nnotional");
    (folder, config)
}

/// The engine refuses the replace under its own number, which here stands for the order that it would have replaced.
#[test]
fn an_order_goes_on_when_the_engine_too_refuses_the_replace() {
    let (folder, config) = replaced_up(|made| {
        made.report(2, ReportKind::Rejected);
        made.fill(1, 6, 10_000);
        made.report(1, ReportKind::Canceled);
    });
    let (flips, totals) = flips(&folder, &config, &[]);
    assert_eq!(flips.len(), 1);
    assert_eq!(totals["reports_skipped"], 1, "the refusal");
    assert_eq!(totals["fills_skipped"], 0);
    assert_eq!(totals["ended_with_recorded"], 0);
    assert_eq!(totals["alarms_otherwise"], 0);
}

/// A version that was confirmed is the order: refused, it takes the order along.
#[test]
fn an_order_ends_when_the_recorded_one_is_refused_under_a_number_that_it_does_not_have() {
    let (folder, config) = replaced_up(|made| {
        let new = portcullis_domain::UserRef { row: 0, number: 2 };
        made.report(1, ReportKind::Replaced { new });
        made.report(2, ReportKind::Rejected);
        made.replace(1, 3, 5, 10_000);
    });
    let (_, totals) = flips(&folder, &config, &[]);
    assert_eq!(totals["reports_skipped"], 2, "confirmation and refusal");
    assert_eq!(totals["ended_with_recorded"], 1);
    assert_eq!(totals["verdicts"], 2, "no order is left to be replaced");
}

#[test]
fn limits_that_are_not_of_this_journal_cannot_be_tried() {
    let folder = Made::day().finish();
    let config = folder.config("user = \"TRADE1\"", "user = \"TRADE2\"");
    let journal = folder.journal();
    let cannot = portcullis(&["replay", &journal, "--limits", &config]).ended(2);
    assert!(
        cannot.err.contains("session 0 is TRADE2 now"),
        "{}",
        cannot.err
    );
    let value = folder.config("tick_lot_value = \"0.01\"", "tick_lot_value = \"0.02\"");
    let cannot = portcullis(&["replay", &journal, "--limits", &value]).ended(2);
    assert!(
        cannot.err.contains("tick_lot_value changed"),
        "{}",
        cannot.err
    );
    let same = folder.file("day.toml").display().to_string();
    let past = ["replay", &journal, "--limits", &same, "--from", "500"];
    let cannot = portcullis(&past).ended(2);
    assert!(
        cannot.err.contains("record 500 is not in this journal"),
        "{}",
        cannot.err
    );
}
