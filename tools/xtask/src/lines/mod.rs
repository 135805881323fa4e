//! `cargo xtask bench lines`: counts the cache lines that an order touches, in the kernel and in its floor.
//!
//! The program under `benches/kernel` gives both the same batches; lackey writes down each address, and what
//! stands between two marks is counted here: distinct lines of 64 bytes of the core's tables. Left out
//! are the stack, the records, what counts effects, and the program's own constants; lines of the core's one
//! struct are counted apart, since a batch shares them. Far is a line that fewer than a quarter of the batches touch
//! (accounts, positions, orders); near are those of what all orders share (instruments, firms, sessions). A
//! line is named by the place in the core's sources that touches it first. Invariant: the counts hold
//! only while kernel and floor differ by 5% ([`ALIKE_PERMILLE`]) at the most, and lines of the kernel that the
//! floor leaves out are as few.

mod regions;
mod trace;

use portcullis_bench_harness::{Bar, Report, Rounds, Row, Unit};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::verb::{Fault, Outcome};
use crate::workspace::Workspace;
use trace::{Counts, LINE, Places, Seen, Touched};

/// The program.
const PROGRAM: &str = "lines";
/// The counts of kernel and floor may be so many thousandths of each other ...
const ALIKE_PERMILLE: u64 = 1_050;
/// ... and lines of the kernel alone so many of its lines.
const ALONE_PERMILLE: u64 = 50;

/// What the figures are of.
const LOAD: &str = "distinct lines of 64 bytes that batches of orders that pass touch, by lackey; lines for a thousand orders";

/// Counts.
///
/// # Errors
/// Valgrind cannot be had, or the program does not build, run or say what it must.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    const QUICK: &str = "--quick";
    const JSON: &str = "--json";
    let known = |word: &&String| word.as_str() == QUICK || word.as_str() == JSON;
    if let Some(word) = arguments.iter().find(|word| !known(word)) {
        return Err(Fault(format!(
            "bench lines takes {QUICK} and {JSON}, not `{word}`"
        )));
    }
    let asked = |word: &str| arguments.iter().any(|argument| argument == word);
    let (quick, json) = (asked(QUICK), asked(JSON));
    let mut report = Report::new(PROGRAM);
    let program = crate::instructions::built(workspace)?.join(PROGRAM);
    let (places, touched) = traced(&program, if quick { &[QUICK] } else { &[] })?;
    let orders = places.batches * places.batch;
    let seen = touched.seen();
    if !json {
        let names = regions::names(&program, &places, &touched)?;
        tell(&seen, orders, &names);
    }
    for row in rows(&seen, orders) {
        report.push(row);
    }
    let (kernel, floor) = touched.of_the_core();
    report.push(row(
        "lines of the core's own struct",
        (kernel, Some(floor)),
        orders,
        Bar::None,
    ));
    report.fact("load", LOAD);
    report.fact("orders", orders);
    report.print(json);
    Ok(Outcome::of(!report.misses_any()))
}

/// Runs the program under lackey and reads what it touches.
fn traced(program: &Path, words: &[&str]) -> Result<(Places, Touched), Fault> {
    let mut child = Command::new("valgrind")
        .args(["--tool=lackey", "--trace-mem=yes"])
        .arg(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Fault::of("valgrind", error))?;
    let stderr = child.stderr.take().expect("it is piped");
    let (say, said) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || trace::read(BufReader::new(stderr), &said));
    let places = places(&mut child)?;
    // The trace is not read on before it is known what to look for.
    let _ = say.send(places.clone());
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin
        .write_all(b"go\n")
        .map_err(|error| Fault::of(PROGRAM, error))?;
    let touched = reader.join().expect("reading has no way to fail");
    let status = child.wait().map_err(|error| Fault::of("valgrind", error))?;
    match (status.success(), touched) {
        (true, Some(touched)) => Ok((places, touched)),
        _ => Err(Fault::of(PROGRAM, format!("under lackey: {status}"))),
    }
}

/// What the program says of itself, up to an empty line.
fn places(child: &mut Child) -> Result<Places, Fault> {
    let stdout = child.stdout.take().expect("it is piped");
    let mut by_name = BTreeMap::new();
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|error| Fault::of(PROGRAM, error))?;
        if line.is_empty() {
            break;
        }
        let wrong = || Fault::of(PROGRAM, format!("`{line}` is no place"));
        let mut fields = line.split('\t');
        let name = fields.next().ok_or_else(wrong)?.to_owned();
        let mut number = || u64::from_str_radix(fields.next()?, 16).ok();
        let (at, len) = number().zip(number()).ok_or_else(wrong)?;
        by_name.insert(name, (at, len));
    }
    Places::new(&by_name).ok_or_else(|| Fault::of(PROGRAM, "it did not say all places"))
}

