//! From rounds to rows: which figure has which floor and which bar.
//!
//! On the measuring thread, at the end. Invariant: value and floor of a row are medians over the
//! same rounds of the same run.

use crate::cells::Cell;
use crate::plan::Measured;
use portcullis_bench_harness::{Bar, Histograms, Latency, Rounds, Row, Unit};

/// What a decision may add to the floor with ten thousand accounts, nanoseconds.
const ADDED_NS: u64 = 40;
/// Mean against the floor with a million accounts, growth, open orders and positions: thousandths.
const AGAINST_FLOOR: u64 = 2_000;
const GROWTH: u64 = 1_500;
const OPEN_ORDERS: u64 = 1_100;
const POSITIONS: u64 = 2_000;
/// The longest of 999 in a thousand single calls, nanoseconds.
const SINGLE_P999_NS: u64 = 999;
/// Decisions a second.
const PER_SECOND: u64 = 10_000_000;

/// A percentile: its name, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);

/// The rows, and the histograms of single calls.
pub(crate) fn rows(measured: &Measured) -> (Vec<Row>, Histograms) {
    let mut rows = Vec::new();
    let mut histograms = Histograms::new("kernel");
    for cell in &measured.cells {
        rows.push(in_batches(cell));
        for latency in &cell.single {
            histograms.keep(&cell.name, latency.clone());
        }
        for latency in &cell.floor_single {
            histograms.keep(&format!("{}, floor", cell.name), latency.clone());
        }
        rows.extend(alone(cell, &histograms));
        rows.push(per_second(cell));
    }
    rows.push(growth(measured, "1M accounts of one position"));
    rows.push(growth(measured, "10M accounts of one position"));
    rows.push(against(
        measured,
        "1k accounts, 1,000 open orders",
        "1k accounts, no open orders",
        OPEN_ORDERS,
    ));
    for many in ["10k accounts, 20 positions", "10k accounts, 200 positions"] {
        rows.push(against(
            measured,
            many,
            "10k accounts, 1 position",
            POSITIONS,
        ));
    }
    rows.extend(measured.refusals.iter().map(|(check, ps)| Row {
        note: None,
        ..row(
            format!("refuse {check}, batch, mean"),
            Unit::Ns,
            Some(&whole_ns(ps)),
            None,
            Bar::None,
        )
    }));
    (rows, histograms)
}

fn in_batches(cell: &Cell) -> Row {
    let bar = match cell.name.as_str() {
        "10k accounts, uniform" | "10k accounts, zipf" => Bar::AtMostAbove(ADDED_NS),
        "1M accounts, uniform" | "1M accounts, zipf" => Bar::AtMostPermille(AGAINST_FLOOR),
        _ => Bar::None,
    };
    let exactly = cell.exactly_permyriad();
    let note = format!(
        "{} lines an order; valued exactly {}.{:02}%",
        cell.lines,
        exactly / 100,
        exactly % 100
    );
    Row {
        note: Some(note),
        ..row(
            format!("accept, {}, batch, mean", cell.name),
            Unit::Ns,
            Some(&whole_ns(&cell.kernel_ps)),
            Some(&whole_ns(&cell.floor_ps)),
            bar,
        )
    }
}

fn alone(cell: &Cell, histograms: &Histograms) -> Vec<Row> {
    let barred = cell.name.starts_with("1M accounts, ") || cell.name.ends_with("200 positions");
    let percentiles: [Percentile; 3] = [
        ("p50", Latency::p50),
        ("p99", Latency::p99),
        ("p99.9", Latency::p999),
    ];
    let row_of = |(percentile, of): Percentile| {
        let bar = if barred && percentile == "p99.9" {
            Bar::AtMost(SINGLE_P999_NS)
        } else {
            Bar::None
        };
        row(
            format!("accept, {}, single, {percentile}", cell.name),
            Unit::Ns,
            Some(&histograms.rounds(&cell.name, of)),
            Some(&histograms.rounds(&format!("{}, floor", cell.name), of)),
            bar,
        )
    };
    percentiles.map(row_of).into()
}

fn per_second(cell: &Cell) -> Row {
    let bar = if cell.name.starts_with("1M accounts, ") {
        Bar::AtLeast(PER_SECOND)
    } else {
        Bar::None
    };
    row(
        format!("decisions, {}, from a ring", cell.name),
        Unit::PerSecond,
        Some(&cell.per_second),
        None,
        bar,
    )
}

/// How kernel less floor grows from ten thousand accounts on.
fn growth(measured: &Measured, to: &str) -> Row {
    let above = |name: &str| {
        let cell = measured.cells.iter().find(|cell| cell.name == name);
        cell.map(|cell| whole_ns(&cell.above_floor_ps()))
    };
    let value = above(to);
    let absent = value.is_none();
    let bar = if to.starts_with("10M") {
        Bar::AtMostPermille(GROWTH)
    } else {
        Bar::None
    };
    Row {
        note: absent.then(|| "takes 5 GB: not in a quick run".to_owned()),
        ..row(
            format!("kernel less floor, {to}, against 10k"),
            Unit::Ns,
            value.as_ref(),
            above("10k accounts of one position").as_ref(),
            bar,
        )
    }
}

/// A cell's mean against another's.
fn against(measured: &Measured, name: &str, base: &str, permille: u64) -> Row {
    let mean = |name: &str| {
        let cell = measured.cells.iter().find(|cell| cell.name == name);
        cell.map(|cell| whole_ns(&cell.kernel_ps))
    };
    let bar = if name.ends_with("20 positions") {
        Bar::None
    } else {
        Bar::AtMostPermille(permille)
    };
    row(
        format!("accept, {name}, mean, against {base}"),
        Unit::Ns,
        mean(name).as_ref(),
        mean(base).as_ref(),
        bar,
    )
}

/// Nanoseconds, rounded, of picoseconds.
fn whole_ns(ps: &Rounds) -> Rounds {
    ps.values().iter().map(|ps| (ps + 500) / 1_000).collect()
}

fn row(
    figure: String,
    unit: Unit,
    value: Option<&Rounds>,
    floor: Option<&Rounds>,
    bar: Bar,
) -> Row {
    let value = value.and_then(Rounds::spread);
    Row {
        bench: "kernel",
        figure,
        unit,
        value: value.map(|spread| spread.median),
        spread: value.map(|spread| (spread.low, spread.high)),
        floor: floor.and_then(Rounds::spread).map(|spread| spread.median),
        bar,
        note: None,
    }
}
