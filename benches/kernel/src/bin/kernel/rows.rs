//! From rounds to rows: which figure has which floor and which bar.
//!
//! On the measuring thread, at the end. Invariant: value and floor of a row are medians over the
//! same rounds of the same run.

use crate::cells::Cell;
use crate::plan::{
    MOST_ACCOUNTS, Measured, Mixture, NONE_OPEN, NONE_OPEN_LITTLE_ROOM, THOUSAND_OPEN,
};
use portcullis_bench_harness::{
    Bar, Histograms, Latency, REASON_PERMILLE, Rounds, Row, Unit, rarest_permille,
};

/// What a decision may add to the floor with ten thousand accounts, nanoseconds.
const ADDED_NS: u64 = 40;
/// Mean against the floor with a million accounts, growth, open orders and positions: thousandths.
const AGAINST_FLOOR: u64 = 2_000;
const GROWTH: u64 = 1_500;
const OPEN_ORDERS: u64 = 1_100;
const POSITIONS: u64 = 2_000;
/// The longest of 999 in a thousand single calls, nanoseconds.
const SINGLE_P999_NS: u64 = 999;
/// What the floor takes for a line far away, against reads that do not wait: thousandths.
const READS_AT_LEAST: u64 = 250;
/// Where it is written why bars are missed.
const REASONS_SINGLE: &str = "docs/performance/kernel.md#orders-near-their-margin";
const REASONS_RING: &str = "docs/performance/kernel.md#10-million-decisions-a-second";
/// Decisions a second.
const PER_SECOND: u64 = 10_000_000;
/// Of a thousand orders that pass, those within a tenth of a limit, about: a tenth, drawn at random.
const NEAR_PERMILLE: u64 = 95;

/// A percentile: its name, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);

/// The rows, and the histograms of single calls.
pub(crate) fn rows(measured: &Measured) -> (Vec<Row>, Histograms) {
    let mut rows = Vec::new();
    let mut histograms = Histograms::new("kernel");
    for cell in &measured.cells {
        rows.push(in_batches(cell));
        keep(cell, &mut histograms);
        rows.extend(alone(cell, &histograms));
        rows.push(per_second(cell));
        rows.extend(a_line(cell));
    }
    rows.extend(comparisons(measured));
    rows.extend(measured.mixtures.iter().flat_map(mixture));
    let refusals = measured.refusals.iter();
    let refusals = refusals.map(|(check, ps)| (format!("refuse {check}"), ps));
    let steps = measured.steps.iter();
    let steps = steps.map(|(name, ps)| ((*name).to_owned(), ps));
    rows.extend(refusals.chain(steps).map(|(figure, ps)| {
        row(
            format!("{figure}, batch, mean"),
            Unit::Ns,
            Some(&whole_ns(ps)),
            None,
            Bar::None,
        )
    }));
    (rows, histograms)
}

/// Cells against cells, as far as both were measured.
fn comparisons(measured: &Measured) -> Vec<Row> {
    let mut rows = Vec::new();
    let few = "10k accounts of one position";
    for many in ["1M accounts of one position", MOST_ACCOUNTS] {
        let absent = measured
            .most_absent
            .as_ref()
            .filter(|_| many == MOST_ACCOUNTS);
        if measured.cell(few).is_some() && (measured.cell(many).is_some() || absent.is_some()) {
            rows.push(growth(measured, many, few, absent));
        }
    }
    for (many, few, permille) in [
        (THOUSAND_OPEN, NONE_OPEN, Some(OPEN_ORDERS)),
        (THOUSAND_OPEN, NONE_OPEN_LITTLE_ROOM, None),
        (
            "10k accounts, 20 positions",
            "10k accounts, 1 position",
            None,
        ),
        (
            "10k accounts, 200 positions",
            "10k accounts, 1 position",
            Some(POSITIONS),
        ),
    ] {
        if let (Some(cell), Some(base)) = (measured.cell(many), measured.cell(few)) {
            rows.push(Row {
                note: Some(valued_exactly(cell)),
                ..row(
                    format!("accept, {many}, mean, against {few}"),
                    Unit::Ns,
                    Some(&whole_ns(&cell.kernel_ps)),
                    Some(&whole_ns(&base.kernel_ps)),
                    permille.map_or(Bar::None, Bar::AtMostPermille),
                )
            });
        }
    }
    rows
}