/// The counts, and what they are held to.
fn rows(seen: &[Seen], orders: u64) -> Vec<Row> {
    let all = counts(seen.iter());
    let far = counts(seen.iter().filter(|seen| !seen.is_near));
    let near = counts(seen.iter().filter(|seen| seen.is_near));
    let (kernel, floor) = (all.kernel(), all.floor());
    let alike = Bar::AtMostPermille(ALIKE_PERMILLE);
    let alone = Bar::AtMostPermille(ALONE_PERMILLE);
    [
        (
            "the kernel's lines, against the floor's",
            (kernel, Some(floor)),
            alike,
        ),
        (
            "the floor's lines, against the kernel's",
            (floor, Some(kernel)),
            alike,
        ),
        (
            "lines of the kernel alone, against all of its",
            (all.kernel_alone, Some(kernel)),
            alone,
        ),
        ("lines of both", (all.both, None), Bar::None),
        ("far lines", (far.kernel(), Some(far.floor())), Bar::None),
        ("near lines", (near.kernel(), Some(near.floor())), Bar::None),
    ]
    .map(|(figure, counted, bar)| row(figure, counted, orders, bar))
    .into()
}

/// Lines, and those that they are held against.
fn row(figure: &str, (lines, of): (u64, Option<u64>), orders: u64, bar: Bar) -> Row {
    let per_thousand = |lines: u64| lines * 1_000 / orders;
    let value: Rounds = [per_thousand(lines)].into_iter().collect();
    Row::of_rounds(
        PROGRAM,
        figure.to_owned(),
        Unit::Count,
        &value,
        of.map(per_thousand),
        bar,
    )
}

/// Prints the counts by place.
fn tell(seen: &[Seen], orders: u64, names: &BTreeMap<u64, String>) {
    println!(
        "{orders} orders that pass; distinct lines of {LINE} bytes in a batch, an order's share\n"
    );
    println!(
        "{:>8} {:>8} {:>8} {:>8} {:>8}",
        "kernel", "floor", "both", "kernel", "floor"
    );
    println!(
        "{:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "", "", "alone", "alone"
    );
    for (is_near, which) in [
        (false, "far: fewer than a quarter of the batches touch it"),
        (true, "near: more do, so that it stays in a cache by itself"),
    ] {
        let of_which = || seen.iter().filter(|seen| seen.is_near == is_near);
        print(counts(of_which()), orders, which);
        println!();
        for (name, counts) in by_place(of_which(), names) {
            print(counts, orders, &name);
        }
        println!();
    }
}

fn print(counts: Counts, orders: u64, what: &str) {
    let share = |lines: u64| {
        let hundredths = (lines * 100 + orders / 2) / orders;
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    };
    println!(
        "{:>8} {:>8} {:>8} {:>8} {:>8}  {what}",
        share(counts.kernel()),
        share(counts.floor()),
        share(counts.both),
        share(counts.kernel_alone),
        share(counts.floor_alone)
    );
}

fn counts<'a>(seen: impl Iterator<Item = &'a Seen>) -> Counts {
    let mut counts = Counts::default();
    seen.for_each(|seen| counts.add(seen.in_kernel, seen.in_floor));
    counts
}

/// The same by place, most lines first.
fn by_place<'a>(
    seen: impl Iterator<Item = &'a Seen>,
    names: &BTreeMap<u64, String>,
) -> Vec<(String, Counts)> {
    let mut places: BTreeMap<String, Counts> = BTreeMap::new();
    for seen in seen {
        let name = names.get(&seen.by).map_or("elsewhere", String::as_str);
        let counts = places.entry(name.to_owned()).or_default();
        counts.add(seen.in_kernel, seen.in_floor);
    }
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.kernel() + counts.floor()));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of the kernel alone, of the floor alone, and of both.
    fn seen([kernel, floor, both]: [usize; 3]) -> Vec<Seen> {
        let times = |count, in_kernel, in_floor| {
            let seen = Seen {
                in_kernel,
                in_floor,
                is_near: in_kernel && in_floor,
                by: 0,
            };
            std::iter::repeat_n(seen, count)
        };
        times(kernel, true, false)
            .chain(times(floor, false, true))
            .chain(times(both, true, true))
            .collect()
    }

    #[test]
    fn kernel_and_floor_are_alike_or_a_bar_is_missed() {
        let holds = |lines| {
            let rows = rows(&seen(lines), 100);
            rows.iter().all(|row| row.holds() != Some(false))
        };
        assert!(holds([0, 0, 1_000]) && holds([40, 40, 960]));
        assert!(!holds([0, 60, 1_000]), "the floor reads more");
        assert!(!holds([60, 0, 1_000]), "the kernel touches more");
        assert!(!holds([60, 60, 1_000]), "as many, but others");
    }
}
