//! `cargo xtask bench lines`: counts the cache lines that an order touches, in the kernel and in its floor.
//!
//! The program under `benches/kernel` gives both the same batches; lackey writes down each address, and what
//! stands between two marks is counted here: distinct lines of 64 bytes of the core's tables. Left out
//! are the stack, the records, what counts effects, and the program's own constants; lines of the core's one
//! struct are counted apart, since a batch shares them. Far is a line that fewer than a quarter of the batches touch
//! (accounts, positions, orders); near are those of what all orders share (instruments, firms, sessions). A
//! line is named by the place in the core's sources that touches it first. Invariant: the counts hold
//! only while kernel and floor differ by [`APART_PERCENT`] at the most, and lines of the kernel that the
//! floor leaves out are as few.

mod regions;
mod trace;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::verb::{Fault, Outcome};
use crate::workspace::Workspace;
use trace::{Counts, LINE, Places, Seen, Touched};

/// The program.
const PROGRAM: &str = "lines";
/// How far the counts of kernel and floor may be apart.
const APART_PERCENT: u64 = 5;

/// Counts.
///
/// # Errors
/// Valgrind cannot be had, or the program does not build, run or say what it must.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Fault> {
    if !arguments.is_empty() {
        let given = arguments.join(" ");
        return Err(Fault(format!("bench lines takes nothing, not `{given}`")));
    }
    let program = crate::instructions::built(workspace)?.join(PROGRAM);
    let (places, touched) = traced(&program)?;
    let names = regions::names(&program, &places, &touched)?;
    Ok(Outcome::of(told(&places, &touched, &names)))
}

/// Runs the program under lackey and reads what it touches.
fn traced(program: &Path) -> Result<(Places, Touched), Fault> {
    let mut child = Command::new("valgrind")
        .args(["--tool=lackey", "--trace-mem=yes"])
        .arg(program)
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

/// Prints the counts; whether they hold.
fn told(places: &Places, touched: &Touched, names: &BTreeMap<u64, String>) -> bool {
    let orders = places.batches * places.batch;
    println!(
        "{} batches of {} orders that pass; distinct lines of {LINE} bytes in a batch, an order's share",
        places.batches, places.batch
    );
    let seen = touched.seen();
    let far = counts(seen.iter().filter(|seen| !seen.is_near));
    let near = counts(seen.iter().filter(|seen| seen.is_near));
    println!(
        "\n{:>8} {:>8} {:>8} {:>8} {:>8}",
        "kernel", "floor", "both", "kernel", "floor"
    );
    println!(
        "{:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "", "", "alone", "alone"
    );
    print(
        far,
        orders,
        "far: fewer than a quarter of the batches touch it",
    );
    print(
        near,
        orders,
        "near: more do, so that it stays in a cache by itself",
    );
    let (kernel, floor) = touched.of_the_core();
    print(counts(seen.iter()), orders, "all");
    println!(
        "the core's own struct, lines a batch: {} kernel, {} floor",
        kernel / places.batches,
        floor / places.batches
    );
    for is_near in [false, true] {
        let which = if is_near { "near" } else { "far" };
        println!("\n{which}, by the place that touches it first:");
        let of_which = seen.iter().filter(|seen| seen.is_near == is_near);
        for (name, counts) in by_place(of_which, names) {
            print(counts, orders, &name);
        }
    }
    let all = counts(seen.iter());
    let few = |lines: u64| lines * 100 <= all.kernel() * APART_PERCENT;
    let holds = few(all.kernel().abs_diff(all.floor())) && few(all.kernel_alone);
    println!(
        "\n{}: kernel and floor at most {APART_PERCENT}% apart, the kernel alone at most {APART_PERCENT}%",
        if holds { "holds" } else { "MISSED" }
    );
    holds
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