/// The share of a cell's orders for which the account was valued.
fn valued_exactly(cell: &Cell) -> String {
    let exactly = cell.exactly_permyriad();
    format!("valued exactly {}.{:02}%", exactly / 100, exactly % 100)
}

fn in_batches(cell: &Cell) -> Row {
    let bar = match cell.name.as_str() {
        "10k accounts, uniform" | "10k accounts, zipf" | "10k accounts, refusals mixed in" => {
            Bar::AtMostAbove(ADDED_NS)
        }
        name if name.starts_with("1M accounts, ") => Bar::AtMostPermille(AGAINST_FLOOR),
        _ => Bar::None,
    };
    let lines = cell.line_tenths();
    let valued = valued_exactly(cell);
    let note = format!("{}.{} lines an order; {valued}", lines / 10, lines % 10);
    Row {
        note: Some(note),
        ..row(
            format!("{}, batch, mean", what(cell)),
            Unit::Ns,
            Some(&whole_ns(&cell.kernel_ps)),
            Some(&whole_ns(&cell.floor_ps)),
            bar,
        )
    }
}

/// Keeps the single calls of a cell and of its floor: all of them, and where orders are refused the two
/// kinds apart.
fn keep(cell: &Cell, histograms: &mut Histograms) {
    let (name, apart) = (&cell.name, is_mixed(cell));
    for (calls, floor) in [(&cell.single, ""), (&cell.floor_single, ", floor")] {
        for calls in calls {
            histograms.keep(&format!("{name}{floor}"), calls.all());
            if apart {
                histograms.keep(&format!("{name}, accepted{floor}"), calls.accepted.clone());
                histograms.keep(&format!("{name}, refused{floor}"), calls.refused.clone());
            }
        }
    }
}

/// Single calls. The bar is one of orders that are accepted.
fn alone(cell: &Cell, histograms: &Histograms) -> Vec<Row> {
    let barred = cell.name.starts_with("1M accounts, ") || cell.name.ends_with("200 positions");
    let name = &cell.name;
    if !is_mixed(cell) {
        return singles(&format!("accept, {name}"), name, barred, histograms);
    }
    let mut rows = singles(&format!("decide, {name}"), name, false, histograms);
    for (verb, kind, barred) in [("accept", "accepted", barred), ("refuse", "refused", false)] {
        let kept = format!("{name}, {kind}");
        rows.extend(singles(
            &format!("{verb}, {name}"),
            &kept,
            barred,
            histograms,
        ));
    }
    rows
}

fn singles(figure: &str, kept: &str, barred: bool, histograms: &Histograms) -> Vec<Row> {
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
        let row = row(
            format!("{figure}, single, {percentile}"),
            Unit::Ns,
            Some(&histograms.rounds(kept, of)),
            Some(&histograms.rounds(&format!("{kept}, floor"), of)),
            bar,
        );
        if bar == Bar::None {
            return row;
        }
        row.explained(REASONS_SINGLE)
    };
    percentiles.map(row_of).into()
}

fn per_second(cell: &Cell) -> Row {
    let bar = if cell.name.starts_with("1M accounts, ") {
        Bar::AtLeast(PER_SECOND)
    } else {
        Bar::None
    };
    let row = row(
        format!("decisions, {}, from a ring", cell.name),
        Unit::PerSecond,
        Some(&cell.per_second),
        None,
        bar,
    );
    if bar == Bar::None {
        return row;
    }
    row.explained(REASONS_RING)
}

