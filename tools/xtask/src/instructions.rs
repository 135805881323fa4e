//! `cargo xtask bench instructions`: counts instructions by callgrind and holds them against the record.
//!
//! The program under `benches/kernel` runs fixed numbers of orders, refusals and hops; callgrind
//! collects inside the measured calls alone and writes a file a part. The record stands in the
//! repo, instructions for a thousand operations a line. A part is a row as those of other benches are, the record its
//! floor. Invariants: a count that grew by more than 3% ([`MOST_PERMILLE`]) fails, as does a part that the record does
//! not know or that is gone; only `--record` changes the record.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_bench_harness::{Bar, Report, Rounds, Row, Unit};

use crate::verb::{Fault, Outcome};
use crate::workspace::Workspace;

/// The record, from the root.
const RECORD: &str = "benches/instructions.txt";
/// A count may be so many thousandths of the recorded one.
const MOST_PERMILLE: u64 = 1_030;
/// The package, and its program.
const PACKAGE: &str = "portcullis-bench-kernel";
const PROGRAM: &str = "instructions";
/// What stands at the head of the record.
const HEADER: &str = "\
# Instructions for a thousand operations, by callgrind. Written by `cargo xtask bench instructions --record`;
# `cargo xtask ci` fails where one has grown by more than 3%.
";

/// What the figures are of.
const LOAD: &str =
    "instructions for a thousand operations, by callgrind; the floor is the record of the repo";

/// A part: what was done, and instructions for a thousand of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Count {
    name: String,
    per_thousand: u64,
}

/// Counts, and compares with the record or rewrites it.
///
/// # Errors
/// Valgrind cannot be had, the program does not build or run, or the record cannot be read.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (rewrite, json) = match words[..] {
        [] => (false, false),
        ["--record"] => (true, false),
        ["--json"] => (false, true),
        _ => {
            let given = words.join(" ");
            return Err(Fault(format!(
                "bench instructions takes --record, --json or nothing, not `{given}`"
            )));
        }
    };
    let mut report = Report::new(PROGRAM);
    let counts = count(workspace)?;
    let record = workspace.root().join(RECORD);
    if rewrite {
        fs::write(&record, written(&counts)).map_err(|e| Fault::of(record.display(), e))?;
        println!("{}: {} counts", record.display(), counts.len());
        return Ok(Outcome::Passed);
    }
    let text = fs::read_to_string(&record).map_err(|e| Fault::of(record.display(), e))?;
    for row in compared(&read(&text)?, &counts) {
        report.push(row);
    }
    report.fact("load", LOAD);
    report.print(json);
    let holds = !report.misses_any();
    if !holds {
        eprintln!(
            "instructions are not as recorded: mend it, or run `cargo xtask bench instructions \
             --record` and say why in the commit"
        );
    }
    Ok(Outcome::of(holds))
}

/// Makes sure that `valgrind` is there.
fn provide_valgrind() -> Result<(), Fault> {
    const INSTALL: [&str; 4] = ["install", "--yes", "--no-install-recommends", "valgrind"];
    let there = || Command::new("valgrind").arg("--version").output().is_ok();
    if there() {
        return Ok(());
    }
    println!("$ apt-get {}", INSTALL.join(" "));
    let installed = Command::new("apt-get").args(INSTALL).status();
    match installed {
        Ok(status) if status.success() && there() => Ok(()),
        Ok(_) | Err(_) => Err(Fault(
            "there is no valgrind: run `apt-get install valgrind` as root, or install it as your \
             system does"
                .into(),
        )),
    }
}

/// Builds the programs that valgrind runs, and makes sure that it is there; returns their folder.
///
/// # Errors
/// They do not build, or valgrind cannot be had.
pub(crate) fn built(workspace: &Workspace) -> Result<PathBuf, Fault> {
    provide_valgrind()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", PACKAGE])
        .current_dir(workspace.root())
        .status()
        .map_err(|error| Fault::of("cargo build", error))?;
    if !built.success() {
        return Err(Fault::of(PACKAGE, "it does not build: see above"));
    }
    Ok(workspace.target().join("release"))
}

/// Runs the program under callgrind.
fn count(workspace: &Workspace) -> Result<Vec<Count>, Fault> {
    let programs = built(workspace)?;
    let folder = programs.with_file_name("callgrind");
    // Files of an earlier run must not be taken for this one's.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| Fault::of(folder.display(), error))?;
    let out = folder.join("part");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg("--toggle-collect=portcullis_bench_kernel::measured::*")
        .arg("--dump-after=*part_ends*")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(programs.join(PROGRAM))
        .output()
        .map_err(|error| Fault::of("valgrind", error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Fault::of("valgrind", format!("{}\n{said}", output.status)));
    }
    parts(&String::from_utf8_lossy(&output.stdout), &folder)
}

