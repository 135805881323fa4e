//! The accounts file: read, refused by line, and bounded.

use super::samples::OUCH;
use super::{OneFile, SMALL};
use crate::config::{Config, Errors, LoadOptions, parse};
use portcullis_domain::AccountId;
use portcullis_risk_core::limits::account::AccountField;
use std::fmt::Write;

fn with_file(csv: &str) -> Result<Config, Errors> {
    let text = format!("accounts_csv = \"accounts.csv\"\n{SMALL}");
    let options = LoadOptions {
        dialect: Some(OUCH),
        previous: None,
    };
    parse(
        "test.toml",
        &text,
        &OneFile("accounts.csv", csv.to_owned()),
        options,
    )
}

#[test]
fn accounts_come_with_their_exceptions() {
    let csv = "# all of them\nfirm,name,class,loss_max,qty_max\r\n\
               north,b1,std,,\n\nnorth , b2 , std , 77.25 ,\nnorth,b3,std,1,7";
    let config = match with_file(csv) {
        Ok(config) => config,
        Err(errors) => panic!("{errors}"),
    };
    let cell = |name: &str, field| {
        let account = config.names.account(name).expect("there");
        let row = config.limits.accounts[account.index()]
            .row
            .expect("it exists");
        config.limits.rows[row as usize].cells.cell(field).value()
    };
    assert_eq!(cell("b1", AccountField::LossMax), Some(100_000_000_000));
    assert_eq!(cell("b2", AccountField::LossMax), Some(77_250_000));
    assert_eq!(cell("b2", AccountField::QtyMax), Some(50));
    assert_eq!(cell("b3", AccountField::QtyMax), Some(7));
    assert_eq!(
        config.names.account("b3"),
        Some(AccountId::new(4)),
        "after those of the config"
    );
}

const HEADER: &str = "name,class,firm,qty_max";

/// A file, the line and column of its mistake, and words of message and hint.
type Case<'a> = (&'a str, usize, usize, &'a str, &'a str);

const HEADERS: &[Case<'_>] = &[
    ("name,clas,firm", 1, 6, "no column `clas`", "`class`?"),
    ("name,class", 1, 1, "no column `firm`", "name,class,firm"),
    (
        "name,class,firm,qty_max,qty_max",
        1,
        25,
        "twice",
        "keep one",
    ),
    ("", 0, 0, "no header", "name,class,firm"),
];

/// What stands below [`HEADER`].
const LINES: &[Case<'_>] = &[
    ("b1,std,north", 2, 1, "3 fields", "one field for each"),
    (
        "b1,std,north,\nb2, sdt,north,",
        3,
        5,
        "no class `sdt`",
        "`std`?",
    ),
    ("b1,std,noth,", 2, 8, "no firm `noth`", "`north`?"),
    ("b1,std,north,5.5", 2, 14, "no whole number", "lots"),
    ("b1,std,north,0", 2, 14, "out of range", "from 1"),
    ("a1,std,north,", 2, 1, "there twice", "rename"),
    ("\"b1\",std,north,", 2, 1, "no name", "letters"),
    (
        "b1,std,north,1000000",
        2,
        0,
        "beyond the largest order",
        "999999",
    ),
];

fn check(csv: &str, case: &Case<'_>) {
    let (_, line, column, what, hint) = *case;
    let errors = with_file(csv).expect_err(csv);
    let mistake = &errors.mistakes[0];
    assert_eq!(errors.mistakes.len(), 1, "{errors}");
    assert_eq!(mistake.file, "accounts.csv");
    assert_eq!((mistake.line, mistake.column), (line, column), "{errors}");
    assert!(
        mistake.what.contains(what) && mistake.hint.contains(hint),
        "{errors}"
    );
}

#[test]
fn a_wrong_line_is_refused_by_its_number_and_what_to_write() {
    for case in HEADERS {
        check(case.0, case);
    }
    for case in LINES {
        check(&format!("{HEADER}\n{}", case.0), case);
    }
    let long = format!("{HEADER}\n{}", "x".repeat(5_000));
    check(&long, &("", 2, 0, "more than 4096 bytes", "one line"));
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_of_the_config() {
    let text = format!("accounts_csv = \"elsewhere.csv\"\n{SMALL}");
    let files = OneFile("accounts.csv", String::new());
    let errors = parse("test.toml", &text, &files, LoadOptions::default()).expect_err("not there");
    assert_eq!(
        (errors.mistakes[0].line, errors.mistakes.len()),
        (1, 1),
        "{errors}"
    );
}

#[test]
fn more_accounts_than_there_is_room_for_do_not_load() {
    let mut csv = "name,class,firm\n".to_owned();
    for index in 0..1_023 {
        let _ = writeln!(csv, "account-{index},std,north");
    }
    let errors = with_file(&csv).expect_err("1,025 accounts");
    assert!(
        errors.mistakes[0].hint.contains("accounts_max = 1025"),
        "{errors}"
    );
}
