//! From rounds to rows: who is held against whom.
//!
//! On the measuring thread, at the end. Invariant: value and floor of a row are medians over the
//! same rounds of the same run.

use crate::measure::{All, Figures};
use portcullis_bench_harness::{Bar, Rounds, Row, Unit};

/// The bench's name.
pub(crate) const BENCH: &str = "peers";

const OURS: &str = "portcullis";
const YARDSTICK: &str = "yardstick";

/// What we may cost of the yardstick, and what a peer must cost of us, thousandths.
const OF_YARDSTICK: u64 = 1_500;
const MELIN: u64 = 2_000;
const LIBRARY: u64 = 7_000;

/// A figure of a gate: its name, and its rounds.
type What = (&'static str, fn(&Figures) -> &Rounds);

/// The one that has bars, first.
const SINGLE: What = ("accepted, single call, p50", |of| &of.accepted_p50);
const FURTHER: [What; 4] = [
    ("accepted, single call, p99", |of| &of.accepted_p99),
    ("too many lots, single call, p50", |of| &of.too_large_p50),
    ("no funds, single call, p50", |of| &of.no_funds_p50),
    ("an order of a batch of 64, p50", |of| &of.batch_p50),
];

impl All {
    /// The rows: ours against the yardstick, each peer against ours.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = (self.gates.iter())
            .map(|(gate, _)| self.row(gate, SINGLE, bar(gate)))
            .collect();
        for what in FURTHER {
            for (gate, _) in &self.gates {
                rows.push(self.row(gate, what, Bar::None));
            }
        }
        rows
    }

    fn row(&self, gate: &str, (what, of): What, bar: Bar) -> Row {
        let spread = |gate: &str| {
            let figures = self.gates.iter().find(|(name, _)| *name == gate);
            figures.and_then(|(_, figures)| of(figures).spread())
        };
        let floor = match gate {
            YARDSTICK => None,
            OURS => spread(YARDSTICK),
            _ => spread(OURS),
        };
        let value = spread(gate);
        Row {
            bench: BENCH,
            figure: format!("{gate}: {what}"),
            unit: Unit::Ns,
            value: value.map(|spread| spread.median),
            spread: value.map(|spread| (spread.low, spread.high)),
            floor: floor.map(|spread| spread.median),
            bar,
            note: note(gate),
        }
    }
}

fn bar(gate: &str) -> Bar {
    match gate {
        OURS => Bar::AtMostPermille(OF_YARDSTICK),
        YARDSTICK => Bar::None,
        _ if gate.starts_with("melin") => Bar::AtLeastPermille(MELIN),
        _ => Bar::AtLeastPermille(LIBRARY),
    }
}

/// What the reader must know of a gate beside its figures.
fn note(gate: &str) -> Option<String> {
    let note = match gate {
        OURS => {
            "floor is the yardstick; every check, four tiers, margin scaled; keeps the order; \
             reasons: docs/performance/peers.md#where-the-wait-is"
        }
        YARDSTICK => {
            "9 checks, one margin ratio; no tiers, open interest, volume, losses, repeats, \
             valuation, firms, sessions; keeps no order"
        }
        "openpit 0.11.0, five policies" => {
            "floor is portcullis; no margin, collar, open interest, volume, open orders, position, \
             repeats, firms, sessions"
        }
        "nautilus-risk 0.57.0, margin" => {
            "floor is portcullis; reserves nothing; no collar, open interest, volume, open orders, \
             losses, position, repeats, firms, sessions"
        }
        "melin-exchange-core 0.15.0, lapses" => {
            "floor is portcullis; no margin, open interest, volume, losses, position, repeats, \
             firms, sessions; gives back what it reserved"
        }
        "melin-exchange-core 0.15.0, rests" => {
            "floor is portcullis; no margin, open interest, volume, losses, position, repeats, \
             firms, sessions; with its book"
        }
        _ => return None,
    };
    Some(note.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_bench_harness::{Histograms, PEERS_BARS};

    fn figures(ns: u64) -> Figures {
        Figures {
            accepted_p50: [ns].into_iter().collect(),
            ..Figures::default()
        }
    }

    #[test]
    fn there_are_as_many_bars_as_are_absent_where_this_is_not_built() {
        let gates = crate::gates(1_024).expect("few accounts in each");
        let all = All {
            gates: (gates.iter())
                .map(|gate| (gate.name(), figures(100)))
                .collect(),
            histograms: Histograms::new(BENCH),
            orders: 0,
            accepted: 0,
            clock_ns: 0,
        };
        let rows = all.rows();
        let barred = rows.iter().filter(|row| row.bar != Bar::None);
        assert_eq!(barred.count() as u64, PEERS_BARS);
    }

    #[test]
    fn peers_stand_against_us_and_we_against_the_yardstick() {
        let all = All {
            gates: vec![
                (OURS, figures(150)),
                (YARDSTICK, figures(100)),
                ("openpit 0.11.0, five policies", figures(1_049)),
                ("melin-exchange-core 0.15.0, lapses", figures(300)),
            ],
            histograms: Histograms::new(BENCH),
            orders: 0,
            accepted: 0,
            clock_ns: 0,
        };
        let rows = all.rows();
        let holds: Vec<Option<bool>> = rows.iter().take(4).map(Row::holds).collect();
        assert_eq!(holds, [Some(true), None, Some(false), Some(true)]);
        assert_eq!(rows[0].floor, Some(100));
        assert_eq!(rows[2].floor, Some(150));
        assert!(rows.iter().all(|row| row.note.is_some()));
    }
}