/// The parts that the program names, each with the total of its file; set-ups are left out.
fn parts(said: &str, folder: &Path) -> Result<Vec<Count>, Fault> {
    let mut counts = Vec::new();
    for (line, number) in said.lines().zip(1..) {
        let wrong = || Fault::of(PROGRAM, format!("`{line}` names no part"));
        let (name, operations) = line.split_once('\t').ok_or_else(wrong)?;
        let operations: u64 = operations.parse().map_err(|_| wrong())?;
        if operations == 0 {
            continue;
        }
        let file = folder.join(format!("part.{number}"));
        let text = fs::read_to_string(&file).map_err(|e| Fault::of(file.display(), e))?;
        let total = total(&text).filter(|total| *total > 0);
        let total = total.ok_or_else(|| Fault::of(file.display(), "nothing was counted in it"))?;
        counts.push(Count {
            name: name.to_owned(),
            per_thousand: total * 1_000 / operations,
        });
    }
    match counts.is_empty() {
        true => Err(Fault::of(PROGRAM, "it named no part")),
        false => Ok(counts),
    }
}

/// Instructions in a file of callgrind's.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"))?;
    line.trim().parse().ok()
}

fn written(counts: &[Count]) -> String {
    let mut text = HEADER.to_owned();
    for count in counts {
        text.push_str(&format!("{:>9} {}\n", count.per_thousand, count.name));
    }
    text
}

fn read(text: &str) -> Result<Vec<Count>, Fault> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let count = |line: &str| {
        let wrong = || Fault::of(RECORD, format!("`{line}` is no count and name"));
        let (number, name) = line.trim().split_once(' ').ok_or_else(wrong)?;
        let per_thousand = number.parse().map_err(|_| wrong())?;
        Ok(Count {
            name: name.to_owned(),
            per_thousand,
        })
    };
    lines.map(count).collect()
}

/// A row a count, and one of each part that is gone.
fn compared(record: &[Count], counts: &[Count]) -> Vec<Row> {
    let of = |name: &str, among: &[Count]| {
        let found = among.iter().find(|count| count.name == name);
        found.map(|count| count.per_thousand)
    };
    let counted = counts.iter().map(|count| {
        let recorded = of(&count.name, record);
        row(&count.name, Some(count.per_thousand), recorded)
    });
    let gone = record.iter().filter(|was| of(&was.name, counts).is_none());
    let gone = gone.map(|was| row(&was.name, None, Some(was.per_thousand)));
    counted.chain(gone).collect()
}

/// What has no counterpart must miss its bar: nothing at all is not as many as recorded.
fn row(name: &str, counted: Option<u64>, recorded: Option<u64>) -> Row {
    let (bar, note) = match (counted, recorded) {
        (Some(_), Some(_)) => (Bar::AtMostPermille(MOST_PERMILLE), None),
        (Some(_), None) => (Bar::AtMost(0), Some("NOT RECORDED".to_owned())),
        (None, _) => (Bar::AtLeast(1), Some("GONE".to_owned())),
    };
    let value: Rounds = [counted.unwrap_or(0)].into_iter().collect();
    Row {
        note,
        ..Row::of_rounds(PROGRAM, name.to_owned(), Unit::Count, &value, recorded, bar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str, per_thousand: u64) -> Count {
        Count {
            name: name.to_owned(),
            per_thousand,
        }
    }

    fn holds(record: &[Count], counts: &[Count]) -> bool {
        let rows = compared(record, counts);
        rows.iter().all(|row| row.holds() == Some(true))
    }

    #[test]
    fn three_percent_passes_and_one_more_does_not() {
        let record = [count("accept, alone", 100_000)];
        assert!(holds(&record, &[count("accept, alone", 103_000)]));
        assert!(!holds(&record, &[count("accept, alone", 103_001)]));
        assert!(holds(&record, &[count("accept, alone", 50_000)]));
    }

    #[test]
    fn a_part_that_is_new_or_gone_does_not_pass() {
        let record = [count("hop", 1), count("refuse RATE", 2)];
        assert!(!holds(&record, &record[..1]));
        assert!(!holds(&record[..1], &record));
        assert!(holds(&record, &record));
        assert_eq!(compared(&record, &[]).len(), 2);
    }

    #[test]
    fn the_record_reads_back_and_a_wrong_line_is_a_fault() {
        let counts = [count("accept, in batches", 2_427_781), count("hop", 90)];
        assert_eq!(read(&written(&counts)).unwrap(), counts);
        assert!(read("many accept").is_err());
        assert!(read("12").is_err());
    }

    #[test]
    fn the_total_of_a_file_is_found() {
        assert_eq!(total("events: Ir\nsummary: 7\ntotals: 42\n"), Some(42));
        assert_eq!(total("events: Ir\n"), None);
        assert!(parts("accept\t64\n", Path::new("/no/such/folder")).is_err());
        assert!(parts("", Path::new(".")).is_err());
    }
}