/// What the floor takes for a line, beside what the machine takes to read one of as many at random: no
/// more than where each read waits for the last, and with so many accounts that their lines are far away no less
/// than a quarter of what it takes where none waits, or the floor would not read them.
fn a_line(cell: &Cell) -> [Row; 2] {
    let note = format!("canary over {} KiB", cell.canary_bytes >> 10);
    let far = match cell.name.starts_with("1M accounts") || cell.name == MOST_ACCOUNTS {
        true => Bar::AtLeastPermille(READS_AT_LEAST),
        false => Bar::None,
    };
    let one = |figure: &str, canary, bar| Row {
        note: Some(note.clone()),
        ..row(
            format!("floor, {}, a line, {figure}", cell.name),
            Unit::Ps,
            Some(&cell.line_ps),
            Some(canary),
            bar,
        )
    };
    [
        one(
            "against reads that wait",
            &cell.dependent_ps,
            Bar::AtMostPermille(1_000),
        ),
        one("against reads that do not", &cell.independent_ps, far),
    ]
}

/// How kernel less floor grows from ten thousand accounts on.
fn growth(measured: &Measured, many: &str, few: &str, absent: Option<&String>) -> Row {
    let above = |name: &str| {
        let above_ps = measured.cell(name)?.above_floor_ps()?;
        Some(whole_ns(&above_ps))
    };
    let (value, base) = (above(many), above(few));
    let unclear = value.is_none() || base.is_none();
    let why = || "in a round the floor took longer than the kernel: others had the core".to_owned();
    let bar = match many == MOST_ACCOUNTS {
        true => Bar::AtMostPermille(GROWTH),
        false => Bar::None,
    };
    Row {
        note: absent.cloned().or_else(|| unclear.then(why)),
        ..row(
            format!("kernel less floor, {many}, against 10k"),
            Unit::Ns,
            value.as_ref().filter(|_| !unclear),
            base.as_ref(),
            bar,
        )
    }
}

/// What a mixture came to: that each check was evaluated, passed and refused its share, and that a tenth
/// of the rest came near a limit.
fn mixture(mixture: &Mixture) -> Vec<Row> {
    let name = &mixture.name;
    let count = |figure: String, value: u64, bar, note: String| {
        Row::of_count("kernel", figure, value, bar, note)
    };
    let refused: u64 = mixture.checks.iter().map(|(_, refused, _)| refused).sum();
    let both = (mixture.checks.iter())
        .filter(|(_, refused, evaluated)| *refused > 0 && evaluated > refused);
    let by_reason = mixture.checks.iter();
    let by_reason: Vec<_> = by_reason.map(|(check, of, _)| (*check, *of)).collect();
    let (rarest, permille) = rarest_permille(&by_reason);
    let near: u64 = mixture.near.iter().map(|(_, count)| count).sum();
    let of_each = (mixture.near.iter())
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect::<Vec<_>>();
    let mut rows = vec![
        count(
            format!("{name}: checks that passed and refused"),
            both.count() as u64,
            Bar::AtLeast(mixture.checks.len() as u64),
            format!(
                "of {}; {refused} refusals, {} passed",
                mixture.checks.len(),
                mixture.passing
            ),
        ),
        count(
            format!("{name}: the rarest reason, of 1,000 refusals"),
            permille,
            Bar::AtLeast(REASON_PERMILLE),
            rarest.to_owned(),
        ),
        count(
            format!("{name}: within a tenth of a limit, of 1,000 that pass"),
            near * 1_000 / mixture.passing.max(1),
            Bar::AtLeast(NEAR_PERMILLE),
            of_each.join(", "),
        ),
    ];
    rows.extend(mixture.checks.iter().map(|(check, refused, evaluated)| {
        count(
            format!("{name}: {check}, primary reason"),
            *refused,
            Bar::None,
            format!("evaluated {evaluated} times"),
        )
    }));
    rows
}

/// Whether some of its orders are refused.
fn is_mixed(cell: &Cell) -> bool {
    cell.name.contains("refusals")
}

/// A cell in the words of its figures.
fn what(cell: &Cell) -> String {
    match is_mixed(cell) {
        true => format!("decide, {}", cell.name),
        false => format!("accept, {}", cell.name),
    }
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
    let floor = floor.and_then(Rounds::spread).map(|spread| spread.median);
    let none = Rounds::default();
    Row::of_rounds("kernel", figure, unit, value.unwrap_or(&none), floor, bar)
}
