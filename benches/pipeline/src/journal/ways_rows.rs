//! From rounds of pipelines with a journal to rows.
//!
//! On the measuring thread, at the end. Invariant: value and floor of a row are of the same rounds.

use crate::disk_cost::DiskCost;
use crate::ways::{Load, Placement, Way};
use portcullis_bench_harness::{Bar, Histograms, Latency, Rounds, Row, Unit};
use portcullis_bench_pipeline::outcome::{median, paired};

/// Least throughput with a journal that is waited for, in thousandths of one that is not.
const JOURNALED_PERMILLE: u64 = 850;

/// A percentile: its name, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);

const PERCENTILES: [Percentile; 4] = [
    ("p50", Latency::p50),
    ("p99", Latency::p99),
    ("p99.9", Latency::p999),
    ("max", Latency::max),
];

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) placement: Placement,
    pub(crate) histograms: Histograms,
    pub(crate) canary: Rounds,
    pub(crate) two_hops: Rounds,
    capacities: [Rounds; Way::ALL.len()],
    frames: [[Rounds; Way::ALL.len()]; Load::ALL.len()],
    kept: [[Rounds; Way::ALL.len()]; Load::ALL.len()],
    disk: [Vec<DiskCost>; Load::ALL.len()],
    /// The log shares the core of the ends.
    beside_ends: bool,
    pub(crate) orders: u64,
    pub(crate) refused: u64,
}

fn load_index(load: Load) -> usize {
    (Load::ALL.iter().position(|one| *one == load)).expect("one of them")
}

fn name(load: Load, way: Way) -> String {
    format!("{}, {}", load.name(), way.name())
}

fn rows_of(figure: String, unit: Unit, value: &Rounds, floor: Option<u64>, bar: Bar) -> Row {
    Row::of_rounds("journal", figure, unit, value, floor, bar)
}

impl Figures {
    pub(crate) fn new(placement: Placement, beside_ends: bool) -> Self {
        let bench = match placement {
            Placement::Fused => "journal-fused",
            Placement::Split => "journal-split",
        };
        Self {
            placement,
            histograms: Histograms::new(bench),
            canary: Rounds::default(),
            two_hops: Rounds::default(),
            capacities: Default::default(),
            frames: Default::default(),
            kept: Default::default(),
            disk: Default::default(),
            beside_ends,
            orders: 0,
            refused: 0,
        }
    }

    pub(crate) const fn capacity(&mut self, way: Way) -> &mut Rounds {
        &mut self.capacities[way as usize]
    }

    pub(crate) fn frame(&mut self, load: Load, way: Way) -> &mut Rounds {
        &mut self.frames[load_index(load)][way as usize]
    }

    pub(crate) fn kept(&mut self, load: Load, way: Way) -> &mut Rounds {
        &mut self.kept[load_index(load)][way as usize]
    }

    pub(crate) fn disk(&mut self, load: Load) -> &mut Vec<DiskCost> {
        &mut self.disk[load_index(load)]
    }

    pub(crate) fn keep(&mut self, load: Load, way: Way, latency: Latency) {
        self.histograms.keep(&name(load, way), latency);
    }

    fn disk_rounds(&self, load: Load, of: impl Fn(&DiskCost) -> u64) -> Rounds {
        self.disk[load_index(load)].iter().map(of).collect()
    }

    fn latency(&self, load: Load, way: Way, of: fn(&Latency) -> u64) -> Rounds {
        self.histograms.rounds(&name(load, way), of)
    }

    /// The rows.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let plain = |figure: &str, value: &Rounds| {
            rows_of(figure.to_owned(), Unit::Ns, value, None, Bar::None)
        };
        let segments = self.disk_rounds(Load::Alone, |cost| cost.segment_ns);
        let mut rows = vec![
            plain("a bare line to and fro (canary)", &self.canary),
            plain("two hops: a record there, an item back", &self.two_hops),
            plain("a segment of 64 MiB made ahead", &segments),
        ];
        rows.extend(self.capacity_rows());
        for load in Load::ALL {
            rows.extend(self.bars(load));
            rows.extend(self.latencies(load));
        }
        let beside = if self.beside_ends {
            ", log beside the ends"
        } else {
            ""
        };
        for row in &mut rows {
            row.figure = format!("{}{beside}: {}", self.placement.name(), row.figure);
        }
        rows
    }

    fn capacity_rows(&self) -> Vec<Row> {
        let memory = median(&self.capacities[Way::Memory as usize]);
        let one = |way: Way| {
            let bar = match way {
                Way::Journaled => Bar::AtLeastPermille(JOURNALED_PERMILLE),
                Way::NoLog | Way::Memory | Way::Synced => Bar::None,
            };
            let figure = format!("capacity, {}", way.name());
            let floor = memory.filter(|_| way != Way::Memory);
            let value = &self.capacities[way as usize];
            rows_of(figure, Unit::PerSecond, value, floor, bar)
        };
        Way::ALL.into_iter().map(one).collect()
    }

    /// What waiting adds to a median, against what the disk and the hops take: of the same rounds.
    fn bars(&self, load: Load) -> Vec<Row> {
        let write = self.disk_rounds(load, |cost| cost.write_ns);
        let sync = self.disk_rounds(load, |cost| cost.sync_ns);
        let written = paired(&write, &self.two_hops, u64::saturating_add);
        let synced = paired(&written, &sync, u64::saturating_add);
        let memory = self.latency(load, Way::Memory, Latency::p50);
        let added = |way| {
            let value = self.latency(load, way, Latency::p50);
            paired(&value, &memory, u64::saturating_sub)
        };
        let plain = |figure: &str, value: &Rounds| {
            let figure = format!("{}, {figure}", load.name());
            rows_of(figure, Unit::Ns, value, None, Bar::None)
        };
        let held = |way: Way, what: &str, floor: &Rounds| {
            let figure = format!(
                "{}, {} above memory, p50, beside {what}",
                load.name(),
                way.name()
            );
            let bar = Bar::AtMostPermille(1_000);
            rows_of(figure, Unit::Ns, &added(way), median(floor), bar)
        };
        vec![
            plain("one write of a frame alone, p50", &write),
            plain("one sync of it alone, p50", &sync),
            held(Way::Journaled, "a write and two hops", &written),
            held(Way::Synced, "a write, a sync and two hops", &synced),
        ]
    }

    fn latencies(&self, load: Load) -> Vec<Row> {
        let mut rows = Vec::new();
        for way in Way::ALL {
            if way != Way::NoLog {
                let figure = format!("{}, records a frame", name(load, way));
                let value = &self.frames[load_index(load)][way as usize];
                rows.push(rows_of(figure, Unit::Count, value, None, Bar::None));
                let figure = format!("{}, a frame gathered and kept, p50", name(load, way));
                let value = &self.kept[load_index(load)][way as usize];
                rows.push(rows_of(figure, Unit::Ns, value, None, Bar::None));
            }
            for (percentile, of) in PERCENTILES {
                let floor = median(&self.latency(load, Way::Memory, of));
                let floor = floor.filter(|_| way != Way::Memory);
                let figure = format!("{}, {percentile}", name(load, way));
                let value = self.latency(load, way, of);
                rows.push(rows_of(figure, Unit::Ns, &value, floor, Bar::None));
            }
        }
        rows
    }
}
